"""The base class of all models: networks that are chosen by name and made from options."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from seq2seq.config import ModelConfig
from seq2seq.engine.network import Network
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.updater import BaseUpdater
from seq2seq.mx import Device, Symbol, mx


class BaseModel(Network):
    """A network with a name.

    Parameters
    ----------
    config : ModelConfig

    Attributes
    ----------
    application : str
        The application of the tasks for which the model is made: see `Task.application`.
    options : tuple of str
        The options of `ModelConfig` that the model uses, for a model from another package. For the library's own models
        they are in `seq2seq/options.py`.
    target_length : int
        Number of values in a target (T).
    """

    application: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()
    target_length: int = 1

    def __init__(self, config: ModelConfig) -> None:
        self.config = config

    @classmethod
    @abstractmethod
    def of(cls, config: ModelConfig, codec: Any) -> BaseModel:
        """Make the network for data that a codec encodes.

        Parameters
        ----------
        config : ModelConfig
        codec : Codec, or another object that the application's `make_codec` returns

        Returns
        -------
        BaseModel
        """

    @property
    def random(self) -> bool:
        """Whether training draws random numbers on the device, as dropout does."""
        return self.config.dropout > 0

    def updater(self, config: TrainingConfig, seed: int, device: Device) -> BaseUpdater | None:
        """The updater that trains the model, or None for `Updater`, which uses MXNet.

        Parameters
        ----------
        config : TrainingConfig
        seed : int
            Determines the initial weights.
        device : mxnet.Context
        """
        return None

    def _dropout(self, values: Symbol) -> Symbol:
        return mx.sym.Dropout(values, p=self.config.dropout) if self.config.dropout else values
