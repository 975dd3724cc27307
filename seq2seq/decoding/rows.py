"""What a network predicts for the rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.engine.network import Arrays, variables
from seq2seq.engine.test_module import TestModule
from seq2seq.models.rows import RowsModel
from seq2seq.mx import Device, alone, mx
from seq2seq.typing import Array

BATCH_SIZES = (1, 32, 1024)  # the smallest that holds the rows is used, so that a single answer is fast


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

    @alone
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
        self._graph(BATCH_SIZES[0])
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
            The inputs of N rows, at least one; the target is not read.

        Returns
        -------
        ndarray, shape (N,) or (N, C)
        """
        n = len(arrays[self._names[0]])
        found = []
        for block in blocks(n, BATCH_SIZES[-1]):
            count = block.stop - block.start
            size = next(size for size in BATCH_SIZES if count <= size)
            inputs, executor = self._graph(size)
            for name, array in inputs.items():
                padded = np.zeros(array.shape, np.float32)
                padded[..., :count] = np.moveaxis(arrays[name][block], 0, -1)
                array[:] = padded
            found.append(executor.forward(is_train=False)[0].asnumpy()[:count])
        return np.concatenate(found)

    def _graph(self, n: int) -> Any:
        if n not in self._graphs:
            shapes = {name: (*self.model.inputs[name].shape, n) for name in self._names}
            symbol = mx.sym.identity(self.model.outputs(variables(shapes), known=False))
            self._graphs[n] = self._common.bind(self._worker, (id(self), n), symbol, shapes)
        return self._graphs[n]
