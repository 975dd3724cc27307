"""Files of a folder that a stranger may have made: ordinary ones are read, and each is written whole or not at all.

No link is followed, nothing waits for a FIFO, and how much is read has a limit before it is read. A file is written
under a random name, which no one can have put a link at, flushed to disk, and renamed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import stat
import zlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EINVAL}
LONGEST_NUMBER = 40  # digits and signs of a number in JSON or CSV


def shown(path: Any) -> str:
    """A path as messages have it: in one line, whatever characters it has."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in str(path))


def read(path: Path, most: int) -> bytes:
    """The content of an ordinary file.

    Raises
    ------
    OSError
        If it is missing or cannot be read.
    ValueError
        If it is a link, a folder or anything else that is no ordinary file, or has more than `most` bytes.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        if os.path.islink(path):
            raise ValueError("is a link, and no ordinary file") from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is no ordinary file")
        with open(handle, "rb", closefd=False) as file:
            content = b"" if status.st_size > most else file.read(status.st_size + 1)  # so much is set aside at once
    finally:
        os.close(handle)
    if max(status.st_size, len(content)) > most:
        raise ValueError(f"is damaged: it has more than {most} bytes")
    return content


def unpack(packed: bytes, most: int) -> bytes:
    """The content of a gzip file. Raises `ValueError` if it is none, or has more than `most` bytes."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacker.decompress(packed, most + 1)
    except zlib.error as error:
        raise ValueError(error) from None
    if len(content) > most:
        raise ValueError(f"holds more than {most} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("is no whole gzip file")
    return content


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError` if it is none, or none that this library writes: with NaN, a number
    that no float holds, a name twice in an object, or nested too deep."""

    def number(text: str) -> int | float:
        if len(text) > LONGEST_NUMBER:
            raise ValueError("a number is too long")
        value = float(text) if set(text) & set(".eE") else int(text)
        if not math.isfinite(value):
            refuse(text)
        return value

    def refuse(text: str) -> None:
        raise ValueError(f"{text} is no number")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) != len(pairs):
            raise ValueError("a name comes twice")
        return values

    try:
        return json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse, object_pairs_hook=once)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def lock(handle: int, wait: bool = False) -> bool:
    """Lock an open file or folder for this process until it is closed. Raises `BlockingIOError` if another has it.

    Returns False on a file system that has no locks, as some networks' do not.
    """
    import fcntl  # which Windows has not

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True


# Writing ----------------------------------------------------------------------------------------------------------


def write(path: Path, content: bytes) -> None:
    """Replace a file, so that it has the old content or the new at every moment. Raises `OSError`."""
    handle, temporary = _temporary(path)
    try:
        with open(handle, "wb", closefd=False) as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(handle)


def _temporary(path: Path) -> tuple[int, Path]:
    """A new file beside this one, locked as long as it is open, so that `clear_temporaries` leaves it alone."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        lock(handle, wait=True)
        if os.fstat(handle).st_nlink:  # else it was cleared before it was locked
            return handle, temporary
        os.close(handle)


def clear_temporaries(folder: Path, names: Collection[str]) -> None:
    """Remove what processes that were killed while they wrote files of these names have left in a folder."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if is_temporary(name, names):
                with suppress(OSError):
                    _remove_if_abandoned(folder / name)


def is_temporary(name: str, names: Collection[str]) -> bool:
    """Whether a file is what one of these names was written under, now or by earlier versions."""
    match = re.fullmatch(r"\.(.+)\.[0-9a-f]{16}\.tmp|(.+)\.tmp", name)
    return match is not None and (match[1] or match[2]) in names


def _remove_if_abandoned(path: Path) -> None:
    """Remove a file that no process has locked. Raises `OSError`."""
    if stat.S_ISREG(os.lstat(path).st_mode):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if lock(handle):
                os.unlink(path)
        finally:
            os.close(handle)
    else:
        os.unlink(path)  # a link or a FIFO, which this library never made; a folder stays
