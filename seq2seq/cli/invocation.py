"""How the program was started: by a script of a checkout, as the command `seq2seq`, or by `python -m seq2seq`."""

from __future__ import annotations

import os
import sys

from seq2seq.cli import COMMANDS


def is_module() -> bool:
    return os.path.basename(sys.argv[0]) == "__main__.py"


def is_script() -> bool:
    return sys.argv[0].endswith(".py") and not is_module()


def command() -> str:
    """The command that was named, if one was."""
    if is_script():
        return os.path.basename(sys.argv[0]).removesuffix(".py")
    return next((word for word in sys.argv[1:2] if word in COMMANDS), "")


def name() -> str:
    """What its messages begin with: `train.py`, `seq2seq train`, or `seq2seq` where no command was named."""
    return f"{command()}.py" if is_script() else f"seq2seq {command()}".rstrip()


def example(command: str) -> str:
    """How help and pages write the start of a command."""
    return f"python scripts/{command}.py" if is_script() else f"seq2seq {command}"


def arguments() -> list[str]:
    """The arguments of the command."""
    return sys.argv[1:] if is_script() else sys.argv[2:]
