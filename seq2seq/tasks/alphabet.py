"""Strings of symbols as people write them, and with one character per symbol, as models read them.

A symbol is a character, unless a task defines a separator: with a space as the separator, `HH AH0 L OW1` is four
symbols. A symbol of several characters is represented by one character of Unicode's private use area. Another character
of that area, `SPACE`, represents a space, since the space itself is the padding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seq2seq.errors import SourceError, UsageError, short
from seq2seq.lazy import cached_property
from seq2seq.showing import form_hint

PAD, SPACE = " ", "\ue000"
MOST = 0xF8FF - ord(SPACE)  # symbols that fit into the private use area
RESERVED = re.compile("[\0\ud800-\udfff\ue000-\uf8ff]")  # not allowed in a string: those, and what is not Unicode


def split(string: str, separator: str) -> Sequence[str]:
    """The symbols of a string as people write it."""
    return [symbol for symbol in string.split(separator) if symbol] if separator else string


@dataclass(frozen=True)
class Alphabet:
    """The mapping between symbols and characters.

    Parameters
    ----------
    symbols : tuple of str
        The symbols of several characters, in the order of the characters that represent them.
    source_separator, target_separator : str
        The string between two symbols of a source, and of a target: empty if every character is a symbol.
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
        """The characters that represent these symbols, sorted, and the padding."""
        return "".join(sorted({self._stand_ins.get(symbol, symbol) for symbol in symbols})) + PAD

    def symbol(self, character: str) -> str:
        """The symbol that a character represents."""
        return self._shown.get(character, character)

    def read_source(self, source: str) -> str:
        """A source with one character per symbol. Raises `SourceError` if it has an unknown symbol."""
        return self._read(source, self.source_separator)

    def read_target(self, target: str) -> str:
        """The same for a target."""
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
