"""Explains a run: the probabilities of its answers, its attention, and the embeddings of its characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seq2seq.decoding import make_predictor
from seq2seq.decoding.base import probability
from seq2seq.errors import UsageError, cut, quoted, require, short
from seq2seq.mx import alone, mx
from seq2seq.showing import END, PADDING
from seq2seq.tasks.alphabet import PAD
from seq2seq.typing import Array
from seq2seq.vocabulary import AFTER, BEFORE
from seq2seq.workers import argument_shapes, workers_of

if TYPE_CHECKING:
    from seq2seq.opened import StringRun

DIGITS = "0123456789"
HESITATES = 0.9  # a step with a lower probability counts as a hesitation


class Explanation(NamedTuple):
    """One call of the model, step by step.

    Attributes
    ----------
    source, answer : str
    read, written : list of str
        The symbols of the source (S) and of the answer (T), in the order of the model. The answer includes its end,
        `<end>`, if there is room for it; in an answer that is written in place, `<pad>` is a blank. A space is a space
        that was written.
    symbols : list of str
        The vocabulary.
    probabilities : ndarray, shape (T, V)
        Probability of each symbol at each step, given the symbols written before.
    attention : ndarray, shape (T, S), or None
        Attention weight of each step for each symbol of the source; None for a model without attention.
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
        """The steps at which the most probable symbol has a probability below 0.9."""
        return np.flatnonzero(self.probabilities.max(axis=1) < HESITATES).tolist()


def explain(solver: StringRun, source: str) -> list[Explanation]:
    """Explain how a run answers a source.

    Parameters
    ----------
    solver : StringRun
    source : str

    Returns
    -------
    list of Explanation
        One, or for a run that works in steps, one per step.

    Raises
    ------
    SourceError
        If the run cannot read the source.
    """
    solver.require_mxnet("an explanation")
    return [_explain(solver, each) for each in solver.calls(source)]


@alone
def _explain(solver: StringRun, source: str) -> Explanation:
    solver.before_call()
    codec = solver.codec.fitting(source)
    model = solver.model(codec)
    ids = codec.encode_sources([source])
    answer = make_predictor(model, 1, solver.device, solver.weights, solver.beam).answer(ids).ids
    [steps] = codec.learned(ids, answer)
    symbols = [mx.sym.var("source"), mx.sym.var("target")]
    inputs = {"source": ids.T, "target": answer.T}
    probabilities = probability(_forward(solver, model.log_probabilities(*symbols), inputs)[steps, 0])
    seen = None
    attention = model.attention(*symbols)
    if attention is not None:
        seen = _forward(solver, attention, inputs)[0, steps, -len(source) :]  # sources are right-justified
    [shown] = codec.decode_sources(codec.encode_sources([source]))
    [text] = codec.decode_targets(answer)
    wrote = str(codec.vocabulary.decode(answer[:, steps])[0])
    padding = END if codec.padding in (AFTER, BEFORE) else PADDING
    read, written, symbols = (
        [padding if each == PAD else codec.alphabet.symbol(each) for each in part]
        for part in (source, wrote, codec.characters)
    )
    return Explanation(shown, text, read, written, symbols, probabilities, seen)


def _forward(solver: StringRun, symbol: Any, inputs: dict[str, Array]) -> Array:
    """Compute the output of a symbol with the run's weights."""
    worker = workers_of(solver.device)[0]
    names = set(symbol.list_arguments())
    arrays = {name: mx.nd.array(array, worker.device) for name, array in inputs.items() if name in names}
    shapes = argument_shapes(symbol, **{name: array.shape for name, array in arrays.items()})
    weights = {n: mx.nd.array(solver.weights[n], worker.device) for n in shapes if n not in arrays}
    [output] = worker.bind(symbol, arrays, weights).forward(is_train=False)
    return output.asnumpy()


