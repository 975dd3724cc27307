"""Command-line options for the fields of a config: their names, and the parsing of their values."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection
from typing import Any

from seq2seq.errors import short
from seq2seq.tasks.base import option_fields


def add_options(group: Any, config: Any, prefix: str = "", from_data: Collection[str] = ()) -> None:
    """Add an option for each field of a config, which has the defaults. Options that are not given are absent.

    The defaults of the options in `from_data` are chosen from the data.
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
    """The parser of an option without one of its own, by the type of its default."""
    return "pair" if isinstance(default, tuple) else type(default) if type(default) in METAVARS else str


class _YesNo(argparse.Action):
    """A flag, and a flag with `no-` before its name for the opposite."""

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
    """`0.1` as a fraction, `500` as a number."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        problem = f"got {short(text)}, but it must be a fraction such as 0.1 or a number"
        raise argparse.ArgumentTypeError(problem) from None


def mixture(text: str) -> tuple[str, float]:
    """`more.tsv:0.25` as a path and a fraction."""
    path, _, share = text.rpartition(":")
    try:
        if not path:
            raise ValueError
        return path, float(share)
    except ValueError:
        problem = f"got {short(text)}, but it must be a file and a fraction, such as more.tsv:0.25"
        raise argparse.ArgumentTypeError(problem) from None


PARSERS: dict[Any, Callable[[str], Any]] = {"range": whole_or_range, "pair": pair, "amount": share_or_count}
METAVARS: dict[Any, str] = {
    "range": "N[-N]", "pair": "N-N", "amount": "FRACTION|N", int: "N", float: "X", str: "TEXT", bool: "",
}  # fmt: skip
