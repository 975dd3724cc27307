import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq import RunError, train
from seq2seq.engine.callbacks import Callback, Start, Step
from seq2seq.engine.validators import Validator
from seq2seq.progress import Bar, Lines, Progress, ProgressFile, progress_for_stderr
from seq2seq.runs import PROGRESS, Run
from tests.conftest import SMALL

ROW = {
    "epoch": 1, "step": 5, "learning_rate": 0.1, "train_loss": 0.5, "validation_loss": 0.6,
    "validation_exact_match": 0.25, "samples_per_second": 1234.5, "seconds": 1.0,
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Described(Validator):
    names = ("validation_exact_match",)

    def validate(self, module):
        raise NotImplementedError

    def describe(self, values):
        return f"exact match {values['validation_exact_match']:.3f}"


class Training:
    """What a callback sees of a trainer."""

    validators = (Described(),)
    mean_loss = 0.0


def start(epochs, rows, done=0):
    return Start(epochs, rows, done, Training)


def step(rows, loss):
    training = Training()
    training.mean_loss = loss
    return Step(1, rows, training)


def shown(kind, monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    progress = progress_for_stderr()
    progress.on_note("40 examples")
    assert type(progress) is kind
    progress.on_start(start(2, 80))
    progress.on_step(step(40, 0.7))
    progress.on_epoch(ROW)
    progress.on_samples(["1+1 -> 2 ✓", "1+2 -> 4 ✗ (3)"])
    progress.on_epoch({**ROW, "epoch": 2})
    progress.on_end()
    return stream.getvalue()


class Unprintable(io.StringIO):
    encoding = "ascii"


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


class Logger:
    """A stream of the user's, with what `print` needs alone."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def getvalue(self):
        return self.text


def test_any_stream_will_do_and_none(monkeypatch, capsys):
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        assert type(progress_for_stderr()) is Progress
    assert "epoch 2/2: loss" in shown(Lines, monkeypatch, Logger())
    assert "1+1 -> 2 \\u2713\n" in shown(Lines, monkeypatch, Unprintable())
    assert shown(Lines, monkeypatch, Full()) == ""
    assert capsys.readouterr().out == ""


def test_every_line_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    progress = Lines()
    progress.on_note("two\nlines")
    progress.on_samples(["a\nb -> c\u2028d"])
    assert stream.getvalue().splitlines() == [r"two\nlines", r"    a\nb -> c\u2028d"]


def test_plain_lines_when_stderr_is_no_terminal(monkeypatch):
    text = shown(Lines, monkeypatch, io.StringIO())
    lines = text.splitlines()
    assert lines.pop(0) == "40 examples"
    assert lines[0].startswith("epoch 1/2: loss 0.5000, exact match 0.250, 1234 samples/s, 0:00 left")
    assert lines[1:3] == ["    1+1 -> 2 ✓", "    1+2 -> 4 ✗ (3)"]
    assert "\r" not in text


def test_a_bar_at_a_terminal(monkeypatch):
    text = shown(Bar, monkeypatch, Terminal())
    assert text.startswith("40 examples\n")
    last = text.split("\r")[-1]
    assert "epoch 2/2" in last and "loss 0.5000, exact match 0.250" in last and "left" in last and "100%" in last
    assert "samples/s" in last
    assert "1+2 -> 4 ✗ (3)\n" in text


def test_long_epochs_speak_once_a_minute(monkeypatch, capsys):
    progress = Lines()
    progress.on_start(start(2, 100))
    monkeypatch.setattr(Lines, "SECONDS", 0.0)
    progress.on_step(step(50, 0.25))
    assert "epoch 1/2 at 50 samples: loss 0.2500" in capsys.readouterr().err


def test_a_resumed_training_begins_where_it_was(monkeypatch, capsys):
    clock = iter([0.0, 100.0, 10.0, 10.0, 10.0])
    monkeypatch.setattr("seq2seq.progress.time.monotonic", lambda: next(clock))
    progress = Lines()
    progress.on_start(start(4, 100, 250))  # at 0 s
    progress.on_step(step(75, 0.1))  # at 100 s: a line; 25 samples in 10 s leave 125 for 50 s
    assert capsys.readouterr().err == "epoch 3/4 at 75 samples: loss 0.1000, 0:50 left\n"


def test_a_resumed_bar_begins_where_it_was(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(Bar, "SECONDS", 0.0)
    progress = Bar()
    progress.on_start(start(4, 100, 250))
    assert (progress._bar.n, progress._bar.initial) == (250, 250)
    progress.on_step(step(75, 0.1))
    assert progress._bar.n == 275 and "epoch 3/4" in progress._bar.desc
    progress.on_epoch({**ROW, "epoch": 3})
    assert progress._bar.n == 300
    progress.on_end()


class Looks(Callback):
    """Reads the progress after each step, as another program would."""

    def __init__(self, folder):
        self.run = Run(folder)
        self.seen = []

    def on_start(self, start):
        self.trainer = start.trainer

    def on_step(self, step):
        self.seen.append((self.run.read_progress(), self.trainer.mean_loss))


def test_how_far_an_epoch_is_can_be_read_while_a_run_is_trained(small, tmp_path, monkeypatch):
    monkeypatch.setattr(ProgressFile, "SECONDS", 0.0)
    looks = Looks(tmp_path / "run")
    train(**small, run_dir=tmp_path / "run", callbacks=[looks])
    assert looks.seen[0][0] is None  # it is written after the callbacks of the user
    assert len(looks.seen) == 15
    for update, (found, _) in enumerate(looks.seen[1:]):
        left = found.pop("seconds_left")
        epoch, step = divmod(update, 5)
        assert found.pop("loss") == looks.seen[update][1]
        examples = {"examples": 16 * (step + 1), "examples_per_epoch": 80}
        assert found == {"epoch": epoch + 1, "epochs": 3, **examples} and 0 < left < 100
    assert not (tmp_path / "run" / PROGRESS).exists()


def test_progress_is_written_every_two_seconds_at_the_most(small, tmp_path, monkeypatch):
    clock = iter(range(100))  # a second passes each time that it is read
    monkeypatch.setattr("seq2seq.progress.time.monotonic", lambda: float(next(clock)))
    written = []
    monkeypatch.setattr(Run, "write_progress", lambda run, values: written.append(values["seconds_left"]))
    progress = ProgressFile(Run(tmp_path))
    progress.on_start(start(2, 100))  # at 0 s
    for rows in (10, 20, 30, 40):
        progress.on_step(step(rows, 0.5))  # at 1; 2, 3 and 4; 5; 6, 7 and 8
    assert written == [3 / 20 * 180, 7 / 40 * 160]


def test_a_loss_that_is_no_number_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(ProgressFile, "SECONDS", 0.0)
    progress = ProgressFile(Run(tmp_path))
    progress.on_start(start(2, 100))
    progress.on_step(step(50, float("nan")))
    assert Run(tmp_path).read_progress()["loss"] is None


def test_progress_that_cannot_be_written_does_not_end_a_training(tmp_path, monkeypatch):
    monkeypatch.setattr(ProgressFile, "SECONDS", 0.0)
    progress = ProgressFile(Run(tmp_path / "missing"))
    progress.on_start(start(2, 100))
    progress.on_step(step(50, 0.5))
    progress.on_end()
    assert Run(tmp_path / "missing").read_progress() is None


KILLED = """
import os
import signal
from seq2seq import Arithmetic, train
from seq2seq.engine.callbacks import Callback
from seq2seq.progress import ProgressFile


class Killed(Callback):
    def on_epoch(self, row):
        os.kill(os.getpid(), signal.SIGKILL)


ProgressFile.SECONDS = 0.0
train(Arithmetic("+", terms=2, operands=(0, 9)), "run", progress=False, callbacks=[Killed()], **OPTIONS)
"""


def test_what_a_killed_training_left_is_removed_before_the_next_begins(small, tmp_path, monkeypatch):
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}}
    subprocess.run([sys.executable, "-c", KILLED.replace("OPTIONS", repr(SMALL))], **options)
    assert Run(tmp_path / "run").read_progress()["examples"] == 80

    def look(*arguments):
        assert not (tmp_path / "run" / PROGRESS).exists()
        raise KeyError("seen")

    monkeypatch.setattr("seq2seq.experiment.build_dataset", look)
    with pytest.raises(KeyError, match="seen"):
        train(**small, run_dir=tmp_path / "run", resume=True)


@pytest.mark.parametrize("content", ["[]", "{}", "x", '{"epoch": "1"}'])
def test_a_damaged_progress_is_named(tmp_path, content):
    (tmp_path / PROGRESS).write_text(content)
    with pytest.raises(RunError, match=r"progress\.json: is damaged: not "):
        Run(tmp_path).read_progress()
