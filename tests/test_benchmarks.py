"""What the benchmarks do without their peers: refusals, measurements that continue, and the batches of an epoch."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seq2seq import ModelConfig
from seq2seq.engine.network import variables
from seq2seq.models import AttentionModel

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.syspath_prepend(str(BENCHMARKS / "contestants"))
    return importlib.import_module


class FakeWorker:
    """A process that trains at the speed of its variant, and counts what it is asked."""

    asked: list[str]
    stop_after: int

    def __init__(self, contestant: Any, variant: dict[str, Any], peers: str, **make: Any) -> None:
        self.name, self.variant = contestant.name, variant

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        if do == "start_training":
            return {"losses": self.variant["losses"], "compile_seconds": 0.0}
        if len(self.asked) == self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(self.name)
        return {"samples_per_second": self.variant["speed"]}

    def close(self) -> None:
        pass


@pytest.fixture
def hold(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Holds a contest of three; each call continues from the file of results."""
    contest = module("contest")
    other_losses = module("network_sections").other_losses
    monkeypatch.setattr(contest, "Worker", FakeWorker)
    contestants = [
        contest.Contestant("library", "", [{"losses": [2.0, 1.0], "speed": 4.0}]),
        contest.Contestant("peer", "", [{"losses": [2.0, 1.0], "speed": speed} for speed in (2.0, 3.0)]),
        contest.Contestant("other network", "", [{"losses": [2.0, 1.1], "speed": 9.0}]),
    ]
    this = contest.Contest(
        {}, ("start_training", {}), ("train", {}), lambda reply: reply["samples_per_second"], other_losses
    )

    def held(stop_after: int = -1) -> Any:
        FakeWorker.asked, FakeWorker.stop_after = [], stop_after
        results = module("results").Results(tmp_path / "results.json")
        once = partial(results.once, "networks", "gru")
        results.measure("networks", "gru", lambda: this.hold(contestants, "", 2, once))
        return results.values

    return held


def test_a_contestant_with_other_losses_is_refused_and_the_fastest_variant_competes(hold: Any) -> None:
    results = hold()["networks"]["gru"]
    assert "losses [2.0, 1.1]" in results["other network"]["refused"]
    assert "samples_per_second" not in results["other network"]
    assert results["peer"]["variant"]["speed"] == 3.0
    assert results["peer"]["samples_per_second"] == {"median": 3.0, "low": 3.0, "high": 3.0, "rounds": 2}


