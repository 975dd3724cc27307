"""The file of a packed run: a zip archive whose members are files of a run folder, in the form that `archive` writes.

Any program can unpack it. The members are stored and not compressed. Weights would hardly be smaller, the bytes do not
depend on a version of zlib, and no member can be larger than the archive. The members are in the order of their names,
without a gap, all with the same date, so that the same files always make the same archive.

An archive may come from a stranger. It is read in place, and nothing is unpacked to disk. Every header is made again
from the name, the size and the checksum that it states, and compared: whatever else a zip archive can have, such as
links, encryption or comments, is refused. Python's `zipfile` would read it all, and a directory of any size.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from seq2seq import files
from seq2seq.errors import RunError, short
from seq2seq.files import shown

MOST_MEMBERS = 64
MOST_BYTES = 2**32 - 2**16  # of all members; a zip archive has 32 bits for places
NAMES = re.compile(
    r"(config|evaluation)\.json|metrics\.csv|README\.md|best\.safetensors|known\.u64"
    r"|([a-z0-9_-]{1,40}\.){1,4}gz"  # the data that a run keeps
    r"|onnx/((config|export)\.json|[a-z]{1,20}\.onnx)",
    re.ASCII,
)
LOCAL = struct.Struct("<4s5H3L2H")  # before each member
ENTRY = struct.Struct("<4s4B4HL2L5H2L")  # of a member in the directory, which is after all of them
END = struct.Struct("<4s4H2LH")  # after the directory
VERSION = 20  # of the zip format, 2.0
UNIX = 3
MOST_DIRECTORY = MOST_MEMBERS * (ENTRY.size + 200)  # no name is longer
RIGHTS = (stat.S_IFREG | 0o644) << 16
DATE = 1 << 5 | 1  # 1 January 1980, the first that there is
ENCRYPTED = 1


class Member(NamedTuple):
    """A member of an archive.

    Attributes
    ----------
    name : str
    size, crc : int
        Number of bytes, and their checksum.
    place : int
        Where its header begins.
    """

    name: str
    size: int
    crc: int
    place: int

    @property
    def header(self) -> bytes:
        """What is before the content."""
        name = self.name.encode()
        sizes = self.crc, self.size, self.size, len(name), 0
        return LOCAL.pack(b"PK\3\4", VERSION, 0, 0, 0, DATE, *sizes) + name

    @property
    def entry(self) -> bytes:
        """What the directory has."""
        name = self.name.encode()
        sizes = self.crc, self.size, self.size, len(name), 0, 0
        return ENTRY.pack(b"PK\1\2", VERSION, UNIX, VERSION, 0, 0, 0, 0, DATE, *sizes, 0, 0, RIGHTS, self.place) + name

    @property
    def begin(self) -> int:
        """Where its content begins."""
        return self.place + len(self.header)

    @property
    def end(self) -> int:
        """Where its content ends."""
        return self.begin + self.size


def archive(contents: Mapping[str, bytes]) -> bytes:
    """Make an archive.

    Parameters
    ----------
    contents : dict of str to bytes
        The content of each member, by a name that `NAMES` allows.

    Raises
    ------
    ValueError
        If a name is not allowed, or there are too many members or bytes.
    """
    parts: list[bytes] = []
    entries: list[bytes] = []
    place = 0
    for name, content in sorted(contents.items()):
        if NAMES.fullmatch(name) is None:
            raise ValueError(f"{short(name)} is no name that a file of a packed run can have")
        if place + len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        member = Member(name, len(content), zlib.crc32(content), place)
        parts += [member.header, content]
        entries.append(member.entry)
        place = member.end
    if len(entries) > MOST_MEMBERS:
        raise ValueError(f"it has {len(entries)} files, more than {MOST_MEMBERS}")
    directory = b"".join(entries)
    return b"".join([*parts, directory, _end(len(entries), len(directory), place)])


def read(path: Path, most: int) -> bytes:
    """Read an ordinary file, or a member of an archive: `a.zip/config.json`.

    Parameters
    ----------
    path : Path
    most : int
        Maximum size in bytes.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not an ordinary file, has more than `most` bytes, or has not the checksum that the archive says.
    RunError
        If the archive is not one that `archive` makes.
    """
    around = _archive_around(path)
    if around is None:
        return files.read(path, most)
    with _opened(around) as file:
        member = _members(around, file).get(path.relative_to(around).as_posix())
        if member is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if member.size > most:
            raise ValueError(f"is damaged: it has more than {most} bytes")
        content = _at(file, member.begin, member.size)
    if zlib.crc32(content) != member.crc:
        raise ValueError("is damaged: it does not have the checksum that the archive says")
    return content


def exists(path: Path) -> bool:
    """Whether there is a file, or a member of an archive."""
    around = _archive_around(path)
    if around is None:
        return os.path.lexists(path)
    try:
        with _opened(around) as file:
            return path.relative_to(around).as_posix() in _members(around, file)
    except RunError:  # which `read` raises too
        return False


def _archive_around(path: Path) -> Path | None:
    """The file within which a path is, or None."""
    return next((parent for parent in path.parents if parent.is_file()), None)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """An open archive. Raises `RunError` if it cannot be read."""
    try:
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RunError(f"{shown(path)}: cannot be read: {error.strerror}") from None


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _members(path: Path, file: BinaryIO) -> dict[str, Member]:
    """The members of an archive by name. Raises `RunError` if it is not one that `archive` makes."""
    try:
        return _checked(file)
    except ValueError as error:
        raise RunError(f"{shown(path)}: {error}") from None


def _checked(file: BinaryIO) -> dict[str, Member]:
    size = file.seek(0, os.SEEK_END)
    end = _at(file, max(0, size - END.size), END.size)
    if len(end) < END.size or not end.startswith(b"PK\5\6"):
        if _at(file, 0, 4) == b"PK\3\4":
            raise ValueError("is cut off, or is an archive that seq2seq pack did not make")
        raise ValueError("is neither a run folder nor a packed run")
    *_, count, length, start, _ = END.unpack(end)
    if count > MOST_MEMBERS:
        raise ValueError(f"has {count} files, but a packed run has at most {MOST_MEMBERS}")
    if end != _end(count, length, start) or start + length + END.size != size or length > MOST_DIRECTORY:
        raise _damaged("its end does not fit the rest")
    directory = _at(file, start, length)
    members: dict[str, Member] = {}
    place = 0
    for _ in range(count):
        member = _member(directory)
        if member.name in members:
            raise ValueError(f"has the file {short(member.name)} twice")
        if member.place != place or member.end > start or _at(file, place, len(member.header)) != member.header:
            raise _damaged(f"{member.name} is not where its directory says")
        members[member.name] = member
        directory = directory[len(member.entry) :]
        place = member.end
    if directory or place != start:
        raise _damaged("it has more than its directory says")
    return members


def _member(directory: bytes) -> Member:
    """The first member of a directory. Raises `ValueError` if a packed run cannot have it."""
    if len(directory) < ENTRY.size or not directory.startswith(b"PK\1\2"):
        raise _damaged("its directory is cut off")
    _, _, _, _, _, flags, method, _, _, crc, stored, size, length, *_, rights, place = ENTRY.unpack_from(directory)
    name = directory[ENTRY.size : ENTRY.size + length].decode("utf-8", "replace")
    if NAMES.fullmatch(name) is None:
        raise ValueError(f"has the file {short(name)}, which no packed run has")
    if stat.S_ISLNK(rights >> 16):
        raise ValueError(f"has the link {name}, but a packed run has ordinary files alone")
    if flags & ENCRYPTED:
        raise ValueError(f"has the file {name} encrypted")
    if method or stored != size:
        raise ValueError(f"has the file {name} compressed, which seq2seq pack does not do")
    member = Member(name, size, crc, place)
    if not directory.startswith(member.entry):
        raise _damaged(f"its directory says of {name} what seq2seq pack does not write")
    return member


def _end(count: int, length: int, start: int) -> bytes:
    """What is after a directory of this many members and bytes, which starts at this place."""
    return END.pack(b"PK\5\6", 0, 0, count, count, length, start, 0)


def _damaged(why: str) -> ValueError:
    return ValueError(f"is damaged, or not made by seq2seq pack: {why}")
