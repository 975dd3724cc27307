"""The argument parser of a command, with errors of one line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from seq2seq.cli import invocation
from seq2seq.cli.program import WRONG_USE, fail

NAMES = ("DIR", "FILE", "NAME", "NAME,...", "SYMBOL")  # metavars of options whose value is a name


class Parser(argparse.ArgumentParser):
    """An argument parser with errors of one line. `-9+3` and `---` are values: the name of an option begins with a
    letter.

    It parses the arguments of the command, in whichever way that was started.
    """

    def __init__(self, description: str = "", **options: Any) -> None:
        super().__init__(**{
            "prog": invocation.name(), "description": description, "allow_abbrev": False,
            "formatter_class": argparse.RawDescriptionHelpFormatter, **options,
        })  # fmt: skip
        self._negative_number_matcher = re.compile("--?(?![-A-Za-z])|---")  # what argparse accepts as a value

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        return super().parse_known_args(invocation.arguments() if args is None else args, namespace)

    def error(self, message: str) -> NoReturn:
        has_sources = any(action.dest == "sources" for action in self._actions)
        if message.startswith("unrecognized arguments: -") and has_sources:
            message += "; a source that begins with a dash and a letter comes after --"
        fail(f"{self.prog}: {message}", WRONG_USE)

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stdout).write(message)  # argparse ignores a stream that cannot be written

    def _get_values(self, action: Any, arg_strings: list[str]) -> Any:
        if action.option_strings and arg_strings == ["--"]:  # `--option=--`, which argparse would lose
            value = self._get_value(action, "--")
            self._check_value(action, value)
            return value
        if arg_strings == [""] and action.metavar in NAMES:  # as from a variable of the shell that is not set
            raise argparse.ArgumentError(action, "must not be empty")
        return super()._get_values(action, arg_strings)


class CommandParser(Parser):
    """The parser of a command that uses a model.

    Parameters
    ----------
    description : str
    examples : dict
        Arguments and their purpose.
    notes : str, optional
        The end of the help text.
    """

    def __init__(self, description: str, examples: Mapping[str, str], notes: str = "") -> None:
        start = invocation.example(invocation.command())
        lines = {f"{start} {arguments}".rstrip(): about for arguments, about in examples.items()}
        width = max((len(line) for line, about in lines.items() if about), default=0)
        shown = "".join(f"  {line.ljust(width)}  {about}".rstrip() + "\n" for line, about in lines.items())
        super().__init__(description, epilog=f"examples:\n{shown}\n{notes}")
        self.add_argument("--seed", type=int, default=0, metavar="N", help="seed of all random numbers (default: 0)")
        self.add_argument("--device", default="auto", help="auto, cpu, gpu or gpu:N (default: auto)")


def text(argument: str) -> str:
    """An argument that a model reads: UTF-8 in every locale, like the lines of stdin."""
    try:
        return os.fsencode(argument).decode("utf-8-sig")
    except UnicodeError:
        return argument
