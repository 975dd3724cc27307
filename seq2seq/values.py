"""Checks values from users: NumPy scalars and paths become plain values, and numbers must fit MXNet's types."""

from __future__ import annotations

import math
import os
import re
import sys
from dataclasses import fields
from typing import Any

from seq2seq.errors import is_number, is_whole, require

MOST = 2**31 - 1  # maximum of whole numbers without a smaller limit
FLOAT_LEAST = 2.0**-126  # smallest positive 32-bit float with full precision
FLOAT_MOST = (2 - 2.0**-23) * 2.0**127  # largest 32-bit float
MOST_SEED = 2**128 - 1  # maximum seed of NumPy's generators
BELOW_ONE = 1 - 2.0**-24  # largest 32-bit float below 1
HELD = f"that a 32-bit float holds, from {FLOAT_LEAST:.3g} to {FLOAT_MOST:.3g}"


def plain(value: Any) -> Any:
    """Convert a NumPy scalar to a Python number and a path to a string, also inside a tuple or list."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_plain, value)) if type(value) in (tuple, list) else value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    # Without importing NumPy, which would take time when only options are checked.
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def make_plain(options: Any) -> None:
    """Convert the options of a dataclass, which may be frozen, to plain values, in place."""
    for field in fields(options):
        if field.metadata.get("option", True):
            object.__setattr__(options, field.name, plain(getattr(options, field.name)))


def whole(name: str, value: Any, least: int, most: int = MOST) -> int:
    """Check a whole number.

    Parameters
    ----------
    name : str
        Name of the argument for messages.
    value
        The given value.
    least, most : int
        Limits, inclusive.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        If the value is not a whole number within the limits.
    """
    value = plain(value)
    limit = f" to {counted(most)}" if most not in (MOST, sys.maxsize) or is_whole(value, most) else ""
    require(is_whole(value, least, most), name, value, f"a whole number from {least}{limit}")
    return value


def counted(n: int) -> str:
    """A number for messages; a very large one as a power of 10."""
    return str(n) if n < 10**40 else f"10^{int(math.log10(n))}"


def is_name(value: Any) -> bool:
    """Whether this is a name of small letters, digits, `_` and `-`, as tasks and models have."""
    return isinstance(value, str) and re.fullmatch("[a-z0-9][a-z0-9_-]*", value) is not None


def require_truth(name: str, value: Any) -> None:
    """Raise a `UsageError` unless a value is True or False."""
    require(isinstance(value, bool), name, value, "true or false")


def is_held(value: Any) -> bool:
    """Whether a value is 0, or a positive number that a 32-bit float holds in full precision."""
    return is_number(value) and (value == 0 or FLOAT_LEAST <= value <= FLOAT_MOST)


def require_fraction(name: str, value: Any) -> None:
    """Raise a `UsageError` unless a value is a number from 0 to below 1 as a 32-bit float."""
    allowed = f"from 0 to below 1, and one that a 32-bit float holds, {FLOAT_LEAST:.3g} to {BELOW_ONE:.8f}"
    require(is_held(value) and value <= BELOW_ONE, name, value, allowed)
