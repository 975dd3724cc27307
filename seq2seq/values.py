"""Values as users give them: NumPy's scalars and paths become plain ones, and numbers are what MXNet can hold."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import fields
from typing import Any

from seq2seq.errors import is_number, is_whole, require

MOST = 2**31 - 1  # of whole numbers that have no smaller limit
FLOAT_LEAST, FLOAT_MOST = 2.0**-126, (2 - 2.0**-23) * 2.0**127  # what a 32-bit float holds in full precision
MOST_SEED = 2**128 - 1  # as NumPy's generators have them
BELOW_ONE = 1 - 2.0**-24  # the largest fraction below 1 that a 32-bit float tells from it
HELD = f"that a 32-bit float holds, from {FLOAT_LEAST:.3g} to {FLOAT_MOST:.3g}"


def plain(value: Any) -> Any:
    """A value as JSON has it: a NumPy scalar as Python's number, a path as a string; within a tuple or list, too."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_plain, value)) if type(value) in (tuple, list) else value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    # NumPy itself is not asked: what checks values must not take the time to load it.
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def make_plain(options: Any) -> None:
    """Make the options of a dataclass, which may be frozen, plain values."""
    for field in fields(options):
        if field.metadata.get("option", True):
            object.__setattr__(options, field.name, plain(getattr(options, field.name)))


def whole(name: str, value: Any, least: int, most: int = MOST) -> int:
    """The value of an argument as an int. Raises `UsageError` unless it is a whole number within these limits."""
    value = plain(value)
    limit = f" to {counted(most)}" if most not in (MOST, sys.maxsize) or is_whole(value, most) else ""
    require(is_whole(value, least, most), name, value, f"a whole number from {least}{limit}")
    return value


def counted(n: int) -> str:
    """A number as an error has it, of very many digits only how many they are."""
    return str(n) if n < 10**40 else f"10^{int(math.log10(n))}"


def require_truth(name: str, value: Any) -> None:
    """Raise a `UsageError` unless this is True or False."""
    require(isinstance(value, bool), name, value, "true or false")


def is_held(value: Any) -> bool:
    """Whether this is 0, or a number above it that a 32-bit float holds in full precision."""
    return is_number(value) and (value == 0 or FLOAT_LEAST <= value <= FLOAT_MOST)


def require_fraction(name: str, value: Any) -> None:
    """Raise a `UsageError` unless this is a number from 0 to below 1, as a 32-bit float has it."""
    allowed = f"from 0 to below 1, and one that a 32-bit float holds, {FLOAT_LEAST:.3g} to {BELOW_ONE:.8f}"
    require(is_held(value) and value <= BELOW_ONE, name, value, allowed)
