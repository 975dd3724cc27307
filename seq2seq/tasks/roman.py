"""The task of Roman numerals: `MMXXIV` to `2024`, or back. An example of a task that lists all its pairs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from seq2seq.errors import require, require_range
from seq2seq.lazy import cached_property
from seq2seq.tasks.listed import ListTask
from seq2seq.tasks.measure import spread

PARTS = {"M": 1000, "CM": 900, "D": 500, "CD": 400, "C": 100, "XC": 90, "L": 50, "XL": 40, "X": 10, "IX": 9, "V": 5,
         "IV": 4, "I": 1}  # fmt: skip


@dataclass(frozen=True)
class Roman(ListTask):
    """Roman numerals and their numbers: `MCMXCIV` is `1994`.

    Parameters
    ----------
    numbers : (int, int)
        The least and the greatest number.
    to : str
        The form of the targets: `number` or `numeral`.
    """

    numbers: tuple[int, int] = field(default=(1, 3999), metadata={"help": "least and greatest, as 1-3999"})
    to: str = field(default="number", metadata={"help": "what targets are: number or numeral"})

    name = "roman"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("numbers", self.numbers, 1, 3999)
        require(self.to in ("number", "numeral"), "to", self.to, "number or numeral")

    def pairs(self) -> Iterable[tuple[str, str]]:
        least, most = self.numbers
        both = ((numeral(number), str(number)) for number in range(least, most + 1))
        return both if self.to == "number" else ((number, roman) for roman, number in both)

    def normalise(self, source: str) -> str:
        return source.upper()

    @cached_property
    def _all_sources(self) -> frozenset[str]:
        return frozenset(source for source, _ in self._listed)

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        what = "numeral" if self.to == "number" else "number"
        return None if source in self._all_sources else f"is not a {what} from {spread(*self.numbers)}"


def numeral(number: int) -> str:
    """A number from 1 as a Roman numeral."""
    written = ""
    for part, value in PARTS.items():
        count, number = divmod(number, value)
        written += part * count
    return written
