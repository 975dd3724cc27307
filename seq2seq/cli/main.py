"""The entry points of the command `seq2seq` and of the scripts of a checkout."""

from __future__ import annotations

import importlib
import sys
from typing import Callable, NoReturn

from seq2seq import __version__
from seq2seq.cli import COMMANDS
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import WRONG_USE, run

DESCRIPTION = "Learn to turn one string into another, from examples or from a rule that makes them."
EPILOG = "`seq2seq COMMAND --help` has the options of each, and examples."


def main() -> NoReturn:
    """Run the command `seq2seq`."""
    run(_chosen)


def script(command: str) -> NoReturn:
    """Run one command, for a script."""
    run(lambda: _main_of(command))


def _chosen() -> Callable[[], int]:
    """The main function of the chosen command; without a command, a function that shows the help."""
    parser = Parser(DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"seq2seq {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name, about in COMMANDS.items():
        commands.add_parser(name, help=about, add_help=False)
    command = parser.parse_args(sys.argv[1:2]).command
    return _main_of(command) if command else lambda: _show_help(parser)


def _main_of(command: str) -> Callable[[], int]:
    """The main function of a command. Other commands are not imported."""
    found: Callable[[], int] = importlib.import_module(f"seq2seq.cli.{command}").main
    return found


def _show_help(parser: Parser) -> int:
    parser.print_help(sys.stderr)
    return WRONG_USE
