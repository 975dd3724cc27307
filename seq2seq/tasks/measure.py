"""Properties of the pairs of a task: symbols and lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from seq2seq.errors import is_whole, short
from seq2seq.lazy import cached_property
from seq2seq.tasks.alphabet import RESERVED, split

MOST_SYMBOLS = 2**20  # more in a run folder are an error
LONGEST = 2**20  # symbols in a string; more in a run folder are an error


class Measure(NamedTuple):
    """The sorted symbols of some pairs, and the lengths of the longest source and target in symbols."""

    symbols: tuple[str, ...]
    source_length: int
    target_length: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], separators: tuple[str, str]) -> Measure:
        """The measure of pairs whose sources and targets have these separators."""
        symbols: set[str] = set()
        longest = [0, 0]
        for pair in pairs:
            for side, separator in enumerate(separators):
                parts = split(pair[side], separator)
                symbols.update(parts)
                longest[side] = max(longest[side], len(parts))
        return cls(tuple(sorted(symbols)), *longest)

    def joined(self, others: Iterable[Measure]) -> Measure:
        """The measure of these pairs and of others together."""
        every = [self, *others]
        symbols = set().union(*(each.symbols for each in every))
        lengths = (max(getattr(each, name) for each in every) for name in self._fields[1:])
        return Measure(tuple(sorted(symbols)), *lengths)


@dataclass(frozen=True)
class Sources:
    """The sorted symbols of some sources, and the lengths of the shortest and the longest in symbols."""

    symbols: tuple[str, ...]
    shortest: int
    longest: int

    @classmethod
    def of(cls, sources: Iterable[Sequence[str]]) -> Sources:
        """The description of sources, each a sequence of symbols."""
        symbols: set[str] = set()
        lengths = set()
        for source in sources:
            symbols.update(source)
            lengths.add(len(source))
        return cls(tuple(sorted(symbols)), min(lengths), max(lengths))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.symbols)

    def unlike(self, source: Sequence[str], longer: bool) -> str | None:
        """Why a source, given as symbols, is unlike these; None if it is like them. See `Task.unlike_training`."""
        if new := next((symbol for symbol in source if symbol not in self._known), None):
            return f"has {short(new)}, which no source that was trained on has"
        return out_of_range(len(source), self.shortest, self.longest, "symbol", longer)


class Outline(NamedTuple):
    """The properties of a run's pairs that answering needs, so that it does not have to read the pairs.

    Attributes
    ----------
    measure : Measure or None
        None if the task defines it itself.
    sources : Sources or None
        The sources of the data set. None if the task defines `unlike_training` itself.
    example : str
        A source.
    """

    measure: Measure | None
    sources: Sources | None
    example: str

    def to_json(self) -> dict[str, Any]:
        measure, sources = self.measure, self.sources
        return {
            "measure": measure and {**measure._asdict(), "symbols": [*measure.symbols]},
            "sources": sources and {**asdict(sources), "symbols": [*sources.symbols]},
            "example": self.example,
        }

    @classmethod
    def from_json(cls, values: Any) -> Outline:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        measure, sources, example = (values[name] for name in cls._fields)
        if measure is not None:
            lengths = [measure[name] for name in ("source_length", "target_length")]
            _require_lengths(lengths)
            measure = Measure(_read_symbols(measure), *lengths)
        if sources is not None:
            lengths = [sources[name] for name in ("shortest", "longest")]
            _require_lengths(lengths)
            sources = Sources(_read_symbols(sources), *lengths)
        if not isinstance(example, str) or not example:
            raise ValueError("data_outline: its example is no source")
        return cls(measure, sources, example)


def _require_lengths(lengths: list[Any]) -> None:
    if not all(is_whole(length, 1) and length <= LONGEST for length in lengths):
        raise ValueError(f"data_outline: a length is no whole number from 1 to {LONGEST}")


def _read_symbols(values: Any) -> tuple[str, ...]:
    symbols = values["symbols"]
    good = isinstance(symbols, list) and 0 < len(symbols) <= MOST_SYMBOLS
    good = good and all(isinstance(symbol, str) and symbol and not RESERVED.search(symbol) for symbol in symbols)
    if not good or sorted({*symbols}) != symbols:
        raise ValueError("data_outline: its symbols are no list of strings, each once, in order")
    return tuple(symbols)


def out_of_range(count: int, least: int, most: int, what: str, longer: bool = False) -> str | None:
    """Why something with `count` parts is unlike training examples with `least` to `most`; None if it is like them.

    If `longer`, there is no upper limit.
    """
    if least <= count and (count <= most or longer):
        return None
    return f"has {count} {what}{'' if count == 1 else 's'}; trained on {spread(least, most)}"


def spread(least: int, most: int) -> str:
    """A range as people write it: `3`, or `2 to 4`."""
    return str(least) if least == most else f"{least} to {most}"
