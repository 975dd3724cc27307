"""Samplers divide the rows of named arrays into batches.

A batch has rows of similar width (`Bucketed`), the next rows of several streams (`Contiguous`), rows from several
sources in given fractions (`Mixed`), or rows from several blocks of very many (`InBlocks`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Callable, NamedTuple, overload

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.engine.buckets import BLOCK, in_buckets, wider
from seq2seq.engine.network import Arrays, Network
from seq2seq.errors import require
from seq2seq.typing import Array

TOGETHER = 2**8  # batches that are made together, and blocks whose rows are shuffled together
ROWS = 2**10  # rows of a block


class Batch(NamedTuple):
    """The rows of one batch.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    widths : dict of str to int
        The width to which each sequence is cut, by name. Sequences that are not named are read in full.
    terms : int
        Number of loss terms of these rows.
    """

    rows: Array
    widths: dict[str, int]
    terms: int


class Plan(Sequence[Batch]):
    """The batches of an epoch, made when they are read, so that an epoch of any length takes no memory.

    Parameters
    ----------
    make : callable
        From the numbers of some consecutive batches to these batches.
    numbers : range
        The numbers of the batches.
    """

    def __init__(self, make: Callable[[range], list[Batch]], numbers: range) -> None:
        self._make = make
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Batch: ...
    @overload
    def __getitem__(self, place: slice) -> Plan: ...
    def __getitem__(self, place: int | slice) -> Batch | Plan:
        if isinstance(place, slice):
            return Plan(self._make, self._numbers[place])
        number = self._numbers[place]
        return self._make(range(number, number + 1))[0]

    def __iter__(self) -> Iterator[Batch]:
        for block in blocks(len(self), TOGETHER):
            yield from self._make(self._numbers[block])


class Sampler(ABC):
    """Divides the rows of an epoch into batches.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays that are sampled, N rows each.
    batches : int
        Number of batches per epoch.
    rows : int
        Number of rows per epoch.
    """

    arrays: Arrays
    batches: int
    rows: int

    @abstractmethod
    def epoch(self, rng: np.random.Generator) -> Sequence[Batch]:
        """The batches of an epoch, in order.

        Parameters
        ----------
        rng : numpy.random.Generator
            Its draws determine the order of the rows.

        Returns
        -------
        sequence of Batch
        """


class Bucketed(Sampler):
    """Rows in random order, each at most once per epoch, in batches of rows with similar widths.

    Parameters
    ----------
    network : Network
    arrays : dict of str to ndarray
    batch_size : int
        Rows per batch; the last batch of each bucket has the remaining rows.
    widths : dict of str to ndarray of int, optional
        The widths of two sequences in each row, shape (N,) each. All rows of a batch have the same width of the first.
        Where there are enough of these, they are divided by the second, too, which is cut to the largest in its bucket.
    rows : int, optional
        Rows per epoch, drawn anew for every epoch, the same share of each bucket; by default all.

    Attributes
    ----------
    bucket : ndarray of int, shape (N,)
        The bucket of each row.
    widths : list of dict of str to int
        The widths of each bucket, narrow ones first.
    """

    def __init__(
        self,
        network: Network,
        arrays: Arrays,
        batch_size: int,
        widths: Mapping[str, Array] | None = None,
        rows: int | None = None,
    ) -> None:
        self.arrays = arrays
        n = _rows(arrays)
        self.rows = n if rows is None else min(rows, n)
        self._terms = _terms(network, arrays)
        self.bucket, self.widths = in_buckets(widths or {}, n, batch_size * n / self.rows)
        begins = np.append(0, np.bincount(self.bucket).cumsum())
        counts = np.diff(np.round(begins * (self.rows / n)).astype(int))
        self._places = [
            (start, min(start + batch_size, begin + count), widths)
            for begin, count, widths in zip(begins.tolist(), counts.tolist(), self.widths)
            for start in range(begin, begin + count, batch_size)
        ]
        self.batches = len(self._places)

    def epoch(self, rng: np.random.Generator) -> list[Batch]:
        """The batches of an epoch, those of different widths in random order."""
        order = rng.permutation(_rows(self.arrays))
        places = self._places
        if len(self.widths) > 1:
            order = order[np.argsort(self.bucket[order], kind="stable")]
            places = [places[i] for i in rng.permutation(self.batches)]
        terms = np.append(0, self._terms[order].cumsum())
        return [Batch(order[start:stop], widths, int(terms[stop] - terms[start])) for start, stop, widths in places]


class Contiguous(Sampler):
    """Rows in order: each row of a batch continues where the same row of the batch before ended.

    The arrays are divided into `batch_size` contiguous streams, which are read in parallel. The remaining rows, fewer
    than `batch_size`, are not read.

    Parameters
    ----------
    network : Network
    arrays : dict of str to ndarray
    batch_size : int
        Rows per batch.

    Raises
    ------
    UsageError
        If there are fewer rows than `batch_size`.
    """

    def __init__(self, network: Network, arrays: Arrays, batch_size: int) -> None:
        n = _rows(arrays)
        require(batch_size <= n, "batch_size", batch_size, f"at most {n}, all rows that there are to train on")
        self.arrays = arrays
        self.batches = n // batch_size
        self.rows = self.batches * batch_size
        self._first = np.arange(batch_size) * self.batches
        self._network = network

    def epoch(self, rng: np.random.Generator) -> Plan:
        """The batches of an epoch, always the same."""
        return Plan(self._batches, range(self.batches))

    def _batches(self, steps: range) -> list[Batch]:
        rows = self._first + np.array(steps)[:, None]  # (steps, n)
        return _batches_of(self._network, self.arrays, [*rows])


class InBlocks(Sampler):
    """Every row once per epoch, for more rows than can be shuffled in memory.

    Blocks of consecutive rows are in random order, and the rows of several blocks that follow each other in this order
    are in random order, too. So rows are read from all places, and in long runs. With several widths, these rows are
    divided into batches of rows with similar widths, in random order.

    Parameters
    ----------
    network : Network
    arrays : dict of str to ndarray
    batch_size : int
        Rows per batch; the last batch has the remaining rows.
    widths : dict of str to ndarray of int, optional
        As for `Bucketed`. By default all rows are read in full width.
    block : int
        Rows of a block.
    group : int
        Blocks whose rows are shuffled together.
    rows : int, optional
        Rows per epoch, the first in an order that is drawn anew for every epoch; by default all.
    """

    def __init__(
        self,
        network: Network,
        arrays: Arrays,
        batch_size: int,
        widths: Mapping[str, Array] | None = None,
        block: int = ROWS,
        group: int = TOGETHER,
        rows: int | None = None,
    ) -> None:
        self.arrays = arrays
        n = _rows(arrays)
        self.rows = n if rows is None else min(rows, n)
        self._all = n
        self.batches = -(-self.rows // batch_size)
        self._network = network
        self._batch_size = batch_size
        self._block = block
        self._together = block * group
        self._bucket, self._widths = in_buckets(widths or {}, n, batch_size)
        if len(self._widths) > 1:
            self._together = max(1, self._together // batch_size) * batch_size

    def epoch(self, rng: np.random.Generator) -> Plan:
        """The batches of an epoch. The rows beyond the last whole block come last."""
        whole = self._all // self._block
        order = np.append(rng.permutation(whole), whole)
        key = int(rng.integers(2**63))
        size = self._together

        def shuffled(group: int) -> Array:
            places = np.arange(group * size, min((group + 1) * size, self._all))
            rows = order[places // self._block] * self._block + places % self._block
            rng = np.random.default_rng((key, group))
            return self._by_width(rng.permutation(rows), rng)

        def batches(numbers: range) -> list[Batch]:
            begin = numbers[0] * self._batch_size
            end = min((numbers[-1] + 1) * self._batch_size, self.rows)
            first = begin // size
            rows = np.concatenate([shuffled(group) for group in range(first, (end - 1) // size + 1)])
            rows = rows[begin - first * size : end - first * size]
            parts = [rows[part] for part in blocks(len(rows), self._batch_size)]
            return _batches_of(self._network, self.arrays, parts, self._widths_of)

        return Plan(batches, range(self.batches))

    def _by_width(self, rows: Array, rng: np.random.Generator) -> Array:
        """Rows in random order, in whole batches of similar width; the remaining rows are the last."""
        if len(self._widths) == 1:
            return rows
        rows = rows[np.argsort(self._bucket[rows], kind="stable")]
        whole = len(rows) - len(rows) % self._batch_size
        return np.append(rng.permutation(rows[:whole].reshape(-1, self._batch_size)), rows[whole:])

    def _widths_of(self, rows: Array) -> dict[str, int]:
        """The widths of a batch, which can have rows from several buckets."""
        return reduce(wider, [self._widths[bucket] for bucket in {*self._bucket[rows].tolist()}])


class Mixed(Sampler):
    """Batches with rows from several sources, in given fractions. An epoch is one pass over the first source.

    All sources are read in random order, the others repeatedly if needed. So every batch can contain a few labelled
    rows beside many unlabelled ones: the mix iterator of lesson 7 of fast.ai's course of 2017.

    Parameters
    ----------
    network : Network
    sources : sequence of dict of str to ndarray
        With the same names, dtypes and row shapes.
    shares : sequence of float
        Fraction of each batch that comes from each source; they sum to 1.
    batch_size : int
        Rows per batch.

    Attributes
    ----------
    counts : list of int
        Rows from each source per batch: the fractions of `batch_size`, rounded.

    Raises
    ------
    UsageError
        If the fractions do not sum to 1, or a batch has no room for a row from each source.
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
        """Batches with `counts` rows from each source; the last one has the remaining rows of the first source."""
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


def _batches_of(
    network: Network,
    arrays: Arrays,
    parts: Sequence[Array],
    widths_of: Callable[[Array], dict[str, int]] = lambda rows: {},
) -> list[Batch]:
    """Batches of these rows; by default in full width."""
    rows = np.concatenate(parts)
    terms = np.append(0, network.terms({name: array[rows] for name, array in arrays.items()}).cumsum())
    batches = []
    begin = 0
    for part in parts:
        end = begin + len(part)
        batches.append(Batch(part, widths_of(part), int(terms[end] - terms[begin])))
        begin = end
    return batches


def _terms(network: Network, arrays: Arrays) -> Array:
    """The number of loss terms of each row, shape (N,)."""
    counts = np.empty(_rows(arrays), np.int64)
    for block in blocks(len(counts), BLOCK):
        counts[block] = network.terms({name: array[block] for name, array in arrays.items()})
    return counts
