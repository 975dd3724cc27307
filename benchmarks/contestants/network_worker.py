"""The shared code of the contestants that train the networks people use: see `worker.py`. Needs only NumPy."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

import numpy as np
from worker import CHECKED_EPOCHS, IGNORED, Array, Contestant

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


class Batch(NamedTuple):
    """The rows of a batch, and the index of their bucket."""

    rows: Array
    bucket: int


class NetworkProblem:
    """The data, weights and settings of one network from an `.npz` file, the same for every contestant.

    Attributes
    ----------
    sources, targets : ndarray, shapes (N, S) and (N, T)
        Targets have `IGNORED` where nothing is learned.
    validation_sources, validation_targets : ndarray
    weights : dict of str to ndarray
        Named as in the library; `stack` unpacks those of recurrent layers.
    settings : dict
        The options of the network and of its training.
    widths : list of (int, int)
        The widths of source and target in each bucket.
    rates : ndarray
        The learning rate of each update; after the last one, training goes on at the last.
    strings : list of str
        Questions to answer.
    samples : int
        The number of examples in an epoch.
    """

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.weights = {name[7:]: arrays[name] for name in arrays if name.startswith("weight.")}
            self.settings: dict[str, Any] = json.loads(str(arrays["settings"]))
            self.sources, self.targets = self._examples(arrays, "")
            self.validation_sources, self.validation_targets = self._examples(arrays, "validation_")
            self.bucket = arrays["bucket"]
            self.widths = [(int(source), int(target)) for source, target in arrays["bucket_widths"]]
            self.rates = arrays["rates"]
            self.strings: list[str] = arrays["strings"].tolist()
        self.samples: int = self.settings["examples_per_epoch"]
        self._ids = {character: place for place, character in enumerate(self.settings["characters"])}

    @staticmethod
    def _examples(arrays: Any, part: str) -> tuple[Array, Array]:
        targets = arrays[f"{part}targets"].astype(np.int32)
        return arrays[f"{part}sources"].astype(np.int32), np.where(arrays[f"{part}learned"], targets, IGNORED)

    def plan(self, epoch: int, seed: int = 0) -> list[Batch]:
        """The batches of an epoch, as in the library, so that losses after equal steps can be compared."""
        batch, n = self.settings["batch"], len(self.sources)
        if self.settings["stateful"]:
            steps = n // batch
            return [Batch(np.arange(batch) * steps + step, 0) for step in range(steps)]
        rng = np.random.default_rng((seed, 1, epoch))
        order = rng.permutation(n)
        order = order[np.argsort(self.bucket[order], kind="stable")]
        begins = np.append(0, np.bincount(self.bucket).cumsum())
        counts = np.diff(np.round(begins * (self.samples / n)).astype(int))
        batches = []
        for bucket, (begin, count) in enumerate(zip(begins, counts)):
            rows = order[begin : begin + count]
            batches += [Batch(rows[start : start + batch], bucket) for start in range(0, count, batch)]
        return [batches[i] for i in rng.permutation(len(batches))] if len(self.widths) > 1 else batches

    def stack(self, name: str) -> list[list[list[Array]]]:
        """By layer and direction: input weight (G, C), state weight (G, H), input bias and state bias (G,).

        The library has all of a stack in one vector: the weights of each layer and direction, then all the biases. G is
        the number of gates times H; the gates of an LSTM are input, forget, cell, output; of a GRU reset, update, new.
        """
        shape = self.settings["stacks"][name]
        hidden, directions = shape["hidden"], shape["directions"]
        rows = GATES[shape["cell"]] * hidden
        rest = self.weights[f"{name}_parameters"]
        layers = []
        for layer in range(shape["layers"]):
            read = directions * hidden if layer else shape["read"]
            parts = []
            for _ in range(directions):
                both, rest = np.split(rest, [rows * (read + hidden)])
                parts.append([weight.reshape(rows, -1) for weight in np.split(both, [rows * read])])
            layers.append(parts)
        biases = iter(rest.reshape(-1, rows))
        return [[[*weights, next(biases), next(biases)] for weights in parts] for parts in layers]

    def encode(self, strings: list[str]) -> tuple[Array, Array]:
        """Strings to ids (N, S), right-justified, and the width that each is read at (N,)."""
        length = self.settings["widths"][-1]
        ids = np.full((len(strings), length), self.settings["pad"], np.int32)
        for row, string in zip(ids, strings):
            row[length - len(string) :] = [self._ids[character] for character in string]
        widths = np.array(self.settings["widths"])
        return ids, widths[np.searchsorted(widths, [len(string) for string in strings])]

    def decode(self, ids: Array) -> list[str]:
        """Ids (N, T) to strings: the characters before the first padding."""
        characters = self.settings["characters"]
        pad = self.settings["pad"]
        strings = []
        for row in ids.tolist():
            end = row.index(pad) if pad in row else len(row)
            string = "".join(characters[i] for i in row[:end])
            strings.append(string[::-1] if self.settings["reverse_target"] else string)
        return strings


class NetworkContestant(Contestant):
    """Training and answering with one framework; `problem` is a `NetworkProblem`."""

    problem: Any

    # For subclasses ------------------------------------------------------------------------------------------

    def epoch(self, plan: list[Batch], rates: Array) -> float:  # type: ignore[override]
        """Train on these batches at these rates. Returns the mean loss per learned character."""
        raise NotImplementedError

    def forward(self, sources: Array) -> Any:
        """Greedy answers (n, T) for sources of one width (n, S); whatever follows the first padding is ignored."""
        raise NotImplementedError

    def loss_of_text(self, sources: Array, targets: Array) -> float:
        """The mean loss of a text in windows (steps, n, S), each row continuing its row of the step before."""
        raise NotImplementedError

    # Shared -----------------------------------------------------------------------------------------

    def train(self, epochs: int) -> list[float]:
        losses = []
        for _ in range(epochs):
            plan = self.problem.plan(self.epochs_done, self.options.get("seed", 0))
            updates = self.epochs_done * len(plan) + np.arange(len(plan))
            rates = self.problem.rates[np.minimum(updates, len(self.problem.rates) - 1)]
            losses.append(self.epoch(plan, rates))
            self.epochs_done += 1
        return losses

    def answer(self, sources: Array, widths: Array | None = None) -> Array:
        """Ids (N, S), read at these widths, to ids (N, T) with padding after each answer."""
        pad = self.problem.settings["pad"]
        if widths is None:
            lengths = (sources != pad).sum(axis=1)
            known = np.array(self.problem.settings["widths"])
            widths = known[np.searchsorted(known, lengths)]
        ids = np.full((len(sources), self.problem.settings["target_length"]), pad)
        for width in np.unique(widths):
            rows = np.flatnonzero(widths == width)
            for start in range(0, len(rows), self.batch):
                part = rows[start : start + self.batch]
                answered = np.asarray(self.forward(sources[part, -width:]))
                ids[part, : answered.shape[1]] = answered
        ended = np.cumsum(ids == pad, axis=1) > 0
        return np.where(ended, pad, ids)

    def answer_strings(self, strings: list[str]) -> list[str]:
        return self.problem.decode(self.answer(*self.problem.encode(strings)))

    def score(self) -> float:
        """The exact match on held-out examples or, of a text, the negative mean loss: more is better."""
        problem = self.problem
        sources, targets = problem.validation_sources, problem.validation_targets
        if not problem.settings["stateful"]:
            wanted = np.where(targets == IGNORED, problem.settings["pad"], targets)
            return float((self.answer(sources) == wanted).all(axis=1).mean())
        streams = min(16, len(sources))
        steps = len(sources) // streams  # up to 15 windows at the end are left out
        source, target = (a[: streams * steps].reshape(streams, steps, -1).swapaxes(0, 1) for a in (sources, targets))
        return -self.loss_of_text(source, target)

    # Requests -----------------------------------------------------------------------------------------------------

    def do_start_answers(self) -> dict[str, Any]:
        """Compile and warm up. Returns the answers to all questions, for comparison."""
        self.prepare_answers()
        times = []
        for _ in range(CHECKED_EPOCHS):
            started = time.perf_counter()
            answers = self.answer_strings(self.problem.strings)
            times.append(time.perf_counter() - started)
        return {"answers": answers, "compile_seconds": max(0.0, times[0] - times[-1])}

    def _kinds(self) -> list[tuple[str, Any, Any]]:
        return [("strings", self.answer_strings, self.problem.strings)]

    def learn(self, target: float, most_epochs: int) -> list[dict[str, float]]:
        started = time.perf_counter()
        self.prepare_training()
        rows: list[dict[str, float]] = []
        while len(rows) < most_epochs and not (rows and rows[-1]["exact_match"] >= target):
            self.train(1)
            rows.append({"exact_match": self.score(), "seconds": time.perf_counter() - started})
        return rows
