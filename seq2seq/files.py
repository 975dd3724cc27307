"""Safe reading and writing of files in a folder that another person may have made.

Only ordinary files are read: no link is followed, no FIFO is waited for, and the size is limited before reading. A file
is written completely or not at all: under a random name, at which nobody can have put a link, then flushed to disk and
renamed.
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
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from seq2seq.errors import RunError

NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EINVAL}
_READING = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))  # Windows has the last alone
LONGEST_NUMBER = 40  # digits and signs of a number in JSON or CSV


def shown(path: Any) -> str:
    """A path for messages, on one line: characters that are not printable are escaped."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in str(path))


def read(path: Path, most: int) -> bytes:
    """Read an ordinary file.

    Parameters
    ----------
    path : Path
    most : int
        Maximum size in bytes.

    Returns
    -------
    bytes

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not an ordinary file but, for example, a link or a folder, or has more than `most` bytes.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _READING)
    except OSError:
        if os.path.islink(path):
            raise ValueError("is a link, not an ordinary file") from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is not an ordinary file")
        with open(handle, "rb", closefd=False) as file:
            content = b"" if status.st_size > most else file.read(status.st_size + 1)  # memory is allocated at once
    finally:
        os.close(handle)
    if max(status.st_size, len(content)) > most:
        raise ValueError(f"is damaged: it has more than {most} bytes")
    return content


def unpack(packed: bytes, most: int) -> bytes:
    """Decompress the content of a gzip file.

    Parameters
    ----------
    packed : bytes
    most : int
        Maximum size of the decompressed content in bytes.

    Raises
    ------
    ValueError
        If it is not a complete gzip file, or has more than `most` bytes.
    """
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacker.decompress(packed, most + 1)
    except zlib.error as error:
        raise ValueError(error) from None
    if len(content) > most:
        raise ValueError(f"holds more than {most} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("is not a complete gzip file")
    return content


def once(problem: Callable[[str], Exception]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """A hook for `json.loads` that raises the error `problem(name)` for an object with a name twice."""

    def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = [name for name, _ in pairs]
            raise problem(next(name for name in names if names.count(name) > 1))
        return values

    return hook


def parse_json(text: str | bytes) -> Any:
    """Parse a JSON text strictly.

    Parameters
    ----------
    text : str or bytes

    Raises
    ------
    ValueError
        If it is not JSON, or has something that this library never writes: NaN, a number too large for a float, a
        name twice in an object, or very deep nesting.
    """

    def number(text: str) -> int | float:
        if len(text) > LONGEST_NUMBER:
            raise ValueError("a number is too long")
        value = float(text) if set(text) & set(".eE") else int(text)
        if not math.isfinite(value):
            refuse(text)
        return value

    def refuse(text: str) -> None:
        raise ValueError(f"{text} is not a number")

    try:
        return json.loads(
            text,
            parse_int=number,
            parse_float=number,
            parse_constant=refuse,
            object_pairs_hook=once(lambda name: ValueError("a name comes twice")),
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def lock(handle: int, wait: bool = False) -> bool:
    """Lock an open file or folder for this process until it is closed.

    Parameters
    ----------
    handle : int
        File descriptor.
    wait : bool
        Whether to wait while another process holds the lock.

    Returns
    -------
    bool
        False on a file system without locks, such as some network file systems.

    Raises
    ------
    BlockingIOError
        If another process holds the lock and `wait` is False.
    """
    import fcntl  # not available on Windows

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True


def is_locked(handle: int) -> bool:
    """Whether a process has locked an open file or folder with `lock`. Two processes that ask do not see each other."""
    try:
        import fcntl  # not available on Windows
    except ImportError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# Writing ----------------------------------------------------------------------------------------------------------


def write(path: Path, content: bytes) -> None:
    """Write or replace a file atomically: at every moment it has the old or the new content. Raises `OSError`."""
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


def write_named(path: Path, content: bytes) -> None:
    """As `write`, for a file that the user has named.

    Raises
    ------
    RunError
        If it cannot be written, or if something else than a file has this name, such as a folder or a device.
    """
    if os.path.lexists(path) and not os.path.isfile(path):
        raise RunError(f"{shown(path)}: cannot be written: it is not an ordinary file")
    try:
        write(path, content)
    except OSError as error:
        raise RunError(f"{shown(path)}: cannot be written: {error.strerror}") from None


def _temporary(path: Path) -> tuple[int, Path]:
    """Create a temporary file in the same folder, locked while it is open so that `clear_temporaries` skips it."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        lock(handle, wait=True)
        if os.fstat(handle).st_nlink:  # 0 if it was removed before it was locked
            return handle, temporary
        os.close(handle)


def clear_temporaries(folder: Path, names: Collection[str]) -> None:
    """Remove the temporary files that killed processes left in a folder while writing files of these names."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if is_temporary(name, names):
                with suppress(OSError):
                    _remove_if_abandoned(folder / name)


def is_temporary(name: str, names: Collection[str]) -> bool:
    """Whether a file name is a temporary name for one of these names, now or in earlier versions."""
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
        os.unlink(path)  # a link or a FIFO, which this library never makes; a folder is kept
