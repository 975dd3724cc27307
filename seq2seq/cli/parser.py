"""The parser of a command's arguments, whose errors are one line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import Any, NoReturn

from seq2seq.cli.program import WRONG_USE, fail


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


def text(argument: str) -> str:
    """An argument that a model is to read: UTF-8 whatever the locale says, as lines of stdin are."""
    try:
        return os.fsencode(argument).decode("utf-8-sig")
    except UnicodeError:
        return argument
