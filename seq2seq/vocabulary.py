"""Strings to arrays of small integers, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

import numpy as np

from seq2seq.arrays import blocks, character_codes
from seq2seq.errors import SourceError, UsageError

PAD = " "
BLOCK = 2**14  # strings that are encoded at a time, so that they stay in the processor's cache
Strings = Union[Sequence[str], np.ndarray]


class Vocabulary:
    """The characters a model knows. A character's id is its place among them.

    Parameters
    ----------
    characters : str
        Each once, the space (which pads) among them.
    """

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters) or PAD not in characters:
            raise UsageError(f"characters: got {characters!r}, but each must come once and the space be among them")
        self.characters = characters
        self._known = frozenset(characters)
        codes = np.array([ord(character) for character in characters])
        self.dtype = np.uint8 if len(characters) <= 256 else np.int32
        self._characters_by_id = np.array(list(characters))
        self._id_by_code = np.full(codes.max() + 2, -1, np.int32)  # the last place stands for every later code
        self._id_by_code[codes] = np.arange(len(characters))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, strings: Strings, length: int) -> np.ndarray:
        """Ids of the strings' characters, right-justified.

        Parameters
        ----------
        strings : sequence or ndarray of str, shape (N,)
            An array whose strings are `length` wide is taken as it is; others are padded on the left.
        length : int
            The width to pad to.

        Returns
        -------
        ndarray of uint8 (int32 for more than 256 characters), shape (N, length)

        Raises
        ------
        SourceError
            If a string is too long or has a character that is not in the vocabulary.
        """
        wide: Any = strings
        if not isinstance(strings, np.ndarray) or strings.dtype != f"U{length}":
            if max(map(len, strings), default=0) > length:
                for string in strings:
                    self.check(string, length)
            wide = np.array([string.rjust(length, PAD) for string in strings], dtype=f"U{length}")
        codes = character_codes(wide)
        encoded = np.empty(codes.shape, self.dtype)
        for block in blocks(len(codes), BLOCK):
            ids = self._id_by_code.take(codes[block], mode="clip")
            if ids.min() < 0:
                row = block.start + int(np.flatnonzero((ids < 0).any(axis=1))[0])
                self.check(str(strings[row]) if wide is not strings else str(wide[row]).ljust(length, "\0"), length)
            encoded[block] = ids
        return encoded

    def check(self, string: str, length: int) -> None:
        """Raise `SourceError` if a string is longer than `length`, or has a character that is not here."""
        if not self._known.issuperset(string):
            unknown = next(character for character in string if character not in self._known)
            raise SourceError(f"{_short(string)}: {unknown!r} is not among the characters {self.characters!r}")
        if len(string) > length:
            raise SourceError(f"{_short(string)} has {len(string)} characters, but this run reads {length}")

    def decode(self, ids: np.ndarray) -> np.ndarray:
        """The strings (N,), as wide as the array, that the ids (N, length) stand for."""
        characters = np.ascontiguousarray(self._characters_by_id[ids])
        return characters.view(f"U{ids.shape[1]}").reshape(len(ids))


def _short(string: str) -> str:
    return repr(string if len(string) <= 40 else string[:37] + "...")


@dataclass(frozen=True)
class Codec:
    """How one run writes its sources and targets as arrays.

    Parameters
    ----------
    characters : str
        The vocabulary.
    source_length, target_length : int
        Widths S and T in characters.
    reverse_target : bool
        Whether targets are learned last character first. A sum is worked out from the least digit up, each carry
        going to the next, so `23` learned as `32` asks for nothing that is not yet known. Strings going in and
        coming out are always the right way round.
    """

    characters: str
    source_length: int
    target_length: int
    reverse_target: bool

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.characters)

    def encode_sources(self, sources: Strings) -> np.ndarray:
        """Strings (N,) to ids (N, S)."""
        return self.vocabulary.encode(sources, self.source_length)

    def encode_targets(self, targets: Strings) -> np.ndarray:
        """Strings (N,) to ids (N, T), in the order in which they are learned."""
        return self._turn(self.vocabulary.encode(targets, self.target_length))

    def decode_sources(self, ids: np.ndarray) -> list[str]:
        """Ids (N, S) to strings without padding."""
        return [source.lstrip(PAD) for source in self.vocabulary.decode(ids).tolist()]

    def decode_targets(self, ids: np.ndarray) -> list[str]:
        """Ids (N, T), in the order in which they are learned, to strings without padding."""
        return [target.lstrip(PAD) for target in self.vocabulary.decode(self._turn(ids)).tolist()]

    def _turn(self, ids: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(ids[:, ::-1]) if self.reverse_target else ids
