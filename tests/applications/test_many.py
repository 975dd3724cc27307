import signal

import numpy as np
import pytest

from seq2seq import PairsTask, RunError, Solver, TrainingInterrupted, UsageError, train
from seq2seq.config import DataConfig, Extra
from seq2seq.dataset import build_dataset
from seq2seq.engine.callbacks import Callback
from seq2seq.engine.samplers import InBlocks
from seq2seq.stored import Windows
from seq2seq.tasks import many
from tests.conftest import SMALL

OPTIONS = {**SMALL, "epochs": 2, "hidden_size": 4, "progress": False}
WORDS = ["chât", "語", "a", "dog", "sleeps"]
PAIRS = [(f"{a} {b} {c}", f"{c}{b}") for a in "abcdefgh" for b in WORDS for c in WORDS]


@pytest.fixture
def folder(tmp_path):
    """Files of pairs, some of them twice."""
    path = tmp_path / "shards"
    path.mkdir()
    for name, part in (("0.tsv", PAIRS[:40]), ("1.csv", PAIRS[40:]), ("2.tsv", PAIRS[3:6])):
        separator = "," if name.endswith("csv") else "\t"
        (path / name).write_text("".join(f"{source}{separator}{target}\n" for source, target in part))
    return path


@pytest.fixture
def large(monkeypatch):
    """A function after which all files are too large for memory."""

    def begin():
        monkeypatch.setattr("seq2seq.tasks.listed.IN_MEMORY", 100)
        monkeypatch.setattr(many, "ROWS", 7)

    return begin


class Interrupts(Callback):
    def __init__(self, update):
        self.update = update

    def on_step(self, step):
        if step.update == self.update:
            signal.raise_signal(signal.SIGINT)


def pairs_of(dataset, part):
    return [*zip(dataset.codec.decode_sources(part.sources[:]), dataset.codec.decode_targets(part.targets[:]))]


@pytest.mark.parametrize("symbols", ["characters", "words"])
def test_many_pairs_are_split_like_few(folder, large, symbols):
    data = DataConfig(validation=0.1, test=10)
    options = {"source_symbols": symbols, "target_symbols": symbols}
    few = PairsTask(str(folder), **options)
    expected = build_dataset(few, data, 0)
    large()
    task = PairsTask(str(folder), **options)
    found = build_dataset(task, data, 0)
    parts = [pairs_of(found, part) for part in (found.train, found.validation, found.test)]
    assert isinstance(found.train.sources, Windows) and isinstance(found.test.sources, np.ndarray)
    assert [len(part) for part in parts] == [len(PAIRS) - 10 - round(0.1 * len(PAIRS)), round(0.1 * len(PAIRS)), 10]
    assert sorted([*parts[0], *parts[1], *parts[2]]) == sorted(task.pairs()) == sorted(few.pairs())
    assert parts[0] == [pair for pair in task.pairs() if pair in parts[0]]
    assert found.outline(task) == expected.outline(few)
    assert found.overlap(task) == 0 and found.trained_on(task, task.list().sources).sum() == len(found.train)
    again, other = (build_dataset(task, data, seed) for seed in (0, 1))
    assert again.fingerprint == found.fingerprint != other.fingerprint
    some = build_dataset(task, DataConfig(examples=30, validation=5, test=10), 0)
    assert [len(part) for part in (some.train, some.validation, some.test)] == [15, 5, 10]


@pytest.mark.parametrize("model", ["attention", "repeat"])
@pytest.mark.parametrize("shards", [1, 2])
def test_many_pairs_are_learned_evaluated_and_resumed(folder, large, tmp_path, model, shards):
    large()
    options = {**OPTIONS, "model": model, "shards": shards, "batch_size": 9}
    task = PairsTask(str(folder))
    whole = train(task, tmp_path / "whole", **options)
    with pytest.raises(TrainingInterrupted):
        train(task, tmp_path / "parts", callbacks=[Interrupts(25)], **options)
    again = train(PairsTask(str(folder)), tmp_path / "parts", resume=True, progress=False)
    assert all((array == whole.weights[name]).all() for name, array in again.weights.items())
    losses = ([row["train_loss"] for row in each.run.read_metrics()] for each in (again, whole))
    assert next(losses) == next(losses)
    evaluation = again.evaluate()
    assert evaluation.overlap == 0 and evaluation.held_out == whole.evaluate().held_out
    assert not (again.run.path / "pairs.jsonl.gz").exists()
    alone = Solver(again.run.path)
    assert alone(PAIRS[0][0]) == again(PAIRS[0][0]) and Solver(alone.run.path, task=task).evaluate() == evaluation
    with pytest.raises(
        RunError, match=r"the pairs it was trained on are not there; if they were too large to keep, give"
    ):
        alone.evaluate()
    (folder / "2.tsv").write_text("x\ty\n")
    with pytest.raises(RunError, match="was made with other data than"):
        Solver(again.run.path, task=PairsTask(str(folder)))