def lines_of(explanation: Explanation) -> list[str]:
    """A table of the steps of an explanation, as lines for a person to read."""
    lines = [f"{explanation.source} -> {explanation.answer}", "step   writes  probability  else"]
    for step, (symbol, row) in enumerate(zip(explanation.written, explanation.probabilities)):
        others = [place for place in row.argsort()[::-1] if explanation.symbols[place] != symbol][:2]
        alternatives = ", ".join(f"{explanation.symbols[place]!r} {row[place]:.1%}" for place in others)
        hesitates = "  <- hesitates" if step in explanation.hesitations else ""
        lines.append(f"{step + 1:4}  {symbol!r:>7}  {row.max():11.1%}  {alternatives}{hesitates}")
    return lines


class Embeddings(NamedTuple):
    """The vectors that represent symbols in one input of a model.

    Attributes
    ----------
    symbols : list of str
        Symbols that occur in this input in training examples. The vectors of others still have their initial values.
    vectors : ndarray, shape (N, C)
        For each symbol its embedding, or its column of the first layer's input weights.
    """

    symbols: list[str]
    vectors: Array


class Components(NamedTuple):
    """Coordinates of symbols along principal components.

    Attributes
    ----------
    symbols : list of str
    coordinates : ndarray, shape (N, count)
    shares : ndarray, shape (count,)
        Fraction of the variance along each component.
    """

    symbols: list[str]
    coordinates: Array
    shares: Array


def character_embeddings(solver: StringRun) -> dict[str, Embeddings]:
    """The learned embeddings of a run.

    Parameters
    ----------
    solver : StringRun

    Returns
    -------
    dict of str to Embeddings
        By input of the model: `source`, and for some models `target`, or one entry per number that is read.

    Raises
    ------
    RunError
        If the training examples cannot be made again.
    """
    codec = solver.codec
    model = solver.model(codec)
    readings = [model.readings(part.sources, part.targets) for part in solver.dataset.trained]
    embeddings = {}
    for name, vectors in model.embeddings(solver.weights).items():
        read = np.unique(np.concatenate([np.unique(part[name]) for part in readings]))
        ids = [place for place in read.tolist() if place != codec.vocabulary.pad]
        symbols = [codec.alphabet.symbol(codec.characters[place]) for place in ids]
        embeddings[name] = Embeddings(symbols, vectors[ids])
    return embeddings


def principal_components(vectors: Array, count: int = 2) -> tuple[Array, Array]:
    """Principal component analysis (Pearson 1901).

    Parameters
    ----------
    vectors : ndarray, shape (N, C)
    count : int
        Number of components.

    Returns
    -------
    coordinates : ndarray, shape (N, count)
    fractions : ndarray, shape (count,)
        Fraction of the variance along each component; missing components have variance 0.
    """
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(np.pad(centred, (0, count)), full_matrices=False)
    variances = sizes**2
    return left[: len(vectors), :count] * sizes[:count], variances[:count] / (variances.sum() or 1)


