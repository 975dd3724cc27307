import subprocess
import sys

import pytest

from seq2seq import Addition, Seq2SeqError, UsageError
from seq2seq.models import MODELS, ParallelModel
from seq2seq.registry import Registry
from seq2seq.tasks import TASKS
from seq2seq.tasks.registry import BUILT_IN


def tasks():
    return Registry("task", BUILT_IN, "seq2seq.tasks.base:Task", named=True)


@pytest.fixture
def registry(package, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(package), *sys.path])
    yield tasks()
    for name in [name for name in sys.modules if name.partition(".")[0] == "echoing"]:
        del sys.modules[name]


def test_every_built_in_task_has_its_name_a_line_about_it_and_its_options():
    assert list(TASKS)[: len(BUILT_IN)] == list(BUILT_IN)
    for name in BUILT_IN:
        assert TASKS[name].name == name and TASKS[name].__doc__.partition("\n")[0].endswith(".")
        assert TASKS[name](**TASKS[name]().options()) == TASKS[name]()
    assert TASKS["addition"] is Addition
    with pytest.raises(KeyError):
        TASKS["chess"]


def test_a_task_of_another_package_is_like_a_built_in_one(registry):
    assert list(registry) == [*BUILT_IN, "echo", "gone", "unnamed"] and len(registry) == len(BUILT_IN) + 3
    assert "echo" in registry and "chess" not in registry
    assert registry["echo"]("xy").options() == {"letters": "xy", "length": (1, 3), "loud": False, "most": 5}
    assert registry["copy"].__module__ == "seq2seq.tasks.strings"


def test_one_that_is_broken_says_so_when_it_is_asked_for(registry):
    with pytest.raises(Seq2SeqError, match=r"task gone: echoing\.nowhere:Gone cannot be loaded: ModuleNotFoundError"):
        registry["gone"]
    with pytest.raises(Seq2SeqError, match=r"task unnamed: .* is not a Task whose name is 'unnamed'"):
        registry["unnamed"]


@pytest.mark.parametrize("name", ["", None, 3, "a b", "x/y", "-x", "auto", "gru"])
def test_a_name_that_cannot_be_used_is_refused(name):
    with pytest.raises(UsageError, match=r"name: got .* but it must be"):
        MODELS.register(name, ParallelModel)


def test_what_is_no_model_is_not_registered():
    for found in (5, None, int):
        with pytest.raises(Seq2SeqError, match=r"model mine: .* is not a Model"):
            MODELS.register("mine", found)
    assert "mine" not in MODELS


def test_names_are_found_whatever_entry_points_are_like(monkeypatch):
    """Before Python 3.10 they are a dict of lists."""

    class Point:
        name, value = "old", "old:Old"

    monkeypatch.setattr("importlib.metadata.entry_points", lambda: {"seq2seq.tasks": [Point]})
    assert list(tasks())[-1] == "old"
    monkeypatch.setattr("importlib.metadata.entry_points", dict)
    assert list(tasks()) == list(BUILT_IN)


def test_other_packages_are_not_looked_at_for_a_built_in_task():
    code = "import sys; from seq2seq.tasks import TASKS; TASKS['copy']; 'roman' in TASKS; "
    code += "print('importlib.metadata' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False\n", result.stderr
