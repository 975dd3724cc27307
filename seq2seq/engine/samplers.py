"""Which rows go through the network together.

A sampler deals the rows of named arrays to the batches of an epoch: those near in width (`Bucketed`), those that follow
each other in a stream (`Contiguous`), or rows of several sources in given shares (`Mixed`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.engine.network import Arrays, Network
from seq2seq.errors import require
from seq2seq.typing import Array

BLOCK = 2**16  # rows whose terms are counted at a time


class Batch(NamedTuple):
    """The rows of one batch.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    widths : dict of str to int
        What each sequence is cut to, by name. A sequence without one is read in full.
    terms : int
        How many terms the loss of these rows has.
    """

    rows: Array
    widths: dict[str, int]
    terms: int


class Sampler(ABC):
    """Deals rows to batches.

    Attributes
    ----------
    arrays : dict of str to ndarray
        What the rows are rows of.
    batches : int
        Batches an epoch.
    rows : int
        Rows an epoch.
    """

    arrays: Arrays
    batches: int
    rows: int

    @abstractmethod
    def epoch(self, rng: np.random.Generator) -> list[Batch]:
        """The batches of an epoch, in their order."""


class Bucketed(Sampler):
    """Every row once an epoch, in random order, with rows that are read in the same width.

    Parameters
    ----------
    network : Network
    arrays : dict of str to ndarray
    batch_size : int
        Rows in a batch; the last one of each bucket takes what is left.
    widths : dict of str to ndarray of int, optional
        In which width each row of a sequence can be read, shape (N,). Rows are put together by the first of these; of
        the others a batch has the widest that its bucket needs.
    """

    def __init__(
        self, network: Network, arrays: Arrays, batch_size: int, widths: Mapping[str, Array] | None = None
    ) -> None:
        self.arrays = arrays
        self.rows = _rows(arrays)
        self._terms = _terms(network, arrays)
        self._bucket, self._widths = _buckets(widths or {}, self.rows)
        ends = np.cumsum(np.bincount(self._bucket)).tolist()
        self._places = [
            (start, min(start + batch_size, end), widths)
            for begin, end, widths in zip([0, *ends], ends, self._widths)
            for start in range(begin, end, batch_size)
        ]
        self.batches = len(self._places)

    def epoch(self, rng: np.random.Generator) -> list[Batch]:
        """Batches of different widths follow each other in random order."""
        order = rng.permutation(self.rows)
        places = self._places
        if len(self._widths) > 1:
            order = order[np.argsort(self._bucket[order], kind="stable")]
            places = [places[i] for i in rng.permutation(self.batches)]
        terms = np.append(0, self._terms[order].cumsum())
        return [Batch(order[start:stop], widths, int(terms[stop] - terms[start])) for start, stop, widths in places]


class Contiguous(Sampler):
    """A stream in its order: each row of a batch continues where that row of the batch before ended.

    The rows are read as `batch_size` streams at once, one part of them each. What is left, fewer rows than there are
    streams, is not read.

    Parameters
    ----------
    network : Network
    arrays : dict of str to ndarray
    batch_size : int
        Rows in a batch.
    """

    def __init__(self, network: Network, arrays: Arrays, batch_size: int) -> None:
        n = _rows(arrays)
        require(batch_size <= n, "batch_size", batch_size, f"at most {n}, all windows that the text has to train on")
        self.arrays = arrays
        self.batches = n // batch_size
        self.rows = self.batches * batch_size
        self._first = np.arange(batch_size) * self.batches
        self._terms = _terms(network, arrays)

    def epoch(self, rng: np.random.Generator) -> list[Batch]:
        """The stream once, which leaves nothing to chance."""
        batches = []
        for step in range(self.batches):
            rows = self._first + step
            batches.append(Batch(rows, {}, int(self._terms[rows].sum())))
        return batches


class Mixed(Sampler):
    """Batches with rows of several sources, in given shares. An epoch is the first source once, in random order.

    The other sources are gone through in random order as often as it takes. So a few labelled rows can be in every
    batch beside many others: the mix iterator of lesson 7 of fast.ai's course of 2017.

    Parameters
    ----------
    network : Network
    sources : sequence of dict of str to ndarray
        With the same names, dtypes and row shapes.
    shares : sequence of float
        The fraction of each batch that each source has; they sum to 1.
    batch_size : int

    Attributes
    ----------
    counts : list of int
        Rows of each source in a batch: the shares, rounded.
    """

    def __init__(self, network: Network, sources: Sequence[Arrays], shares: Sequence[float], batch_size: int) -> None:
        good = len(shares) == len(sources) > 0 and min(shares) > 0 and abs(sum(shares) - 1) < 1e-6
        require(good, "shares", list(shares), f"{len(sources)} fractions above 0 that sum to 1, one for each source")
        edges = [round(batch_size * edge) for edge in np.cumsum([0, *shares])]
        self.counts = np.diff(edges).tolist()
        require(min(self.counts) > 0, "batch_size", batch_size, "large enough to hold a row of each source")
        self.arrays = {name: np.concatenate([source[name] for source in sources]) for name in sources[0]}
        self._ends = np.cumsum([_rows(source) for source in sources]).tolist()
        self._terms = _terms(network, self.arrays)
        self.batches = -(-self._ends[0] // self.counts[0])
        last = self._ends[0] - (self.batches - 1) * self.counts[0]
        self.rows = self.batches * sum(self.counts) - self.counts[0] + last

    def epoch(self, rng: np.random.Generator) -> list[Batch]:
        """Batches of as many rows of each source; the last one has those of the first source that are left."""
        begins = [0, *self._ends]
        streams = []
        for begin, end, count in zip(begins, self._ends, self.counts):
            passes = 1 if begin == 0 else -(-self.batches * count // (end - begin))
            streams.append(np.concatenate([begin + rng.permutation(end - begin) for _ in range(passes)]))
        batches = []
        for step in range(self.batches):
            parts = [stream[step * n : (step + 1) * n] for stream, n in zip(streams, self.counts)]
            rows = np.concatenate(parts)
            batches.append(Batch(rows, {}, int(self._terms[rows].sum())))
        return batches


def _rows(arrays: Arrays) -> int:
    return len(next(iter(arrays.values())))


def _terms(network: Network, arrays: Arrays) -> Array:
    """How many terms each row adds to the loss, shape (N,)."""
    counts = np.empty(_rows(arrays), np.int64)
    for block in blocks(len(counts), BLOCK):
        counts[block] = network.terms({name: array[block] for name, array in arrays.items()})
    return counts


def _buckets(widths: Mapping[str, Array], n: int) -> tuple[Array, list[dict[str, int]]]:
    """The bucket of each row (N,), and the widths of each bucket."""
    if not widths:
        return np.zeros(n, np.uint8), [{}]
    names = list(widths)
    distinct, bucket = np.unique(widths[names[0]], return_inverse=True)
    bucket = bucket.reshape(-1).astype(np.min_scalar_type(len(distinct)))
    of_each = [distinct]
    for name in names[1:]:
        widest = np.zeros(len(distinct), np.int64)
        np.maximum.at(widest, bucket, widths[name])
        of_each.append(widest)
    return bucket, [dict(zip(names, map(int, each))) for each in zip(*of_each)]
