"""What the scripts share: one way of naming options, and one line for an error."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import json
import os
import re
import shlex
import string
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn

from seq2seq import Seq2SeqError, UsageError
from seq2seq.cli import streams
from seq2seq.errors import readable, short
from seq2seq.tasks.base import option_fields

WRONG_USE, FAILURE, INTERRUPTED = 2, 1, streams.INTERRUPTED


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and to which `-9+3` and `---` are no options: no name of one begins
    without a letter."""

    def __init__(self, description: str, epilog: str, add_help: bool = True) -> None:
        super().__init__(
            description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False, add_help=add_help,
        )  # fmt: skip
        self._negative_number_matcher = re.compile("--?(?![-A-Za-z])|---")  # what argparse takes for a value
        self.add_argument("--seed", type=int, default=0, metavar="N", help="decides all that is random (default: 0)")
        self.add_argument("--device", default="auto", help="auto, cpu, gpu or gpu:N (default: auto)")

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments: -") and self._get_positional_actions():
            message += "; a source that begins with a dash and a letter comes after --"
        fail(f"{self.prog}: {message}", WRONG_USE)

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stdout).write(message)  # argparse passes over a stream that cannot take it

    def _get_values(self, action: Any, arg_strings: list[str]) -> Any:
        if action.option_strings and arg_strings == ["--"]:  # `--option=--`, which argparse would lose
            return self._get_value(action, "--")
        return super()._get_values(action, arg_strings)


def say(line: str) -> None:
    """One line on stderr; if that has no room for it, it is lost."""
    with contextlib.suppress(OSError):
        print(readable(line), file=sys.stderr, flush=True)


def fail(message: str, status: int) -> NoReturn:
    """End with one line on stderr."""
    say(message)
    sys.exit(status)


def text(argument: str) -> str:
    """An argument that a model is to read: UTF-8 whatever the locale says, as lines of stdin are."""
    try:
        return os.fsencode(argument).decode("utf-8-sig")
    except UnicodeError:
        return argument


def option(name: str, value: bytes) -> str:
    """An option and its value as a person may type them at a shell."""
    return f"{name}{'=' if value.startswith(b'-') else ' '}{quote(value)}"


def quote(word: bytes) -> str:
    """A word as a person may type it at a POSIX shell, in characters that stdout can write."""
    shown = word.decode(errors="surrogateescape")
    is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    if shown.isprintable() and (shown.isascii() or is_utf8):
        return shlex.quote(shown)
    body = word.rstrip(b"\n")  # `$()` strips line feeds at the end
    octal = "".join(chr(each) if chr(each) in PLAIN else f"\\{each:03o}" for each in body)
    return f"\"$(printf '{octal}')\"" + (f"'{LINE_FEED * (len(word) - len(body))}'" if body != word else "")


def add_options(group: Any, config: Any, prefix: str = "", from_data: Collection[str] = ()) -> None:
    """An option for each field of a config, which has the defaults; absent from the result unless it is given.

    The defaults of those `from_data` are not the config's, but chosen when the data are known.
    """
    for field in option_fields(config):
        name, default = field.name, getattr(config, field.name)
        parse = field.metadata.get("parse") or parse_of(default)
        help_text = field.metadata.get("help", "")
        if name in from_data:
            help_text = help_text.partition(" (default")[0] + " (default: from the data)"
        elif "default" not in help_text and default not in (None, ""):
            help_text += f" (default: {_show(default)})"
        flag = name.replace("_", "-")
        options: dict[str, Any] = {"dest": f"{prefix}{name}", "default": argparse.SUPPRESS}
        options["help"] = help_text.strip().replace("%", "%%")
        if parse is bool:
            group.add_argument(f"--{prefix}{flag}", f"--{prefix}no-{flag}", action=_YesNo, **options)
        else:
            parser = PARSERS.get(parse, parse)
            group.add_argument(f"--{prefix}{flag}", type=parser, metavar=METAVARS[parse], **options)


