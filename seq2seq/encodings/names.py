"""Lists of names whose positions are ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seq2seq.errors import UsageError

MOST_BYTES = 2**23  # of an encoding as JSON, which the configuration of a run holds


def positions(names: Sequence[str]) -> dict[str, int]:
    """The position of each name."""
    return {name: place for place, name in enumerate(names)}


def read_names(values: Any) -> tuple[str, ...]:
    """Sorted names from JSON. Raises `ValueError` for anything else."""
    good = isinstance(values, list) and len(values) > 0 and all(isinstance(name, str) for name in values)
    if not good or sorted({*values}) != values:
        raise ValueError("data_outline: its names are not a list of strings, each once, in order")
    return tuple(values)


def require_keepable(encoding: Any, what: str) -> None:
    """Raise `UsageError` if an encoding is larger than the configuration of a run can keep."""
    size = len(json.dumps(encoding.to_json(), indent=2))
    if size > MOST_BYTES:
        raise UsageError(f"{what}: have names of {size} bytes, but a run can keep at most {MOST_BYTES}")
