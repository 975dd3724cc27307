"""How a command ends: one line for an error, and an exit status."""

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
    """One line on stderr; if that has no room for it, it is lost."""
    with contextlib.suppress(OSError):
        print(readable(line), file=sys.stderr, flush=True)


def fail(message: str, status: int) -> NoReturn:
    """End with one line on stderr."""
    say(message)
    sys.exit(status)


def run(load: Callable[[], Callable[[], int]]) -> NoReturn:
    """Call a command's main function; whatever goes wrong is one line on stderr and an exit status.

    `load` gives that function. Until it has, there is nothing to put in order, and Ctrl-C ends the process at once.
    """
    name = invocation.name()
    warnings.formatwarning = lambda message, *_, **__: f"{name}: {' '.join(str(message).split())}\n"
    message = ""
    try:
        try:
            main = load()
            streams.interrupts_raise()
            status = main()
        except SystemExit as ended:  # of the parser, perhaps after it has shown the help
            status = int(ended.code or 0)
        sys.stdout.flush()
    except UsageError as error:
        message, status = str(error), WRONG_USE
    except (Seq2SeqError, ImportError) as error:
        message, status = str(error), FAILURE
    except KeyboardInterrupt:
        message, status = "interrupted", INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        status = FAILURE
    except (OSError, MemoryError) as error:
        message, status = str(error) or type(error).__name__, FAILURE
    streams.interrupts_kill()
    if message:
        say(f"{name}: {message}")
    streams.drop_unwritten()
    sys.exit(status)
