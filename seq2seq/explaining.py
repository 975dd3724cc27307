"""Looking inside a run: what it was sure of, where it looked, and how it holds its characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.decoding import make_predictor
from seq2seq.errors import require, short
from seq2seq.models import make_model
from seq2seq.mx import alone, mx
from seq2seq.showing import END, PADDING
from seq2seq.solver import Solver
from seq2seq.tasks.alphabet import PAD
from seq2seq.typing import Array
from seq2seq.vocabulary import AFTER, BEFORE
from seq2seq.workers import argument_shapes, workers_of

HESITATES = 0.9  # below this probability of what it writes


class Explanation(NamedTuple):
    """One call of the model, in the order in which it writes.

    Attributes
    ----------
    source, answer : str
        What it was asked, and its answer.
    read, written : list of str
        The same as it read and wrote them, one symbol a step, with the end of the answer if there is room for it (T of
        them): `<end>`. Where an answer is written in its source's place, `<pad>` is a blank. A space is one that was
        written.
    symbols : list of str
        The vocabulary.
    probabilities : ndarray, shape (T, V)
        Of each symbol at each step, given those it wrote before.
    attention : ndarray, shape (T, S), or None
        How much each step looked at each symbol of the source, of a model that looks back.
    """

    source: str
    answer: str
    read: list[str]
    written: list[str]
    symbols: list[str]
    probabilities: Array
    attention: Array | None

    @property
    def hesitations(self) -> list[int]:
        """The steps whose symbol had a probability below 0.9."""
        return np.flatnonzero(self.probabilities.max(axis=1) < HESITATES).tolist()


def explain(solver: Solver, source: str) -> list[Explanation]:
    """What a run does with a source: one explanation, or one for each step of a run that works in steps.

    Raises `SourceError` as `Solver` does.
    """
    return [_explain(solver, each) for each in solver.calls(source)]


@alone
def _explain(solver: Solver, source: str) -> Explanation:
    codec = solver.codec.fitting(source)
    model = make_model(solver.task, solver.config.model, codec)
    ids = codec.encode_sources([source])
    answer = make_predictor(model, 1, solver.device, solver.weights).answer(ids).ids
    [steps] = codec.learned(ids, answer)
    symbols = [mx.sym.var("source"), mx.sym.var("target")]
    inputs = {"source": ids.T, "target": answer.T}
    probabilities = np.exp(_forward(solver, model.log_probabilities(*symbols), inputs)[steps, 0])
    seen, attention = None, model.attention(*symbols)
    if attention is not None:
        seen = _forward(solver, attention, inputs)[0, steps, -len(source) :]  # sources are right-justified
    [shown], [text] = codec.decode_sources(codec.encode_sources([source])), codec.decode_targets(answer)
    wrote = str(codec.vocabulary.decode(answer[:, steps])[0])
    padding = END if codec.padding in (AFTER, BEFORE) else PADDING
    read, written, symbols = (
        [padding if each == PAD else codec.alphabet.symbol(each) for each in part]
        for part in (source, wrote, codec.characters)
    )
    return Explanation(shown, text, read, written, symbols, probabilities, seen)


def _forward(solver: Solver, symbol: Any, inputs: dict[str, Array]) -> Array:
    """The output of a symbol with the run's weights."""
    worker = workers_of(solver.device)[0]
    names = set(symbol.list_arguments())
    arrays = {name: mx.nd.array(array, worker.device) for name, array in inputs.items() if name in names}
    shapes = argument_shapes(symbol, **{name: array.shape for name, array in arrays.items()})
    weights = {n: mx.nd.array(solver.weights[n], worker.device) for n in shapes if n not in arrays}
    [output] = worker.bind(symbol, arrays, weights).forward(is_train=False)
    return output.asnumpy()


class Embeddings(NamedTuple):
    """The vectors by which a model knows what it reads.

    Attributes
    ----------
    symbols : list of str
        Those that training examples have there; any other kept the vector that it began with, which means nothing.
    vectors : ndarray, shape (N, C)
        What each adds to the gates of the layer that reads it.
    """

    symbols: list[str]
    vectors: Array


class Components(NamedTuple):
    """Symbols, their coordinates (N, count) along principal components, and the share of the variance of each."""

    symbols: list[str]
    coordinates: Array
    shares: Array


def character_embeddings(solver: Solver) -> dict[str, Embeddings]:
    """The embeddings that a run has learned, by what it reads: `source`, and perhaps the `target` it has written so
    far, or each number of two.

    Raises `RunError` if its training examples cannot be made again.
    """
    codec, train = solver.codec, solver.dataset.train
    model = make_model(solver.task, solver.config.model, codec)
    readings, embeddings = model.readings(train.sources, train.targets), {}
    for name, vectors in model.embeddings(solver.weights).items():
        ids = [place for place in np.unique(readings[name]).tolist() if place != codec.vocabulary.pad]
        symbols = [codec.alphabet.symbol(codec.characters[place]) for place in ids]
        embeddings[name] = Embeddings(symbols, vectors[ids])
    return embeddings


def principal_components(vectors: Array, count: int = 2) -> tuple[Array, Array]:
    """The coordinates (N, count) of vectors (N, C) along the directions in which they differ most, and the share of
    their variance that each of these has (Pearson 1901): none, of those that there are not."""
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(np.pad(centred, (0, count)), full_matrices=False)
    variances = sizes**2
    return left[: len(vectors), :count] * sizes[:count], variances[:count] / (variances.sum() or 1)


def extremes(
    symbols: Sequence[str], values: Array, count: int = 5
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """The symbols with the least values (N,), and with the most, the outermost first, each with its value: so many, or
    half of them all."""
    outwards = [(symbols[place], float(values[place])) for place in values.argsort()]
    count = min(count, len(outwards) // 2)
    return outwards[:count], outwards[::-1][:count]


def neighbours(embeddings: Mapping[str, Embeddings], symbol: str, count: int = 5) -> dict[str, list[tuple[str, float]]]:
    """The symbols whose vectors point the most nearly where a symbol's does, the nearest first, each with the cosine of
    the angle between: by what is read, where the symbol is.

    Raises `UsageError` if it is nowhere.
    """
    known = sorted({each for symbols, _ in embeddings.values() for each in symbols})
    require(symbol in known, "symbol", symbol, f"one of {short(' '.join(known), 100)}")
    nearest = {}
    for name, (symbols, vectors) in embeddings.items():
        if symbol in symbols:
            place, units = symbols.index(symbol), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            cosines = units @ units[place]
            others = [other for other in (-cosines).argsort() if other != place]
            nearest[name] = [(symbols[other], float(cosines[other])) for other in others[:count]]
    return nearest


def order_correlation(symbols: Sequence[str], coordinates: Array) -> Array:
    """How nearly the digits lie in order along each component: Spearman's rank correlation with their value, shape
    (count,), from -1 to 1."""
    rows = [symbols.index(digit) for digit in "0123456789"]
    ranks = coordinates[rows].argsort(axis=0).argsort(axis=0)
    return np.array([np.corrcoef(np.arange(10), rank)[0, 1] for rank in ranks.T])
