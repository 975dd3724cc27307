import datetime

import numpy as np
import pytest

from seq2seq import Dates, UsageError
from seq2seq.config import DataConfig
from seq2seq.dataset import build_dataset
from seq2seq.tasks.dates import FORMS, read, written

DAY = datetime.date(2021, 3, 4)


def test_every_form_of_a_day():
    assert [written(DAY, form) for form in FORMS] == [
        "4 March 2021", "March 4, 2021", "March 4th, 2021", "the 4th of March 2021", "Thursday, 4 March 2021",
        "Thursday, March 4, 2021", "4 Mar 2021", "Mar 4 2021", "Thu Mar 4 2021", "04-Mar-2021", "4.3.2021",
        "04.03.2021", "2021/03/04", "20210304",
    ]  # fmt: skip


def test_no_two_days_are_written_alike():
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days) for days in range(800)]
    assert len({written(day, form) for day in days for form in FORMS}) == len(
        {(day, written(day, form)) for day in days for form in FORMS}
    )


def test_every_form_of_a_day_is_read_as_that_day():
    days = [datetime.date(1999, 12, 1) + datetime.timedelta(days) for days in range(800)]
    assert all(read(written(day, form)) == day.isoformat() for day in days for form in FORMS)


@pytest.mark.parametrize("split, shared", [("date", False), ("expression", True)])
def test_no_form_of_a_held_out_date_is_trained_on(split, shared):
    task = Dates((2000, 2001))
    dataset = build_dataset(task, DataConfig(examples=3000, split=split), 0)
    parts = (dataset.train, dataset.validation, dataset.test)
    train, validation, test = ({*dataset.codec.decode_targets(part.targets)} for part in parts)
    assert bool(train & test) == bool(train & validation) == bool(validation & test) == shared
    assert dataset.overlap(task) == 0


def test_ordinals():
    ends = {day: written(datetime.date(2021, 1, day), "{ordinal}") for day in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)}
    assert list(ends.values()) == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"]


def test_targets_are_days_of_these_years():
    task = Dates((1999, 2001))
    pairs = task.shown(task.sample(3000, np.random.default_rng(0)))
    days = {datetime.date.fromisoformat(target) for _, target in pairs}
    assert min(days) < datetime.date(1999, 1, 15) and max(days) > datetime.date(2001, 12, 15)
    assert all(target[:4] in ("1999", "2000", "2001") and target[:4] in source for source, target in pairs)


def test_years_that_are_refused():
    with pytest.raises(UsageError, match=r"years: got \(1, 2\), but it must be a range"):
        Dates((1, 2))
