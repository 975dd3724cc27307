import numpy as np
import pytest

from seq2seq import Arithmetic, Solver, Text, UsageError, train
from seq2seq.applications import application_of
from tests.conftest import some_text


def test_a_second_validation_set_is_measured_each_epoch_and_can_choose_the_best(small, tmp_path, capsys):
    pairs = [("1+1", "2"), ("2+3", "5"), ("9+9", "18")]
    options = {**small, "progress": True, "best_by": "few_loss:max"}
    solver = train(**options, run_dir=tmp_path / "run", validation_sets={"few": pairs})
    rows = solver.run.read_metrics()
    assert {"few_loss", "few_exact_match", "validation_loss"} <= set(rows[0])
    _, state = solver.run.read_arrays("best.safetensors")
    assert state["epoch"] == max(rows, key=lambda row: row["few_loss"])["epoch"]
    assert "few: exact match" in capsys.readouterr().err
    last = Solver(solver.run.path, weights="last")
    assert last.score(pairs) == pytest.approx(rows[-1]["few_exact_match"])


def test_pairs_that_a_task_has_drawn_are_a_set_too(small, tmp_path):
    drawn = small["task"].sample(20, np.random.default_rng(0))
    solver = train(**small, run_dir=tmp_path / "run", validation_sets={"drawn": drawn})
    assert solver.run.read_metrics()[-1]["drawn_loss"] > 0


def test_of_a_task_that_works_in_steps_the_steps_are_measured(small, tmp_path):
    task = Arithmetic("+", terms=3, operands=(0, 3), steps="call")
    options = {**small, "task": task, "model": "attention"}
    solver = train(**options, run_dir=tmp_path / "run", validation_sets={"three": [("1+2+3", "6")]})
    assert solver.run.read_metrics()[-1]["three_loss"] > 0
    examples = application_of(task).examples(task, [("1 + 2 + 3", "6")], solver.codec)
    shown = zip(solver.codec.decode_sources(examples.sources), solver.codec.decode_targets(examples.targets))
    assert {source: target.strip() for source, target in shown} == {"1+2": "3", "3+3": "6", "6": "6"}


@pytest.mark.parametrize(
    "sets, problem",
    [
        ({"Few": [("1+1", "2")]}, r"validation_sets: got 'Few', but it must be names that begin with a letter"),
        ({"x" * 100: [("1+1", "2")]}, r"validation_sets: got 'xxx"),  # of which metrics.csv could have no column
        ({"validation": [("1+1", "2")]}, r"validation_sets: got 'validation'"),
        ({"few": None}, r"validation_sets few: pairs: got None, but it must be pairs of strings"),
        ({"few": [("1+1",)]}, r"validation_sets few: pair 1: "),
        ({"few": [("1+1", 2)]}, r"validation_sets few: pair 1: "),
        ({"few": "1+1"}, r"validation_sets few: pair 1: "),
        ({"few": []}, r"validation_sets few: pairs: got \[\], but it must be one or more"),
        ({"few": [("1+1", "2"), ("1x1", "1")]}, r"validation_sets few: .*1x1.*"),
        ({"few": [("1+1+1+1+1", "5")]}, r"validation_sets few: "),
    ],
)
def test_what_is_no_set_is_refused_before_anything_is_written(small, tmp_path, sets, problem):
    with pytest.raises(UsageError, match=problem):
        train(**small, run_dir=tmp_path / "run", validation_sets=sets)
    assert not (tmp_path / "run").exists()


def test_sets_without_names_are_refused(small, tmp_path):
    with pytest.raises(UsageError, match=r"validation_sets: got .* but it must be a dict of pairs by name"):
        train(**small, run_dir=tmp_path / "run", validation_sets=[("1+1", "2")])


def test_a_text_has_no_pairs(tmp_path):
    with pytest.raises(UsageError, match="validation_sets few: pairs: a text is read, and has none"):
        train(Text(given=some_text()), tmp_path / "run", validation_sets={"few": [("a", "b")]}, progress=False)
