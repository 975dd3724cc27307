"""The task of spelling numbers: `342` to `three hundred forty-two`, or back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from seq2seq.errors import require, require_range
from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task
from seq2seq.tasks.measure import out_of_range

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
LARGE = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
MOST_DIGITS = 12


@dataclass(frozen=True)
class Spelling(Task):
    """Numbers and their English words: `342` is `three hundred forty-two`.

    The number of digits is drawn first, so that short numbers are as likely as long ones.

    Parameters
    ----------
    digits : (int, int)
        The least and the greatest number of digits.
    to : str
        The form of the targets: `words` or `number`.
    """

    digits: tuple[int, int] = field(default=(1, 6), metadata={"help": "how many digits, as 1-6"})
    to: str = field(default="words", metadata={"help": "what targets are: words or number"})

    name = "spelling"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("digits", self.digits, 1, MOST_DIGITS)
        require(self.to in ("words", "number"), "to", self.to, "words or number")

    @property
    def count(self) -> int:
        least, most = self.digits
        return 10**most - (10 ** (least - 1) if least > 1 else 0)

    @property
    def source_length(self) -> int:
        return self._lengths[self.to == "number"]

    @property
    def target_length(self) -> int:
        return self._lengths[self.to == "words"]

    @property
    def _lengths(self) -> tuple[int, int]:
        """The lengths of the longest number and the longest words, which are those of threes and sevens."""
        most = self.digits[1]
        return most, max(len(words(0)), len(words(int("373373373373"[-most:]))))

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        digits = int(rng.integers(self.digits[0], self.digits[1] + 1))
        return self.pair(int(rng.integers(10 ** (digits - 1) if digits > 1 else 0, 10**digits)))

    def list(self) -> Pairs:
        least, most = self.digits
        return self.written(map(self.pair, range(10 ** (least - 1) if least > 1 else 0, 10**most)))

    def pair(self, number: int) -> tuple[str, str]:
        """A number and its words, as a source and its target."""
        return (str(number), words(number)) if self.to == "words" else (words(number), str(number))

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        number = source if self.to == "words" else str(value(source))
        if not re.fullmatch("[0-9]+", number) or len(number) > MOST_DIGITS or self.pair(int(number))[0] != source:
            return "is not a number in the form that was trained on"
        return out_of_range(len(number), *self.digits, "digit")


def words(number: int) -> str:
    """A number from 0 to below 10**12 in English words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{TENS[tens]}-{ONES[ones]}" if ones else TENS[tens]
    size, name = next(each for each in LARGE if each[0] <= number)
    many, rest = divmod(number, size)
    return f"{words(many)} {name} {words(rest)}" if rest else f"{words(many)} {name}"


def value(spelled: str) -> int | None:
    """The inverse of `words`. For other sequences of number words, some number; None if a word is unknown."""
    large = {name: size for size, name in LARGE}
    total = group = 0  # a group is what comes before a thousand, a million or a billion
    for word in spelled.replace("-", " ").split(" "):
        if word in ONES:
            group += ONES.index(word)
        elif word in TENS[2:]:
            group += 10 * TENS.index(word)
        elif word == "hundred":
            group *= 100
        elif word in large:
            total, group = total + group * large[word], 0
        else:
            return None
    return total + group
