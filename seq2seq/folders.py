"""Holds a run folder for one process at a time, and removes folders of runs that were never started.

A new folder is made under its final name, so only one of several processes can make it. An existing empty folder, such
as a mount point or a link to a folder, is used as it is. The process keeps the folder locked. A run is started once the
folder has a `config.json`. Until then a file named `.unfinished` marks that the other files may be removed: by the
process itself if it fails or, if it was killed, by the next process that uses a folder beside it.

On a file system without locks, two processes can use the same folder, and files of killed processes are not removed.
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
from seq2seq.files import clear_temporaries, is_locked, is_temporary, lock, read, shown
from seq2seq.places import Place

CONFIG = "config.json"
EXPORT = "export.json"  # of an export: see `exporting/`
UNFINISHED = ".unfinished"
MADE = b"made\n"  # content of `.unfinished` if the folder was made for the run, ...
TAKEN = b"taken\n"  # ... or existed before
EARLIER = re.compile(r"\..+\.[0-9a-f]{32}", re.DOTALL)  # the folder's name in earlier versions until it was a run
TRIES = 20
PAUSE = 0.02  # seconds between tries; a process that removes a folder's files has it locked for a moment


class HeldError(RunError):
    """Another process holds the folder."""


class Hold:
    """A folder that this process holds for the duration of a `with` block.

    If no run was started by the end of the block, the folder is restored to what it was before.

    Parameters
    ----------
    path : Path
    names : collection of str
        Names that the files of a run may have.
    handle : int
        File descriptor of the folder; it holds the lock.
    locked : bool
    made : list of Path
        Folders that were made for the run, the deepest first.

    Attributes
    ----------
    path : Path
    locked : bool
        Whether other processes are excluded; False on a file system without locks.
    """

    def __init__(self, path: Path, names: Collection[str], handle: int, locked: bool, made: list[Path]) -> None:
        self._place = Place(path)
        self.locked = locked
        self._names = names
        self._handle = handle
        self._made = [Place(folder) for folder in made]

    @property
    def path(self) -> Path:
        """The folder, also after the process has changed its working directory."""
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
    """Make and hold the first of these folders that does not exist yet.

    Parameters
    ----------
    paths : iterable of Path
    names : collection of str
        Names that the files of a run may have.

    Returns
    -------
    Hold

    Raises
    ------
    RunError
        If the folder cannot be made.
    """
    for path in paths:
        with suppress(FileExistsError):
            return _patiently(_made, path, names)
    raise AssertionError("there are always more names")


def take(path: Path, names: Collection[str]) -> Hold:
    """Hold a folder that does not exist yet, or is empty, or holds a run to continue.

    Parameters
    ----------
    path : Path
    names : collection of str
        Names that the files of a run may have.

    Returns
    -------
    Hold

    Raises
    ------
    RunError
        If the folder holds other files, cannot be made or written into, or another process holds it.
    """
    return _patiently(_made_or_found, path, names)


def begun(folder: Path) -> None:
    """Mark the run in this folder as started, so that its files are no longer removed."""
    with suppress(FileNotFoundError):
        os.unlink(folder / UNFINISHED)


def is_held(path: Path) -> bool:
    """Whether a process holds the folder. False where that is not known."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        return is_locked(handle)
    finally:
        os.close(handle)


def _patiently(attempt: Callable[[Path, Collection[str]], Hold], path: Path, names: Collection[str]) -> Hold:
    """Repeat an attempt while another process removes or makes the folder, and return its result."""
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
                raise HeldError(f"{shown(path)}: another process is {doing} this run") from None
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
    """Make a folder and its missing parents. Returns the folders made, the deepest first. Raises `OSError`."""
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
    """Remove these folders, the deepest first, while they are empty."""
    with suppress(OSError):
        for folder in folders:
            os.rmdir(folder)


def _hold(path: Path, names: Collection[str], made: list[Path]) -> Hold:
    """Lock a folder, and prepare it for a run to be started or continued. Raises `OSError` and `RunError`."""
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
            f"{shown(path)}: is not a run (there is no {CONFIG}), but holds {shown(names[0])}; choose another folder"
        )


def _mark(path: Path, content: bytes) -> None:
    handle = os.open(path / UNFINISHED, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)


# Clearing ---------------------------------------------------------------------------------------------------------


def _is_unfinished(path: Path) -> bool:
    """Whether this is the folder of a run that was never started."""
    return os.path.lexists(path / UNFINISHED) and not os.path.lexists(path / CONFIG)


def _is_made(path: Path) -> bool:
    """Whether a folder with `.unfinished` was made for the run."""
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
    for name in sorted(found, key=UNFINISHED.__eq__):  # `.unfinished`, which marks the others as removable, is last
        os.unlink(path / name)


def _clear_siblings(parent: Path, names: Collection[str]) -> None:
    """Remove the folders in `parent` that killed processes made for runs that they had not started."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                path = Path(entry.path)
                if EARLIER.fullmatch(entry.name) or (_is_unfinished(path) and _is_made(path)):
                    with suppress(OSError):
                        _remove_if_abandoned(path, names)


def _remove_if_abandoned(path: Path, names: Collection[str]) -> None:
    """Remove a folder that no process has locked, if it has only files of a run. Raises `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if lock(handle) and (_is_unfinished(path) or (EARLIER.fullmatch(path.name) and os.listdir(path))):
            _clear(path, names)
            os.rmdir(path)
    finally:
        os.close(handle)
