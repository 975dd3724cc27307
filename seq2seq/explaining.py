"""Looking inside a run: what it was sure of, where it looked, and how it holds its characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.decoding import make_predictor
from seq2seq.models import AttentionModel, TransducerModel, make_model
from seq2seq.mx import mx
from seq2seq.solver import Solver
from seq2seq.vocabulary import PAD
from seq2seq.workers import argument_shapes, workers_of

HESITATES = 0.9  # below this probability of what it writes


class Explanation(NamedTuple):
    """One call of the model, in the order in which it writes.

    Attributes
    ----------
    source, answer : str
        What it was asked, and its answer.
    read, written : list of str
        The same as it read and wrote them, one symbol a step; of an answer that padding ends, up to that (T of
        them).
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
    probabilities: np.ndarray
    attention: np.ndarray | None

    @property
    def hesitations(self) -> list[int]:
        """The steps whose symbol had a probability below 0.9."""
        return np.flatnonzero(self.probabilities.max(axis=1) < HESITATES).tolist()


def explain(solver: Solver, source: str) -> list[Explanation]:
    """What a run does with a source: one explanation, or one for each step of a run that works in steps.

    Raises `SourceError` as `Solver` does.
    """
    asked = [solver.prepare(source)]
    if solver.task.stepwise:
        asked = [each[: solver.task.head(each)] for each in (*asked, *solver.work(source)[:-1])]
    return [_explain(solver, each) for each in asked]


def _explain(solver: Solver, source: str) -> Explanation:
    codec = solver.codec.fitting(source)
    model = make_model(solver.task, solver.config.model, codec)
    ids = codec.encode_sources([source])
    answer = make_predictor(model, 1, solver.device, solver.weights).answer(ids).ids
    answer = answer[:, : codec.target_widths(answer)[0]]
    model = model.resized(codec.source_ids, answer.shape[1])
    symbols = [mx.sym.var("source"), mx.sym.var("target")]
    inputs = {"source": ids.T, "target": answer.T}
    probabilities = np.exp(_forward(solver, model.log_probabilities(*symbols), inputs)[:, 0])
    seen = None
    if isinstance(model, AttentionModel):
        attention = _forward(solver, model.attention(*symbols), inputs)
        seen = attention[0, :, -len(source) :]  # sources are right-justified
    [shown], [text] = codec.decode_sources(codec.encode_sources([source])), codec.decode_targets(answer)
    wrote = str(codec.vocabulary.decode(answer)[0])
    read, written, symbols = ([*map(codec.alphabet.symbol, part)] for part in (source, wrote, codec.characters))
    return Explanation(shown, text, read, written, symbols, probabilities, seen)


def _forward(solver: Solver, symbol: Any, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """The output of a symbol with the run's weights."""
    worker = workers_of(solver.device)[0]
    names = set(symbol.list_arguments())
    arrays = {name: mx.nd.array(array, worker.device) for name, array in inputs.items() if name in names}
    shapes = argument_shapes(symbol, **{name: array.shape for name, array in arrays.items()})
    weights = {n: mx.nd.array(solver.weights[n], worker.device) for n in shapes if n not in arrays}
    [output] = worker.bind(symbol, arrays, weights).forward(is_train=False)
    return output.asnumpy()


def character_embeddings(solver: Solver) -> tuple[list[str], np.ndarray]:
    """The symbols that strings are made of, and the vector (4H,) that each adds to the gates of the first layer.

    A one-hot vector times the input weights of an LSTM picks one column of them: these are the embeddings, shape
    (characters, 4H), of the reading from left to right.
    """
    characters, hidden = solver.codec.characters, solver.config.model.hidden_size
    model = make_model(solver.task, solver.config.model, solver.codec)
    channels = model.channels if isinstance(model, TransducerModel) else 1
    name = "transducer" if isinstance(model, TransducerModel) else "encoder"
    width = channels * len(characters)
    first = solver.weights[f"{name}_parameters"][: 4 * hidden * width].reshape(4 * hidden, width)
    rows = [place for place, character in enumerate(characters) if character != PAD]
    return [solver.codec.alphabet.symbol(characters[row]) for row in rows], first[:, rows].T


def principal_components(vectors: np.ndarray, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates (N, count) of vectors (N, C) along the directions in which they differ most, and the share of
    their variance that each of these has (Pearson 1901)."""
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :count] * sizes[:count], sizes[:count] ** 2 / (sizes**2).sum()


def order_correlation(symbols: Sequence[str], coordinates: np.ndarray) -> np.ndarray:
    """How nearly the digits lie in order along each component: Spearman's rank correlation with their value, shape
    (count,), from -1 to 1."""
    rows = [symbols.index(digit) for digit in "0123456789"]
    ranks = coordinates[rows].argsort(axis=0).argsort(axis=0)
    return np.array([np.corrcoef(np.arange(10), rank)[0, 1] for rank in ranks.T])
