"""One place chooses what kind of problem a task is, and nothing else asks."""

import ast
from pathlib import Path

import pytest

import seq2seq
from seq2seq import Arithmetic, Task, Text, UsageError
from seq2seq.applications import APPLICATIONS, application_of
from seq2seq.models import MODELS
from seq2seq.tasks import TASKS
from seq2seq.tasks.ratings import Ratings

ROOT = Path(seq2seq.__file__).parent
KINDS = {
    "Text",
    "CharacterModel",
    "TextEvaluation",
    "AttentionModel",
    "SearchPredictor",
    "ByHandModel",
    "FileTask",
    "ColumnsTask",
    "Ratings",
    "RowsModel",
    "EstimatingRun",
    "Recommender",
}
ALLOWED: set[str] = set()


def type_tests(path):
    """The kinds that some code asks for by type: the second arguments of `isinstance` and `issubclass`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            named = [getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node.args[1])]
            yield from KINDS.intersection(named)


def test_no_code_asks_for_the_kind_of_a_task_a_model_or_a_predictor():
    asking = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if [*type_tests(path)]}
    assert asking <= ALLOWED


def test_a_type_test_is_found(tmp_path):
    path = tmp_path / "code.py"
    path.write_text("isinstance(a, (int, seq2seq.Text))\nissubclass(b, CharacterModel)\nisinstance(c, Task)\n")
    assert [*type_tests(path)] == ["Text", "CharacterModel"]


def test_every_task_and_every_model_has_an_application():
    assert {TASKS[name].application for name in TASKS} == {model.application for model in MODELS.values()}
    assert {TASKS[name].application for name in TASKS} == {*APPLICATIONS}
    for name in APPLICATIONS:
        [task, *_] = [TASKS[task] for task in TASKS if TASKS[task].application == name]
        assert application_of(task).name == name


def test_a_task_of_an_unknown_kind_is_refused():
    class Painting(Task):
        application = "painting"

    with pytest.raises(
        UsageError, match="application: got 'painting', but it must be one of answering, language, ratings"
    ):
        application_of(Painting())


@pytest.mark.parametrize(
    "task, opens", [(Arithmetic(), "Solver"), (Text(given="a"), "Writer"), (Ratings(), "Recommender")]
)
def test_an_application_says_what_its_runs_open_as(task, opens):
    application = application_of(task)
    assert application.opens is getattr(seq2seq, opens)
    assert application.to_try("a b") == ("--continue" if opens == "Writer" else None, "a b")
