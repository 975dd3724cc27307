"""The validation values of rows after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seq2seq.applications.learning import VALIDATION, ExamplesValidator
from seq2seq.decoding.rows import RowsPredictor
from seq2seq.engine.test_module import TestModule
from seq2seq.models.rows import RowsModel
from seq2seq.mx import Device
from seq2seq.rows import Rows
from seq2seq.typing import Array

if TYPE_CHECKING:
    from seq2seq.applications.rows import RowsApplication


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
        self._outputs = self._predictor.predict(self.rows.arrays)
        values = self.application.values(self.model.encoding, self._outputs, self.rows.arrays[self.model.target])
        return {f"{self.name}_{name}": value for name, value in values.items()}

    def describe(self, values: Mapping[str, Any]) -> str:
        start = f"{self.name}_"
        return self.application.metric(
            {name[len(start) :]: value for name, value in values.items() if name.startswith(start)}
        )

    def samples(self, weights: dict[str, Array], seed: int, epoch: int) -> list[str]:
        assert self._outputs is not None
        return self.application.samples(self.model.encoding, self.rows, self._outputs)
