"""The runs of the page, by name. A request names a run, and never a path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from seq2seq.places import PathLike
from seq2seq.runs import Run, runs_in
from seq2seq.web.replies import Refused

RUNS = "runs"  # the folder whose runs are shown unless some are named


class Catalogue:
    """Runs by name.

    Parameters
    ----------
    paths : sequence of path
        Run folders, or folders of exports; by default all runs in the folder `runs`, also those that are trained later.

    Raises
    ------
    RunError
        If one of them holds no run.
    """

    def __init__(self, paths: Sequence[PathLike] = ()) -> None:
        self._follows = not paths
        self._runs: dict[str, Run] = {}
        for path in paths:
            run = Run(path)
            run.task_class()
            self._runs[self._free(os.path.basename(os.path.abspath(path)))] = run

    def _free(self, name: str) -> str:
        """The name, with a number if another run has it."""
        names = [name, *(f"{name} ({number})" for number in range(2, len(self._runs) + 2))]
        return next(each for each in names if each not in self._runs)

    def names(self) -> list[str]:
        """The names of the runs there are now, sorted unless the runs were given."""
        if self._follows:
            found = {run.path.name: run for run in runs_in(Path(RUNS).absolute())}
            self._runs = dict(sorted(found.items()))
        return [*self._runs]

    def run(self, name: str) -> Run:
        """The run with a name. Raises `Refused` if there is none."""
        if name not in self._runs:
            raise Refused(404, "there is no run of this name; reload the page for those there are")
        return self._runs[name]
