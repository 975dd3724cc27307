"""A training that is started again after a crash."""

import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from safetensors.numpy import load_file

from seq2seq import UsageError
from seq2seq.cli import restarts
from seq2seq.cli.restarts import restarting
from seq2seq.folders import CONFIG
from seq2seq.runs import OPTIMIZER
from tests.test_scripts import TINY, call, command

CRASHING = """
import os, runpy, signal, sys
import seq2seq.engine.trainer
from seq2seq.engine.updater import Updater

seq2seq.engine.trainer.SAVE_SECONDS = 0.0
update = Updater.update

def crash(self, feed, number, rate):
    if number == 8 and "--resume" not in sys.argv:
        os.kill(os.getpid(), signal.SIGKILL)
    update(self, feed, number, rate)

Updater.update = crash
sys.argv = sys.argv[2:]  # without the interpreter
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Trainings:
    """Stands for trainings that end with given statuses, some of them after a save."""

    def __init__(self, monkeypatch, folder, *ends):
        self.ends = list(ends)
        self.folder = folder
        self.commands = []
        monkeypatch.setattr(restarts, "_run", self)
        monkeypatch.setattr(sys, "argv", ["seq2seq", "train", "--restarts", "2", "--run-dir", "r", "--launcher=a b"])

    def __call__(self, command):
        self.commands.append(command)
        status, saves = self.ends.pop(0)
        for name in [CONFIG, OPTIMIZER] if saves else []:
            new = self.folder / "new"
            new.write_text("")
            os.replace(new, self.folder / name)
            os.utime(self.folder / name, ns=(0, len(self.commands)))
        return status


@pytest.mark.parametrize(
    ("ends", "status", "message"),
    [
        ([(0, True)], 0, ""),
        ([(0, False)], 1, "ended with status 0, but nothing was trained in "),
        ([(-9, True), (0, True)], 0, "status -9; resumed (1 restarts left)"),
        ([(9, True), (1, True), (1, True)], 1, "resumed (0 restarts left)"),
        ([(1, True), (1, False)], 1, "before anything new was saved; not started again"),
        ([(-11, False)], 1, "before anything new was saved; not started again"),
        ([(2, True)], 2, ""),
        ([(130, True)], 130, ""),
    ],
)
def test_a_crash_is_followed_by_a_restart_if_something_was_saved(tmp_path, monkeypatch, ends, status, message):
    trainings = Trainings(monkeypatch, tmp_path, *ends)
    said = []
    assert restarting(str(tmp_path), 2, "mpiexec -n 4", said.append) == status
    assert not trainings.ends
    first, *others = trainings.commands
    assert first == ["mpiexec", "-n", "4", sys.executable, "-m", "seq2seq", "train", "--run-dir", "r"]
    assert all(other == [*first, "--resume"] for other in others)
    assert message in "".join(said)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((None, 2, None), "restarts: goes with --run-dir DIR"),
        (("r", -1, None), "restarts: got -1, but it must be a whole number from 0"),
        (("r", 0, "mpiexec"), "launcher: goes with --restarts N"),
        (("r", 1, ""), "launcher: got '', but it must be a command that starts the training"),
        (("r", 1, "mpiexec 'oops"), r"launcher: got \"mpiexec 'oops\", but .* \(No closing quotation\)"),
        (("r", 1, "no-such-launcher -n 2"), "launcher: no-such-launcher cannot be started: No such file"),
    ],
)
def test_restarts_that_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        restarting(*values, print)


def test_restarts_are_not_allowed_inside_a_job(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    with pytest.raises(UsageError, match="restarts: not inside mpiexec; start one process, with --launcher 'mpiexec"):
        restarting("r", 1, None, print)


def test_an_empty_launcher_is_refused_without_restarts_too():
    refused = call("train", *TINY, "--launcher", "")
    assert refused.returncode == 2 and refused.stderr.startswith("train.py: launcher: goes with --restarts N")


def test_a_training_that_crashes_ends_like_one_that_does_not(tmp_path):
    (tmp_path / "crashing.py").write_text(CRASHING)
    launcher = shlex.join([sys.executable, str(tmp_path / "crashing.py")])
    options = [*TINY, "--epochs", 3, "--model", "repeat", "--task.steps", "none"]
    crashed = call("train", *options, "--run-dir", tmp_path / "a", "--restarts", 1, "--launcher", launcher)
    assert crashed.returncode == 0, crashed.stderr
    assert "train.py: ended with status -9; resumed (0 restarts left)" in crashed.stderr
    assert call("train", *options, "--run-dir", tmp_path / "b").returncode == 0
    ours, theirs = (load_file(tmp_path / name / "last.safetensors") for name in "ab")
    assert all((ours[each] == theirs[each]).all() for each in theirs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_training_and_is_no_crash(tmp_path, number):
    arguments = [*TINY, "--epochs", 9000, "--run-dir", tmp_path / "run", "--restarts", 2]
    default = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)  # the tests may ignore it, as with nohup
    training = subprocess.Popen(command("train", *arguments), stderr=subprocess.PIPE, text=True, preexec_fn=default)
    while not (tmp_path / "run" / "config.json").exists():  # it may not have begun, and then the signal kills it
        assert training.poll() is None
        time.sleep(0.05)
    training.send_signal(number)
    _, said = training.communicate(timeout=60)
    assert training.returncode == 130 and "resumed" not in said
    assert (tmp_path / "run" / OPTIMIZER).exists()


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as by nohup
    try:
        child = "import os, signal, time; os.kill(os.getppid(), signal.SIGHUP); time.sleep(0.5)"
        assert restarts._run([sys.executable, "-c", child]) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
