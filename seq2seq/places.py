"""Paths given by the user, and the cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]


class Place:
    """A path that stays valid after the process has changed its working directory.

    Parameters
    ----------
    given : path
    """

    def __init__(self, given: PathLike) -> None:
        self._given = Path(given)
        self._full = _in_full(self._given)

    @property
    def path(self) -> Path:
        """The path as given if it still leads to the same place, else the absolute path."""
        return self._given if _in_full(self._given) == self._full else self._full


def cache_folder() -> Path:
    """The folder for files that can be made again, in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "seq2seq"


def _in_full(path: Path) -> Path:
    try:
        return path.absolute()
    except FileNotFoundError:  # the working directory has been removed
        return path
