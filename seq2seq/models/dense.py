"""The network of a table: embeddings of its categories and its numbers, read by dense layers.

        categories (N, K)             numbers (N, C)
              | K embeddings                | batch normalisation
              +--------------+--------------+
                             |
              (N, D), then for each of L layers:
              dense, relu, batch normalisation, dropout
                             |
                      (N, H), one dense layer
                             |
              (N,), a standardised number, or log-probabilities (N, C)

From Guo and Berkhahn, "Entity embeddings of categorical variables" (2016), and lesson 4 of fast.ai's course of 2018.
Batch normalisation is that of Ioffe and Szegedy (2015). A missing number is the mean, and a flag beside it is 1.
Answers stay in the range of the targets that were trained on: otherwise a network that reads one number far from all
others could answer anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from seq2seq.encodings.table import TableEncoding, embedding_size
from seq2seq.engine.network import Input
from seq2seq.models.rows import RowsModel, embedding, table
from seq2seq.mx import Symbol, mx
from seq2seq.typing import Array

SPREAD = 0.01  # standard deviation of the first embeddings, small beside what is learned


class DenseModel(RowsModel):
    """Dense layers on embeddings and numbers: see the module. It has the parameters of `RowsModel`."""

    encoding: TableEncoding

    application: ClassVar[str] = "tabular"
    target = "target"

    @property
    def inputs(self) -> dict[str, Input]:
        shapes = {"categories": len(self.encoding.categories), "numbers": self.encoding.width}
        return {**{name: Input((count,)) for name, count in shapes.items() if count}, "target": Input(())}

    def outputs(self, inputs: Mapping[str, Symbol], known: bool) -> Symbol:
        sym = mx.sym
        parts = []
        for place, column in enumerate(self.encoding.categories):
            ids = sym.reshape(sym.slice_axis(inputs["categories"], axis=0, begin=place, end=place + 1), shape=(-1,))
            count = len(column.names)
            weight = table(self._name_of(place), count, self._size(count), SPREAD)
            parts.append(embedding(ids, weight, count, self._size(count), known))
        if self.encoding.numbers:
            parts.append(self._normalised(sym.transpose(inputs["numbers"]), "numbers"))
        values = self._dropout(sym.concat(*parts, dim=1))  # (N, D)
        for layer in range(self.config.layers):
            values = sym.FullyConnected(values, num_hidden=self.config.hidden_size, name=f"layer{layer}")
            values = self._dropout(self._normalised(sym.relu(values), f"layer{layer}"))
        classes = len(self.encoding.target.classes)
        written = sym.FullyConnected(values, num_hidden=classes or 1, name="output")
        if classes:
            return sym.log_softmax(written, axis=-1)
        numbers = sym.reshape(written, shape=(-1,))
        least, most = self.encoding.target.limits
        return numbers if known else sym.clip(numbers, a_min=least, a_max=most)

    def summed_loss(self, outputs: Symbol, target: Symbol) -> Symbol:
        """Squared errors of standardised numbers, or negative log-probabilities of classes (nats)."""
        if self.encoding.target.classes:
            return -mx.sym.sum(mx.sym.pick(outputs, target, axis=-1))
        return mx.sym.sum(mx.sym.square(outputs - target))

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        columns = enumerate(self.encoding.categories)
        return {column.name: weights[self._name_of(place)] for place, column in columns}

    def _normalised(self, values: Symbol, name: str) -> Any:
        return mx.sym.BatchNorm(values, fix_gamma=False, name=f"{name}_norm")

    def _size(self, count: int) -> int:
        return self.config.embedding or embedding_size(count)

    @staticmethod
    def _name_of(place: int) -> str:
        return f"column{place}_embedding"
