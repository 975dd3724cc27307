"""Strings of symbols, as people write them, and the same with one character a symbol, which is all that models know.

A symbol is a character, unless a task says what stands between two symbols: with a space between them, `HH AH0 L OW1`
is four. Where a symbol is not one character already, a character of Unicode's private use area stands for it; and one
of these, `SPACE`, stands for a space, which by itself is padding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seq2seq.errors import SourceError, UsageError, short
from seq2seq.lazy import cached_property
from seq2seq.showing import form_hint

PAD, SPACE = " ", "\ue000"
MOST = 0xF8FF - ord(SPACE)  # symbols that the private use area has room for
RESERVED = re.compile("[\0\ud800-\udfff\ue000-\uf8ff]")  # what no string may hold: these, and what is not Unicode


def split(string: str, separator: str) -> Sequence[str]:
    """The symbols of a string as people write it."""
    return [symbol for symbol in string.split(separator) if symbol] if separator else string


@dataclass(frozen=True)
class Alphabet:
    """Which character stands for which symbol.

    Parameters
    ----------
    symbols : tuple of str
        Those of several characters, in the order of their stand-ins.
    source_separator, target_separator : str
        What stands between two symbols of a source, and of a target: nothing where every character is one.
    """

    symbols: tuple[str, ...] = ()
    source_separator: str = ""
    target_separator: str = ""

    def __post_init__(self) -> None:
        if len(self.symbols) > MOST:
            raise UsageError(
                f"symbols: there are {len(self.symbols)} of several characters, but {MOST} can be told apart"
            )

    @cached_property
    def _stand_ins(self) -> dict[str, str]:
        return {symbol: chr(ord(SPACE) + place) for place, symbol in enumerate((PAD, *self.symbols))}

    @cached_property
    def _shown(self) -> dict[str, str]:
        return {stand_in: symbol for symbol, stand_in in self._stand_ins.items()}

    def characters(self, symbols: Iterable[str]) -> str:
        """What stands for these symbols, in order, and padding: all that strings of them are made of."""
        return "".join(sorted({self._stand_ins.get(symbol, symbol) for symbol in symbols})) + PAD

    def symbol(self, character: str) -> str:
        """What a character stands for."""
        return self._shown.get(character, character)

    def read_source(self, source: str) -> str:
        """A source with one character a symbol. Raises `SourceError` if it has a symbol that is not known."""
        return self._read(source, self.source_separator)

    def read_target(self, target: str) -> str:
        """As `read_source`, of a target."""
        return self._read(target, self.target_separator)

    def show_source(self, characters: str) -> str:
        """The inverse of `read_source`."""
        return self._show(characters, self.source_separator)

    def show_target(self, characters: str) -> str:
        """The inverse of `read_target`."""
        return self._show(characters, self.target_separator)

    def _read(self, string: str, separator: str) -> str:
        if reserved := RESERVED.search(string):
            raise SourceError(f"{short(string)}: {reserved[0]!r} is a character that no string may have")
        if not separator:
            return string.replace(PAD, SPACE)
        symbols = split(string, separator)
        for symbol in symbols:
            if len(symbol) > 1 and symbol not in self._stand_ins:
                known = short(" ".join(self.symbols))
                hint = form_hint(symbol, self._stand_ins.__contains__)
                raise SourceError(f"{short(string)}: {short(symbol)} is not among the symbols {known}{hint}")
        return "".join(self._stand_ins.get(symbol, symbol) for symbol in symbols)

    def _show(self, characters: str, separator: str) -> str:
        if not separator:
            return characters.replace(SPACE, PAD)
        return separator.join(self.symbol(character) for character in characters if character != PAD)