def test_a_run_that_keeps_such_pairs_goes_on_with_them(folder, large, tmp_path):
    """Earlier versions held all pairs in memory."""
    path = str(folder)
    whole = train(PairsTask(path), tmp_path / "whole", **OPTIONS)
    with pytest.raises(TrainingInterrupted):
        train(PairsTask(path), tmp_path / "parts", callbacks=[Interrupts(15)], **OPTIONS)
    large()
    again = train(PairsTask(path), tmp_path / "parts", resume=True, progress=False)
    assert all((array == whole.weights[name]).all() for name, array in again.weights.items())
    assert Solver(again.run.path, task=PairsTask(path)).evaluate() == again.evaluate() == whole.evaluate()
    (folder / "2.tsv").write_text("x\ty\n")
    with pytest.raises(RunError, match="was made with other data than"):
        train(PairsTask(path), tmp_path / "parts", resume=True, progress=False)


def test_batches_of_many_pairs_have_the_widths_of_their_pairs(tmp_path, large):
    pairs = [
        ("".join(digits), digits[0])
        for n in (4, 40)
        for digits in np.random.default_rng(n).choice(list("01234567"), (400, n))
    ]
    (tmp_path / "x.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in dict(pairs).items()))
    large()
    solver = train(PairsTask(str(tmp_path / "x.tsv")), tmp_path / "run", **{**OPTIONS, "model": "attention"})
    sampler = solver.application.make_sampler(
        solver.predictor(1).model, solver.codec, solver.dataset, solver.config.training
    )
    assert isinstance(sampler, InBlocks)
    batches = [*sampler.epoch(np.random.default_rng(0))]
    widths = {batch.widths["source"] for batch in batches}
    assert len(widths) == 2 and max(widths) == 40
    for batch in batches:
        lengths = solver.codec.source_widths(sampler.arrays["source"][batch.rows])
        assert lengths.max() == batch.widths["source"]
    assert (
        sum(len({*solver.codec.source_widths(sampler.arrays["source"][each.rows])}) for each in batches)
        <= len(batches) + 1
    )


def test_a_run_can_start_from_one_of_many_pairs(folder, large, tmp_path):
    large()
    task = PairsTask(str(folder))
    first = train(task, tmp_path / "first", **OPTIONS)
    second = train(task, tmp_path / "second", start_from=first, **{**OPTIONS, "seed": 1})
    trained_on = first.dataset.trained_on(task, second.codec.read_sources(second.dataset.test.sources))
    assert 0 < second.evaluate().overlap == trained_on.mean() < 1


def test_what_many_pairs_cannot_do_is_said(folder, large, tmp_path):
    large()
    task = PairsTask(str(folder))
    few = PairsTask.of(PAIRS)
    for options, message in (
        ({"split": "none"}, "split: got 'none', but it must be expression, as the pairs are too many for memory"),
        ({"examples": 10**6}, f"examples: got 1000000, but it must be at most {len(PAIRS)}, all that the task has"),
        ({"examples": 20, "test": 20}, "validation, test: holding out .* and 20 of 20 examples leaves none for train"),
        ({"validation": 0.001}, "validation, test: holding out 0.001 and .* leaves none for validation"),
        (
            {"mix": [(few, 0.5)]},
            r"mix: got .*, but it must be absent, as the pairs of the task itself are too many for",
        ),
    ):
        with pytest.raises(UsageError, match=message):
            train(task, tmp_path / "run", **{**OPTIONS, **options})
    with pytest.raises(UsageError, match=r"mix: got .*data that a run can keep: they are too large"):
        train(few, tmp_path / "run", mix=[(task, 0.5)], **OPTIONS)
    with pytest.raises(UsageError, match="absent, as the pairs of the task itself are too many for memory"):
        build_dataset(task, DataConfig(), 0, extra=[Extra(few, 10)])
    assert not (tmp_path / "run").exists()
