"""How the program was started: by a script of a checkout, as the command `seq2seq`, or by `python -m seq2seq`."""

from __future__ import annotations

import os
import sys

from seq2seq.cli import COMMANDS


def is_module() -> bool:
    return os.path.basename(sys.argv[0]) == "__main__.py"


def is_script() -> bool:
    return sys.argv[0].endswith(".py") and not is_module()


def name() -> str:
    """What its messages begin with: `train.py`, `seq2seq train`, or `seq2seq` where no command was named."""
    if is_script():
        return os.path.basename(sys.argv[0])
    return " ".join(["seq2seq", *(word for word in sys.argv[1:2] if word in COMMANDS)])


def example() -> str:
    """How its help writes the start of an example."""
    return f"python scripts/{name()}" if is_script() else name()


def arguments() -> list[str]:
    """The arguments of the command."""
    return sys.argv[1:] if is_script() else sys.argv[2:]
