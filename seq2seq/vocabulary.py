"""Strings to arrays of small integers, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Union

import numpy as np

from seq2seq.arrays import blocks, character_codes, closed_up
from seq2seq.errors import SourceError, UsageError, short
from seq2seq.lazy import cached_property
from seq2seq.showing import form_hint, named
from seq2seq.tasks.alphabet import PAD, RESERVED, SPACE, Alphabet
from seq2seq.typing import Array

NARROW, MOST_WIDTHS = 8, 6  # the narrowest width that sources are read in, about, and how many widths at most
BLOCK = 2**14  # strings that are encoded at a time, so that they stay in the processor's cache
# Where the padding of a target is, in the order in which it is learned: after it, before it, or wherever its source has
# padding. After or before, one character of padding ends an answer; under a source, all of its places are learned.
AFTER, BEFORE, UNDER, UNDER_REVERSED = "after", "before", "under", "under, reversed"
Strings = Union[Sequence[str], Array]


class Vocabulary:
    """The characters a model knows. A character's id is its place among them.

    Parameters
    ----------
    characters : str
        Each once, the space (which pads) among them.
    """

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters) or PAD not in characters:
            raise UsageError(
                f"characters: got {short(characters)}, but each must come once and the space be among them"
            )
        self.characters = characters
        self.pad = characters.index(PAD)
        self._known = frozenset(characters)
        codes = np.array([ord(character) for character in characters])
        self.dtype = np.uint8 if len(characters) <= 256 else np.int32
        self._characters_by_id = np.array(list(characters))
        self._id_by_code = np.full(codes.max() + 2, -1, np.int32)  # the last place stands for every later code
        self._id_by_code[codes] = np.arange(len(characters))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, strings: Strings, length: int) -> Array:
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
        shown = short(string.replace(SPACE, PAD))
        if not self._known.issuperset(string):
            unknown = next(character for character in string if character not in self._known)
            known = short(RESERVED.sub("", self.characters), 100)
            if unknown == SPACE:
                raise SourceError(f"{shown}: has a space, which no source that this run learned has")
            hint = form_hint(string, lambda form: self._known.issuperset(form.replace(PAD, SPACE)))
            raise SourceError(f"{shown}: {named(unknown)} is not among the characters {known}{hint}")
        if len(string) > length:
            raise SourceError(f"{shown} has {len(string)} characters, but this run reads {length}")

    def decode(self, ids: Array) -> Array:
        """The strings (N,), as wide as the array, that the ids (N, length) stand for."""
        characters = np.ascontiguousarray(self._characters_by_id[ids])
        return characters.view(f"U{ids.shape[1]}").reshape(len(ids))


def learned(sources: Array, targets: Array, pad: int, padding: str) -> Array:
    """Which places of targets are learned, bool, shape (N, T): their characters, and the padding that ends each.

    What lies beyond that is in no loss, and what a model writes there is no part of its answer.

    Parameters
    ----------
    sources, targets : ndarray of int, shapes (N, S) and (N, T)
    pad : int
        The id of padding.
    padding : str
        `AFTER`, `BEFORE`, `UNDER` or `UNDER_REVERSED`.
    """
    if padding in (UNDER, UNDER_REVERSED):
        places = sources[:, sources.shape[1] - targets.shape[1] :] != pad
        return places if padding == UNDER else places[:, ::-1]
    written = targets != pad
    places = np.ones(targets.shape, bool)
    if padding == AFTER:
        places[:, 1:] = np.logical_and.accumulate(written[:, :-1], axis=1)
    else:
        places[:, :-1] = np.logical_and.accumulate(written[:, :0:-1], axis=1)[:, ::-1]
    return places


@dataclass(frozen=True)
class Codec:
    """How one run writes its sources and targets as arrays.

    Parameters
    ----------
    characters : str
        The vocabulary.
    source_length, target_length : int
        Widths in characters of the sources and of the targets (T).
    reverse_target : bool
        Whether targets are learned last character first. A sum is worked out from the least digit up, each carry
        going to the next, so `23` learned as `32` asks for nothing that is not yet known. Strings going in and
        coming out are always the right way round.
    pad_end : bool
        Whether a target's padding comes after it, to end it, in whichever direction it is learned. Otherwise strings
        are right-justified.
    in_place : bool
        Whether a target's characters stand under those of its source, blanks among them.
    any_length : bool
        Whether sources may be longer than `source_length`: with the codec that `fitting` gives for them.
    alphabet : Alphabet
        Which symbols the characters stand for: strings that are decoded are shown with these.
    """

    characters: str
    source_length: int
    target_length: int
    reverse_target: bool
    pad_end: bool = False
    in_place: bool = False
    any_length: bool = False
    alphabet: Alphabet = field(default_factory=Alphabet)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.characters)

    @property
    def source_ids(self) -> int:
        """How many ids a source is (S)."""
        return self.source_length

    @property
    def padding(self) -> str:
        """Where the padding of a target is: `AFTER`, `BEFORE`, `UNDER` or `UNDER_REVERSED`."""
        if self.pad_end:
            return AFTER
        if self.in_place:
            return UNDER_REVERSED if self.reverse_target else UNDER
        return AFTER if self.reverse_target else BEFORE

    def learned(self, sources: Array, targets: Array) -> Array:
        """Which places of targets are learned, bool, shape (N, T), from ids (N, S) and (N, T)."""
        return learned(sources, targets, self.vocabulary.pad, self.padding)

    @property
    def widths(self) -> list[int]:
        """In how many ids sources are read, each in the least that holds it: one, unless targets have their own."""
        count = min(MOST_WIDTHS, self.source_ids // NARROW) if self.pad_end else 1
        return [self.source_ids * i // count for i in range(1, count + 1)] if count else [self.source_ids]

    def source_widths(self, ids: Array) -> Array:
        """The width in which each source is read, shape (N,), from ids (N, S)."""
        widths = np.array(self.widths)
        if len(widths) == 1:
            return np.repeat(widths, len(ids))
        padding = (ids != self.vocabulary.pad).argmax(axis=1)
        return widths[np.searchsorted(widths, ids.shape[1] - padding)]

    def target_widths(self, ids: Array) -> Array:
        """How many characters of each target are learned, shape (N,), from ids (N, T): padding that ends it is one."""
        if not self.pad_end:
            return np.full(len(ids), self.target_length)
        padding = (ids[:, ::-1] != self.vocabulary.pad).argmax(axis=1)
        return np.minimum(ids.shape[1] - padding + 1, ids.shape[1])

    def fitting(self, source: str) -> Codec:
        """The codec of this kind for a source: in the least of `widths`, or where any length may be, wider.

        It depends on the source alone: what else is asked never changes an answer.
        """
        places = self._places(source)
        if self.pad_end and places <= self.source_length:
            return replace(self, source_length=next(width for width in self.widths if places <= width))
        room = self._room
        if places <= room or not self.any_length:
            return self
        step = max(1, 2 ** (places.bit_length() - 4))
        return self._widened(-(-places // step) * step - room)

    @property
    def _room(self) -> int:
        return self.source_length

    def _places(self, source: str) -> int:
        return len(source)

    def _widened(self, places: int) -> Codec:
        return replace(self, source_length=self.source_length + places, target_length=self.target_length + places)

    def encode_sources(self, sources: Strings) -> Array:
        """Strings (N,) to ids (N, S)."""
        return self.vocabulary.encode(sources, self.source_length)

    def encode_targets(self, targets: Strings) -> Array:
        """Strings (N,) to ids (N, T), in the order in which they are learned."""
        ids = self.vocabulary.encode(targets, self.target_length)
        if self.reverse_target:
            ids = ids[:, ::-1]
        if self.pad_end:  # padding inside a target would look like its end
            ids = closed_up(ids[:, ::-1], self.vocabulary.pad)[:, ::-1]
        return np.ascontiguousarray(ids)

    def decode_sources(self, ids: Array) -> list[str]:
        """Ids (N, S) to sources as people write them."""
        return [self.alphabet.show_source(source.lstrip(PAD)) for source in self.read_sources(ids).tolist()]

    def read_sources(self, ids: Array) -> Array:
        """Ids (N, S) to right-justified strings (N,)."""
        return self.vocabulary.decode(ids)

    def decode_targets(self, ids: Array) -> list[str]:
        """Ids (N, T), in the order in which they are learned, to targets as people write them."""
        targets = self.vocabulary.decode(ids[:, ::-1] if self.reverse_target else ids).tolist()
        strip = str.rstrip if self.pad_end and not self.reverse_target else str.lstrip
        return [self.alphabet.show_target(strip(target, PAD)) for target in targets]


@dataclass(frozen=True)
class AlignedCodec(Codec):
    """Sources that are two numbers with an operator between, read place by place: the least digit of both first.

    `123+45` is the digits `321`, then `54`, and `+` at every place, each filled up with padding to T places: S is 3T.

    Parameters
    ----------
    operators : str
        What can stand between the numbers. The other parameters are those of `Codec`.
    """

    channels: ClassVar[int] = 3
    operators: str = "+"

    @property
    def source_ids(self) -> int:
        return self.channels * self.target_length

    @property
    def _room(self) -> int:
        return self.target_length

    def _places(self, source: str) -> int:
        longest = max(map(len, re.split(f"[{re.escape(self.operators)}]", source)))
        return longest + self.target_length - self.source_length // 2

    def _widened(self, places: int) -> Codec:
        return replace(self, source_length=self.source_length + 2 * places, target_length=self.target_length + places)

    def encode_sources(self, sources: Strings) -> Array:
        rows = np.empty((len(sources), self.source_ids), self.vocabulary.dtype)
        for block in blocks(len(sources), BLOCK):
            rows[block] = self._encode(sources[block])
        return rows

    def _encode(self, sources: Strings) -> Array:
        ids = self.vocabulary.encode(sources, self.source_length)
        pad, width, length = self.vocabulary.pad, self.source_length, self.target_length
        is_operator = np.isin(ids, [self.characters.index(operator) for operator in self.operators])
        alone = is_operator.sum(axis=1) == 1
        if not alone.all():
            source = str(sources[int(np.argmin(alone))]).strip(PAD)
            raise SourceError(f"{short(source)}: this run reads two numbers with one of {self.operators} between")
        middle = is_operator.argmax(axis=1)[:, None]  # (N, 1)
        place = np.arange(length)
        first, second = middle - 1 - place, np.broadcast_to(width - 1 - place, (len(ids), length))
        digits = []
        for column, there in ((first, first >= 0), (second, second > middle)):
            picked = np.take_along_axis(ids, np.maximum(column, 0), axis=1)
            digits.append(np.where(there, picked, pad))
        operator = np.broadcast_to(np.take_along_axis(ids, middle, axis=1), (len(ids), length))
        return np.concatenate([*digits, operator], axis=1)

    def read_sources(self, ids: Array) -> Array:
        first, second, operator = np.split(ids, self.channels, axis=1)
        rows = np.concatenate([first[:, ::-1], operator[:, :1], second[:, ::-1]], axis=1)
        return self.vocabulary.decode(closed_up(rows, self.vocabulary.pad))
