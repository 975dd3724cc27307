"""What the pairs of a task are like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from seq2seq.errors import is_whole, short
from seq2seq.lazy import cached_property
from seq2seq.tasks.alphabet import RESERVED, split

MOST_SYMBOLS, LONGEST = 2**20, 2**20  # symbols, and how many of them a string has: more in a run folder are a mistake


class Measure(NamedTuple):
    """The symbols of some pairs, in order, and how many of them the longest source and target have."""

    symbols: tuple[str, ...]
    source_length: int
    target_length: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], separators: tuple[str, str]) -> Measure:
        """What pairs are like, whose sources and targets have these between two symbols."""
        symbols: set[str] = set()
        longest = [0, 0]
        for pair in pairs:
            for side, separator in enumerate(separators):
                parts = split(pair[side], separator)
                symbols.update(parts)
                longest[side] = max(longest[side], len(parts))
        return cls(tuple(sorted(symbols)), *longest)


@dataclass(frozen=True)
class Sources:
    """The symbols of some sources, in order, and how many of them the shortest and the longest has."""

    symbols: tuple[str, ...]
    shortest: int
    longest: int

    @classmethod
    def of(cls, sources: Iterable[Sequence[str]]) -> Sources:
        """What sources are like, from the symbols of each."""
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
        """Why a source of these symbols is not like them, unless it is: see `Task.unlike_training`."""
        if new := next((symbol for symbol in source if symbol not in self._known), None):
            return f"has {short(new)}, which no source that was trained on has"
        return out_of_range(len(source), self.shortest, self.longest, "symbol", longer)


class Outline(NamedTuple):
    """What answering needs to know of a run's pairs, so that it need not read them.

    Attributes
    ----------
    measure : Measure or None
        Where the task does not say it itself.
    sources : Sources or None
        What the sources of the data set are like, where the task does not say itself what is unlike them.
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
    """Why something that has so many parts is unlike those that have from `least` to `most`, unless it is like them:
    where it may be `longer`, it is so from `least` on."""
    if least <= count and (count <= most or longer):
        return None
    return f"has {count} {what}{'' if count == 1 else 's'}; trained on {spread(least, most)}"


def spread(least: int, most: int) -> str:
    """A range as people write it: `3`, or `2 to 4`."""
    return str(least) if least == most else f"{least} to {most}"
