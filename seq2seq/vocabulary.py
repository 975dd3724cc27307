"""Encodes strings as arrays of small integers, and decodes them."""

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

NARROW = 8  # smallest width for sources, approximately
MOST_WIDTHS = 6  # maximum number of widths
BLOCK = 2**14  # strings that are encoded at a time, so that they stay in the processor's cache
# The position of a target's padding, in the order in which the target is learned: after it, before it, or under the
# padding of its source. After or before it, one character of padding ends an answer and is learned. Under a source, all
# positions of the source's characters are learned.
AFTER = "after"
BEFORE = "before"
UNDER = "under"
UNDER_REVERSED = "under, reversed"
Strings = Union[Sequence[str], Array]


class Vocabulary:
    """The characters that a model knows. The id of a character is its index.

    Parameters
    ----------
    characters : str
        All different; one of them must be the space, which is used for padding.

    Attributes
    ----------
    pad : int
        The id of padding.
    dtype : type
        The dtype of encoded strings.

    Raises
    ------
    UsageError
        If a character is repeated, or there is no space.
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
        self._id_by_code = np.full(codes.max() + 2, -1, np.int32)  # the last entry is for all larger codes
        self._id_by_code[codes] = np.arange(len(characters))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, strings: Strings, length: int) -> Array:
        """Encode strings as ids, right-justified.

        Parameters
        ----------
        strings : sequence or ndarray of str, shape (N,)
            An array of strings with a width of `length` is used as it is; other strings are padded on the left.
        length : int
            The width of the result.

        Returns
        -------
        ndarray of uint8 (int32 for more than 256 characters), shape (N, length)

        Raises
        ------
        SourceError
            If a string is too long or has a character outside the vocabulary.
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

    def encode_text(self, text: str) -> Array:
        """Encode a text in which every character is a symbol, and a space as well.

        Parameters
        ----------
        text : str
            Characters outside the vocabulary become any ids.

        Returns
        -------
        ndarray of uint8 (int32 for more than 256 characters), shape (len(text),)
        """
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        return self._id_of_text.take(codes, mode="clip")

    @cached_property
    def _id_of_text(self) -> Array:
        ids = self._id_by_code.astype(self.dtype)
        ids[ord(PAD)] = self._id_by_code[min(ord(SPACE), len(ids) - 1)]
        return ids

    def check(self, string: str, length: int) -> None:
        """Raise `SourceError` if a string is longer than `length`, or has a character outside the vocabulary."""
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
        """Decode ids.

        Parameters
        ----------
        ids : ndarray of int, shape (N, length)

        Returns
        -------
        ndarray of str, shape (N,)
            All strings have the width `length`.
        """
        characters = np.ascontiguousarray(self._characters_by_id[ids])
        return characters.view(f"U{ids.shape[1]}").reshape(len(ids))


