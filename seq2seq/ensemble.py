"""Answers sources with several runs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from seq2seq.dataset import Dataset
from seq2seq.errors import UsageError, quoted, require
from seq2seq.models import Model
from seq2seq.models.ensemble import ensemble_of, joined
from seq2seq.options import model_name
from seq2seq.places import PathLike
from seq2seq.runs import Run
from seq2seq.solver import Solver
from seq2seq.tasks import Task
from seq2seq.vocabulary import Codec


class Ensemble(Solver):
    """Several runs that answer together: `Solver([run, run, ...])`.

    At each step the log-probabilities of all members are averaged and normalised again, which is the geometric mean of
    their probabilities, and the character is chosen from the average: see `seq2seq/models/ensemble.py`. The members
    have the same task, vocabulary and codec. They may differ in their seed, size and layers, and in the model if both
    models encode strings in the same way.

    An example counts as trained on if any member was trained on it. If all members have the same data, which they have
    with the same `data_seed`, these are the examples that one member was trained on.

    It has the parameters of `Solver`; `run` is a list of paths. `run`, `config` and `task` are those of the first
    member. Evaluations are returned and not saved, since an ensemble has no folder.

    Attributes
    ----------
    members : list of Solver

    Raises
    ------
    UsageError
        If there are no runs, or they cannot answer together.
    """

    def __init__(
        self,
        run: Sequence[PathLike],
        device: str = "auto",
        weights: str = "best",
        task: Task | None = None,
        beam: int | None = None,
        engine: str = "auto",
    ) -> None:
        require(isinstance(run, (list, tuple)) and len(run) > 0, "run", run, "one run or more")
        require(engine in ("auto", "mxnet"), "engine", engine, "auto or mxnet with an ensemble")
        self.members = [Solver(each, device, weights, task, engine="mxnet") for each in run]
        first, *others = self.members
        for member in self.members:
            if member.kind != self.kind:
                raise UsageError(
                    f"ensemble: {member.shown}: opens as a {type(member).__name__}, and answers no sources"
                )
        for other in others:
            _require_alike(first, other)
        self.run = first.run
        self._graphs = None
        self.engine = "mxnet"
        self.config = first.config
        self.task = first.task
        self.application = first.application
        self.codec = first.codec
        self.device = first.device
        self.weights = joined(member.weights for member in self.members)
        self._opened = [member._opened[0] for member in self.members], device, weights, task, beam
        self._prepare_predictors()
        self._set_beam(beam)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({[str(run.path) for run in self.runs]!r})"

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(member.run for member in self.members)

    def model(self, codec: Codec) -> Model:
        return ensemble_of([member.model(codec) for member in self.members])

    def _make_dataset(self) -> Dataset:
        """The data set of the first member, in which all that another was trained on is known."""
        first, *others = (member.dataset for member in self.members)
        known = [] if first.known is None else [first.known]
        for member, other in zip(self.members[1:], others):
            if other.key != first.key:
                both = f"{member.shown} and {self.members[0].shown}"
                raise UsageError(f"ensemble: {both}: differ in split: {quoted(other.key)} and {quoted(first.key)}")
            if other.fingerprint != first.fingerprint:
                known += [first.hashes(self.task, part) for part in other.trained]
            if other.known is not None:
                known.append(other.known)
        return first.knowing(np.unique(np.concatenate(known))) if known else first

    def _unlike(self, prepared: str, calls: Sequence[str] = ()) -> str | None:
        """The reason why a source is unlike the training examples of a member."""
        return next((why for member in self.members if (why := member._unlike(prepared, calls))), None)

    def _save(self, evaluation: dict[str, Any]) -> None:
        """An ensemble has no folder to save it in."""


def _require_alike(first: Solver, other: Solver) -> None:
    """Raise a `UsageError` that says what differs, unless two runs can answer together."""
    both = f"ensemble: {other.shown} and {first.shown}"
    tasks = [_task_of(solver) for solver in (first, other)]
    if tasks[0] != tasks[1]:
        differs = [name for name in {**tasks[0], **tasks[1]} if tasks[0].get(name) != tasks[1].get(name)]
        raise UsageError(f"{both}: differ in their task: {', '.join(differs)}")
    models = [model_name(solver.task, solver.config.model.model) for solver in (other, first)]
    if type(first.codec) is not type(other.codec):
        raise UsageError(f"{both}: have models that encode strings differently: {' and '.join(models)}")
    for field in fields(first.codec):
        values = [getattr(solver.codec, field.name) for solver in (other, first)]
        if values[0] != values[1]:
            differ = " and ".join(map(quoted, values))
            raise UsageError(f"{both}: differ in {field.name}: {differ}, with the models {' and '.join(models)}")


def _task_of(solver: Solver) -> dict[str, Any]:
    """The name and the options of the task of a run, and the digest of its data, which are not read."""
    task = solver.task
    digest = solver.run.config_values()["task"].get("digest")
    return {"name": task.name, **task.options(), "digest": digest}
