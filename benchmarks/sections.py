"""The sections of the benchmark. Each takes the session and saves its results one by one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import problems
from contest import (
    CACHE,
    CONTESTANTS,
    HERE,
    LIBRARY_PATH,
    Contest,
    Contestant,
    Failed,
    Worker,
    environment,
    peers_python,
    spread,
)
from network_problems import NETWORKS
from network_sections import LEFT_OUT, TRAINED, answers_attention, busy, held_out, networks
from results import Results

# Relative differences of the mean losses in the first two epochs. Rounding causes less than 1e-5 at first. Training
# amplifies it: at hidden 512 and batch 32, two ways to run the same PyTorch network differ by 1.3% after 626 steps.
LOSS_TOLERANCE = (1e-3, 3e-2)
ANSWERS_ALIKE = 0.9999  # the fraction of answers that must agree
TARGET = 0.99


@dataclass(frozen=True)
class Size:
    """The sizes of the measurements."""

    variants: int  # the most that are tried for each contestant
    hidden: tuple[int, ...]
    batches: tuple[int, ...]
    examples: int
    round_seconds: float
    sources: int
    answer_batches: tuple[int, ...]
    calls: int
    addition_examples: int
    addition_epochs: int
    pairs: int
    memory: tuple[int, ...]
    terms: tuple[int, ...]
    data: tuple[int, ...]
    network_examples: int | None  # at most, in training with losses compared, ...
    step_examples: int  # ... and to measure a step
    held_out: tuple[str, ...]
    held_out_epochs: int
    seeds: int
    questions: int
    answer_epochs: int  # of the run that answers


FULL = Size(
    variants=4,
    hidden=(32, 128, 512), batches=(32, 256, 1024), examples=10_000, round_seconds=1.0,
    sources=100_000, answer_batches=(256, 1024, 4096), calls=1000,
    addition_examples=50_000, addition_epochs=40,
    pairs=1_000_000, memory=(10_000, 100_000, 1_000_000, 5_000_000),
    terms=(2, 4, 8, 16, 32), data=(10_000, 100_000, 1_000_000),
    network_examples=None, step_examples=2_560,
    held_out=("attention 96, default", "gru 256, text", "attention 256, pronunciation"), held_out_epochs=100, seeds=3,
    questions=5_000, answer_epochs=20,
)  # fmt: skip
QUICK = Size(
    variants=1,
    hidden=(32,), batches=(256,), examples=2_000, round_seconds=0.1,
    sources=2_000, answer_batches=(1024,), calls=100,
    addition_examples=2_000, addition_epochs=2,
    pairs=20_000, memory=(10_000,), terms=(2, 4), data=(10_000,),
    network_examples=256, step_examples=256, held_out=("attention 96, default",), held_out_epochs=1, seeds=1,
    questions=200, answer_epochs=1,
)  # fmt: skip


@dataclass
class Session:
    """The state that the sections share."""

    size: Size
    rounds: int
    results: Results
    peers_folder: Path
    text: Path | None = None

    @property
    def peers(self) -> str:
        return peers_python(self.peers_folder)

    @property
    def contestants(self) -> list[Contestant]:
        return [replace(each, variants=each.variants[: self.size.variants]) for each in CONTESTANTS]

    @property
    def folder(self) -> Path:
        return CACHE


# Against the peers ----------------------------------------------------------------------------------------------------


def training(session: Session) -> None:
    """Samples per second, from the same weights and data. Contestants with other losses are refused."""
    trainers = [contestant for contestant in session.contestants if contestant.trains]
    for hidden in session.size.hidden:
        for batch in session.size.batches:
            key = f"hidden {hidden}, batch {batch}"

            def hold(key: str = key, hidden: int = hidden, batch: int = batch) -> dict[str, Any]:
                problem = problems.training_problem(session.folder, hidden, session.size.examples)
                contest = Contest(
                    make={"problem": str(problem), "batch": batch, "options": {}},
                    start=("start_training", {}),
                    measure=("train", {"seconds": session.size.round_seconds}),
                    merit=lambda reply: reply["samples_per_second"],
                    differs=_other_losses,
                )
                once = partial(session.results.once, "training", key)
                return contest.hold(trainers, session.peers, session.rounds, once)

            session.results.measure("training", key, hold)


def _other_losses(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    differences = np.abs(np.divide(theirs["losses"], ours["losses"]) - 1)
    if (differences < LOSS_TOLERANCE).all():
        return None
    return f"losses {theirs['losses']} where the first contestant has {ours['losses']}"


def answers(session: Session) -> None:
    """Answers per second in bulk, and the time of a single answer, with the weights of one run."""
    size = session.size
    measures: dict[str, Any] = {
        f"in bulk, batch {batch}": (batch, ("answer_all", {}), lambda reply: reply["arrays_per_second"])
        for batch in size.answer_batches
    }
    measures["one alone"] = (1024, ("answer_singly", {"calls": size.calls}), lambda reply: 1 / reply["arrays_p50_us"])
    for key, (batch, measure, merit) in measures.items():

        def hold(key: str = key, batch: int = batch, measure: Any = measure, merit: Any = merit) -> dict[str, Any]:
            problem, run = problems.answers_problem(session.folder, 128, size.sources)
            contest = Contest(
                make={"problem": str(problem), "batch": batch, "options": {"run": str(run)}},
                start=("start_answers", {}),
                measure=measure,
                merit=merit,
                differs=_other_answers,
            )
            once = partial(session.results.once, "answers", key)
            answering = [contestant for contestant in session.contestants if contestant.answers]
            return contest.hold(answering, session.peers, session.rounds, once)

        session.results.measure("answers", key, hold)


def _other_answers(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    length = problems.NOTEBOOK_TASK.target_length
    rows = [np.frombuffer(bytes.fromhex(reply["answers"]), np.uint8).reshape(-1, length) for reply in (ours, theirs)]
    alike = (rows[0] == rows[1]).all(axis=1).mean()
    return None if alike >= ANSWERS_ALIKE else f"only {alike:.4%} of the answers agree with the first contestant's"


def accuracy(session: Session) -> None:
    """Seconds to 0.99 exact match on held-out sums of two numbers of up to three digits, each with its own recipe."""
    examples, most = session.size.addition_examples, session.size.addition_epochs
    for contestant in (each for each in session.contestants if each.learns):

        def learn(contestant: Any = contestant) -> dict[str, Any]:
            problem, train = problems.addition_problem(session.folder, examples)
            tries = []
            for variant in contestant.variants:
                options = {"examples": examples, "train": train}
                worker = Worker(contestant, variant, session.peers, problem=str(problem), batch=0, options=options)
                try:
                    tries.append({"variant": variant, **worker.ask("learn", target=TARGET, most_epochs=most)})
                finally:
                    worker.close()
            return min(tries, key=lambda reply: (not reply["reached"], reply["seconds"]))

        session.results.measure("accuracy", contestant.name, learn)


# This library alone ---------------------------------------------------------------------------------------------------


def _run(command: list[str]) -> tuple[str, float]:
    """The output and wall time of a command."""
    started = time.perf_counter()
    variables = environment({}) | LIBRARY_PATH
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=variables)
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    return done.stdout, elapsed


def _solo(name: str, /, **options: Any) -> dict[str, float]:
    return json.loads(_run([str(HERE / "solo.py"), name, json.dumps(options)])[0])


def _rounds(session: Session, name: str, /, **options: Any) -> dict[str, Any]:
    replies = [_solo(name, **options) for _ in range(session.rounds)]
    return {key: spread([reply[key] for reply in replies]) for key in replies[0]}


def step(session: Session) -> None:
    """The time of a step, by kind of operator."""
    for hidden in session.size.hidden:
        for batch in session.size.batches:
            options = {"hidden": hidden, "batch": batch, "examples": session.size.examples}
            session.results.measure("step", f"hidden {hidden}, batch {batch}", partial(_solo, "step", **options))


def network_steps(session: Session) -> None:
    """The same for the networks that people use."""
    text = str(session.text) if session.text else None
    for name in NETWORKS:
        for contestant in (each for each in TRAINED if not each.peer and each.name not in LEFT_OUT.get(name, ())):
            lstm = contestant.variants[0].get("lstm", "mxnet")
            key = name if lstm == "mxnet" else f"{name}, {lstm} LSTM"
            options = {"name": name, "text": text, "examples": session.size.step_examples, "lstm": lstm}
            session.results.measure("network_steps", key, partial(_solo, "network_step", **options))


def generator(session: Session) -> None:
    """Pairs per second on one core, and with the loop of the notebook."""
    pairs = session.size.pairs
    session.results.measure(
        "generator", "pairs", lambda: _rounds(session, "generator", pairs=pairs, loop_pairs=pairs // 10)
    )


def startup(session: Session) -> None:
    """Seconds for whole processes."""
    scripts = HERE.parent / "scripts"
    run = problems.trained_run(session.folder, 128)
    commands = {
        "python alone": ["-c", "pass"],
        "import seq2seq": ["-c", "import seq2seq"],
        "train.py --help": [str(scripts / "train.py"), "--help"],
        "first answer": [str(scripts / "solve.py"), "--run", str(run), "3*7*2"],
    }
    for name, command in commands.items():

        def measure(command: list[str] = command) -> dict[str, Any]:
            _run(command)  # not counted: it loads the files from the disk
            return {"seconds": spread([_run(command)[1] for _ in range(session.rounds)])}

        session.results.measure("startup", name, measure)


def memory(session: Session) -> None:
    """Peak memory of building a data set and training on it."""
    for examples in session.size.memory:
        session.results.measure("memory", f"{examples:,} expressions", partial(_solo, "memory", examples=examples))


def scaling(session: Session) -> None:
    """The time of an epoch by source length, and by number of examples."""
    size = session.size
    for terms in size.terms:
        task = {"operators": "+", "terms": terms}
        options = {"task": task, "examples": size.examples, "hidden": 32, "batch": 256, "epochs": 2}
        session.results.measure("scaling", f"{terms} terms", partial(_rounds, session, "epoch_time", **options))
    for examples in size.data:
        options = {"task": {}, "examples": examples, "hidden": 32, "batch": 1024, "epochs": 1}
        session.results.measure("scaling", f"{examples:,} examples", partial(_solo, "epoch_time", **options))


ALL = (
    training, answers, accuracy, step, generator, startup, memory, scaling, networks, network_steps, busy, held_out,
    answers_attention,
)  # fmt: skip
SECTIONS = {section.__name__: section for section in ALL}
