"""The open runs: the last few that were asked. Only the thread of the worker uses them."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import Any

from seq2seq.runs import WEIGHTS, Run

MOST_OPEN = 4


class Solvers:
    """Open runs, the least recently used of which are closed.

    Parameters
    ----------
    most : int
        Maximum number of runs that are open.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._open: OrderedDict[tuple[str, str], tuple[Any, Any]] = OrderedDict()

    def __call__(self, run: Run, weights: str = "best") -> Any:
        """The open run, with the weights of its file as it is now: a training replaces that file.

        Raises
        ------
        Seq2SeqError
            If the run cannot be opened.
        """
        from seq2seq.solver import Solver

        key = (str(run.path), weights)
        state = _state(run.path / WEIGHTS[weights])
        known, solver = self._open.pop(key, (None, None))
        if solver is None or known != state:
            solver = None  # its memory is free before the next one takes some
            solver = Solver(run.path, weights=weights)
        self._open[key] = state, solver
        while len(self._open) > self._most:
            self._open.popitem(last=False)
        return solver


def _state(path: os.PathLike[str]) -> tuple[int, ...] | None:
    """What changes when a file is replaced; None for an export, which has no file of weights."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
