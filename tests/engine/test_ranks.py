import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from seq2seq import ModelConfig, PairsTask, Seq2SeqError, TrainingConfig, UsageError, train
from seq2seq.applications.learning import make_sampler
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.engine.samplers import Batch
from seq2seq.engine.shards import ShardUpdater, make_updater
from seq2seq.engine.updater import Updater, Wish
from seq2seq.models.by_hand_updater import ByHandUpdater
from seq2seq.mpi import is_job, ranks_of_job
from seq2seq.mx import mx
from seq2seq.runs import Run
from tests.engine.rank_job import COMMON, MANY, SUMS, TEXT
from tests.engine.test_updater import CODEC, EXAMPLES, MODEL

ROOT = Path(__file__).parents[2]
MPIEXEC = shutil.which("mpiexec") or shutil.which("mpiexec", path=os.path.dirname(sys.executable))
NEEDS = importlib.util.find_spec("mpi4py") is None or MPIEXEC is None
needs_mpi = pytest.mark.skipif(NEEDS, reason="needs mpi4py and mpiexec: pip install mpi4py mpich")
WEIGHTS = ("last", "best")


def job(processes, folder, *cases, beside=()):
    """The end of a job of several processes, and perhaps another program beside them."""
    command = [MPIEXEC, "-n", str(processes), sys.executable, "-m", "tests.engine.rank_job", folder, *cases, *beside]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT)


def seconds_since(folder):
    """The time since something happened in a job."""
    return time.time() - float((folder / "time").read_text())


def require_same(run, other):
    for name in WEIGHTS:
        ours, theirs = (load_file(folder / f"{name}.safetensors") for folder in (run, other))
        assert ours.keys() == theirs.keys()
        assert all((ours[each] == theirs[each]).all() for each in ours), name
    ours, theirs = ([scores(row) for row in Run(folder).read_metrics()] for folder in (run, other))
    assert ours == theirs


