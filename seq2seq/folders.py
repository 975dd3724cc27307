"""Folders that runs are made in: one process at a time, and nothing is left of a run that was never begun.

A new folder is made under its own name, which of several processes only one can do. An empty one that is there already,
perhaps a mount point or a link to one, is taken as it is. The process that has it keeps it locked. Until the run is
begun, which its `config.json` says, a file named `.unfinished` says that whatever else is there may be cleared: by the
process itself when it fails or, if it was killed, by the next that comes by.

On a file system without locks nothing keeps two processes apart, and what a killed one left stays.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Callable

from seq2seq.errors import RunError
from seq2seq.files import clear_temporaries, is_temporary, lock, read, shown
from seq2seq.places import Place

CONFIG = "config.json"
UNFINISHED = ".unfinished"
MADE, TAKEN = b"made\n", b"taken\n"  # what is in it: whether the folder was made for the run, or was there before
EARLIER = re.compile(r"\..+\.[0-9a-f]{32}", re.DOTALL)  # how earlier versions named a folder until it was a run
TRIES = 20
PAUSE = 0.02  # seconds between them: whoever clears a folder has it locked for a moment


class Hold:
    """A folder that this process has to itself, as long as it is in the `with` block of this.

    If no run has been begun at its end, the folder is as it was before.

    Attributes
    ----------
    path : Path
    locked : bool
        Whether other processes are kept out: not on a file system without locks.
    """

    def __init__(self, path: Path, names: Collection[str], handle: int, locked: bool, made: list[Path]) -> None:
        self._place = Place(path)
        self.locked = locked
        self._names = names
        self._handle = handle
        self._made = [Place(folder) for folder in made]

    @property
    def path(self) -> Path:
        return self._place.path

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *raised: object) -> None:
        if _is_unfinished(self.path):
            with suppress(OSError):
                _clear(self.path, self._names)
            _remove_empty([place.path for place in self._made])
        os.close(self._handle)


def make(paths: Iterable[Path], names: Collection[str]) -> Hold:
    """The first of these folders that is not there yet, made. `names` are those that the files of a run may have.

    Raises
    ------
    RunError
        If it cannot be made.
    """
    for path in paths:
        with suppress(FileExistsError):
            return _patiently(_made, path, names)
    raise AssertionError("there are always more names")


def take(path: Path, names: Collection[str]) -> Hold:
    """This folder, which is not there yet, or is empty, or holds a run to go on with.

    Raises
    ------
    RunError
        If it holds anything else, cannot be made or written into, or another process has it.
    """
    return _patiently(_made_or_found, path, names)


def begun(folder: Path) -> None:
    """Say that the run in this folder is begun: that nothing there may be cleared any more."""
    with suppress(FileNotFoundError):
        os.unlink(folder / UNFINISHED)


def _patiently(attempt: Callable[[Path, Collection[str]], Hold], path: Path, names: Collection[str]) -> Hold:
    """What an attempt gives, tried again while another process clears the folder or makes it."""
    _clear_siblings(path.parent, names)
    tries = 0
    while True:
        tries += 1
        try:
            return attempt(path, names)
        except FileExistsError:
            raise
        except (BlockingIOError, FileNotFoundError) as error:
            if tries < TRIES:
                time.sleep(PAUSE)
                continue
            if isinstance(error, BlockingIOError):
                doing = "training into" if os.path.lexists(path / CONFIG) else "making"
                raise RunError(f"{shown(path)}: another process is {doing} this run") from None
            raise RunError(f"{shown(path)}: cannot be made a run folder: {error.strerror}") from None
        except OSError as error:
            raise RunError(f"{shown(path)}: cannot be made a run folder: {error.strerror}") from None


def _made(path: Path, names: Collection[str]) -> Hold:
    return _hold(path, names, _make(path))


def _made_or_found(path: Path, names: Collection[str]) -> Hold:
    try:
        made = _make(path)
    except FileExistsError:
        made = []
    return _hold(path, names, made)


def _make(path: Path) -> list[Path]:
    """Make a folder, and those above it that are not there. Returns them, the deepest first. Raises `OSError`."""
    above: list[Path] = []
    try:
        os.mkdir(path)
    except FileNotFoundError:
        with suppress(FileExistsError):
            above = _make(path.parent)
        try:
            os.mkdir(path)
        except OSError:
            _remove_empty(above)
            raise
    return [path, *above]


def _remove_empty(folders: list[Path]) -> None:
    """Remove these folders, the deepest first, as far as nothing is in them."""
    with suppress(OSError):
        for folder in folders:
            os.rmdir(folder)


def _hold(path: Path, names: Collection[str], made: list[Path]) -> Hold:
    """Lock a folder, and see to it that a run can be begun or gone on with there. Raises `OSError` and `RunError`."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        locked = lock(handle)
        if not os.path.samestat(os.fstat(handle), os.stat(path)):
            raise FileNotFoundError(errno.ENOENT, "another process has removed it")
        if not os.path.lexists(path / CONFIG):
            if locked and _is_unfinished(path):
                made = [path] if _is_made(path) else []
                _clear(path, names)
            _require_empty(path)
            _mark(path, MADE if made else TAKEN)
        elif not os.access(path, os.W_OK | os.X_OK):
            raise RunError(f"{shown(path)}: cannot be written into")
        else:
            begun(path)
            clear_temporaries(path, names)
    except BaseException:
        _remove_empty(made)
        os.close(handle)
        raise
    return Hold(path, names, handle, locked, made)


def _require_empty(path: Path) -> None:
    names = sorted(os.listdir(path))
    if names:
        raise RunError(
            f"{shown(path)}: is no run (there is no {CONFIG}), but holds {shown(names[0])}; choose another folder"
        )


def _mark(path: Path, content: bytes) -> None:
    handle = os.open(path / UNFINISHED, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)


# Clearing ---------------------------------------------------------------------------------------------------------


def _is_unfinished(path: Path) -> bool:
    """Whether this is the folder of a run that was never begun."""
    return os.path.lexists(path / UNFINISHED) and not os.path.lexists(path / CONFIG)


def _is_made(path: Path) -> bool:
    """Whether such a folder was made for the run."""
    try:
        return read(path / UNFINISHED, len(MADE)) == MADE
    except (OSError, ValueError):
        return False


def _clear(path: Path, names: Collection[str]) -> None:
    """Remove a run's files from a folder, if it holds nothing else. Raises `OSError`."""
    found = os.listdir(path)
    for name in found:
        ours = name in names or name == UNFINISHED or is_temporary(name, names)
        if not (ours and stat.S_ISREG(os.lstat(path / name).st_mode)):
            return
    for name in sorted(found, key=UNFINISHED.__eq__):  # what says that they may be removed is the last
        os.unlink(path / name)


def _clear_siblings(parent: Path, names: Collection[str]) -> None:
    """Remove the folders that killed processes made within this one, and had not yet begun a run in."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                path = Path(entry.path)
                if EARLIER.fullmatch(entry.name) or (_is_unfinished(path) and _is_made(path)):
                    with suppress(OSError):
                        _remove_if_abandoned(path, names)


def _remove_if_abandoned(path: Path, names: Collection[str]) -> None:
    """Remove a folder that no process has locked, if nothing is there but files of a run. Raises `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if lock(handle) and (_is_unfinished(path) or (EARLIER.fullmatch(path.name) and os.listdir(path))):
            _clear(path, names)
            os.rmdir(path)
    finally:
        os.close(handle)
