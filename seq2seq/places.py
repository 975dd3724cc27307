"""Paths that a user gives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]


class Place:
    """A path that leads to the same place after the process has gone to another folder.

    Parameters
    ----------
    given : path
    """

    def __init__(self, given: PathLike) -> None:
        self._given = Path(given)
        self._full = _in_full(self._given)

    @property
    def path(self) -> Path:
        """The path as it was given, where that still leads there, or in full."""
        return self._given if _in_full(self._given) == self._full else self._full


def _in_full(path: Path) -> Path:
    try:
        return path.absolute()
    except FileNotFoundError:  # the folder that the process is in has been removed
        return path