def parse_of(default: Any) -> Any:
    """How the text of an option is read that does not say so itself: as what its default is."""
    return "pair" if isinstance(default, tuple) else type(default) if type(default) in METAVARS else str


class _YesNo(argparse.Action):
    """A flag, and the flag with `no-` before its name that means the contrary."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        setattr(namespace, self.dest, option_string == self.option_strings[0])


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def whole_or_range(text: str) -> Any:
    """`3` as 3, `2-4` as (2, 4)."""
    match = re.fullmatch(r"(\d{1,30})(?:-(\d{1,30}))?", text, re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(f"got {short(text)}, but it must be a whole number or a range such as 2-4")
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])


def pair(text: str) -> Any:
    """`2-4` as (2, 4), `3` as (3, 3)."""
    value = whole_or_range(text)
    return value if isinstance(value, tuple) else (value, value)


def share_or_count(text: str) -> Any:
    """`0.1` as a share, `500` as a number."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {short(text)}, but it must be a share such as 0.1 or a number") from None


def text_scores(evaluation: Any) -> str:
    """A line for each score of a `TextEvaluation`."""
    parts = {"held out": evaluation.held_out, "trained on": evaluation.train_distribution}
    return "\n".join(
        f"{name}, {part.n} characters between {part.begin} and {part.end} of the text: "
        f"{part.nats:.4f} nats ({part.bits:.4f} bits) a character, {part.accuracy:.1%} right"
        for name, part in parts.items()
    )


def read_page(path: Path) -> str:
    """The text of a page that is to be written into. Raises `UsageError` if it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8") from None


def read_results(path: Path) -> dict[str, Any]:
    """What was done before, by name. Raises `UsageError` if the file holds something else."""
    try:
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (ValueError, RecursionError):
        results = None
    if not isinstance(results, dict) or not all(isinstance(each, dict) for each in results.values()):
        raise UsageError(f"{path}: holds no results in JSON")
    return results


@contextlib.contextmanager
def shows_results(path: Path) -> Iterator[None]:
    """Raise `UsageError` if what was done before lacks something that is shown, or has it in another form."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: holds results of another form: {type(error).__name__}: {error}") from None


def fill(page: str, mark: str, content: str) -> str:
    """The page with this between `<!-- mark -->` and `<!-- end -->`, if it has them."""
    before, begin, rest = page.partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    return f"{before}{begin}{content}{end}{after}" if end else page


PLAIN = f"{string.ascii_letters}{string.digits} ./_"  # characters that mean themselves to printf
LINE_FEED = "\n"
PARSERS: dict[Any, Callable[[str], Any]] = {"range": whole_or_range, "pair": pair, "amount": share_or_count}
METAVARS: dict[Any, str] = {
    "range": "N[-N]", "pair": "N-N", "amount": "SHARE|N", int: "N", float: "X", str: "TEXT", bool: "",
}  # fmt: skip


def run(main: Callable[[], int]) -> NoReturn:
    """Call a script's main function; whatever goes wrong is one line on stderr and an exit status."""
    name = os.path.basename(sys.argv[0])
    warnings.formatwarning = lambda message, *_, **__: f"{name}: {' '.join(str(message).split())}\n"
    message = ""
    streams.interrupts_raise()
    try:
        try:
            status = main()
        except SystemExit as ended:  # of the parser, perhaps after it has shown the help
            status = int(ended.code or 0)
        sys.stdout.flush()
    except UsageError as error:
        message, status = str(error), WRONG_USE
    except (Seq2SeqError, ImportError) as error:
        message, status = str(error), FAILURE
    except KeyboardInterrupt:
        message, status = "interrupted", INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        status = FAILURE
    except (OSError, MemoryError) as error:
        message, status = str(error) or type(error).__name__, FAILURE
    streams.interrupts_kill()
    if message:
        say(f"{name}: {message}")
    streams.drop_unwritten()
    sys.exit(status)