def test_a_contest_that_was_stopped_continues_with_the_next_measurement(hold: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        hold(stop_after=4)  # three trials, and one measurement of the first round
    values = hold()
    assert FakeWorker.asked == ["peer", "peer", "library"]
    assert values["unfinished"] == {}
    assert values["networks"]["gru"]["library"]["samples_per_second"]["rounds"] == 2


@pytest.mark.parametrize("options", [{}, {"examples_per_epoch": 101}])
def test_peers_get_the_batches_of_the_sampler(
    options: dict[str, Any], module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = module("network_problems")
    monkeypatch.setattr(problems, "PAIRS", 300)
    monkeypatch.setattr(problems, "COMPARABLE", {**problems.COMPARABLE, **options})
    prepared = problems.prepare("attention 128, pairs", None)
    path = problems.network_problem(tmp_path, "attention 128, pairs", None, None)
    problem = module("network_worker").NetworkProblem(str(path))
    plan = problem.plan(epoch=3)
    batches = prepared.sampler.epoch(np.random.default_rng((0, 1, 3)))
    assert len(problem.widths) > 1 and problem.samples == prepared.sampler.rows
    assert [(rows.tolist(), problem.widths[bucket]) for rows, bucket in plan] == [
        (batch.rows.tolist(), tuple(batch.widths.values())) for batch in batches
    ]


def test_the_multiplications_of_an_epoch_are_those_of_the_formula(module: Any) -> None:
    """One LSTM layer of each side, and the decoder reads the encoder's last state."""
    hidden, examples = 8, 70
    trainer = module("problems").notebook_trainer(hidden, 32, examples)
    model = trainer.network
    of_encoder = model.source_length * 4 * hidden * (model.vocabulary_size + hidden)
    of_decoder = model.target_length * (4 * hidden * 2 * hidden + hidden * model.vocabulary_size)
    assert module("solo")._multiplications(trainer) == examples * (of_encoder + of_decoder)


def test_a_network_with_attention_and_two_directions_has_those_of_its_layers(module: Any) -> None:
    hidden, steps, width, size, rows = 5, 3, 4, 7, 2
    model = AttentionModel(ModelConfig(hidden_size=hidden, layers=2), width, steps, size)
    shapes = {"source": (width, rows), "target": (steps, rows)}
    symbol, _ = model.loss(variables(shapes), {})
    both = 2 * hidden
    of_encoder = width * 2 * 4 * hidden * (size + hidden + both + hidden)
    of_decoder = steps * 4 * both * (size + both + both + both)
    of_attention = steps * (2 * width * both + both * 2 * both + both * size)
    assert module("solo")._products(symbol, shapes) == rows * (of_encoder + of_decoder + of_attention)


@pytest.mark.parametrize("name", ["notes.txt", "pyvenv.cfg"])
def test_only_a_folder_of_peers_is_cleared(
    name: str, module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = module("contest")
    monkeypatch.setattr(contest.sys, "version_info", (3, 11))
    commands = []

    def fail(command: list[str]) -> Any:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(contest.subprocess, "run", fail)
    (tmp_path / name).write_text("mine")
    for folder in (tmp_path, tmp_path / name):
        with pytest.raises(SystemExit, match=f"--peers: {folder} was not made by run.py"):
            contest.peers_python(folder)
    assert not commands
    (tmp_path / "new").mkdir()
    for _ in range(2):  # what was not finished is made again
        with pytest.raises(SystemExit, match="could not be created"):
            contest.peers_python(tmp_path / "new")
    assert len(commands) == 2 and all("--clear" in command for command in commands)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nosuch"], "--only: got 'nosuch', but it must be of training,"),
        (["--only", ""], "--only: got '', but it must be of training,"),
        (["--text", "nofile.txt"], "--text: nofile.txt is not a file"),
        (["--rounds", "0"], "--rounds: must be at least 1"),
    ],
)
def test_arguments_of_the_comparison_that_are_refused(
    arguments: list[str], message: str, module: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["run.py", *arguments])
    with pytest.raises(SystemExit):
        module("run").main()
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gigabits", "0"], "--gigabits: must be numbers above 0"),
        (["--gigabits", "1", "nan"], "--gigabits: must be numbers above 0"),
        (["--gigabits", "inf"], "--gigabits: must be numbers above 0"),
        (["--latency=-1"], "--latency: must be a number from 0"),
        (["--steps", "4"], "--steps: must be at least 5"),
        (["--batch-size", "1"], "--batch-size: must be at least 2"),
        (["--hidden-size", "0"], "--hidden-size: must be at least 1"),
        (["--check", "--gigabits", "1"], "--check: goes with several processes"),
    ],
)
def test_arguments_of_the_prediction_that_are_refused(
    arguments: list[str], message: str, module: Any, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        module("ranks").parse(arguments)
    assert message in capsys.readouterr().err


def test_a_check_has_one_network(module: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_SIZE", "2")
    assert module("ranks").parse(["--check", "--gigabits", "1"]).gigabits == [1.0]
    for arguments in ([], ["--gigabits", "1", "10"]):
        with pytest.raises(SystemExit):
            module("ranks").parse(["--check", *arguments])
        assert "--check: goes with one --gigabits X" in capsys.readouterr().err


def test_the_first_steps_are_not_measured(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = module("ranks")
    times = iter(range(1000))
    durations = iter([9.0] * ranks.LEFT_OUT + [1.0] * 5)
    clock = [0.0]

    def now() -> float:
        if next(times) % 2:
            clock[0] += next(durations)
        return clock[0]

    monkeypatch.setattr(ranks.time, "perf_counter", now)
    arguments = ranks.parse(["--steps", "5", "--hidden-size", "4", "--batch-size", "2"])
    assert ranks.seconds_per_step(arguments, ranks.Unconnected(0, 1)) == 1.0
    assert not list(durations)


def test_a_busy_core_is_free_in_the_end(module: Any) -> None:
    sections = module("network_sections")
    before = children()
    with sections.busy_core():
        [number] = children() - before
        status = Path(f"/proc/{number}/stat")
        deadline = time.monotonic() + 20
        while int(status.read_text().split()[13]) < 5:  # hundredths of a second in the process
            assert time.monotonic() < deadline
    assert not status.exists()


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_the_step_of_every_network_is_measured(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sections = module("sections")
    asked: list[dict[str, Any]] = []

    def run(command: list[str]) -> tuple[str, float]:
        asked.append(json.loads(command[-1]))
        return '{"step_us": 1}', 0.0

    monkeypatch.setattr(sections, "_run", run)
    results = SimpleNamespace(measure=lambda section, key, measure: measure())
    session = SimpleNamespace(size=SimpleNamespace(step_examples=64), text=None, results=results)
    sections.network_steps(session)
    measured = {
        lstm: [options["name"] for options in asked if options["lstm"] == lstm] for lstm in ("mxnet", "compiled")
    }
    assert measured["mxnet"] == list(module("network_problems").NETWORKS)
    without = ["gru 256, text", "aligned 128, calculator"]  # an LSTM
    assert measured["compiled"] == [name for name in measured["mxnet"] if name not in without]


def test_the_fastest_peer_and_pytorch_eager_learn_to_the_score(module: Any, monkeypatch: Any) -> None:
    sections = module("network_sections")
    monkeypatch.setattr(module("network_problems"), "PACKAGE", "json")  # is installed
    measured: list[str] = []
    speeds = {"JAX": {"samples_per_second": {"median": 2.0}, "variant": {}}}
    results = SimpleNamespace(
        values={"networks": {sections.DEFAULT: speeds}}, measure=lambda section, key, learn: measured.append(key)
    )
    names = [sections.DEFAULT, "gru 256, text", "attention 256, pronunciation"]
    size = SimpleNamespace(held_out=names, held_out_epochs=1)
    session = SimpleNamespace(size=size, text=None, results=results)
    sections.held_out(session)
    own = ("seq2seq", "seq2seq, compiled LSTM")
    default = [f"{sections.DEFAULT}, {each}" for each in (*own, "JAX", "PyTorch eager")]
    words = [f"attention 256, pronunciation, {each}" for each in (*own, "PyTorch eager")]
    assert measured == [*default, *words]  # there is no text

    measured.clear()
    monkeypatch.setattr(module("network_problems"), "PACKAGE", "not_installed")
    sections.held_out(session)
    assert measured == default
