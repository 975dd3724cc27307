"""The task of language modelling: predict the next character of a text."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from seq2seq.errors import UsageError, require
from seq2seq.lazy import cached_property
from seq2seq.places import Place
from seq2seq.tasks.base import Task
from seq2seq.tasks.blocks import BLOCK, DIGITS, read_blocks, require_unreserved
from seq2seq.tasks.kept import MOST_KEPT, Kept, KeptTask
from seq2seq.tasks.measure import Measure
from seq2seq.values import whole

MOST_LENGTH = 10_000  # characters read at a time
IN_MEMORY = 2**24  # characters of a file up to which the text is held; a longer one is read again when it is needed
LINES = 100  # the first lines, of which the longest is the example
EXAMPLE = 20  # characters of an example


class Scan(NamedTuple):
    """What one reading of a text finds.

    Attributes
    ----------
    characters, size : int
        Its length in characters, and in bytes of UTF-8.
    symbols : tuple of str
        Its characters, each once, in order.
    digest : str
        See `digest_of`.
    text : str, or None
        The text itself, if it is held.
    """

    characters: int
    size: int
    symbols: tuple[str, ...]
    digest: str
    text: str | None


@dataclass(frozen=True)
class Text(KeptTask):
    """What comes next in a text: `so tha` is a source, `o that` its target.

    A source is a window of the text, and its target is the same window shifted by one. The end of the text is held out:
    the last part is the test set, and the part before it the validation set. A run keeps the text itself, so that it
    can be moved to a machine without the file, unless it is too large to keep: see `unkept`. A long text is never whole
    in memory.

    Parameters
    ----------
    path : str
        The file: plain text in UTF-8, which may be gzipped.
    length : int, optional
        The number of characters that a model reads at a time, which is also how far training propagates gradients
        back. By default it depends on the model.
    given : str, optional
        The text itself, instead of a file.

    Raises
    ------
    UsageError
        When the text is first used, if it is missing or cannot be learned.
    """

    path: str = field(default="", metadata={"help": "the file to learn from"})
    length: int | None = field(
        default=None, metadata={"help": "characters read at a time (default: what the model is made for)", "parse": int}
    )
    given: str | None = field(default=None, repr=False, metadata={"option": False})
    _place: Place = field(init=False, repr=False, compare=False, metadata={"option": False})

    name = "text"
    keys = ("position",)
    kept_as = "text.txt.gz"
    application = "language"
    LENGTH = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        require(isinstance(self.path, str), "path", self.path, "the name of a file")
        if self.length is not None:
            whole("length", self.length, 1, MOST_LENGTH)
        require(self.given is None or isinstance(self.given, (str, Kept)), "given", self.given, "a string")
        object.__setattr__(self, "_place", Place(self.path))

    @cached_property
    def scan(self) -> Scan:
        """What one reading of the text finds.

        Raises
        ------
        UsageError, Seq2SeqError
            If the text is missing or cannot be learned.
        """
        place = "line " if self.given is not None else f"{self.path}:"
        again = self.given is not None or os.path.isfile(self._place.path)
        scan = _scanned(self._read("measuring"), place, IN_MEMORY if again else sys.maxsize)
        if not "".join(scan.symbols).strip():
            raise UsageError(f"{self.path or 'text'}: holds no text")
        if "_measure" in vars(self):  # recalled from a run
            self._require_recalled(self._measure_of(scan))
        return scan

    def _read(self, what: str) -> Iterator[str]:
        """The text in blocks, from where it is."""
        if self.given is not None:
            given = self.given.value if isinstance(self.given, Kept) else self.given
            return (given[start : start + BLOCK] for start in range(0, len(given), BLOCK))
        require(bool(self.path), "path", self.path, f"the file of the task {self.name}")
        return read_blocks(str(self._place.path), self.path, what)

    def blocks(self, what: str = "reading") -> Iterator[str]:
        """The text in blocks of any length.

        Parameters
        ----------
        what : str
            What is done, for the lines of progress while a long text is read.

        Raises
        ------
        UsageError
            If the file has changed since it was scanned.
        """
        scan = self.scan
        if scan.text is not None:
            yield scan.text
            return
        digest = hashlib.sha256()
        for block in self._read(what):
            digest.update(block.encode())
            yield block
        if digest.hexdigest()[:DIGITS] != scan.digest:
            raise UsageError(f"{self.path}: has changed while it was read")

    @cached_property
    def text(self) -> str:
        """The whole text, with lines that end in `\\n`. A long one takes less memory in `blocks`."""
        return "".join(self.blocks())

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        """A window of the text, and the same shifted by one."""
        while True:
            start = int(rng.integers(max(1, len(self.text) - self.source_length)))
            window = self.text[start : start + self.source_length + 1]
            if window[:-1].strip() and window[1:].strip():
                return window[:-1], window[1:]

    @cached_property
    def _measure(self) -> Measure:
        return self._measure_of(self.scan)

    def _measure_of(self, scan: Scan) -> Measure:
        own = Measure(scan.symbols, self.source_length, self.target_length)
        return own.joined(task._measure for task in self._also)

    @property
    def symbols(self) -> list[str]:
        return [*self._measure.symbols]

    @cached_property
    def example_source(self) -> str:
        """The beginning of a line of the text, or if all lines are short, as many characters as every model reads."""
        line = _longest_line(self.blocks())
        if len(line) >= self.LENGTH:
            return line
        head = ""
        for block in self.blocks():
            head += block[: self.LENGTH]
            if len(head) >= self.LENGTH:
                break
        return head[: self.LENGTH]

    @property
    def source_length(self) -> int:
        return self.length or self.LENGTH

    @property
    def target_length(self) -> int:
        return self.source_length

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        """Always None: a model of a text reads any sequence of its characters, of any length."""
        return None

    def keep(self) -> str | None:
        return None if self.unkept else self.text

    def keep_parts(self) -> Iterator[str] | None:
        return None if self.unkept else self.blocks("keeping")

    @property
    def kept_digest(self) -> str:
        return self.scan.digest

    @property
    def kept_size(self) -> int:
        return self.scan.size

    @property
    def unkept(self) -> bool:
        return self.kept_size > MOST_KEPT

    @classmethod
    def restored(cls, options: dict[str, Any], kept: str | None) -> Task:
        if kept is None:
            raise ValueError("the text it was trained on is not there; if it was too large to keep, give its task, too")
        return cls(**options, given=kept)


def _scanned(blocks: Iterator[str], place: str, most: int) -> Scan:
    """Read a text once.

    Parameters
    ----------
    blocks : iterator of str
    place : str
        What comes before the number of a line in messages.
    most : int
        Characters up to which the text is held.
    """
    seen = np.zeros(sys.maxunicode + 1, bool)
    digest = hashlib.sha256()
    held: list[str] | None = []
    characters = 0
    size = 0
    line = 1
    for block in blocks:
        seen[np.frombuffer(block.encode("utf-32-le", "surrogatepass"), np.uint32)] = True
        if seen[0] or seen[0xD800:0xF900].any():
            require_unreserved(block, place, line)
        line += block.count("\n")
        content = block.encode()
        digest.update(content)
        characters += len(block)
        size += len(content)
        if held is not None:
            held.append(block)
        if characters > most:
            held = None
    symbols = tuple(map(chr, np.flatnonzero(seen).tolist()))
    return Scan(characters, size, symbols, digest.hexdigest()[:DIGITS], None if held is None else "".join(held))


def _longest_line(blocks: Iterator[str]) -> str:
    """The beginning of the longest of the first lines."""
    begins = [""]
    lengths = [0]
    for block in blocks:
        for place, part in enumerate(block.split("\n")):
            if place and len(lengths) == LINES:
                return begins[lengths.index(max(lengths))]
            if place:
                begins.append("")
                lengths.append(0)
            begins[-1] = (begins[-1] + part[:EXAMPLE])[:EXAMPLE]
            lengths[-1] += len(part)
    return begins[lengths.index(max(lengths))]
