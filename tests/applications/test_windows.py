import numpy as np
import pytest

from seq2seq import RunError, Solver, Text, TrainingConfig, UsageError, train
from seq2seq.config import DataConfig
from seq2seq.dataset import build_dataset
from seq2seq.engine.samplers import InBlocks
from seq2seq.stored import Windows
from seq2seq.tasks import blocks
from seq2seq.vocabulary import Codec
from tests.conftest import SMALL, some_text

DATA = DataConfig(validation=0.1, test=0.1, split="position")
OPTIONS = {**SMALL, "epochs": 2, "hidden_size": 4, "progress": False}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes((some_text(2000).replace("cat", "chât 語") + "\n").replace("\n", "\r\n").encode())
    return path


@pytest.fixture
def long(monkeypatch):
    """A function after which every text is longer than what is held."""

    def begin():
        monkeypatch.setattr("seq2seq.tasks.text.IN_MEMORY", 100)
        monkeypatch.setattr(blocks, "BLOCK", 101)

    return begin


def data_of(task, targets):
    return build_dataset(task, DATA, 0, Codec(task.characters, 8, targets, reverse_target=False))


@pytest.mark.parametrize("targets", [8, 1])
def test_a_long_text_is_the_data_of_a_short_one(file, long, targets):
    short = Text(str(file))
    expected = data_of(short, targets)
    long()
    task = Text(str(file))
    found = data_of(task, targets)
    assert isinstance(found.train.sources, Windows) and task.scan == short.scan._replace(text=None)
    assert found.fingerprint == expected.fingerprint and found.outline(task) == expected.outline(short)
    assert found.unseen == expected.unseen == []
    assert "".join(task.keep_parts()) == short.keep() == task.text and task.kept_digest == short.kept_digest


@pytest.mark.parametrize("model", ["gru", "rnn-stateful", "rnn-numpy"])
def test_a_long_text_is_learned_as_a_short_one_and_resumed(file, long, tmp_path, model):
    options = {**OPTIONS, "model": model, "validation": 0.1, "test": 0.1, "embedding": 0}
    train(Text(str(file)), tmp_path / "short", **options)
    long()
    train(Text(str(file)), tmp_path / "long", **options)
    again, other = (train(None, tmp_path / name, resume=True, progress=False, epochs=3) for name in ("short", "long"))
    for name, array in again.weights.items():
        assert (array == other.weights[name]).all()
    assert again.run.read_metrics()[-1]["train_loss"] == other.run.read_metrics()[-1]["train_loss"]


def test_a_long_text_in_single_windows_is_shuffled_in_blocks(file, long, tmp_path):
    long()
    solver = train(Text(str(file)), tmp_path / "run", model="char3", validation=0.1, test=0.1, **OPTIONS)
    sampler = solver.application.make_sampler(
        solver.predictor(1).model, solver.codec, solver.dataset, TrainingConfig(batch_size=16)
    )
    assert type(sampler).__name__ == ("Bucketed" if solver.task.scan.text else InBlocks.__name__)
    assert np.isfinite(solver.run.read_metrics()[-1]["train_loss"])


def test_little_of_a_long_text_is_held_out(file, long, monkeypatch, tmp_path):
    monkeypatch.setattr("seq2seq.applications.language.IN_MEMORY", 100)
    monkeypatch.setattr("seq2seq.applications.language.MOST_HELD_OUT", 200)
    solver = train(Text(str(file)), tmp_path / "run", model="rnn-sequence", **OPTIONS)
    assert (solver.config.data.validation, solver.config.data.test) == (200, 200)


def test_a_file_that_changes_while_it_is_read_is_refused(file, long):
    long()
    task = Text(str(file))
    assert task.scan.text is None
    content = file.read_bytes()
    for changed in (content.replace(b"dog", b"god", 1), content.replace(b"dog", b"dig", 1), content[:-9]):
        file.write_bytes(changed)
        with pytest.raises(UsageError, match=r"x\.txt: has changed while it was read"):
            data_of(task, 8)


def test_a_text_too_large_to_keep_is_given_again(file, long, monkeypatch, tmp_path):
    monkeypatch.setattr("seq2seq.tasks.text.MOST_KEPT", 1000)
    long()
    task = Text(str(file))
    run = tmp_path / "run"
    options = {**OPTIONS, "model": "rnn-sequence"}
    held_out = train(task, run, **options).evaluate().held_out
    assert task.unkept and not (run / "text.txt.gz").exists()
    assert train(Text(str(file)), run, resume=True, progress=False, epochs=2).evaluate().held_out == held_out
    alone = Solver(run)
    assert alone("the c") and Solver(run, task=task).evaluate().held_out == held_out
    with pytest.raises(RunError, match=r"the text it was trained on is not there; if it was too large to keep, give"):
        alone.evaluate()
    with pytest.raises(RunError, match="if it was too large to keep, give"):
        train(None, run, resume=True, progress=False)
    with pytest.raises(UsageError, match=r"mix: got .*data that a run can keep"):
        train(Text(given="the cat sat on a mat"), tmp_path / "other", mix=[(task, 0.5)], progress=False)
    file.write_bytes(file.read_bytes() + b"a")
    with pytest.raises(RunError, match="was made with other data than"):
        Solver(run, task=Text(str(file)))
