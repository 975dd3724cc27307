"""The errors that a user can see. Each message is one line that names the problem and the allowed values."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

MOST_ALLOWED = 240  # maximum number of characters of the allowed values in a message


class Seq2SeqError(Exception):
    """Base class of all errors that this library raises on purpose."""


class UsageError(Seq2SeqError, ValueError):
    """An argument value is not allowed."""


class SourceError(UsageError):
    """The run cannot read a source string."""


class DeviceError(Seq2SeqError):
    """The requested device is missing or cannot run this build of MXNet."""


class DataError(Seq2SeqError):
    """A file of data is missing or cannot be read."""


class RunError(Seq2SeqError):
    """A run folder or a file in it is missing, damaged or from another program."""


class TrainingInterrupted(KeyboardInterrupt):
    """A signal stopped the training, after its state was written to the run folder."""


def require(condition: bool, name: str, value: Any, allowed: str) -> None:
    """Check a condition on an argument.

    Parameters
    ----------
    condition : bool
        Whether the value is allowed.
    name : str
        Name of the argument as the user knows it.
    value
        The given value; a long one is cut in the message.
    allowed : str
        The allowed values, to complete "it must be ...".

    Raises
    ------
    UsageError
        If the condition is false, with a message that names the argument, its value and the allowed values.
    """
    if not condition:
        raise UsageError(f"{name}: got {quoted(value)}, but it must be {cut(allowed, MOST_ALLOWED)}")


def listed(name: str, values: Any, what: str) -> list[Any]:
    """The values of an argument as a list. Raises `UsageError` if it is a single string, or holds no values."""
    good = isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping))
    require(good, name, values, f"a list of {what}")
    return [*values]


def is_whole(value: Any, least: int, most: int | None = None) -> bool:
    """Whether a value is an int (not a bool) from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return value >= least and (most is None or value <= most)


def is_number(value: Any) -> bool:
    """Whether a value is an int or float (not a bool) that is finite as a float."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max


def is_range(value: Any, least: int, most: int | None = None) -> bool:
    """Whether a value is a pair (least, most) of whole numbers within these limits."""
    good = isinstance(value, (tuple, list)) and len(value) == 2 and all(is_whole(part, least, most) for part in value)
    return good and value[0] <= value[1]


def require_range(name: str, value: Any, least: int, most: int) -> None:
    """Raise a `UsageError` unless a value is a pair (least, most) of whole numbers within these limits."""
    good = isinstance(value, tuple) and is_range(value, least, most)
    require(good, name, value, f"a range (least, most) from {least} to {most}")


def cut(text: str, most: int) -> str:
    """A string, shortened to at most `most` characters."""
    return text if len(text) <= most else text[: most - 3] + "..."


def readable(message: str, most: int = 250) -> str:
    """A message on one line, with words of more than `most` characters shortened."""
    return " ".join(cut(word, most) for word in " ".join(message.splitlines()).split(" "))


def short(text: str, most: int = 40) -> str:
    """A string in quotes for an error message, shortened if it has more than `most` characters."""
    shown = repr(cut(text, most))
    return shown if len(shown) <= 2 * most else f"{shown[: 2 * most - 4]}...'"  # escapes make it longer


def quoted(value: Any, most: int = 60) -> str:
    """Any value for an error message: on one line, and shortened."""
    if isinstance(value, str):
        return short(value, most)
    try:
        text = repr(value)
    except ValueError:  # an int of more than 4,300 digits
        return "a number of very many digits"
    except RecursionError:
        return "a very deeply nested value"
    return cut(" ".join(text.split()), most)
