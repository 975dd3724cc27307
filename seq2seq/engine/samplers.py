"""Which examples go through the network together: those near in length, so that little of a batch is padding; or of a
text that is read in its order, those that go on where the batch before ended."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.dataset import BLOCK, Examples
from seq2seq.errors import require
from seq2seq.vocabulary import Codec


class Rows(NamedTuple):
    """The examples of one batch, as row numbers (n,); the widths that hold all of their sources and targets; and how
    many characters of the targets are learned."""

    rows: np.ndarray
    source_length: int
    target_length: int
    characters: int


class Batching:
    """Deals examples to the batches of an epoch.

    Parameters
    ----------
    examples : Examples
    codec : Codec
        Knows in which width each source is read.
    batch_size : int
        Examples a batch; the last one of each width takes what is left.

    Attributes
    ----------
    count : int
        Batches an epoch.
    """

    def __init__(self, examples: Examples, codec: Codec, batch_size: int) -> None:
        source_lengths, bucket = np.unique(codec.source_widths(examples.sources), return_inverse=True)
        self._bucket = bucket.reshape(-1).astype(np.uint8)
        target_lengths = np.zeros(len(source_lengths), np.int64)
        np.maximum.at(target_lengths, self._bucket, codec.target_widths(examples.targets))
        self._lengths = list(zip(source_lengths.tolist(), target_lengths.tolist()))
        ends = np.cumsum(np.bincount(self._bucket)).tolist()
        self._batches = [
            (start, min(start + batch_size, end), *lengths)
            for begin, end, lengths in zip([0, *ends], ends, self._lengths)
            for start in range(begin, end, batch_size)
        ]
        self.count = len(self._batches)
        self._characters = _learned(examples, codec)

    def epoch(self, rng: np.random.Generator) -> list[Rows]:
        """Every example once, in random order: batches of different widths follow each other in no order."""
        order = rng.permutation(len(self._bucket))
        batches = self._batches
        if len(self._lengths) > 1:
            order = order[np.argsort(self._bucket[order], kind="stable")]
            batches = [batches[i] for i in rng.permutation(self.count)]
        characters = np.append(0, self._characters[order].cumsum())
        return [
            Rows(order[start:stop], source_length, target_length, int(characters[stop] - characters[start]))
            for start, stop, source_length, target_length in batches
        ]


def _learned(examples: Examples, codec: Codec) -> np.ndarray:
    """How many characters of each target are learned, shape (N,)."""
    counts = np.empty(len(examples), np.int64)
    for block in blocks(len(examples), BLOCK):
        counts[block] = codec.learned(examples.sources[block], examples.targets[block]).sum(axis=1)
    return counts


class Streams:
    """Deals the windows of a text to batches in its order: each row of a batch goes on where that row ended before.

    The text is read as `batch_size` streams at once, one part of it each. What is left, fewer windows than there are
    streams, is not read. Parameters and attributes are those of `Batching`.
    """

    def __init__(self, examples: Examples, codec: Codec, batch_size: int) -> None:
        n = len(examples)
        require(batch_size <= n, "batch_size", batch_size, f"at most {n}, all windows that the text has to train on")
        self.count = n // batch_size
        self._first = np.arange(batch_size) * self.count
        self._lengths = codec.source_length, codec.target_length, batch_size * codec.target_length

    def epoch(self, rng: np.random.Generator) -> list[Rows]:
        """The text once, which leaves nothing to chance."""
        return [Rows(self._first + step, *self._lengths) for step in range(self.count)]


def make_batching(examples: Examples, codec: Codec, batch_size: int, in_order: bool) -> Batching | Streams:
    """Batches in random order, or of a model that reads a text in its order, in that."""
    return (Streams if in_order else Batching)(examples, codec, batch_size)
