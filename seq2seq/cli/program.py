"""The end of a command: one line for an error, and the exit status."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

from seq2seq.cli import invocation, streams
from seq2seq.errors import Seq2SeqError, UsageError, readable

WRONG_USE, FAILURE, INTERRUPTED = 2, 1, streams.INTERRUPTED


def say(line: str) -> None:
    """Print one line on stderr. It is lost if it cannot be written."""
    with contextlib.suppress(OSError):
        print(readable(line), file=sys.stderr, flush=True)


def fail(message: str, status: int) -> NoReturn:
    """End with one line on stderr."""
    say(message)
    sys.exit(status)


def run(load: Callable[[], Callable[[], int]]) -> NoReturn:
    """Call a command's main function. Every error becomes one line on stderr and an exit status.

    `load` returns the main function. Until then there is nothing to clean up, and Ctrl-C ends the process at once.
    """
    name = invocation.name()
    warnings.formatwarning = lambda message, *_, **__: f"{name}: {' '.join(str(message).split())}\n"
    message = ""
    try:
        try:
            main = load()
            streams.interrupts_raise()
            status = main()
        except SystemExit as ended:  # from the parser, for example after it has shown the help
            status = int(ended.code or 0)
        sys.stdout.flush()
    except UsageError as error:
        message = str(error)
        status = WRONG_USE
    except (Seq2SeqError, ImportError) as error:
        message = str(error)
        status = FAILURE
    except KeyboardInterrupt:
        message = "interrupted"
        status = INTERRUPTED
    except BrokenPipeError:  # the reader of the output has ended, as in `... | head`
        status = FAILURE
    except (OSError, MemoryError) as error:
        message = str(error) or type(error).__name__
        status = FAILURE
    streams.interrupts_kill()
    if message:
        say(f"{name}: {message}")
    streams.drop_unwritten()
    sys.exit(status)
