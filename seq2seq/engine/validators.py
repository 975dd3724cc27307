"""Validators compute named values of an epoch's weights; these choose the best epoch (`best.py`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.engine.network import Arrays, Network, variables
from seq2seq.engine.test_module import TestModule
from seq2seq.mx import Device, mx

BATCH_SIZE = 512


class Validator(ABC):
    """Computes validation values at the end of each epoch. A training can have several validators.

    Attributes
    ----------
    shared : bool
        Whether all processes of a training call `validate` together, and share the work by `module.ranks`. By default
        the first process calls it alone.
    """

    shared: ClassVar[bool] = False

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of the values that `validate` computes."""

    @abstractmethod
    def validate(self, module: TestModule) -> dict[str, float]:
        """Compute the values for the current weights.

        Parameters
        ----------
        module : TestModule
            Inference graphs on the current weights. It is the same object at each call, so graphs can be bound once.

        Returns
        -------
        dict of str to float
            Columns of `metrics.csv`; the names are the same at each call.
        """

    def describe(self, values: Mapping[str, Any]) -> str:
        """Format this validator's values for a line of progress; by default an empty string.

        Parameters
        ----------
        values : dict of str to float
            The values of all validators.
        """
        return ""


class LossValidator(Validator):
    """Mean loss per term on held-out rows, for a network without states and widths.

    Parameters
    ----------
    network : Network
    arrays : dict of str to ndarray
        The held-out rows.
    device : mxnet.Context
    batch_size : int
        Rows per forward pass.
    name : str
        Name of the value.
    """

    shared = True

    def __init__(
        self,
        network: Network,
        arrays: Arrays,
        device: Device = None,
        batch_size: int = BATCH_SIZE,
        name: str = "validation_loss",
    ) -> None:
        self.network = network
        self.arrays = arrays
        self.device = device or mx.cpu()
        self.batch_size = batch_size
        self.name = name
        self._terms = float(network.terms(arrays).sum())
        self._graphs: dict[int, Any] = {}

    @property
    def names(self) -> list[str]:
        return [self.name]

    def validate(self, module: TestModule) -> dict[str, float]:
        n = len(next(iter(self.arrays.values())))
        batches = list(blocks(n, self.batch_size))
        sums = np.zeros(len(batches))
        for place in module.ranks.share(len(batches)):
            rows = batches[place]
            inputs, executor = self._graph(module, rows.stop - rows.start)
            for name, array in inputs.items():
                array[:] = np.moveaxis(self.arrays[name][rows], 0, -1)
            sums[place] = executor.forward(is_train=False)[0].asscalar()
        module.ranks.complete([sums], list(np.arange(len(batches))[:, None]), self.name)
        return {self.name: sum(sums.tolist()) / self._terms}

    def describe(self, values: Mapping[str, Any]) -> str:
        return f"{self.name.replace('_', ' ')} {values[self.name]:.4f}"

    def _graph(self, module: TestModule, n: int) -> Any:
        if n not in self._graphs:
            shapes = {name: (*each.shape, n) for name, each in self.network.inputs.items()}
            loss, _ = self.network.loss(variables(shapes), {})
            worker = module.workers(self.device)[0]
            self._graphs[n] = module.common(worker).bind(worker, (id(self), n), loss, shapes)
        return self._graphs[n]
