"""The three streams of a command and what Ctrl-C does, wherever it is started from.

Importing it makes them ready, so it comes before what takes long to import.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

from seq2seq.cli import invocation

INTERRUPTED = 130
STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}  # in the order of their numbers

_raises = False  # whether the next Ctrl-C raises an exception; otherwise it ends the process at once


def _prepare() -> None:
    """Open the streams that are closed, let all of them take any text, and have Ctrl-C end all with one line."""
    for number, (name, mode) in enumerate(STREAMS.items()):
        if getattr(sys, name) is None:  # closed, as by `2>&-`: the next file to be opened would take its number
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
    errors = {"stdin": "surrogateescape", "stdout": "backslashreplace", "stderr": "backslashreplace"}
    for name, handler in errors.items():  # of stdin, as arguments are read
        getattr(sys, name).reconfigure(errors=handler)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it is ignored in what a script starts with `&`
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _unraisable


def interrupts_raise() -> None:
    """From here on the first Ctrl-C raises `KeyboardInterrupt`, so that what is under way can be put in order."""
    global _raises
    _raises = True


def interrupts_kill() -> None:
    """From here on Ctrl-C says nothing: what there was to say is said."""
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def drop_unwritten() -> None:
    """Forget what a stream could not take: Python would say so again at its exit, with a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupt(number: int, frame: Any) -> None:
    global _raises
    if not _raises:
        _end()
    _raises = False
    raise KeyboardInterrupt


def _unraisable(unraisable: Any) -> None:
    """An exception that Python would print and pass over, as one that is raised in a callback of C."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _end()
    sys.__unraisablehook__(unraisable)


def _end() -> NoReturn:
    try:
        os.write(2, os.fsencode(f"{invocation.name()}: interrupted\n"))
    finally:
        os._exit(INTERRUPTED)


_prepare()
