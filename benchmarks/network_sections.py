"""The sections on the networks that people train: speed of training, seconds to a held-out score, single answers."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import network_problems
import numpy as np
from contest import THREADS, Contest, Contestant, Worker, spread

if TYPE_CHECKING:
    from sections import Session

DEFAULT = "attention 96, default"
LOSS_TOLERANCE = 1e-3  # relative difference of the mean losses in the first two epochs
ANSWERS_ALIKE = 0.999  # the fraction of answers that must agree
JAX_VARIANTS = [{"threads": threads, "unroll": unroll} for threads in THREADS for unroll in (False, True)]
EAGER_VARIANTS = [{"threads": threads, "compile": False} for threads in THREADS]

TRAINED = [
    Contestant("seq2seq", "networks_seq2seq.py", [{}], peer=False),
    Contestant("seq2seq, compiled LSTM", "networks_seq2seq.py", [{"lstm": "compiled"}], peer=False),
    Contestant("PyTorch eager", "networks_pytorch.py", EAGER_VARIANTS),
    Contestant(
        "PyTorch compiled",
        "networks_pytorch.py",
        [{"threads": n, "compile": True, "written_out": written} for n in THREADS for written in (False, True)],
    ),
    Contestant("JAX", "networks_jax.py", JAX_VARIANTS),
    Contestant("Keras 3", "networks_keras.py"),
]
# Layers of Keras that are stateful on its JAX backend did not have these losses, and two networks have no LSTM.
LEFT_OUT = {
    "gru 256, text": ("Keras 3", "seq2seq, compiled LSTM"),
    "lstm 256, text": ("Keras 3",),
    "aligned 128, calculator": ("seq2seq, compiled LSTM",),
}
ANSWERING = [
    Contestant("seq2seq", "networks_seq2seq.py", [{"engine_for_answers": "mxnet"}], peer=False),
    Contestant(
        "seq2seq, naive engine",
        "networks_seq2seq.py",
        [{"engine_for_answers": "mxnet", "engine": "NaiveEngine"}],
        peer=False,
    ),
    Contestant("seq2seq, ONNX Runtime", "networks_seq2seq.py", [{"engine_for_answers": "onnx"}], peer=False),
    Contestant("PyTorch eager", "networks_pytorch.py", EAGER_VARIANTS),
    Contestant("JAX", "networks_jax.py", JAX_VARIANTS),
]

# The score to reach, and the most epochs: exact match on the steps of held-out expressions; words that are right (a
# word error rate of 0.35); and the negative mean loss of a text, in nats.
TARGETS = {
    DEFAULT: (0.99, 100),
    "attention 256, pronunciation": (0.65, 10),
    "gru 256, text": (-1.40, 12),
}


def _varied(session: Session, contestants: list[Contestant]) -> list[Contestant]:
    return [replace(each, variants=each.variants[: session.size.variants]) for each in contestants]


def networks(session: Session) -> None:
    """Samples per second, from the same weights and data. Contestants with other losses are refused."""
    for name in network_problems.NETWORKS:
        _compare(session, "networks", name)


def busy(session: Session) -> None:
    """`networks` for the default network, beside a process that keeps one core busy."""
    with busy_core():
        _compare(session, "busy", DEFAULT)


@contextmanager
def busy_core() -> Iterator[None]:
    """Another process keeps one core busy."""
    until_alone = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
    process = subprocess.Popen([sys.executable, "-c", until_alone])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _compare(session: Session, section: str, name: str) -> None:
    """Measure the contest of all contestants that train a network."""

    def hold() -> dict[str, Any]:
        examples = session.size.network_examples
        problem = network_problems.network_problem(session.folder, name, session.text, examples)
        options = {"name": name, "text": _path(session), "examples": examples}
        contest = Contest(
            make={"problem": str(problem), "batch": 0, "options": options},
            start=("start_training", {}),
            measure=("train", {"seconds": session.size.round_seconds}),
            merit=lambda reply: reply["samples_per_second"],
            differs=other_losses,
        )
        once = partial(session.results.once, section, name)
        competing = [each for each in _varied(session, TRAINED) if each.name not in LEFT_OUT.get(name, ())]
        return contest.hold(competing, session.peers, session.rounds, once)

    session.results.measure(section, name, hold)


def other_losses(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """The reason why losses are not those of the same work, or None."""
    differences = np.abs(np.divide(theirs["losses"], ours["losses"]) - 1)
    if (differences < LOSS_TOLERANCE).all():
        return None
    return f"losses {theirs['losses']} where the first contestant has {ours['losses']}"


def held_out(session: Session) -> None:
    """Seconds to a held-out score with the recipe, for this library, the peer that trains the network fastest, and
    PyTorch eager, which need not compile."""
    for name in session.size.held_out:
        if not network_problems.NETWORKS[name].has_data(session.text):
            continue
        target, most = TARGETS[name]
        most = min(most, session.size.held_out_epochs)
        fastest = _fastest_peer(session.results.values.get("networks", {}).get(name, {}))
        own = [each for each in TRAINED if not each.peer and each.name not in LEFT_OUT.get(name, ())]
        learning = [*((each, each.variants[0]) for each in own), fastest]
        if fastest[0].name != "PyTorch eager":
            learning.append(_fastest_peer({}))
        for contestant, variant in learning:
            key = f"{name}, {contestant.name}"
            learn = partial(_learn, session, key, name, contestant, variant, target, most)
            session.results.measure("held_out", key, learn)


def _learn(
    session: Session, key: str, name: str, contestant: Contestant, variant: dict[str, Any], target: float, most: int
) -> dict[str, Any]:
    """The seconds of one contestant with each seed."""

    def run(seed: int) -> dict[str, Any]:
        problem = network_problems.held_out_problem(session.folder, name, session.text, seed)
        options = {"name": name, "text": _path(session), "seed": seed}
        worker = Worker(contestant, variant, session.peers, problem=str(problem), batch=512, options=options)
        try:
            return worker.ask("learn", target=target, most_epochs=most)
        finally:
            worker.close()

    seeds = range(session.size.seeds)
    replies = [session.results.once("held_out", key, f"seed {seed}", partial(run, seed)) for seed in seeds]
    return {
        "target": abs(target),
        "reached": sum(reply["reached"] for reply in replies),
        "seeds": len(replies),
        "epochs": statistics.median(reply["epochs"] for reply in replies),
        "seconds": spread([reply["seconds"] for reply in replies]),
        "seconds_without_compiling": spread([reply["seconds_without_compiling"] for reply in replies]),
        "variant": variant,
    }


def _fastest_peer(results: dict[str, Any]) -> tuple[Contestant, dict[str, Any]]:
    """The peer that can also be scored here, and its variant, that was fastest; PyTorch eager if none was measured."""
    able = {each.name: each for each in TRAINED if each.name in ("PyTorch eager", "PyTorch compiled", "JAX")}
    speeds = {
        name: result["samples_per_second"]["median"]
        for name, result in results.items()
        if name in able and "samples_per_second" in result
    }
    if not speeds:
        return able["PyTorch eager"], EAGER_VARIANTS[-1]
    name = max(speeds, key=lambda each: speeds[each])
    return able[name], results[name]["variant"]


def answers_attention(session: Session) -> None:
    """Answers of the default network from string to string: in bulk, and the time of a single one."""
    size = session.size
    measures: dict[str, Any] = {
        "in bulk, batch 512": (("answer_all", {}), lambda reply: reply["strings_per_second"]),
        "one alone": (("answer_singly", {"calls": size.calls}), lambda reply: 1 / reply["strings_p50_us"]),
    }
    contestants = _varied(session, ANSWERING)
    for key, (measure, merit) in measures.items():

        def hold(key: str = key, measure: Any = measure, merit: Any = merit) -> dict[str, Any]:
            problem, run = network_problems.default_answers_problem(session.folder, size.questions, size.answer_epochs)
            contest = Contest(
                make={"problem": str(problem), "batch": 512, "options": {"run": str(run)}},
                start=("start_answers", {}),
                measure=measure,
                merit=merit,
                differs=other_answers,
            )
            once = partial(session.results.once, "answers_attention", key)
            return contest.hold(contestants, session.peers, session.rounds, once)

        session.results.measure("answers_attention", key, hold)


def other_answers(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """The reason why answers are not those of the same network, or None."""
    alike = float(np.mean(np.array(ours["answers"]) == np.array(theirs["answers"])))
    return None if alike >= ANSWERS_ALIKE else f"only {alike:.4%} of the answers agree with the first contestant's"


def _path(session: Session) -> str | None:
    return str(session.text) if session.text else None
