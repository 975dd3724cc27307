"""Which epoch has the best weights."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from seq2seq.errors import require


class Best:
    """Which of two epochs is better.

    Parameters
    ----------
    order : sequence of (str, str)
        Names of values, each with `max` or `min`; a later one decides where those before it are equal. None: each
        epoch is better than the one before it.
    """

    def __init__(self, order: tuple[tuple[str, str], ...]) -> None:
        for name, direction in order:
            require(direction in ("max", "min"), f"best_by {name}", direction, "max or min")
        self.order = order

    @classmethod
    def parse(cls, text: str) -> Best:
        """From `NAME:max` or `NAME:min`, several with commas between. Raises `UsageError`."""
        pairs = [part.strip().rpartition(":") for part in text.split(",")]
        good = all(name and direction in ("max", "min") for name, _, direction in pairs)
        require(good, "best_by", text, "auto, or the name of a validation value and :max or :min, with commas between")
        return cls(tuple((name, direction) for name, _, direction in pairs))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.order]

    def require_measured(self, measured: Collection[str]) -> None:
        """Raise `UsageError` unless all values that decide are measured."""
        for name in self.names:
            require(name in measured, "best_by", name, f"one of {', '.join(measured)}")

    def chosen(self, values: dict[str, Any]) -> dict[str, float]:
        """Those values that decide."""
        return {name: float(values[name]) for name in self.names}

    def improves(self, new: dict[str, float], old: dict[str, float] | None) -> bool:
        """Whether an epoch with these values is better than the best one before it, if there is one."""
        if not all(map(math.isfinite, new.values())):
            return False
        if old is None or not self.order:
            return True
        return self._key(new) > self._key(old)

    def _key(self, values: dict[str, float]) -> tuple[float, ...]:
        return tuple(values[name] if direction == "max" else -values[name] for name, direction in self.order)
