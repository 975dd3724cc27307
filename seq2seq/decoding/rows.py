"""What a network predicts for the rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.engine.network import Arrays, variables
from seq2seq.engine.test_module import TestModule
from seq2seq.models.rows import RowsModel
from seq2seq.mx import Device, alone, mx
from seq2seq.typing import Array

BATCH_SIZE = 1024


class RowsPredictor:
    """Predicts the target of rows.

    Parameters
    ----------
    model : RowsModel
    device : mxnet.Context
    module : TestModule, optional
        Has the weights; by default a new one, for `set_weights`.
    """

    def __init__(self, model: RowsModel, device: Device, module: TestModule | None = None) -> None:
        module = module or TestModule()
        self.model = model
        self._worker = module.workers(device)[0]
        self._common = module.common(self._worker)
        self._names = [name for name in model.inputs if name != model.target]
        self._graphs: dict[int, Any] = {}

    def set_weights(self, weights: dict[str, Array]) -> None:
        """Copy the parameters.

        Parameters
        ----------
        weights : dict of str to ndarray

        Raises
        ------
        ValueError
            If their names or shapes do not match the model.
        """
        self._graph(1)
        parameters = self._common.parameters
        if {n: a.shape for n, a in weights.items()} != {n: a.shape for n, a in parameters.items()}:
            raise ValueError("the weights of another model")
        for name, parameter in parameters.items():
            parameter[:] = weights[name]

    @alone
    def predict(self, arrays: Arrays) -> Array:
        """The outputs of the model.

        Parameters
        ----------
        arrays : dict of str to ndarray
            The inputs of N rows; the target is not read.

        Returns
        -------
        ndarray, shape (N,) or (N, C)
        """
        n = len(arrays[self._names[0]])
        found = []
        for start in range(0, n, BATCH_SIZE):
            rows = slice(start, min(start + BATCH_SIZE, n))
            inputs, executor = self._graph(rows.stop - rows.start)
            for name, array in inputs.items():
                array[:] = np.moveaxis(arrays[name][rows], 0, -1)
            found.append(executor.forward(is_train=False)[0].asnumpy())
        return np.concatenate(found)

    def _graph(self, n: int) -> Any:
        if n not in self._graphs:
            shapes = {name: (*self.model.inputs[name].shape, n) for name in self._names}
            symbol = mx.sym.identity(self.model.outputs(variables(shapes), known=False))
            self._graphs[n] = self._common.bind(self._worker, (id(self), n), symbol, shapes)
        return self._graphs[n]
