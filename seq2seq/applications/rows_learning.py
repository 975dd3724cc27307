"""The validation values of rows after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.applications.learning import VALIDATION, ExamplesValidator
from seq2seq.arrays import blocks
from seq2seq.decoding.rows import BATCH_SIZES, RowsPredictor
from seq2seq.engine.ranks import Ranks
from seq2seq.engine.test_module import TestModule
from seq2seq.models.rows import RowsModel
from seq2seq.mx import Device
from seq2seq.rows import Rows
from seq2seq.typing import Array

if TYPE_CHECKING:
    from seq2seq.applications.rows import RowsApplication

BLOCK = BATCH_SIZES[-1]  # rows that a process predicts at a time


class RowsValidator(ExamplesValidator):
    """Predicts the targets of rows and scores them.

    Parameters
    ----------
    application : RowsApplication
    model : RowsModel
    rows : Rows
    device : mxnet.Context
    name : str
        Prefix of the names of the values.
    """

    def __init__(
        self, application: RowsApplication[Any], model: RowsModel, rows: Rows, device: Device, name: str = VALIDATION
    ) -> None:
        self.application = application
        self.model = model
        self.rows = rows
        self.device = device
        self.name = name
        self._outputs: Array | None = None
        self._predictor: RowsPredictor | None = None

    @property
    def names(self) -> list[str]:
        return [f"{self.name}_{name}" for name in self.application.names(self.model.encoding)]

    def validate(self, module: TestModule) -> dict[str, float]:
        self._predictor = self._predictor or RowsPredictor(self.model, self.device, module)
        self._outputs = self._predict(self._predictor, module.ranks)
        values = self.application.values(self.model.encoding, self._outputs, self.rows.arrays[self.model.target])
        return {f"{self.name}_{name}": value for name, value in values.items()}

    def _predict(self, predictor: RowsPredictor, ranks: Ranks) -> Array:
        """The outputs for all rows, of which each process computes whole blocks."""
        n = len(self.rows.arrays[self.model.target])
        pieces = [np.arange(n)[block] for block in blocks(n, BLOCK)]
        own = ranks.share(len(pieces))
        # A process that has nothing to do predicts one row, for the shape of the outputs.
        rows = slice(own.start * BLOCK, min(own.stop * BLOCK, n)) if own else slice(1)
        outputs = predictor.predict({name: array[rows] for name, array in self.rows.arrays.items()})
        found = np.zeros((n, *outputs.shape[1:]), outputs.dtype)
        found[rows] = outputs
        ranks.complete([found], pieces, "outputs of the validation")
        return found

    def describe(self, values: Mapping[str, Any]) -> str:
        start = f"{self.name}_"
        return self.application.metric(
            {name[len(start) :]: value for name, value in values.items() if name.startswith(start)}
        )

    def samples(self, weights: dict[str, Array], seed: int, epoch: int) -> list[str]:
        assert self._outputs is not None
        return self.application.samples(self.model.encoding, self.rows, self._outputs)
