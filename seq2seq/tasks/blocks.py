"""Reads text in blocks, so that it can be larger than the memory, and says how far a long reading is."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any

from seq2seq.errors import DataError, UsageError
from seq2seq.tasks.alphabet import RESERVED

BLOCK = 2**18  # bytes that are read at a time, so that they stay in the processor's cache
SECONDS = 3.0  # of reading before it is said how far it is, and between two such lines
DIGITS = 16  # of a digest
_note: ContextVar[Callable[[str], None]] = ContextVar("note", default=lambda line: None)


@contextmanager
def noting(note: Callable[[str], None]) -> Iterator[None]:
    """Within this context, `note` is called with a line of progress every few seconds of reading."""
    token = _note.set(note)
    try:
        yield
    finally:
        _note.reset(token)


class Reading:
    """Says how far a reading is.

    Parameters
    ----------
    what : str
        What is read, for the lines.
    total : int
        Its size, in any unit.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._started = time.monotonic()
        self._next = self._started + SECONDS

    def at(self, done: int) -> None:
        """So much of it is done."""
        now = time.monotonic()
        if now < self._next or not 0 < done <= self._total:
            return
        left = (now - self._started) / done * (self._total - done)
        _note.get()(f"{self._what}: {done / self._total:.0%}, about {left:.0f} s left")
        self._next = now + SECONDS


@contextmanager
def opened(path: str, what: str) -> Iterator[tuple[IO[bytes], Callable[[], None]]]:
    """A file to read, gzipped if its name ends in `.gz`, and a function that says how far the reading is.

    Parameters
    ----------
    path : str
    what : str
        What is read, for the lines.

    Raises
    ------
    UsageError
        If it is damaged.
    DataError
        If it cannot be read.
    """
    try:
        with open(path, "rb") as raw:
            reading = Reading(what, os.fstat(raw.fileno()).st_size)
            file: Any = gzip.GzipFile(fileobj=raw) if path.endswith(".gz") else raw
            yield file, lambda: reading.at(raw.tell() if raw.seekable() else 0)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: is damaged: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def digest_and_size(parts: Iterable[str]) -> tuple[str, int]:
    """A digest of a text in parts, and its size in bytes; how it is divided does not matter."""
    digest = hashlib.sha256()
    size = 0
    for part in parts:
        content = part.encode()
        digest.update(content)
        size += len(content)
    return digest.hexdigest()[:DIGITS], size


def digest_of(parts: Iterable[str]) -> str:
    """A digest of a text in parts."""
    return digest_and_size(parts)[0]


def read_blocks(path: str, shown: str, what: str) -> Iterator[str]:
    """A file of text in blocks of any length, with lines that end in `\\n` and without the end of the last line.

    Parameters
    ----------
    path : str
        UTF-8, perhaps with a byte order mark; gzipped if it ends in `.gz`.
    shown : str
        The path for messages.
    what : str
        What is done, for lines of progress.

    Yields
    ------
    str

    Raises
    ------
    UsageError
        If it is not text, or has a character that no string may have. It names the line.
    DataError
        If it cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    lines = 1
    held = ""
    with opened(path, f"{what} {shown}") as (file, look):
        while content := file.read(BLOCK):
            look()
            text = _decoded(decoder, content, path, lines)
            if "\0" in text:
                number = lines + text[: text.index("\0")].count("\n")
                raise UsageError(f"{path}:{number}: has a zero byte, so this is not a file of text")
            lines += content.count(b"\n")
            text = held + text
            text, held = _before_end(text)
            yield re.sub("\r+\n", "\n", text) if "\r" in text else text
        _decoded(decoder, b"", path, lines, final=True)


def _decoded(decoder: codecs.IncrementalDecoder, content: bytes, path: str, lines: int, final: bool = False) -> str:
    try:
        return decoder.decode(content, final)
    except UnicodeDecodeError as error:
        number = lines + error.object[: error.start].count(b"\n")
        raise UsageError(f"{path}:{number}: is not UTF-8") from None


def _before_end(text: str) -> tuple[str, str]:
    """A text without what may be the end of its last line, and that."""
    rest = text[:-1] if text.endswith("\n") else text
    rest = rest.rstrip("\r")
    return rest, text[len(rest) :]


def require_unreserved(text: str, place: str, line: int) -> None:
    """Raise a `UsageError` if a text has a character that no string may have.

    Parameters
    ----------
    text : str
    place : str
        What comes before the number of the line in the message.
    line : int
        The number of the text's first line.
    """
    if reserved := RESERVED.search(text):
        number = line + text[: reserved.start()].count("\n")
        raise UsageError(f"{place}{number}: has {reserved[0]!r}, a character that no string may have")
