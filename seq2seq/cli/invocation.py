"""How the program was started: as a script of a checkout, as the command `seq2seq`, or by `python -m seq2seq`."""

from __future__ import annotations

import os
import sys

from seq2seq.cli import COMMANDS


def is_module() -> bool:
    return os.path.basename(sys.argv[0]) == "__main__.py"


def is_script() -> bool:
    return sys.argv[0].endswith(".py") and not is_module()


def command() -> str:
    """The name of the command, or an empty string."""
    if is_script():
        return os.path.basename(sys.argv[0]).removesuffix(".py")
    return next((word for word in sys.argv[1:2] if word in COMMANDS), "")


def name() -> str:
    """The program's name in messages: `train.py`, `seq2seq train`, or `seq2seq` without a command."""
    return f"{command()}.py" if is_script() else f"seq2seq {command()}".rstrip()


def example(command: str) -> str:
    """The start of a command line in help texts and on pages."""
    return f"python scripts/{command}.py" if is_script() else f"seq2seq {command}"


def arguments(*left_out: str) -> list[str]:
    """The arguments of the command, without options of these names and their values."""
    words = iter(sys.argv[1:] if is_script() else sys.argv[2:])
    kept = []
    for word in words:
        if word in left_out:
            next(words, None)
        elif not word.startswith(tuple(f"{name}=" for name in left_out)):
            kept.append(word)
    return kept
