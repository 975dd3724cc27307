"""What the documentation shows is so."""

import doctest
import re
import sys
import types
from pathlib import Path

import pytest

from seq2seq import Task
from seq2seq.applications import application_of
from seq2seq.tasks.registry import BUILT_IN

PAGE = (Path(__file__).parent.parent / "docs" / "tasks.md").read_text(encoding="utf-8")


@pytest.fixture
def clock(monkeypatch):
    """The module that the page has its reader write."""
    module = types.ModuleType("clock")
    monkeypatch.setitem(sys.modules, "clock", module)
    [code] = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "class Clock" in block]
    exec(code, module.__dict__)
    return module


def test_the_task_that_the_page_writes_draws_what_it_shows(clock):
    [session] = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if ">>>" in block]
    results = doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(session, {}, "page", None, 0))
    assert results.attempted > 3 and results.failed == 0
    assert [clock.said(*time) for time in ((7, 45), (12, 0), (0, 30), (23, 31))] == [
        "quarter to eight", "twelve o'clock", "half past twelve", "twenty-nine to twelve",
    ]  # fmt: skip


def test_what_the_page_says_is_chosen_is_chosen(clock):
    config = application_of(clock.Clock()).choose(clock.Clock(), {})
    [line] = [line for line in PAGE.splitlines() if line.startswith("1440 examples of clock")]
    assert f"validation {config.data.validation}, test {config.data.test}, model {config.model.model}" in line
    assert f"epochs {config.training.epochs}," in line


def test_every_task_and_whatever_a_task_may_say_is_on_the_page():
    rows = [row for row in PAGE.splitlines() if row.startswith("| `")]
    assert all(any(f"`{name}`" in row for row in rows) for name in BUILT_IN)
    said = ["source_length", "target_length", "symbols", "source_separator", "target_separator", "count", "normalise",
            "unlike_training", "accepts", "measures", "breakdowns", "keys", "key", "any_length"]  # fmt: skip
    assert all(hasattr(Task, name) and any(re.match(rf"\|.*`{name}\b", row) for row in rows) for name in said)
