"""The task of reading dates: many ways in which people write one, to `2021-03-04`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import numpy as np

from seq2seq.errors import require_range
from seq2seq.tasks.base import Task

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FORMS = (  # none that could be read as another date: the day comes before the month, or the month has its name
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

    Parameters
    ----------
    years : (int, int)
        The first and the last year.
    """

    years: tuple[int, int] = field(default=(1950, 2049), metadata={"help": "the first and the last year, as 1950-2049"})

    name = "dates"

    def __post_init__(self) -> None:
        require_range("years", self.years, 1000, 9999)

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        first, last = (datetime.date(year, *day) for year, day in zip(self.years, ((1, 1), (12, 31))))
        date = first + datetime.timedelta(days=int(rng.integers((last - first).days + 1)))
        return written(date, FORMS[rng.integers(len(FORMS))]), date.isoformat()


def written(date: datetime.date, form: str) -> str:
    """A date in one of `FORMS`."""
    day = date.day
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return form.format(
        day=day, ordinal=f"{day}{ending}", month=MONTHS[date.month - 1], number=date.month, year=date.year,
        weekday=DAYS[date.weekday()],
    )  # fmt: skip
