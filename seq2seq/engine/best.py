"""The rule that chooses the best epoch."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from seq2seq.errors import require


class Best:
    """Compares the validation values of epochs.

    Parameters
    ----------
    order : tuple of (str, str)
        Names of values, each with `max` or `min`. Later values break ties between earlier ones. If it is empty, each
        epoch is better than the one before it.

    Raises
    ------
    UsageError
        If a direction is neither `max` nor `min`.
    """

    def __init__(self, order: tuple[tuple[str, str], ...]) -> None:
        for name, direction in order:
            require(direction in ("max", "min"), f"best_by {name}", direction, "max or min")
        self.order = order

    @classmethod
    def parse(cls, text: str) -> Best:
        """Parse a rule from text.

        Parameters
        ----------
        text : str
            `NAME:max` or `NAME:min`, or several of these separated by commas.

        Raises
        ------
        UsageError
            If the text has another form.
        """
        pairs = [part.strip().rpartition(":") for part in text.split(",")]
        good = all(name and direction in ("max", "min") for name, _, direction in pairs)
        require(good, "best_by", text, "auto, or the name of a validation value and :max or :min, with commas between")
        return cls(tuple((name, direction) for name, _, direction in pairs))

    @property
    def names(self) -> list[str]:
        """Names of the values that are compared."""
        return [name for name, _ in self.order]

    def require_measured(self, measured: Collection[str]) -> None:
        """Check that all values that are compared are measured.

        Parameters
        ----------
        measured : collection of str
            Names of the values that the validators compute.

        Raises
        ------
        UsageError
            If a name is missing.
        """
        for name in self.names:
            require(name in measured, "best_by", name, f"one of {', '.join(measured)}")

    def chosen(self, values: dict[str, Any]) -> dict[str, float]:
        """Select the values that are compared.

        Parameters
        ----------
        values : dict of str to float
            All validation values of an epoch.

        Returns
        -------
        dict of str to float
        """
        return {name: float(values[name]) for name in self.names}

    def improves(self, new: dict[str, float], old: dict[str, float] | None) -> bool:
        """Whether an epoch is better than the best epoch so far.

        Parameters
        ----------
        new : dict of str to float
            The epoch's values, from `chosen`. If one of them is not finite, the epoch is not better.
        old : dict of str to float, or None
            The values of the best epoch so far, if there is one.
        """
        if not all(map(math.isfinite, new.values())):
            return False
        if old is None or not self.order:
            return True
        return self._key(new) > self._key(old)

    def _key(self, values: dict[str, float]) -> tuple[float, ...]:
        return tuple(values[name] if direction == "max" else -values[name] for name, direction in self.order)
