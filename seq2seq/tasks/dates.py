"""The task of reading dates: from the many ways in which people write a date to `2021-03-04`."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

import numpy as np

from seq2seq.errors import require_range
from seq2seq.tasks.base import Task
from seq2seq.tasks.measure import spread
from seq2seq.typing import Array

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FORMS = (  # unambiguous ones: the day comes before the month, or the month is written in letters
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{month} {ordinal}, {year}",
    "the {ordinal} of {month} {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday}, {month} {day}, {year}",
    "{day} {month:.3} {year}",
    "{month:.3} {day} {year}",
    "{weekday:.3} {month:.3} {day} {year}",
    "{day:02}-{month:.3}-{year}",
    "{day}.{number}.{year}",
    "{day:02}.{number:02}.{year}",
    "{year}/{number:02}/{day:02}",
    "{year}{number:02}{day:02}",
)


@dataclass(frozen=True)
class Dates(Task):
    """Dates as people write them, to ISO 8601: `Thursday, 4 March 2021` is `2021-03-04`.

    With the key `date`, all forms of a date are the same question.

    Parameters
    ----------
    years : (int, int)
        The first and the last year.
    """

    years: tuple[int, int] = field(default=(1950, 2049), metadata={"help": "the first and the last year, as 1950-2049"})

    name = "dates"
    keys = ("expression", "date")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("years", self.years, 1000, 9999)

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        first, last = (datetime.date(year, *day) for year, day in zip(self.years, ((1, 1), (12, 31))))
        date = first + datetime.timedelta(days=int(rng.integers((last - first).days + 1)))
        return written(date, FORMS[rng.integers(len(FORMS))]), date.isoformat()

    def key(self, sources: Array, key: str) -> Array:
        return sources if key == "expression" else np.array([*map(read, sources.tolist())])

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        try:
            date = datetime.date.fromisoformat(read(source))
        except ValueError:
            date = None
        if date is None or source not in (written(date, form) for form in FORMS):
            return "is not a date in a form that was trained on"
        first, last = self.years
        return None if first <= date.year <= last else f"is of the year {date.year}; trained on {spread(first, last)}"


def read(source: str) -> str:
    """The ISO 8601 date of a source in one of `FORMS`. Raises `ValueError` if it is in none."""
    name = re.search("|".join(month[:3] for month in MONTHS), source)
    numbers = re.findall(r"\d+", source)
    if name:
        month = 1 + [each[:3] for each in MONTHS].index(name[0])
        day, year = numbers
    elif len(numbers) == 1:
        [(year, month, day)] = re.findall(r"(....)(..)(..)", numbers[0])
    else:
        first, month, last = numbers
        day, year = (first, last) if len(first) < 4 else (last, first)
    return f"{year}-{int(month):02}-{int(day):02}"


def written(date: datetime.date, form: str) -> str:
    """A date in one of `FORMS`."""
    day = date.day
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return form.format(
        day=day, ordinal=f"{day}{ending}", month=MONTHS[date.month - 1], number=date.month, year=date.year,
        weekday=DAYS[date.weekday()],
    )  # fmt: skip
