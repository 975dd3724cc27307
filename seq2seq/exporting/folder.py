"""Writes a folder completely, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seq2seq.errors import RunError, UsageError, quoted, require
from seq2seq.files import shown
from seq2seq.places import PathLike


@contextmanager
def new_folder(option: str, folder: PathLike) -> Iterator[Path]:
    """A temporary folder, which becomes `folder` unless an error is raised.

    Parameters
    ----------
    option : str
        Name of the argument, for messages.
    folder : path
        It must not exist yet.

    Yields
    ------
    Path

    Raises
    ------
    UsageError
        If the folder exists.
    RunError
        If a file cannot be written.
    """
    require_new(option, folder)
    path = Path(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        try:
            made.chmod(0o755)
            yield made
            made.rename(path)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        require_new(option, folder)  # another process may have made it meanwhile
        raise RunError(f"{shown(path)}: cannot be written: {error.strerror}") from None


def require_new(option: str, folder: PathLike) -> None:
    """Raise `UsageError` unless a folder can be made at this path, where there is nothing yet."""
    good = isinstance(folder, (str, os.PathLike)) and "\0" not in str(folder)
    require(good, option, folder, "the path of a folder")
    got = f"{option}: got {quoted(str(folder), 200)}, but it must be"
    if os.path.lexists(folder) or not Path(folder).name:
        raise UsageError(f"{got} a folder that does not exist yet")
    above = next(each for each in Path(os.path.abspath(folder)).parents if os.path.lexists(each))
    if not above.is_dir():
        raise UsageError(f"{got} in a folder, and {shown(above)} is not one")