def extremes(
    symbols: Sequence[str], values: Array, count: int = 5
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """The symbols with the smallest and with the largest values.

    Parameters
    ----------
    symbols : sequence of str
        N symbols.
    values : ndarray, shape (N,)
    count : int
        Number of symbols at each end; at most half of all symbols are returned.

    Returns
    -------
    smallest, largest : list of (str, float)
        Symbols with their values, the most extreme first.
    """
    outwards = [(symbols[place], float(values[place])) for place in values.argsort()]
    count = min(count, len(outwards) // 2)
    return outwards[:count], outwards[::-1][:count]


def neighbours(embeddings: Mapping[str, Embeddings], symbol: str, count: int = 5) -> dict[str, list[tuple[str, float]]]:
    """The nearest neighbours of a symbol by cosine similarity.

    Parameters
    ----------
    embeddings : dict of str to Embeddings
        From `character_embeddings`.
    symbol : str
    count : int
        Number of neighbours.

    Returns
    -------
    dict of str to list of (str, float)
        Symbols with their cosine similarities, the nearest first, for each input in which the symbol occurs.

    Raises
    ------
    UsageError
        If the symbol occurs in no input.
    """
    known = sorted({each for symbols, _ in embeddings.values() for each in symbols})
    require(symbol in known, "symbol", symbol, f"one of {short(' '.join(known), 100)}")
    nearest = {}
    for name, (symbols, vectors) in embeddings.items():
        if symbol in symbols:
            place = symbols.index(symbol)
            units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            cosines = units @ units[place]
            others = [other for other in (-cosines).argsort() if other != place]
            nearest[name] = [(symbols[other], float(cosines[other])) for other in others[:count]]
    return nearest


def require_orders(embeddings: Mapping[str, Embeddings], orders: Sequence[Sequence[str]]) -> None:
    """Raise `UsageError`, which says what there is, unless each order consists of symbols of one of the embeddings."""
    good = isinstance(orders, (list, tuple)) and all(isinstance(order, (list, tuple)) for order in orders)
    require(good, "orders", orders, "a list of orders, each a list of names")
    for order in orders:
        require(len(order) > 1 and all(isinstance(name, str) for name in order), "order", order, "two names or more")
        twice = next((name for name in order if order.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"order: got {quoted(','.join(order))}, but {short(twice)} is twice in it")
        if any(set(order) <= set(symbols) for symbols, _ in embeddings.values()):
            continue
        unknown = [name for name in order if all(name not in symbols for symbols, _ in embeddings.values())]
        problem = (
            f"there is no {' and no '.join(map(short, unknown))}" if unknown else "its names belong to different ones"
        )
        known = "; ".join(f"{name}: {cut(', '.join(symbols), 100)}" for name, (symbols, _) in embeddings.items())
        raise UsageError(f"order: got {quoted(','.join(order))}, but {cut(problem, 200)} among {cut(known, 400)}")


def component_lines(embeddings: Mapping[str, Embeddings], orders: Sequence[Sequence[str]] = ()) -> list[str]:
    """The principal components of embeddings, and the symbols at their ends, as lines for a person to read."""
    require_orders(embeddings, orders)
    lines = []
    for name, (symbols, vectors) in embeddings.items():
        coordinates, shares = principal_components(vectors)
        lines += described(name, Components(symbols, coordinates, shares), orders)
    return lines


def described(name: str, components: Components, orders: Sequence[Sequence[str]] = ()) -> list[str]:
    """The symbols at the ends of each component, as lines for a person to read.

    Parameters
    ----------
    name : str
        Name of the embeddings.
    components : Components
    orders : sequence of sequences of str
        Known orders of symbols. The rank correlation is given with each whose symbols are all there, and with the
        order of the digits.

    Returns
    -------
    list of str
    """
    symbols, coordinates, shares = components
    ordered = [""] * len(shares)
    for order in (DIGITS, *orders):
        if set(order) <= set(symbols):
            what = "the digits' value" if order == DIGITS else "the order given"
            ranks = order_correlation(symbols, coordinates, order)
            ordered = [f"{before}; rank correlation with {what} {rank:+.2f}" for before, rank in zip(ordered, ranks)]
    lines = []
    for number, (values, share, correlations) in enumerate(zip(coordinates.T, shares, ordered), 1):
        lines.append(f"{name}, component {number}: {share:.0%} of the variance{correlations}")
        for end, found in zip(("lowest", "highest"), extremes(symbols, values)):
            lines.append(f"  {end:7}  " + "  ".join(f"{symbol!r} {value:+.2f}" for symbol, value in found))
    return lines


def order_correlation(symbols: Sequence[str], coordinates: Array, order: Sequence[str] = DIGITS) -> Array:
    """Spearman's rank correlation between a known order of symbols and their coordinates.

    Parameters
    ----------
    symbols : sequence of str
        N symbols, among them all of the order.
    coordinates : ndarray, shape (N, count)
    order : sequence of str
        Two or more symbols, by default the digits.

    Returns
    -------
    ndarray, shape (count,)
        From -1 to 1, for each component.
    """
    rows = [symbols.index(symbol) for symbol in order]
    ranks = coordinates[rows].argsort(axis=0).argsort(axis=0)
    return np.array([np.corrcoef(np.arange(len(rows)), rank)[0, 1] for rank in ranks.T])