def scores(row):
    return {name: value for name, value in row.items() if name.startswith("validation_")}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Runs of one process that computes all shards."""
    folder = tmp_path_factory.mktemp("alone")
    train(run_dir=folder / "sums", **COMMON, **SUMS)
    train(run_dir=folder / "text", **COMMON, **TEXT)
    return folder


# One process -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.01}, {"clip_norm": 0.0, "optimizer": "sgd"}])
def test_shards_learn_what_a_whole_batch_does(options):
    config = TrainingConfig(batch_size=11, warmup_steps=0, epsilon=1e-3, shards=8, **options)
    plan = make_sampler(MODEL, CODEC, EXAMPLES, config).epoch(np.random.default_rng(1))
    assert len(plan[-1].rows) < config.shards
    whole = Updater(MODEL, config, 0, mx.cpu())
    shards = ShardUpdater(MODEL, config, 0, mx.cpu(), ALONE)
    for updater in (whole, shards):
        for number, feed in enumerate(updater.feeds(EXAMPLES.arrays, plan), 1):
            updater.update(feed, number, 0.004)
    assert shards.loss_sum == pytest.approx(whole.loss_sum, rel=1e-5)
    for name, array in {**whole.weights, **whole.moments}.items():
        np.testing.assert_allclose({**shards.weights, **shards.moments}[name], array, atol=1e-4)


def test_a_run_of_one_shard_has_the_updater_of_before():
    assert type(make_updater(MODEL, TrainingConfig(), 0, mx.cpu(), ALONE)) is Updater


def test_each_shard_draws_a_dropout_of_its_own():
    model = type(MODEL)(ModelConfig(hidden_size=6, layers=2, dropout=0.5), 5, 3, 7)
    updater = ShardUpdater(model, TrainingConfig(batch_size=2, shards=2), 0, mx.cpu(), ALONE)
    updater.seed(3)
    rows = {name: np.repeat(array[:1], 2, 0) for name, array in EXAMPLES.arrays.items()}
    (feed,) = updater.feeds(rows, [Batch(np.arange(2), {}, 2)])
    feed.compute()
    first, second = (graph.loss.asscalar() for graph in feed.graphs)
    assert first != second


@pytest.mark.parametrize("shards", [0, 65, 1.5])
def test_shards_that_are_refused(shards):
    with pytest.raises(UsageError, match=r"shards: got .*, but it must be a whole number from 1 to 64, the batch size"):
        TrainingConfig(shards=shards)


def test_updates_by_hand_have_no_shards():
    with pytest.raises(UsageError, match="shards: got 2, but it must be 1 for"):
        ByHandUpdater(MODEL, TrainingConfig(shards=2), 0, mx.cpu())


class Third(Ranks):
    number = 2
    count = 3

    def gather(self, rows, what):
        rows[:] = 0

    def broadcast(self, content, what):
        return b"1"


def test_the_shards_of_each_process():
    ranks = Third()
    assert (ranks.own(3), ranks.own(4), ranks.own(8)) == (range(2, 3), range(3, 4), range(6, 8))
    with pytest.raises(UsageError, match=r"shards: 2 are too few for 3 processes, .*; start at most 2, or begin"):
        ranks.own(2)


def test_a_wish_waits_for_the_gradients():
    updater = ShardUpdater(MODEL, TrainingConfig(batch_size=8, shards=3), 0, mx.cpu(), ALONE)
    plan = make_sampler(MODEL, CODEC, EXAMPLES, TrainingConfig(batch_size=8)).epoch(np.random.default_rng(1))[:2]
    wishes = []
    assert updater.agree(Wish.SAVE) == Wish.NOTHING
    for number, feed in enumerate(updater.feeds(EXAMPLES.arrays, plan), 1):
        updater.update(feed, number, 0.1)
        wishes.append(updater.agree(Wish.STOP if number == 1 else Wish.SAVE))
    assert wishes == [Wish.SAVE, Wish.STOP]


def test_a_process_alone_is_no_job(monkeypatch):
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert ranks_of_job() is ALONE
    monkeypatch.setenv("PMI_SIZE", "1")
    assert not is_job()
    monkeypatch.setenv("PMI_SIZE", "2")
    assert is_job()
    with pytest.raises(UsageError, match="stall: got 0, but it must be a number of seconds above 0"):
        ranks_of_job(0)


def test_a_job_without_mpi4py_says_what_it_needs(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(Seq2SeqError, match=r"several processes need MPI: pip install 'mxseq2seq\[mpi\]'"):
        ranks_of_job()


# Jobs --------------------------------------------------------------------------------------------------------------


@needs_mpi
@pytest.mark.parametrize("processes", [2, 3, 4])
def test_any_number_of_processes_learns_the_same(alone, tmp_path, processes):
    ended = job(processes, tmp_path, "text")
    assert ended.returncode == 0, ended.stderr
    for name in ("sums", "text"):
        require_same(tmp_path / name, alone / name)


@needs_mpi
def test_processes_that_each_read_many_pairs_learn_the_same(tmp_path, monkeypatch):
    pairs = [f"{number}\t{number + 1}\n" for number in range(300)]
    (tmp_path / "many.tsv").write_text("".join([*pairs, *pairs[::7]]))
    ended = job(2, tmp_path, "many")
    assert ended.returncode == 0, ended.stderr
    monkeypatch.setattr("seq2seq.tasks.listed.IN_MEMORY", 0)
    train(PairsTask(str(tmp_path / "many.tsv")), tmp_path / "alone", **COMMON, **MANY)
    require_same(tmp_path / "many", tmp_path / "alone")


@needs_mpi
def test_a_run_is_resumed_by_fewer_processes(alone, tmp_path):
    for processes, case in [(4, "short"), (2, "longer")]:
        ended = job(processes, tmp_path, case)
        assert ended.returncode == 0, ended.stderr
    train(run_dir=tmp_path / "sums", resume=True, epochs=COMMON["epochs"])
    require_same(tmp_path / "sums", alone / "sums")


@needs_mpi
@pytest.mark.parametrize("case", ["killed", "stopped"])
def test_a_job_that_ends_within_an_epoch_is_resumed(alone, tmp_path, case):
    ended = job(2, tmp_path, case)
    assert ended.returncode != 0 and seconds_since(tmp_path) < 10
    assert ("stopped in epoch" in ended.stderr) == (case == "stopped")
    solver = train(run_dir=tmp_path / "sums", resume=True)
    assert len(solver.run.read_metrics()) == COMMON["epochs"]
    require_same(tmp_path / "sums", alone / "sums")


@needs_mpi
@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("stall", r"waited 2 s for the other processes \(gradients of update 9\)"),
        ("failing", "a disk is full"),
    ],
)
def test_one_process_ends_all(tmp_path, case, message):
    ended = job(2, tmp_path, case)
    assert ended.returncode == 1
    assert case != "stall" or seconds_since(tmp_path) < 10
    assert re.search(message, ended.stderr), ended.stderr


@needs_mpi
@pytest.mark.parametrize(
    ("case", "status", "message"),
    [
        ("data", 1, "process 1 on .*: data: not the same here as in the first process"),
        ("options", 1, "process 1 on .*: options: not the same here as in the first process"),
        ("found", 1, "process 1 on .*: options: not the same here as in the first process"),
        ("missing", 1, r"process 1 on .*: .*pairs-1\.tsv: cannot be read: No such file"),
        ("epochs", 2, "process 1 on .*: epochs: got 0, but"),
    ],
)
def test_processes_that_differ_leave_no_run(tmp_path, case, status, message):
    (tmp_path / "pairs-0.tsv").write_text("".join(f"{number}\t{number + 1}\n" for number in range(100)))
    ended = job(2, tmp_path, f"differ-{case}")
    assert ended.returncode == status and re.search(message, ended.stderr), ended.stderr
    assert os.listdir(tmp_path) == ["pairs-0.tsv"]


@needs_mpi
@pytest.mark.parametrize("beside", [["false"], ["sleep", "30"]])
def test_a_job_with_a_process_that_never_starts_ends(tmp_path, beside):
    started = time.monotonic()
    ended = job(1, tmp_path, "stall", beside=(":", "-n", "1", *beside))
    assert ended.returncode != 0 and time.monotonic() - started < 20
    assert "waited 2 s for the other processes (start of MPI); one of them" in ended.stderr, ended.stderr
