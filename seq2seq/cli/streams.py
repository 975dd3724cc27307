"""The standard streams of a command and its reaction to Ctrl-C, however it was started.

Importing this module prepares them, so it is imported before modules that take long.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

from seq2seq.cli import invocation

INTERRUPTED = 130
STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}  # in the order of their numbers

_raises = False  # whether the next Ctrl-C raises an exception; otherwise it ends the process


def _prepare() -> None:
    """Open closed streams, let all streams accept any text, and let Ctrl-C end the process with one line."""
    for number, (name, mode) in enumerate(STREAMS.items()):
        if getattr(sys, name) is None:  # closed, as by `2>&-`: the next file that is opened would get its number
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115
    errors = {"stdin": "surrogateescape", "stdout": "backslashreplace", "stderr": "backslashreplace"}
    for name, handler in errors.items():  # of stdin, the same as of arguments
        getattr(sys, name).reconfigure(errors=handler)
    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):  # it is ignored in a process started by a script with `&`
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _unraisable


def interrupts_raise() -> None:
    """Let the next Ctrl-C raise `KeyboardInterrupt`, so that the command can clean up."""
    global _raises
    _raises = True


def interrupts_kill() -> None:
    """Let Ctrl-C end the process without a message: the result has been printed."""
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def drop_unwritten() -> None:
    """Drop output that could not be written. Otherwise Python reports it again at exit, with its own exit status."""
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
    """Handle exceptions that Python prints and ignores, such as those raised in a callback from C."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _end()
    sys.__unraisablehook__(unraisable)


def _end() -> NoReturn:
    try:
        os.write(2, os.fsencode(f"{invocation.name()}: interrupted\n"))
    finally:
        os._exit(INTERRUPTED)


_prepare()
