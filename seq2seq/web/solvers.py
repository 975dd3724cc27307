"""The open runs: the last few that were asked. Only the thread of the worker uses them."""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Callable

from seq2seq.runs import WEIGHTS, Run

MOST_OPEN = 4


class Solvers:
    """Open runs, the least recently used of which are closed.

    Parameters
    ----------
    most : int
        Maximum number of runs that are open.
    opening : callable, optional
        Makes a context in which a run is opened.
    before_call : callable, optional
        See `OpenedRun.before_call`.
    """

    def __init__(
        self,
        most: int = MOST_OPEN,
        opening: Callable[[], AbstractContextManager[None]] = nullcontext,
        before_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._most = most
        self._opening = opening
        self._before_call = before_call
        self._open: OrderedDict[tuple[str, str], tuple[Any, Any]] = OrderedDict()

    def __call__(self, run: Run, weights: str = "best") -> Any:
        """The open run, with the weights of its file as it is now: a training replaces that file.

        Raises
        ------
        Seq2SeqError
            If the run cannot be opened.
        """
        key = (str(run.path), weights)
        state = _state(run.path / WEIGHTS[weights])
        known, solver = self._open.pop(key, (None, None))
        if solver is None or known != state:
            solver = None  # its memory is free before the next one takes some
            with self._opening():
                solver = _opened(run, weights)
            solver.before_call = self._before_call
        self._open[key] = state, solver
        while len(self._open) > self._most:
            self._open.popitem(last=False)
        return solver


def _opened(run: Run, weights: str) -> Any:
    """An open run that has answered once: MXNet is imported, and the graphs are bound."""
    from seq2seq.solver import Solver

    solver = Solver(run.path, weights=weights)
    solver.tried([solver.example])
    return solver


def _state(path: os.PathLike[str]) -> tuple[int, ...] | None:
    """What changes when a file is replaced; None for an export, which has no file of weights."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
