"""The shared code of the contestants: requests and replies, one JSON object per line, and time measurement.

A contestant is a process. It stays alive between rounds, so that it compiles only once, and waits for its stdin while
others are measured. This module needs only NumPy, so that every environment can run it.
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

CHECKED_EPOCHS = 2  # their losses are compared; the first one also compiles
PAD = " "
IGNORED = -1  # marks padding that is not learned, in targets


class Problem:
    """The data and initial weights from an `.npz` file, the same for every contestant.

    Attributes
    ----------
    sources, targets : ndarray of uint8, shapes (N, S) and (N, T)
    weights : dict of str to ndarray
        `{encoder,decoder}_{input,state}_{weight,bias}`, weights (4H, C) or (4H, H) with the gates in the order input,
        forget, cell, output; and `output_weight` (V, H), `output_bias` (V,). Empty if each contestant draws its own.
    characters : str
        The vocabulary. The id of a character is its place.
    strings : list of str
        The sources as a person would write them.
    learning_rate, epsilon : float
        Adam's.
    samples : int
        The number of examples in an epoch.
    """

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.weights = {name[7:]: arrays[name] for name in arrays if name.startswith("weight.")}
            self.sources, self.targets = arrays["sources"], arrays["targets"]
            self.characters = str(arrays["characters"])
            self.strings = [string.lstrip(PAD) for string in arrays["strings"].tolist()]
            self.learning_rate, self.epsilon = float(arrays["learning_rate"]), float(arrays["epsilon"])
        self.samples = len(self.sources)
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
        """Ids (N, T) to strings: the characters after the last padding."""
        strings = np.ascontiguousarray(self._characters[ids]).view(f"U{self.target_length}").reshape(len(ids))
        return [string.rpartition(PAD)[2] for string in strings.tolist()]

    @property
    def learned_targets(self) -> Array:
        """The targets (N, T), with `IGNORED` for all padding except the one next to the answer, which ends it."""
        padding = self.targets == self.characters.index(PAD)
        beyond = np.zeros_like(padding)
        beyond[:, :-1] = padding[:, 1:]
        return np.where(beyond, IGNORED, self.targets.astype(np.int32))

    def layer(self, name: str) -> list[Array]:
        """Input weight, state weight, input bias and state bias of `encoder` or `decoder`."""
        return [self.weights[f"{name}_{part}"] for part in ("input_weight", "state_weight", "input_bias", "state_bias")]


class Contestant:
    """Training and answering with one framework. Subclasses implement it; this class measures the time.

    Parameters
    ----------
    problem : Problem
    batch : int
        Examples per step, or sources per forward pass.
    variant : dict
        The settings that a good user would try: `threads`, and those of the framework.
    options : dict
        Only for the contestants that need more, such as a run folder.
    """

    def __init__(self, problem: Problem, batch: int, variant: dict[str, Any], options: dict[str, Any]) -> None:
        self.problem, self.batch, self.variant, self.options = problem, batch, variant, options
        self.epochs_done = 0

    # For subclasses ------------------------------------------------------------------------------------------

    def prepare_training(self) -> None:
        """Prepare training with the weights of the problem."""

    def epoch(self, sources: Array, targets: Array) -> float:
        """Train on the examples in this order. Returns the mean loss per learned character, taken before each step."""
        raise NotImplementedError

    def prepare_answers(self) -> None:
        """Prepare answering with the weights of the problem."""

    def forward(self, sources: Array) -> Any:
        """The most probable ids (n, T) for at most a batch of sources (n, S), as any kind of array."""
        raise NotImplementedError

    def learn(self, target: float, most_epochs: int) -> list[dict[str, float]]:
        """Train with the recipe of the framework until held-out exact match is `target`. Returns a row per epoch."""
        raise NotImplementedError

    # Shared -----------------------------------------------------------------------------------------

    def train(self, epochs: int) -> list[float]:
        """Train for some epochs and return their losses."""
        losses: list[float] = []
        targets = self.problem.learned_targets
        for _ in range(epochs):
            # The order of the library's Trainer, so that losses after equal steps can be compared.
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
        """Compile and warm up: two epochs, the first of which includes the compilation."""
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
        """Train whole epochs for about `seconds`."""
        epochs = max(1, round(seconds / self._epoch_seconds))
        started = time.perf_counter()
        losses = self.train(epochs)
        elapsed = time.perf_counter() - started
        if not math.isfinite(losses[-1]):
            raise ValueError(f"the loss is {losses[-1]}")
        self._epoch_seconds = elapsed / epochs
        return {"samples_per_second": epochs * self.problem.samples / elapsed}

    def do_start_answers(self) -> dict[str, Any]:
        """Compile and warm up. Returns the answers to all sources, one byte per character, for comparison."""
        self.prepare_answers()
        started = time.perf_counter()
        self.answer(self.problem.sources)
        first = time.perf_counter() - started
        started = time.perf_counter()
        answers = self.answer(self.problem.sources)
        compiling = max(0.0, first - (time.perf_counter() - started))
        return {"answers": answers.astype(np.uint8).tobytes().hex(), "compile_seconds": compiling}

    def do_answer_all(self) -> dict[str, float]:
        """Answer all sources at once: as ids, and as strings."""
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
        """Train until the target is reached. Times include building the model."""
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


def serve(contestant: type[Contestant], problem: type[Any] = Problem) -> None:
    """Make a contestant from the first line of stdin and carry out the requests that follow."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the output of a framework is not a reply
    made = None
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            if do == "make":
                made = contestant(problem(request.pop("problem")), **request)
                reply: dict[str, Any] = {}
            else:
                reply = getattr(made, f"do_{do}")(**request)
        except Exception as error:  # report any error, and continue with the other contestants
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(reply), file=replies, flush=True)
