import numpy as np
import pytest

from seq2seq import Solver, Table, TrainingConfig, UsageError, train
from seq2seq.applications import application_of
from seq2seq.config import Config
from seq2seq.models import make_model
from seq2seq.tasks.ratings import Ratings
from tests import tables

OPTIONS = {"progress": False, "show_every": 0, "epochs": 2, "batch_size": 16}
RATINGS, _ = tables.ratings(300)
CAKES = tables.cakes(300)
TASKS = {
    "ratings": (Ratings(given=RATINGS), Ratings(given=[*RATINGS, ("nobody", "film 1", "5"), ("u1", "film 1", "9")])),
    "table": (
        Table(given=CAKES, target="price", leave=""),
        Table(given=[*CAKES, ("301", "vast", "sour", "500", "3.0")], target="price", leave=""),
    ),
}


def inputs(rows, predicted):
    parts = [array.reshape(len(rows), -1) for name, array in rows.arrays.items() if name != predicted]
    return {tuple(row) for row in np.concatenate(parts, axis=1).tolist()}


@pytest.mark.parametrize("kind", TASKS)
def test_a_second_table_has_its_share_of_every_batch_and_nothing_held_out_or_unknown(kind, tmp_path):
    task, other = TASKS[kind]
    solver = train(task, tmp_path / "run", mix=[(other, 0.25)], **OPTIONS)
    dataset = solver.dataset
    [portion] = dataset.mixed
    application = application_of(task)
    held_out = inputs(dataset.validation, application.predicted) | inputs(dataset.test, application.predicted)
    mixed = inputs(portion.examples, application.predicted)
    assert mixed and not mixed & held_out and mixed <= inputs(dataset.train, application.predicted)
    assert len(portion.examples) <= len(dataset.train)

    config = solver.config
    sampler = application.make_sampler(
        make_model(task, config.model, solver.codec), solver.codec, dataset, TrainingConfig(batch_size=16)
    )
    assert sampler.counts == [12, 4]
    again = Solver(solver.run.path)
    assert again.evaluate() == solver.evaluate()
    assert Config.from_json(config.to_json(), type(task), lambda name: config.keeping[name].keep()) == config


def test_a_file_is_read_as_the_table_itself_is(tmp_path):
    for name, rows in (("own.csv", RATINGS), ("other.csv", RATINGS[:100])):
        (tmp_path / name).write_text("".join(",".join(row) + "\n" for row in rows))
    task = Ratings(str(tmp_path / "own.csv"))
    solver = train(task, tmp_path / "run", mix=[(tmp_path / "other.csv", 0.25)], **OPTIONS)
    (tmp_path / "own.csv").unlink()
    (tmp_path / "other.csv").unlink()
    [portion] = Solver(solver.run.path).dataset.mixed
    assert 0 < len(portion.examples) < 100 and portion.share == 0.25


@pytest.mark.parametrize("kind, unknown", [("ratings", 2), ("table", 1)])
def test_how_many_rows_are_left_out_is_said(kind, unknown, tmp_path, capsys):
    task, other = TASKS[kind]
    options = {**OPTIONS, "progress": True, "validation": 20, "test": 10, "split": "row"}
    [portion] = train(task, tmp_path / "run", mix=[(other, 0.25)], **options).dataset.mixed
    held_out, mixed = portion.held_out, len(portion.examples)
    assert held_out >= 30 and mixed + held_out + unknown == other.count and portion.unknown == unknown
    said = (
        f"mixed in: {mixed} examples of {kind}, 25% of every batch; left out: {held_out} held out, {unknown} with an "
    )
    assert f"{said}unknown name or out of range\n" in capsys.readouterr().err


def test_a_table_of_which_nothing_can_be_mixed_in_is_refused(tmp_path):
    strangers = Ratings(given=[RATINGS[0], ("nobody", "nothing", "3"), ("no one", "never", "4")])
    with pytest.raises(
        UsageError, match=r"^mix: got 'ratings', but it must be a table with rows of known names and in range"
    ):
        train(Ratings(given=RATINGS), tmp_path / "run", mix=[(strangers, 0.25)], **OPTIONS)


def test_a_run_with_a_second_table_goes_on_to_the_same_bits(tmp_path):
    task, other = TASKS["ratings"]
    options = {**OPTIONS, "schedule": "constant", "warmup_steps": 0}
    whole = train(task, tmp_path / "whole", mix=[(other, 0.25)], **options)
    train(task, tmp_path / "parts", mix=[(other, 0.25)], **{**options, "epochs": 1})
    parts = train(None, tmp_path / "parts", resume=True, epochs=2, progress=False)
    assert all((array == parts.weights[name]).all() for name, array in whole.weights.items())


def test_a_table_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match="mix: got 'ratings', but it must be a task of the same kind"):
        train(TASKS["table"][0], tmp_path / "run", mix=[(TASKS["ratings"][0], 0.25)], **OPTIONS)
