"""What another package, installed by pip, can add: a model, a task, a callback and a metric, each in a few lines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODEL = '''\
from seq2seq.models import ParallelModel
from seq2seq.mx import mx


class Dense(ParallelModel):
    """Every character of the answer from every character of the source."""

    options = ("hidden_size",)

    def logits(self, source):
        vectors = mx.sym.one_hot(mx.sym.transpose(source), depth=self.vocabulary_size)
        hidden = mx.sym.FullyConnected(vectors, num_hidden=self.config.hidden_size, name="hidden")
        hidden = mx.sym.Activation(hidden, act_type="relu")
        size = self.target_length * self.vocabulary_size
        written = mx.sym.FullyConnected(hidden, num_hidden=size, name="output")
        written = mx.sym.reshape(written, shape=(-1, self.target_length, self.vocabulary_size))
        return mx.sym.transpose(written, axes=(1, 0, 2))
'''
TASK = '''\
from dataclasses import dataclass

from extra.metric import first_right
from seq2seq import Task


@dataclass(frozen=True)
class Majority(Task):
    """Whether a string has more ones than zeros."""

    longest: int = 6

    name = "majority"

    def draw(self, rng):
        source = "".join(rng.choice(["0", "1"], rng.integers(1, self.longest + 1)))
        return source, "yes" if 2 * source.count("1") > len(source) else "no"

    def measures(self, sources, targets, answers):
        return {"first_letter": first_right(targets, answers)}
'''
METRIC = '''\
def first_right(targets, answers):
    """The fraction of answers whose first letter is that of the target."""
    return sum(target[0] == answer[:1] for target, answer in zip(targets, answers)) / len(targets)
'''
CALLBACK = '''\
from seq2seq.engine.callbacks import Callback


class Count(Callback):
    """Counts updates and epochs."""

    steps = epochs = 0

    def on_step(self, step):
        self.steps += 1

    def on_epoch(self, row):
        self.epochs += 1
'''
PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "extra"
version = "1.0"

[project.entry-points."seq2seq.models"]
dense = "extra.model:Dense"

[project.entry-points."seq2seq.tasks"]
majority = "extra.task:Majority"
"""
USE = """\
import json
from extra.callback import Count
from seq2seq import Solver, UsageError, train
from seq2seq.tasks import TASKS

count = Count()
options = {"model": "dense", "hidden_size": 64, "epochs": 60, "learning_rate": 0.01, "validation": 10, "test": 10}
solver = train(TASKS["majority"](), "run", callbacks=[count], progress=False, **options)
try:
    train(TASKS["majority"](), "other", layers=3, progress=False, **options)
except UsageError as error:
    refused = str(error)
print(json.dumps({
    "counted": [count.steps, count.epochs],
    "metric": solver.evaluate().measures["held_out"],
    "answers": Solver("run")(["111", "000"]),
    "refused": refused,
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder in which pip has installed the package."""
    source = tmp_path_factory.mktemp("source")
    files = {"__init__": "", "model": MODEL, "task": TASK, "metric": METRIC, "callback": CALLBACK}
    (source / "extra").mkdir()
    for name, content in files.items():
        (source / "extra" / f"{name}.py").write_text(content)
    (source / "pyproject.toml").write_text(PROJECT)
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True, text=True)
    return target


@pytest.mark.parametrize("content", [MODEL, TASK, METRIC, CALLBACK])
def test_each_takes_at_most_thirty_lines(content):
    assert len(content.splitlines()) <= 30


def test_an_installed_package_adds_a_model_a_task_a_callback_and_a_metric(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["counted"][1] == 60 and told["counted"][0] >= 60
    assert told["answers"] == ["yes", "no"]
    assert set(told["metric"]) == {"first_letter"} and told["metric"]["first_letter"] > 0.5
    assert "layers: got 3" in told["refused"] and "left out with the model dense" in told["refused"]
