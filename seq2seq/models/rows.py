"""The base class of networks that read the rows of a table: numbers and ids, no strings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from seq2seq.config import ModelConfig
from seq2seq.models.basis import BaseModel
from seq2seq.mx import Symbol, mx
from seq2seq.typing import Array

R = TypeVar("R", bound="RowsModel")
SPREAD = 0.1  # standard deviation of the first embeddings


class RowsModel(BaseModel):
    """Builds the graph that reads rows.

    Parameters
    ----------
    config : ModelConfig
    encoding
        How the columns became arrays: see `seq2seq/encodings/`.
    """

    def __init__(self, config: ModelConfig, encoding: Any) -> None:
        super().__init__(config)
        self.encoding = encoding

    @classmethod
    def of(cls: type[R], config: ModelConfig, codec: Any) -> R:
        return cls(config, codec)

    @property
    @abstractmethod
    def target(self) -> str:
        """The name of the input that is predicted from the others."""

    @abstractmethod
    def outputs(self, inputs: Mapping[str, Symbol], known: bool) -> Symbol:
        """What the network predicts.

        Parameters
        ----------
        inputs : dict of str to mxnet.Symbol
            All inputs but the target.
        known : bool
            Whether all ids are known, as in training. Otherwise the id after the last one stands for an unknown name,
            which gets the mean of the embeddings.

        Returns
        -------
        mxnet.Symbol
            Shape (N,), or (N, C) for C classes.
        """

    @abstractmethod
    def summed_loss(self, outputs: Symbol, target: Symbol) -> Symbol:
        """The loss summed over N rows, shape (1,)."""

    @abstractmethod
    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        """The embeddings of the known names, shape (V, E), by kind or column."""

    def loss(self, inputs: Mapping[str, Symbol], states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        read = {name: each for name, each in inputs.items() if name != self.target}
        loss = self.summed_loss(self.outputs(read, known=True), inputs[self.target])
        return mx.sym.make_loss(loss, name="loss"), {}


def embedding(ids: Symbol, weight: Symbol, count: int, size: int, known: bool) -> Symbol:
    """Look up embeddings.

    Parameters
    ----------
    ids : mxnet.Symbol, shape (N,)
    weight : mxnet.Symbol, shape (count, size)
    count, size : int
    known : bool
        Whether all ids are below `count`. Otherwise the id `count` gets the mean of all embeddings.

    Returns
    -------
    mxnet.Symbol, shape (N, size)
    """
    if known:
        return mx.sym.Embedding(ids, weight=weight, input_dim=count, output_dim=size)
    mean = mx.sym.mean(weight, axis=0, keepdims=True)
    return mx.sym.Embedding(ids, weight=mx.sym.concat(weight, mean, dim=0), input_dim=count + 1, output_dim=size)


def table(name: str, count: int, size: int, spread: float = SPREAD) -> Symbol:
    """The variable of a table of embeddings, shape (count, size), at first normal with this standard deviation."""
    first = mx.init.Normal(spread) if spread else mx.init.Zero()
    return mx.sym.var(name, shape=(count, size), init=first)
