"""What the contestants share: requests in and replies out, one JSON object a line, and the clock.

A contestant is a process. It stays alive between rounds, so that compilation is paid once, and sleeps on its stdin
while others are measured. Needs NumPy alone, so that every environment can run it.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import traceback
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CHECKED_EPOCHS = 2  # whose losses are compared; the first of them also compiles
PAD = " "
IGNORED = -1  # in targets: padding that is not learned


class Problem:
    """One `.npz` of data and first weights, the same for every contestant.

    Attributes
    ----------
    sources, targets : ndarray of uint8, shapes (N, S) and (N, T)
    weights : dict of str to ndarray
        `{encoder,decoder}_{input,state}_{weight,bias}`, weights (4H, C) or (4H, H) with the gates in the order input,
        forget, cell, output; and `output_weight` (V, H), `output_bias` (V,). Empty where each begins with its own.
    characters : str
        The vocabulary, a character's place being its id.
    strings : list of str
        The sources as a person writes them.
    learning_rate, epsilon : float
        Adam's.
    """

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.weights = {name[7:]: arrays[name] for name in arrays if name.startswith("weight.")}
            self.sources, self.targets = arrays["sources"], arrays["targets"]
            self.characters = str(arrays["characters"])
            self.strings = [string.lstrip(PAD) for string in arrays["strings"].tolist()]
            self.learning_rate, self.epsilon = float(arrays["learning_rate"]), float(arrays["epsilon"])
        self.vocabulary_size = len(self.characters)
        self.hidden = self.weights["output_weight"].shape[1] if self.weights else 0
        self.source_length, self.target_length = self.sources.shape[1], self.targets.shape[1]
        self._characters = np.array(list(self.characters))
        self._ids = np.zeros(128, np.uint8)
        self._ids[[ord(character) for character in self.characters]] = np.arange(self.vocabulary_size)

    def encode(self, strings: list[str]) -> Array:
        """Strings (N,) to ids (N, S), right-justified."""
        padded = np.array([string.rjust(self.source_length) for string in strings], f"U{self.source_length}")
        return self._ids[padded.view(np.uint32).reshape(len(strings), -1)]

    def decode(self, ids: Array) -> list[str]:
        """Ids (N, T) to strings: what stands behind the last padding, which ends an answer on its left."""
        strings = np.ascontiguousarray(self._characters[ids]).view(f"U{self.target_length}").reshape(len(ids))
        return [string.rpartition(PAD)[2] for string in strings.tolist()]

    @property
    def learned_targets(self) -> Array:
        """The targets (N, T), `IGNORED` in place of all padding but the one before an answer, which ends it."""
        padding = self.targets == self.characters.index(PAD)
        beyond = np.zeros_like(padding)
        beyond[:, :-1] = padding[:, 1:]
        return np.where(beyond, IGNORED, self.targets.astype(np.int32))

    def layer(self, name: str) -> list[Array]:
        """Input weight, state weight, input bias and state bias of `encoder` or `decoder`."""
        return [self.weights[f"{name}_{part}"] for part in ("input_weight", "state_weight", "input_bias", "state_bias")]


class Contestant:
    """One framework's way to train the network and to answer with it. Subclasses say how; this class keeps time.

    Parameters
    ----------
    problem : Problem
    batch : int
        Examples a step, or sources a forward pass.
    variant : dict
        The choices a good user would try: `threads`, and what is the framework's own.
    options : dict
        What only this library's own contestant needs.
    """

    def __init__(self, problem: Problem, batch: int, variant: dict[str, Any], options: dict[str, Any]) -> None:
        self.problem, self.batch, self.variant, self.options = problem, batch, variant, options
        self.epochs_done = 0

    # What subclasses say ------------------------------------------------------------------------------------------

    def prepare_training(self) -> None:
        """Build what training needs from the problem's weights."""

    def epoch(self, sources: Array, targets: Array) -> float:
        """Train on the examples in this order; the mean loss of a learned character, each measured before its step."""
        raise NotImplementedError

    def prepare_answers(self) -> None:
        """Build what answering needs from the problem's weights."""

    def forward(self, sources: Array) -> Any:
        """The most probable ids (n, T) for up to a batch of sources (n, S), as any kind of array."""
        raise NotImplementedError

    def learn(self, target: float, most_epochs: int) -> list[dict[str, float]]:
        """Train with the framework's own recipe until so many held-out answers are exact; see `Learned`."""
        raise NotImplementedError

    # What follows from it -----------------------------------------------------------------------------------------

    def train(self, epochs: int) -> list[float]:
        """The losses of so many epochs."""
        losses: list[float] = []
        targets = self.problem.learned_targets
        for _ in range(epochs):
            # The order in which the library's Trainer takes them, so that losses after equal steps can be compared.
            order = np.random.default_rng((0, 1, self.epochs_done)).permutation(len(self.problem.sources))
            losses.append(self.epoch(self.problem.sources[order], targets[order]))
            self.epochs_done += 1
        return losses

    def answer(self, sources: Array) -> Array:
        """Ids (N, S) to ids (N, T)."""
        starts = range(0, len(sources), self.batch)
        return np.concatenate([self.forward(sources[start : start + self.batch]) for start in starts])

    def answer_strings(self, strings: list[str]) -> list[str]:
        return self.problem.decode(self.answer(self.problem.encode(strings)))

    # Requests -----------------------------------------------------------------------------------------------------

    def do_start_training(self) -> dict[str, Any]:
        """Compile and warm up: two epochs, of which the first takes longer by the time to compile."""
        times: list[float] = []
        losses: list[float] = []
        for _ in range(CHECKED_EPOCHS):
            started = time.perf_counter()
            if not times:
                self.prepare_training()
            losses += self.train(1)
            times.append(time.perf_counter() - started)
        self._epoch_seconds = times[-1]
        return {"losses": losses, "compile_seconds": max(0.0, times[0] - times[-1])}

    def do_train(self, seconds: float) -> dict[str, float]:
        """Whole epochs, for about so many seconds."""
        epochs = max(1, round(seconds / self._epoch_seconds))
        started = time.perf_counter()
        losses = self.train(epochs)
        elapsed = time.perf_counter() - started
        if not math.isfinite(losses[-1]):
            raise ValueError(f"the loss is {losses[-1]}")
        self._epoch_seconds = elapsed / epochs
        return {"samples_per_second": epochs * len(self.problem.sources) / elapsed}

    def do_start_answers(self) -> dict[str, Any]:
        """Compile and warm up; the answers to all sources, a character a byte, for comparison."""
        self.prepare_answers()
        started = time.perf_counter()
        self.answer(self.problem.sources)
        first = time.perf_counter() - started
        started = time.perf_counter()
        answers = self.answer(self.problem.sources)
        compiling = max(0.0, first - (time.perf_counter() - started))
        return {"answers": answers.astype(np.uint8).tobytes().hex(), "compile_seconds": compiling}

    def do_answer_all(self) -> dict[str, float]:
        """All sources, given at once: as ids, and as strings."""
        reply = {}
        for kind, answer, sources in self._kinds():
            started = time.perf_counter()
            answer(sources)
            reply[f"{kind}_per_second"] = len(sources) / (time.perf_counter() - started)
        return reply

    def do_answer_singly(self, calls: int) -> dict[str, float]:
        """The time of a call with one source, in microseconds: as ids, and as a string."""
        reply = {}
        for kind, answer, sources in self._kinds():
            for i in range(20):  # not counted: the first calls at this size
                answer(sources[i : i + 1])
            times = []
            for i in range(calls):
                source = sources[i % len(sources) :][:1]
                started = time.perf_counter()
                answer(source)
                times.append(time.perf_counter() - started)
            for percent in (50, 99):
                reply[f"{kind}_p{percent}_us"] = 1e6 * float(np.percentile(times, percent))
        return reply

    def _kinds(self) -> list[tuple[str, Any, Any]]:
        return [("arrays", self.answer, self.problem.sources), ("strings", self.answer_strings, self.problem.strings)]

    def do_learn(self, target: float, most_epochs: int) -> dict[str, Any]:
        """Epochs until the target, with the time since the model began to be built at the end of each."""
        rows = self.learn(target, most_epochs)
        durations = np.diff([0.0] + [row["seconds"] for row in rows])
        compiling = max(0.0, float(durations[0] - durations[1])) if len(rows) > 1 else 0.0
        return {
            "reached": rows[-1]["exact_match"] >= target,
            "exact_match": rows[-1]["exact_match"],
            "epochs": len(rows),
            "seconds": rows[-1]["seconds"],
            "seconds_without_compiling": rows[-1]["seconds"] - compiling,
        }


def serve(contestant: type[Contestant]) -> None:
    """Make a contestant from the first line of stdin and carry out the requests that follow."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no reply
    made = None
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            if do == "make":
                made = contestant(Problem(request.pop("problem")), **request)
                reply: dict[str, Any] = {}
            else:
                reply = getattr(made, f"do_{do}")(**request)
        except Exception as error:  # whatever it is, the benchmark says it and goes on with the others
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(reply), file=replies, flush=True)