def learned(sources: Array, targets: Array, pad: int, padding: str) -> Array:
    """The mask of learned characters: the characters of each target, and the padding that ends it.

    Other padding is not in the loss, and the output of a model there is not part of its answer.

    Parameters
    ----------
    sources, targets : ndarray of int, shapes (N, S) and (N, T)
    pad : int
        The id of padding.
    padding : str
        `AFTER`, `BEFORE`, `UNDER` or `UNDER_REVERSED`.

    Returns
    -------
    ndarray of bool, shape (N, T)
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
    """Encodes the sources and targets of a run as arrays, and decodes them.

    Parameters
    ----------
    characters : str
        The vocabulary.
    source_length, target_length : int
        Widths of the sources and of the targets (T), in characters.
    reverse_target : bool
        Whether targets are learned last character first. A sum is calculated from the least significant digit, and each
        carry goes to the next digit, so if `23` is learned as `32`, each digit depends only on digits before it.
        Strings in arguments and results are never reversed.
    pad_end : bool
        Whether a target's padding comes after it, to end it, in whichever direction it is learned. Otherwise strings
        are right-justified.
    in_place : bool
        Whether a target's characters stand under the characters of its source, with blanks where there are none.
    any_length : bool
        Whether sources may be longer than `source_length`; `fitting` returns a codec for them.
    narrow : int
        With `pad_end`, the width in which all but the longest sources are read; 0 to read them in several even steps.
    one_width : bool
        Whether all sources are read in one width, as in batches that mix sources of all widths.
    alphabet : Alphabet
        The symbols that the characters represent; decoded strings are shown with these.
    """

    characters: str
    source_length: int
    target_length: int
    reverse_target: bool
    pad_end: bool = False
    in_place: bool = False
    any_length: bool = False
    narrow: int = 0
    one_width: bool = False
    alphabet: Alphabet = field(default_factory=Alphabet)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary of `characters`."""
        return Vocabulary(self.characters)

    @property
    def source_ids(self) -> int:
        """Number of ids in a source (S)."""
        return self.source_length

    @property
    def padding(self) -> str:
        """The position of a target's padding: `AFTER`, `BEFORE`, `UNDER` or `UNDER_REVERSED`."""
        if self.pad_end:
            return AFTER
        if self.in_place:
            return UNDER_REVERSED if self.reverse_target else UNDER
        return AFTER if self.reverse_target else BEFORE

    def learned(self, sources: Array, targets: Array) -> Array:
        """The mask of learned characters, bool, shape (N, T), from ids, shapes (N, S) and (N, T)."""
        return learned(sources, targets, self.vocabulary.pad, self.padding)

    @property
    def widths(self) -> list[int]:
        """The widths in ids for sources; each source is read in the smallest that fits. Several only with `pad_end`."""
        several = self.pad_end and not self.one_width
        if several and self.narrow:
            return [self.narrow, self.source_ids]
        count = min(MOST_WIDTHS, self.source_ids // NARROW) if several else 1
        return [self.source_ids * i // count for i in range(1, count + 1)] if count else [self.source_ids]

    def source_widths(self, ids: Array) -> Array:
        """The width in which each source is read, shape (N,), from ids, shape (N, S)."""
        widths = np.array(self.widths)
        if len(widths) == 1:
            return np.repeat(widths, len(ids))
        padding = (ids != self.vocabulary.pad).argmax(axis=1)
        return widths[np.searchsorted(widths, ids.shape[1] - padding)]

    def target_widths(self, ids: Array) -> Array:
        """The number of learned characters in each target, shape (N,), including its end, from ids, shape (N, T)."""
        if not self.pad_end:
            return np.full(len(ids), self.target_length)
        padding = (ids[:, ::-1] != self.vocabulary.pad).argmax(axis=1)
        return np.minimum(ids.shape[1] - padding + 1, ids.shape[1])

    def fitting(self, source: str) -> Codec:
        """The codec in whose width a source is read: the smallest of `widths` or, with `any_length`, a larger one.

        It depends only on the source, so the other sources in a call never change an answer.

        Parameters
        ----------
        source : str

        Returns
        -------
        Codec
        """
        places = self._places(source)
        if self.pad_end and places <= self.source_length:
            return replace(self, source_length=next(width for width in self.widths if places <= width), narrow=0)
        room = self._room
        if places <= room or not self.any_length:
            return self
        step = max(1, 2 ** (places.bit_length() - 4))
        return self._widened(-(-places // step) * step - room)

    def with_longer(self, length: int) -> Codec:
        """The codec for sources up to this length and targets that are no longer than these; with `pad_end`, those that
        this codec has room for are read in its own width."""
        if length <= self.source_length:
            return self
        narrow = self.source_length if self.pad_end else 0
        return replace(self, source_length=length, target_length=length, narrow=narrow)

    @property
    def _room(self) -> int:
        return self.source_length

    def _places(self, source: str) -> int:
        return len(source)

    def _widened(self, places: int) -> Codec:
        return replace(self, source_length=self.source_length + places, target_length=self.target_length + places)

    def encode_sources(self, sources: Strings) -> Array:
        """Encode sources, N strings, as ids, shape (N, S). Raises `SourceError` if one cannot be read."""
        return self.vocabulary.encode(sources, self.source_length)

    def encode_targets(self, targets: Strings) -> Array:
        """Encode targets, N strings, as ids, shape (N, T), in the order in which they are learned."""
        ids = self.vocabulary.encode(targets, self.target_length)
        if self.reverse_target:
            ids = ids[:, ::-1]
        if self.pad_end:  # padding inside a target would look like its end
            ids = closed_up(ids[:, ::-1], self.vocabulary.pad)[:, ::-1]
        return np.ascontiguousarray(ids)

    def decode_sources(self, ids: Array) -> list[str]:
        """Decode ids, shape (N, S), to sources as people write them."""
        return [self.alphabet.show_source(source.lstrip(PAD)) for source in self.read_sources(ids).tolist()]

    def read_sources(self, ids: Array) -> Array:
        """Decode ids, shape (N, S), to right-justified strings, shape (N,)."""
        return self.vocabulary.decode(ids)

    def decode_targets(self, ids: Array) -> list[str]:
        """Decode ids, shape (N, T), in the order in which they are learned, to targets as people write them."""
        targets = self.vocabulary.decode(ids[:, ::-1] if self.reverse_target else ids).tolist()
        strip = str.rstrip if self.pad_end and not self.reverse_target else str.lstrip
        return [self.alphabet.show_target(strip(target, PAD)) for target in targets]


@dataclass(frozen=True)
class AlignedCodec(Codec):
    """Encodes sources with two numbers and an operator place by place, the least significant digits first.

    `123+45` becomes the digits `321`, the digits `54`, and `+` at every place, each padded to T places, so S is 3T. A
    factor of one digit stands at every place: `123*4` becomes `321`, `444...`, and `*` at every place.

    Parameters
    ----------
    characters, source_length, target_length, reverse_target, pad_end, in_place, any_length, alphabet
        As in `Codec`.
    operators : str
        The operators that can stand between the numbers.
    digit_operators : str
        Those after which the second number is one digit, which then stands at every place.
    """

    channels: ClassVar[int] = 3
    operators: str = "+"
    digit_operators: str = ""

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
        pad = self.vocabulary.pad
        width = self.source_length
        length = self.target_length
        is_operator = self._is_one_of(self.operators, ids)
        alone = is_operator.sum(axis=1) == 1
        if not alone.all():
            source = str(sources[int(np.argmin(alone))]).strip(PAD)
            raise SourceError(f"{short(source)}: this run reads two numbers with one of {self.operators} between")
        middle = is_operator.argmax(axis=1)[:, None]  # (N, 1)
        place = np.arange(length)
        first = middle - 1 - place
        second = np.broadcast_to(width - 1 - place, (len(ids), length))
        digits = []
        for column, there in ((first, first >= 0), (second, second > middle)):
            picked = np.take_along_axis(ids, np.maximum(column, 0), axis=1)
            digits.append(np.where(there, picked, pad))
        operator = np.take_along_axis(ids, middle, axis=1)
        spread = self._is_one_of(self.digit_operators, operator)
        digits[1] = np.where(spread, digits[1][:, :1], digits[1])
        return np.concatenate([*digits, np.broadcast_to(operator, (len(ids), length))], axis=1)

    def _is_one_of(self, operators: str, ids: Array) -> Array:
        """Which ids are those of these operators."""
        return np.isin(ids, [self.characters.index(operator) for operator in operators if operator in self.characters])

    def read_sources(self, ids: Array) -> Array:
        first, second, operator = np.split(ids, self.channels, axis=1)
        spread = self._is_one_of(self.digit_operators, operator[:, :1]) & (np.arange(second.shape[1]) > 0)
        second = np.where(spread, self.vocabulary.pad, second)
        rows = np.concatenate([first[:, ::-1], operator[:, :1], second[:, ::-1]], axis=1)
        return self.vocabulary.decode(closed_up(rows, self.vocabulary.pad))
