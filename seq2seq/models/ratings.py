"""Networks of ratings: the embedding of a user and that of an item become a rating.

| `--model` | |
|---|---|
| `dot` | the product of the embeddings and a bias of each: matrix factorisation (Koren, Bell and Volinsky 2009) |
| `neural` | the embeddings are joined and read by a dense layer, with dropout before and after it |

        user (N,)      item (N,)
           |              |
        (N, E)         (N, E)        embeddings
            \\            /
      sum of products, or dense layers
                  |  + a bias of the user, a bias of the item, and one of all
               sigmoid
                  |
        least + (most - least) * (N,)

Both are from lesson 5 of fast.ai's course of 2018. The loss is the sum of the squared errors and of the squared
embeddings and biases, weighted by `penalty`: the logarithm of a normal prior on each of them.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.engine.network import Input
from seq2seq.models.rows import RowsModel, embedding, table
from seq2seq.mx import Symbol, mx
from seq2seq.typing import Array

KINDS = ("user", "item")
EDGE = 0.01  # the mean rating is at least this fraction of the range away from its ends, at first


class RatingsModel(RowsModel):
    """The base class of both networks. It has the parameters of `RowsModel`."""

    encoding: RatingsEncoding

    application: ClassVar[str] = "ratings"
    target = "rating"

    @property
    def inputs(self) -> dict[str, Input]:
        return {"user": Input(()), "item": Input(()), "rating": Input(())}

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of known users and items."""
        return {"user": len(self.encoding.users), "item": len(self.encoding.items)}

    def outputs(self, inputs: Mapping[str, Symbol], known: bool) -> Symbol:
        """Ratings, shape (N,)."""
        found = {}
        score = mx.sym.var("bias", shape=(1,), init=mx.init.Zero())
        for kind, count in self.counts.items():
            found[kind] = embedding(inputs[kind], self._table(kind), count, self.config.embedding, known)
            bias = embedding(inputs[kind], self._biases(kind), count, 1, known)
            score = mx.sym.broadcast_add(score, mx.sym.reshape(bias, shape=(-1,)))
        score = score + self.joined(found["user"], found["item"])
        least = self.encoding.least
        return least + (self.encoding.most - least) * mx.sym.sigmoid(score)

    @abstractmethod
    def joined(self, user: Symbol, item: Symbol) -> Symbol:
        """A score, shape (N,), from the embeddings, shapes (N, E)."""

    def summed_loss(self, outputs: Symbol, target: Symbol) -> Symbol:
        loss = mx.sym.sum(mx.sym.square(outputs - target))
        if not self.config.penalty:
            return loss
        internals = outputs.get_internals()  # the same variables as in the outputs
        tables = [internals[f"{kind}_{part}"] for kind in KINDS for part in ("embedding", "bias")]
        squares = mx.sym.add_n(*(mx.sym.sum(mx.sym.square(each)) for each in tables))
        # Divided among the batches of an epoch, so that the penalty does not depend on the batch size.
        fraction = mx.sym.sum(mx.sym.ones_like(target)) / self.encoding.trained
        return loss + self.config.penalty * fraction * squares

    def init_weights(self, weights: dict[str, Array]) -> None:
        """Let the first ratings be near the mean."""
        encoding = self.encoding
        mean = (encoding.mean - encoding.least) / (encoding.most - encoding.least)
        mean = min(max(mean, EDGE), 1 - EDGE)
        weights["bias"][:] = math.log(mean / (1 - mean))

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        return {f"{kind}s": weights[f"{kind}_embedding"] for kind in KINDS}

    def biases(self, weights: dict[str, Array]) -> dict[str, Array]:
        """The biases of users and of items, shape (V,), before the sigmoid."""
        return {f"{kind}s": weights[f"{kind}_bias"][:, 0] for kind in KINDS}

    def _table(self, kind: str) -> Symbol:
        return table(f"{kind}_embedding", self.counts[kind], self.config.embedding)

    def _biases(self, kind: str) -> Symbol:
        return table(f"{kind}_bias", self.counts[kind], 1, spread=0.0)


class DotModel(RatingsModel):
    """The dot product of the embeddings: see the module."""

    def joined(self, user: Symbol, item: Symbol) -> Symbol:
        return mx.sym.sum(user * item, axis=1)


class NeuralModel(RatingsModel):
    """A dense layer on the joined embeddings: see the module."""

    def joined(self, user: Symbol, item: Symbol) -> Symbol:
        both = self._dropout(mx.sym.concat(user, item, dim=1))  # (N, 2E)
        hidden = mx.sym.relu(mx.sym.FullyConnected(both, num_hidden=self.config.hidden_size, name="hidden"))
        written = mx.sym.FullyConnected(self._dropout(hidden), num_hidden=1, no_bias=True, name="output")
        return mx.sym.reshape(written, shape=(-1,))
