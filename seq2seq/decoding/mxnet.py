"""Answers with MXNet: the workers of a device each answer whole batches, at the same time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from typing import Any, Callable, NamedTuple

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.decoding.base import Predictor
from seq2seq.engine.test_module import Common, TestModule
from seq2seq.models import Model
from seq2seq.typing import Array
from seq2seq.workers import Worker

Work = Generator[list[Any], list[Array], list[Array]]  # of one worker on a batch: see `Part.run`


class MxnetPredictor(Predictor):
    """Answers sources with MXNet, in batches that the device's workers process in turn.

    Parameters
    ----------
    model : Model
    batch_size : int
        Number of sources per forward pass (N).
    device : mxnet.Context
    weights : dict of str to ndarray, optional
        The parameters. By default those of the module; without a module, call `set_weights` first.
    module : TestModule, optional
        Shared by predictors that have the same weights but other widths or batch sizes.

    Raises
    ------
    ValueError
        If the weights do not match the model.
    """

    def __init__(
        self,
        model: Model,
        batch_size: int,
        device: Any,
        weights: dict[str, Array] | None = None,
        module: TestModule | None = None,
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        module = module or TestModule()
        workers = self._chosen(module.workers(device))
        self._parts = [self._bind(worker, module.common(worker)) for worker in workers]
        lengths = {"source": model.source_length, "target": model.target_length}
        self._padded = {name: np.zeros((length, batch_size), np.float32) for name, length in lengths.items()}
        if weights is not None:
            self.set_weights(weights)

    def _chosen(self, workers: list[Worker]) -> list[Worker]:
        """The workers to use: a single one for a batch size of 1, which is used for single sources."""
        return workers[: 1 if self.batch_size == 1 else None]

    @abstractmethod
    def _bind(self, worker: Worker, common: Common) -> Part:
        """Bind this worker's graphs."""

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Copy the parameters.

        Parameters
        ----------
        weights : dict of str to ndarray or mxnet.NDArray

        Raises
        ------
        ValueError
            If their names or shapes do not match the model.
        """
        given, wanted = ({n: a.shape for n, a in arrays.items()} for arrays in (weights, self._parts[0].parameters))
        if given != wanted:
            raise ValueError("the weights of another model")
        for part in self._parts:
            for name, parameter in part.parameters.items():
                parameter[:] = weights[name]

    def _forward(self, sources: Array, targets: Array | None = None) -> Iterator[tuple[slice, list[Array]]]:
        """Yield the rows of each batch and the outputs of `Part.run` for them.

        The last batch is filled up, so its outputs have more rows than were asked for.
        """

        def run(part: Part, rows: slice) -> Work:
            feeds = [self._fill("source", sources[rows])]
            if targets is not None:
                feeds.append(self._fill("target", targets[rows]))
            return part.run(*feeds)

        return self._in_turn(len(sources), run)

    def _in_turn(self, n: int, run: Callable[[Part, slice], Work]) -> Iterator[tuple[slice, list[Array]]]:
        """Yield the rows of each batch of n rows and the outputs of `run` for them.

        All workers are waited for, and then all go on. The first one is the last to go on: in MXNet every wait, also
        for a copy to or from another worker, queues behind the work of `cpu(0)`.
        """
        batches = blocks(n, self.batch_size)
        running: list[_Running] = []

        def start(part: Part) -> None:
            rows = next(batches, None)
            if rows is not None:
                work = run(part, rows)
                running.append(_Running(part, rows, work, next(work)))

        for part in reversed(self._parts):
            start(part)
        while running:
            read = [(each, [array.asnumpy() for array in each.arrays]) for each in running]
            running.clear()
            done = []
            for each, found in read:
                try:
                    running.append(each._replace(arrays=each.work.send(found)))
                except StopIteration as end:
                    done.append((each.rows, end.value))
                    start(each.part)
            yield from done

    def _fill(self, name: str, ids: Array) -> Array:
        """Copy ids (n, L) to the first columns of a batch (L, N); the other columns keep their old values."""
        padded = self._padded[name]
        padded[:, : len(ids)] = ids.T
        return padded


class Part(ABC):
    """The graphs of one worker of a predictor.

    Attributes
    ----------
    parameters : dict of str to mxnet.NDArray
    """

    parameters: dict[str, Any]

    @abstractmethod
    def run(self, sources: Array, targets: Array | None = None) -> Work:
        """Answer a batch.

        Parameters
        ----------
        sources : ndarray, shape (S, N)
            Ids.
        targets : ndarray, shape (T, N), optional
            Ids to score.

        Yields
        ------
        list of mxnet.NDArray
            Arrays to be read, whose values are sent in return.

        Returns
        -------
        list of ndarray
        """


class _Running(NamedTuple):
    """A batch that a part works on, and the arrays to be read next."""

    part: Part
    rows: slice
    work: Work
    arrays: list[Any]
