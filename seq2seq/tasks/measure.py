"""What the pairs of a task are like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from seq2seq.errors import short


class Measure(NamedTuple):
    """The symbols of some pairs, in order, and how many of them the longest source and target have."""

    symbols: tuple[str, ...]
    source_length: int
    target_length: int


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


def out_of_range(count: int, least: int, most: int, what: str, longer: bool = False) -> str | None:
    """Why something that has so many parts is unlike those that have from `least` to `most`, unless it is like them:
    where it may be `longer`, it is so from `least` on."""
    if least <= count and (count <= most or longer):
        return None
    return f"has {count} {what}{'' if count == 1 else 's'}; trained on {spread(least, most)}"


def spread(least: int, most: int) -> str:
    """A range as people write it: `3`, or `2 to 4`."""
    return str(least) if least == most else f"{least} to {most}"
