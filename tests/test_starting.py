"""Trainings that start from the weights of another run."""

import json
import shutil

import numpy as np
import pytest

from seq2seq import Addition, Copy, RunError, Solver, Text, UsageError, train
from seq2seq.config import DataConfig, ModelConfig
from seq2seq.engine.callbacks import Callback
from seq2seq.models import make_codec, make_model
from seq2seq.mx import mx
from seq2seq.options import ANSWERING, STRING_MODELS
from seq2seq.starting import transferred
from seq2seq.tasks.pairs import PairsTask
from tests.conftest import SMALL, some_text
from tests.models.symbols import draw, loss_of
from tests.test_scripts import call

TASK = Copy("abc", length=(1, 4))
OPTIONS = {**SMALL, "model": "attention", "validation": 10, "test": 20, "progress": False}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A run that copies three letters."""
    return train(TASK, tmp_path_factory.mktemp("earlier") / "run", **{**OPTIONS, "epochs": 6})


def case(model, symbols):
    """The task, codec and network of a model, with these symbols in its vocabulary."""
    if model == "aligned":
        task = Addition(3, operators=symbols)
    elif model in ANSWERING:
        task = Copy(symbols, length=(1, 5))
    else:
        task = Text(given=symbols * 20, length=3 if model == "char3" else 5)
    config = ModelConfig(model=model, hidden_size=4, layers=2 if model in ANSWERING else 1)
    codec = make_codec(task, DataConfig(split=task.keys[0]), config)
    return codec, make_model(task, config, codec)


def weights_of(model, seed):
    return draw(loss_of(model), seed, source=(model.source_length, 1), target=(model.target_length, 1))


def log_probabilities(model, weights, ids):
    symbol = model.log_probabilities(mx.sym.var("source"), mx.sym.var("target"))
    arrays = {"source": ids[: model.source_length, None], "target": ids[: model.target_length, None], **weights}
    held = {name: mx.nd.array(arrays[name]) for name in symbol.list_arguments()}
    return symbol.bind(mx.cpu(), held).forward()[0].asnumpy()[:, 0]


@pytest.mark.parametrize("model", STRING_MODELS)
def test_weights_are_of_the_same_network_for_the_symbols_that_both_have(model):
    """What is read of known symbols gives them the same scores, whatever other symbols there are and in which order."""
    before, after = ("-", "+-") if model == "aligned" else ("bdf", "cabfde")
    (old_codec, old), (new_codec, new) = (case(model, symbols) for symbols in (before, after))
    weights, first = (weights_of(each, seed) for seed, each in enumerate((old, new)))
    moved = transferred(old, old_codec, weights, new, new_codec, first, "there")
    assert {name: array.shape for name, array in moved.items()} == {name: array.shape for name, array in first.items()}
    ids = np.random.default_rng(0).integers(len(old_codec.characters), size=old.source_length)
    place = np.array([new_codec.characters.index(each) for each in old_codec.characters])
    assert (place != np.arange(len(place))).any()
    found = log_probabilities(new, moved, place[ids])[:, place]
    expected = log_probabilities(old, weights, ids)
    np.testing.assert_allclose(found - found[:, :1], expected - expected[:, :1], atol=1e-5)
    new_ones = np.setdiff1d(np.arange(len(new_codec.characters)), place)
    np.testing.assert_array_equal(moved["output_weight"][new_ones], first["output_weight"][new_ones])


def test_it_starts_where_the_other_run_was_best(earlier, tmp_path, capsys):
    solver = train(TASK, tmp_path / "run", start_from=earlier.run.path, **{**OPTIONS, "epochs": 1, "progress": True})
    fresh = train(TASK, tmp_path / "fresh", **{**OPTIONS, "epochs": 1})
    losses = [each.run.read_metrics()[0]["train_loss"] for each in (solver, fresh)]
    assert losses[0] < 0.8 * losses[1]
    start = json.loads((tmp_path / "run" / "config.json").read_text())["start_from"]
    assert len(start["weights"]) == len(start["questions"]) == 16
    assert "start_from" not in json.loads((tmp_path / "fresh" / "config.json").read_text())
    assert f"starts from the weights of {earlier.shown}\n" in capsys.readouterr().err


def test_options_that_are_not_given_are_those_of_the_other_run(earlier, tmp_path):
    solver = train(run_dir=tmp_path / "all", start_from=earlier, epochs=1, learning_rate=0.001, progress=False)
    assert solver.task == TASK and solver.config.training.batch_size == 16
    assert solver.config.model == earlier.config.model and solver.config.training.learning_rate == 0.001
    other = Copy("abcd", length=(1, 3))
    solver = train(other, tmp_path / "network", start_from=earlier, epochs=1, progress=False)
    assert solver.config.model == earlier.config.model and solver.config.training.batch_size == 64


def test_new_symbols_are_learned_beside_the_known_ones(earlier, tmp_path, capsys):
    pairs = [(source, source[::-1]) for source in ("ab", "bc", "ac", "xa", "yb", "xc", "ay", "bx", "cy", "yx")]
    solver = train(
        pairs, tmp_path / "run", start_from=earlier, epochs=150, batch_size=10,
        validation=1, test=1, show_every=0,
    )  # fmt: skip
    assert f"starts from the weights of {earlier.shown}; new symbols: x y" in capsys.readouterr().err
    assert isinstance(solver.task, PairsTask)
    last = Solver(solver.run.path, weights="last").evaluate()
    assert last.train_distribution.exact_match == 1


def test_what_the_other_run_was_trained_on_counts_as_trained_on(earlier, tmp_path, capsys):
    longer = Copy("abc", length=(3, 5))
    options = {**OPTIONS, "epochs": 1, "examples": 300, "progress": True}
    solver = train(longer, tmp_path / "run", start_from=earlier, **options)
    read = {*earlier.codec.decode_sources(earlier.dataset.train.sources)}
    tested = solver.codec.decode_sources(solver.dataset.test.sources)
    known = [source for source in tested if source in read]
    assert 0 < len(known) < len(tested)
    shutil.move(earlier.run.path, tmp_path / "gone")
    try:
        evaluation = Solver(solver.run.path).evaluate()
        assert evaluation.overlap == len(known) / len(tested)
        assert evaluation.breakdowns["trained on"]["yes"].n == len(known)
        noted = capsys.readouterr().err
        assert f"\nof the test examples, {earlier.shown} was trained on {evaluation.overlap:.1%}\n" in noted
        again = train(longer, tmp_path / "again", start_from=solver, **{**options, "data_seed": 3})
        both = read | {*solver.codec.decode_sources(solver.dataset.train.sources)}
        tested = again.codec.decode_sources(again.dataset.test.sources)
        assert again.evaluate().overlap == np.mean([source in both for source in tested])
    finally:
        shutil.move(tmp_path / "gone", earlier.run.path)


def test_a_fine_tuned_run_goes_on_to_the_same_bits_without_the_other(earlier, tmp_path):
    class Stop(Callback):
        def on_start(self, start):
            self.trainer = start.trainer

        def on_epoch(self, row):
            if row["epoch"] == 2:
                self.trainer.stop()

    copied = tmp_path / "earlier"
    shutil.copytree(earlier.run.path, copied)
    options = {**OPTIONS, "epochs": 4}
    whole = train(TASK, tmp_path / "whole", start_from=copied, **options)
    train(TASK, tmp_path / "parts", start_from=copied, callbacks=[Stop()], **options)
    config = (tmp_path / "parts" / "config.json").read_bytes()
    train(TASK, tmp_path / "parts", start_from=copied, resume=True, callbacks=[Stop()], **options)
    shutil.rmtree(copied)
    parts = train(run_dir=tmp_path / "parts", resume=True, progress=False)
    assert (tmp_path / "parts" / "config.json").read_bytes() == config
    assert len(parts.run.read_metrics()) == 4
    for name, array in whole.weights.items():
        np.testing.assert_array_equal(array, parts.weights[name])


@pytest.mark.parametrize(
    "option, value, had",
    [
        ("hidden_size", 9, "8"), ("layers", 2, "1"), ("cell", "rnn", "'lstm'"), ("model", "repeat", "'attention'"),
        ("bidirectional", False, "True"), ("reverse_target", True, "False"), ("position_bias", False, "True"),
    ],
)  # fmt: skip
def test_another_network_is_refused_by_the_name_of_its_option(earlier, tmp_path, option, value, had):
    message = f"^{option}: got {value!r}, but it must be {had} as in .*run, from which it starts$"
    with pytest.raises(UsageError, match=message):
        train(TASK, tmp_path / "new", start_from=earlier, **{**OPTIONS, option: value})
    assert not (tmp_path / "new").exists()


def test_a_text_starts_from_a_text_and_from_nothing_else(reading, earlier, tmp_path, capsys):
    text = Text(given=some_text(200) + "!?")
    options = {"epochs": 1, "validation": 0.2, "test": 0.2}
    writer = train(text, tmp_path / "text", start_from=reading, **options)
    assert writer.run.read_metrics()[0]["train_loss"] < 2
    assert f"how much of the held-out examples {reading.shown} was trained on is not known" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"start_from: .*reading is a run of text, unlike copy"):
        train(TASK, tmp_path / "run", start_from=reading, progress=False)
    with pytest.raises(UsageError, match=r"start_from: .* is a run of copy, unlike text"):
        train(text, tmp_path / "run", start_from=earlier, **options)


def test_what_else_is_refused(earlier, solved, tmp_path):
    path = earlier.run.path
    with pytest.raises(UsageError, match=r"start_from: got Ensemble.*, but it must be one run, not an ensemble"):
        train(TASK, tmp_path / "run", start_from=Solver([path]), **OPTIONS)
    with pytest.raises(RunError, match="nowhere: holds no run"):
        train(TASK, tmp_path / "run", start_from=tmp_path / "nowhere", **OPTIONS)
    train(TASK, tmp_path / "run", **OPTIONS)
    with pytest.raises(UsageError, match=r"^start_from: .*run started from other weights than .* has"):
        train(TASK, tmp_path / "run", start_from=earlier, resume=True, **OPTIONS)


def test_hashes_that_are_damaged_or_missing_are_named(earlier, tmp_path):
    solver = train(TASK, tmp_path / "run", start_from=earlier, **{**OPTIONS, "epochs": 1})
    file = tmp_path / "run" / "known.u64"
    file.write_bytes(bytes(16))
    with pytest.raises(RunError, match=r"known\.u64: is damaged"):
        Solver(solver.run.path).evaluate()
    file.unlink()
    with pytest.raises(RunError, match=r"known\.u64: is missing"):
        Solver(solver.run.path).evaluate()


def test_the_rate_may_be_found_for_the_weights_it_starts_from(earlier, tmp_path):
    options = {name: value for name, value in OPTIONS.items() if name != "learning_rate"}
    solver = train(TASK, tmp_path / "run", start_from=earlier, find_rate=True, **{**options, "epochs": 1})
    fresh = train(TASK, tmp_path / "fresh", find_rate=True, **{**options, "epochs": 1})
    losses = [float((each.run.path / "rates.csv").read_text().split("\n")[1].split(",")[1]) for each in (solver, fresh)]
    assert losses[0] < 0.9 * losses[1]
    assert solver.run.found_rate


def test_the_command_starts_from_a_run(earlier, tmp_path):
    result = call(
        "train", "--task", "copy", "--task.letters", "abcd", "--task.length", "1-3", "--start-from", earlier.run.path,
        "--epochs", 2, "--run-dir", tmp_path / "run",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "new symbols: d" in result.stderr and "had been trained on" in result.stdout
    result = call("train", "--start-from", tmp_path, "--run-dir", tmp_path / "other")
    assert result.returncode == 1 and result.stderr.count("\n") == 1
