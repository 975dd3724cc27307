"""The errors a user can meet. Each message is one line that names what is wrong and what is allowed."""

from __future__ import annotations

import sys
from typing import Any

MOST_ALLOWED = 240  # characters of what would be accepted, in an error


class Seq2SeqError(Exception):
    """Base of every error this library raises on purpose."""


class UsageError(Seq2SeqError, ValueError):
    """An argument has a value that is not allowed."""


class SourceError(UsageError):
    """A source string that the run at hand cannot read."""


class DeviceError(Seq2SeqError):
    """The device asked for is missing or cannot run this build of MXNet."""


class RunError(Seq2SeqError):
    """A run folder, or a file in it, is missing, damaged or foreign."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by a signal, after its state was written to the run folder."""


def require(condition: bool, name: str, value: Any, allowed: str) -> None:
    """Raise a `UsageError` that names the argument, its value and what is allowed.

    Parameters
    ----------
    condition : bool
        Whether the value is allowed.
    name, value
        The argument as the user knows it, and what it was given. A long value is cut.
    allowed : str
        What would be accepted, as the end of "it must be ...".
    """
    if not condition:
        raise UsageError(f"{name}: got {quoted(value)}, but it must be {cut(allowed, MOST_ALLOWED)}")


def is_whole(value: Any, least: int, most: int | None = None) -> bool:
    """Whether `value` is an int (not a bool) of at least `least`, and at most `most`."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return value >= least and (most is None or value <= most)


def is_number(value: Any) -> bool:
    """Whether `value` is an int or float (not a bool) that a float holds: finite."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max


def is_range(value: Any, least: int, most: int | None = None) -> bool:
    """Whether this is a pair (least, most) of whole numbers within these limits."""
    good = isinstance(value, (tuple, list)) and len(value) == 2 and all(is_whole(part, least, most) for part in value)
    return good and value[0] <= value[1]


def require_range(name: str, value: Any, least: int, most: int) -> None:
    """Raise a `UsageError` unless this is a pair (least, most) of whole numbers within these limits."""
    good = isinstance(value, tuple) and is_range(value, least, most)
    require(good, name, value, f"a range (least, most) from {least} to {most}")


def cut(text: str, most: int) -> str:
    """A string, cut if it is longer than `most` characters."""
    return text if len(text) <= most else text[: most - 3] + "..."


def readable(message: str, most: int = 250) -> str:
    """A message on one line, in which words that are too long to be read, such as those of a command line, are cut."""
    return " ".join(cut(word, most) for word in " ".join(message.splitlines()).split(" "))


def short(text: str, most: int = 40) -> str:
    """A string as an error quotes it: cut, if it is longer than `most` characters."""
    shown = repr(cut(text, most))
    return shown if len(shown) <= 2 * most else f"{shown[: 2 * most - 4]}...'"  # what it has is long as it is escaped


def quoted(value: Any, most: int = 60) -> str:
    """Any value as an error quotes it: on one line, and cut."""
    if isinstance(value, str):
        return short(value, most)
    try:
        text = repr(value)
    except ValueError:  # an int of more than 4,300 digits
        return "a number of very many digits"
    except RecursionError:
        return "what is nested very deep"
    return cut(" ".join(text.split()), most)
