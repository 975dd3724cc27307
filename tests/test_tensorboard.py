"""Event files, read by TensorBoard itself."""

import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from seq2seq import RunError, Solver, UsageError, train
from seq2seq.runs import Run
from seq2seq.tensorboard import AXES, TensorBoard, _checksum, _single
from tests.conftest import SMALL
from tests.engine.test_trainer import trainer
from tests.test_scripts import call

ROOT = Path(__file__).parent.parent
ROWS = 80  # examples of an epoch of `small`


@pytest.fixture
def curves():
    """From a folder to a function that reads its curves, as far as they are written: steps and values by tag."""
    module = "tensorboard.backend.event_processing.event_accumulator"
    accumulator = pytest.importorskip(module, reason="pip install tensorboard").EventAccumulator

    def reader(folder):
        events = accumulator(str(folder))

        def read():
            events.Reload()
            return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}

        return read

    return reader


def event_files(folder):
    return sorted(path.name for path in folder.glob("*tfevents*"))


def expected(run):
    """The curves of `metrics.csv`, in single precision."""
    rows = run.read_metrics()
    tags = [name for name in rows[0] if name not in AXES]
    return {tag: [(row["epoch"] * ROWS, float(np.float32(row[tag]))) for row in rows] for tag in tags}


def test_tensorboard_reads_what_metrics_say_also_after_a_resume(small, tmp_path, curves):
    solver = train(**small, run_dir=tmp_path / "run", callbacks=[TensorBoard()])
    read = curves(tmp_path / "run")
    assert read() == expected(solver.run) and len(read()["train_loss"]) == 3
    assert {"validation_loss", "validation_exact_match", "learning_rate", "samples_per_second"} < set(read())
    [before] = event_files(tmp_path / "run")
    small["epochs"] = 5
    train(**small, run_dir=tmp_path / "run", callbacks=[TensorBoard()], resume=True)
    former, newest = event_files(tmp_path / "run")
    assert former == before
    # A TensorBoard that was there before, one that is started now, and a program that reads the newest file alone.
    assert len(read()["train_loss"]) == 5
    assert read() == curves(tmp_path / "run")() == curves(tmp_path / "run" / newest)() == expected(solver.run)


def test_epochs_without_event_files_are_added_by_a_resume(small, tmp_path, curves):
    train(**small, run_dir=tmp_path / "run")
    small["epochs"] = 4
    solver = train(**small, run_dir=tmp_path / "run", callbacks=[TensorBoard()], resume=True)
    assert curves(tmp_path / "run")() == expected(solver.run)


KILLED = """
import os
import signal
from seq2seq import Arithmetic, train
from seq2seq.engine.callbacks import Callback
from seq2seq.tensorboard import TensorBoard


class Killed(Callback):
    def on_epoch(self, row):
        if row["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGKILL)


task = Arithmetic("+", terms=2, operands=(0, 9))
train(task, "run", progress=False, callbacks=[TensorBoard(), Killed()], **OPTIONS)
"""


def test_epochs_that_a_kill_has_undone_are_there_once(small, tmp_path, curves):
    program = KILLED.replace("OPTIONS", repr(SMALL))
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    killed = subprocess.run([sys.executable, "-c", program], **options)
    assert killed.returncode == -signal.SIGKILL
    read = curves(tmp_path / "run")
    undone = read()
    assert [step for step, _ in undone["train_loss"]] == [ROWS, 2 * ROWS]
    [path] = (tmp_path / "run").glob("*tfevents*")
    path.write_bytes(path.read_bytes()[:-9])  # in the middle of a record
    solver = train(**small, run_dir=tmp_path / "run", callbacks=[TensorBoard()], resume=True)
    assert read() == curves(tmp_path / "run")() == expected(solver.run)
    assert read()["train_loss"][:2] == undone["train_loss"]


def test_a_run_with_an_event_file_is_the_same_run(small, tmp_path):
    options = ["--task.operators", "+", "--task.terms", 2, "--task.operands", "0-9"]
    options += [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", value)]
    plain, watched = tmp_path / "plain", tmp_path / "watched"
    for run, more in ((plain, []), (watched, ["--tensorboard"])):
        result = call("train", *options, "--run-dir", run, *more)
        assert result.returncode == 0, result.stderr
    [file] = event_files(watched)
    assert {path.name for path in watched.iterdir()} - {path.name for path in plain.iterdir()} == {file}
    for name in ("config.json", "best.safetensors"):
        assert (watched / name).read_bytes() == (plain / name).read_bytes()
    assert Solver(watched)("1+1") == Solver(plain)("1+1")
    assert call("evaluate", "--run", watched).returncode == 0
    result = call("train", "--run-dir", watched, "--resume", "--epochs", 4)  # without event files, if that is wished
    assert result.returncode == 0 and event_files(watched) == [file] and len(Run(watched).read_metrics()) == 4


def test_the_file_of_a_run_that_cannot_be_written_is_named(small, tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq.tensorboard.PREFIX", "missing/events.out.tfevents.")
    with pytest.raises(RunError, match=r"run/missing/events.*: cannot be written: No such file"):
        train(**small, run_dir=tmp_path / "run", callbacks=[TensorBoard()])


def test_a_training_without_a_run_folder_has_no_event_file():
    with pytest.raises(UsageError, match="callbacks: TensorBoard writes into a run folder, and this training has"):
        trainer(progress=TensorBoard()).fit()


def test_the_checksum_is_crc_32c_and_not_that_of_zlib():
    """The check value of CRC-32C is that of `123456789` in the catalogue of CRC algorithms."""
    crc = 0xE3069283
    assert zlib.crc32(b"123456789") != crc
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
    assert _checksum(b"123456789") == masked.to_bytes(4, "little")


def test_a_number_that_is_too_large_for_single_precision_is_infinite():
    assert np.frombuffer(_single(2, 1e300)[1:], "<f4") == np.inf
