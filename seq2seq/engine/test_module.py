"""The test module: inference with the current weights of a network in training.

In MXNet's terms it is a `Module` bound with `for_training=False` and `shared_module`: inference graphs, with their own
batch size, on the parameter arrays of the training graph. No weights are copied or leave the device. The notebook
scores its network in this way after each epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.mx import Device, mx
from seq2seq.workers import Worker, argument_shapes, workers_of


class Common:
    """Parameters and working memory that are common to one worker's graphs of different widths and batch sizes.

    Parameters
    ----------
    parameters : dict of str to mxnet.NDArray, optional

    Attributes
    ----------
    parameters : dict of str to mxnet.NDArray
        With the auxiliary states. Missing ones are created when a graph is bound.
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        self.parameters: dict[str, Any] = dict(parameters or {})
        self._executors: WeakValueDictionary[Any, Any] = WeakValueDictionary()  # a graph that is dropped is gone

    def bind(
        self, worker: Worker, kind: Any, symbol: Any, inputs: Mapping[str, tuple[int, ...]]
    ) -> tuple[dict[str, Any], Any]:
        """Bind a graph.

        Parameters
        ----------
        worker : Worker
        kind : hashable
            Graphs of one kind share their working memory: they must not run at the same time, and it is best to bind
            the largest first.
        symbol : mxnet.Symbol
        inputs : dict of str to tuple of int
            Shapes of the inputs, by name.

        Returns
        -------
        inputs : dict of str to mxnet.NDArray
        executor : mxnet.executor.Executor
        """
        arrays = {}
        weights = {}
        for name, shape in argument_shapes(symbol, **inputs).items():
            if name in inputs:
                arrays[name] = mx.nd.zeros(shape, worker.device)
                continue
            if name not in self.parameters:
                self.parameters[name] = mx.nd.zeros(shape, worker.device)
            weights[name] = self.parameters[name]
        executor = worker.bind(symbol, arrays, weights, shared=self._executors.get(kind))
        self._executors.setdefault(kind, executor)
        return arrays, executor


class TestModule:
    """Inference graphs with the same weights.

    Parameters
    ----------
    parameters : dict of Worker to dict of str to mxnet.NDArray, optional
        The arrays that training changes, from `Updater.parameters`. By default the module has its own weights, created
        when the first graph is bound.
    ranks : Ranks
        The processes that validate these weights together, for a `Validator` that is `shared`.
    """

    __test__ = False  # pytest would collect it as a test class

    def __init__(self, parameters: Mapping[Worker, Mapping[str, Any]] | None = None, ranks: Ranks = ALONE) -> None:
        self.ranks = ranks
        self._own = parameters is None
        self._commons = {worker: Common(arrays) for worker, arrays in (parameters or {}).items()}

    def workers(self, device: Device) -> list[Worker]:
        """Workers of a device that have the weights, the device's own worker first."""
        return [worker for worker in workers_of(device) if self._own or worker in self._commons]

    def common(self, worker: Worker) -> Common:
        """The parameters and memory with which this worker's graphs are bound."""
        return self._commons.setdefault(worker, Common())
