"""The test module: the network as it is, asked without being trained.

In MXNet's own terms it is a `Module` bound with `for_training=False` and `shared_module`: graphs that are not for
training, over the parameter arrays of the training graph itself, with a batch size of their own. No weights are copied,
and none leave the device. The notebook scores its network in this way after each epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seq2seq.mx import Device, mx
from seq2seq.workers import Worker, argument_shapes, workers_of


class Common:
    """What one worker's graphs with the same weights have in common, for other widths or batch sizes.

    Attributes
    ----------
    parameters : dict of str to mxnet.NDArray
        Those that are missing are made when a graph is bound.
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        self.parameters: dict[str, Any] = dict(parameters or {})
        self._executors: dict[Any, Any] = {}

    def bind(
        self, worker: Worker, kind: Any, symbol: Any, inputs: Mapping[str, tuple[int, ...]]
    ) -> tuple[dict[str, Any], Any]:
        """The input arrays of these shapes, by name, and an executor that reads them and the parameters.

        Graphs of one kind use the same working memory: they must not run at once, and the largest is best bound first.
        """
        arrays = {}
        for name, shape in argument_shapes(symbol, **inputs).items():
            if name in inputs:
                arrays[name] = mx.nd.zeros(shape, worker.device)
            elif name not in self.parameters:
                self.parameters[name] = mx.nd.zeros(shape, worker.device)
        weights = {name: self.parameters[name] for name in symbol.list_arguments() if name not in arrays}
        executor = worker.bind(symbol, arrays, weights, shared=self._executors.get(kind))
        self._executors.setdefault(kind, executor)
        return arrays, executor


class TestModule:
    """Graphs that are not for training, with the same weights.

    Parameters
    ----------
    parameters : dict of Worker to dict of str to mxnet.NDArray, optional
        The arrays that a training changes, from `Updater.parameters`. Without them the module has weights of its own,
        which the first graph that is bound makes.
    """

    __test__ = False  # for pytest, which would take it for a test

    def __init__(self, parameters: Mapping[Worker, Mapping[str, Any]] | None = None) -> None:
        self._own = parameters is None
        self._commons = {worker: Common(arrays) for worker, arrays in (parameters or {}).items()}

    def workers(self, device: Device) -> list[Worker]:
        """Those that have the weights, the device's own first."""
        return [worker for worker in workers_of(device) if self._own or worker in self._commons]

    def common(self, worker: Worker) -> Common:
        """What this worker's graphs are bound with."""
        return self._commons.setdefault(worker, Common())
