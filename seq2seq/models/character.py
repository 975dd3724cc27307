"""Models of text: the probability of each next character, given the characters so far.

        source (S, N)
           | one-hot (S, N, V), or embedded (S, N, E)
        a state, updated by each character
           | (S, N, H), or only after the last character (1, N, H)
        one dense layer
           |
        logits (T, N, V)

Six steps from three characters in a row to a recurrent network, after lesson 6 of fast.ai's courses of 2016 and 2017.
All have the same state, h' = f(W x + U h + b) (Elman, "Finding structure in time", 1990), in different forms:

| `--model` | reads | predicts | implementation |
|---|---|---|---|
| `char3` | three characters | the fourth | three lines, one per character |
| `rnn-add` | any number | the one after the last | a loop; the input and the state are added |
| `rnn-concat` | any number | the one after the last | a loop; the two are concatenated, and multiplied by one matrix |
| `rnn` | any number | the one after the last | MXNet's fused operator |
| `rnn-sequence` | any number | the one after each | MXNet's fused operator |
| `rnn-scan` | any number | the one after each | a loop in the graph, never unrolled |

f is tanh or ReLU. U can be initialised to the identity, so that at first the state keeps everything it has read, and
gradients neither grow nor vanish: Le, Jaitly and Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified
Linear Units" (2015).

Embeddings can be normalised (`--normalise`): each embedding over its E values, or each of the E values over all
characters of a batch (Ioffe and Szegedy, "Batch Normalization", 2015). In training, the means and variances over the
batch are those of the batch or, if two workers share it, of a worker's half. Scoring and writing use running means and
variances. They are saved with the weights.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from seq2seq.config import DataConfig
from seq2seq.engine.initializers import identity
from seq2seq.errors import require
from seq2seq.models.base import ParallelModel
from seq2seq.mx import Symbol, mx
from seq2seq.tasks import Task
from seq2seq.tasks.text import Text
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

EPSILON = 1e-5  # added to the variance, as in layer normalisation
MOMENTUM = 0.9  # what a running mean or variance keeps of itself at each update


class CharacterModel(ParallelModel):
    """Base class of models of text: see the module. It has the parameters of `Model`; T is 1 or S.

    Attributes
    ----------
    length : int
        Number of characters read at a time (S), unless the task specifies it.
    fewest : int
        Minimum number of characters read before a prediction.
    normalised : str
        The normalisation of embeddings that the option `auto` means.
    every_step : bool
        Whether it predicts after each character, or only after the last.
    """

    answers = False
    application = "language"
    length: ClassVar[int] = Text.LENGTH
    fewest: ClassVar[int] = 1
    normalised: ClassVar[str] = "none"
    every_step: ClassVar[bool] = False

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        require(not data.reverse_target, "reverse_target", data.reverse_target, "false where a text is read")
        length = cast(Text, task).length or cls.length
        return Codec(task.characters, length, length if cls.every_step else 1, reverse_target=False, any_length=True)

    def logits(self, source: Symbol) -> Symbol:
        states = self._states(self._characters(source))
        return self._dense(mx.sym.slice_axis(states, axis=0, begin=-self.target_length, end=None))

    def read_on(self, source: Symbol, states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        """Continue from given states.

        Parameters
        ----------
        source : mxnet.Symbol
            Ids, shape (S, N).
        states : dict of str to mxnet.Symbol
            Initial states, shaped as in `state_shapes`.

        Returns
        -------
        log_probabilities : mxnet.Symbol, shape (T, N, V)
        states : dict of str to mxnet.Symbol
            The final states.
        """
        return self.log_probabilities(source), {}

    @property
    def normalisation(self) -> str:
        """How embeddings are normalised: `batch`, `layer` or `none`."""
        kind = self.config.normalise
        return self.normalised if kind == "auto" else kind

    def _characters(self, source: Symbol) -> Symbol:
        """Vectors of the characters: normalised embeddings (S, N, E), or one-hot (S, N, V)."""
        size = self.config.embedding
        depth = self.vocabulary_size
        if not size:
            return mx.sym.one_hot(source, depth=depth)
        embedded = mx.sym.Embedding(source, input_dim=depth, output_dim=size, name="embedding")
        if self.normalisation == "batch":
            return mx.sym.BatchNorm(embedded, axis=2, eps=EPSILON, momentum=MOMENTUM, fix_gamma=False, name="normal")
        if self.normalisation == "layer":
            return mx.sym.LayerNorm(embedded, name="normal")
        return embedded

    def _dense(self, states: Symbol) -> Symbol:
        """Logits (T, N, V) from states (T, N, H)."""
        depth = self.vocabulary_size
        return mx.sym.FullyConnected(self._dropout(states), num_hidden=depth, flatten=False, name="output")

    @abstractmethod
    def _states(self, characters: Symbol) -> Symbol:
        """The states after each character (S, N, H), or only the last one (1, N, H), from vectors (S, N, E)."""

    @abstractmethod
    def _matrices(self, weights: dict[str, Array]) -> tuple[Array, Array]:
        """The matrices W (C, E) and U (C, H) that multiply a character's vector and the state: views of the weights."""

    def init_weights(self, weights: dict[str, Array]) -> None:
        if self.config.identity:
            _, hidden = self._matrices(weights)
            identity(hidden)

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        if self.config.embedding:
            return {"source": weights["embedding_weight"]}
        return {"source": self._matrices(weights)[0].T}

    def _activation(self, sums: Symbol) -> Symbol:
        return mx.sym.Activation(sums, act_type=self.config.activation)


class AddingModel(CharacterModel):
    """`rnn-add`: a loop that adds the input and the state."""

    def _states(self, characters: Symbol) -> Symbol:
        reads = _apart(self._reads(characters), self.source_length)
        remember = self._shared_dense("hidden")
        hidden = mx.sym.zeros_like(reads[0])
        for read in reads:
            hidden = self._activation(read + remember(hidden))
        return mx.sym.expand_dims(hidden, axis=0)

    def _reads(self, characters: Symbol) -> Symbol:
        """W x + b for all characters, shape (S, N, H)."""
        return mx.sym.FullyConnected(characters, num_hidden=self.config.hidden_size, flatten=False, name="input")

    def _shared_dense(self, name: str) -> Symbol:
        """A dense layer with H units that can be applied many times with the same weights."""
        weight = mx.sym.var(f"{name}_weight")
        bias = mx.sym.var(f"{name}_bias")
        return lambda values: mx.sym.FullyConnected(values, weight, bias, num_hidden=self.config.hidden_size)

    def _matrices(self, weights: dict[str, Array]) -> tuple[Array, Array]:
        return weights["input_weight"], weights["hidden_weight"]


class Char3Model(AddingModel):
    """`char3`: three lines, one per character."""

    length = fewest = 3

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        codec = super().codec(task, data)
        require(codec.source_length == cls.length, "length", codec.source_length, "3 for char3")
        return codec

    def _states(self, characters: Symbol) -> Symbol:
        first, second, third = _apart(self._reads(characters), self.length)
        remember = self._shared_dense("hidden")
        hidden = self._activation(first)
        hidden = self._activation(second + remember(hidden))
        hidden = self._activation(third + remember(hidden))
        return mx.sym.expand_dims(hidden, axis=0)


class JoiningModel(AddingModel):
    """`rnn-concat`: a loop that concatenates the input and the state."""

    def _states(self, characters: Symbol) -> Symbol:
        vectors = _apart(characters, self.source_length)
        both = self._shared_dense("joined")
        empty = mx.sym.slice_axis(mx.sym.zeros_like(vectors[0]), axis=1, begin=0, end=1)
        hidden = mx.sym.tile(empty, reps=(1, self.config.hidden_size))
        for vector in vectors:
            hidden = self._activation(both(mx.sym.concat(vector, hidden, dim=1)))
        return mx.sym.expand_dims(hidden, axis=0)

    def _matrices(self, weights: dict[str, Array]) -> tuple[Array, Array]:
        both = weights["joined_weight"]
        size = self.config.hidden_size
        return both[:, :-size], both[:, -size:]


class ScanModel(AddingModel):
    """`rnn-scan`: a loop in the graph."""

    every_step = True

    def _states(self, characters: Symbol) -> Symbol:
        reads = self._reads(characters)
        remember = self._shared_dense("hidden")

        def step(read: Symbol, states: list[Symbol]) -> tuple[Symbol, list[Symbol]]:
            hidden = self._activation(read + remember(states[0]))
            return hidden, [hidden]

        first = mx.sym.reshape(mx.sym.slice_axis(reads, axis=0, begin=0, end=1), shape=(-3, 0))
        hidden, _ = mx.sym.contrib.foreach(step, reads, [mx.sym.zeros_like(first)])
        return hidden


class FusedModel(CharacterModel):
    """`rnn`: MXNet's fused operator."""

    gates: ClassVar[int] = 1

    def _states(self, characters: Symbol) -> Symbol:
        return self._unroll(characters)[0]

    def _unroll(self, characters: Symbol, begin: list[Symbol] | None = None) -> tuple[Symbol, list[Symbol]]:
        """The states after each character (S, N, H) and, if initial states are given, the final ones (layers, N, H)."""
        cell = self._cell(states=begin is not None)
        return cell.unroll(self.source_length, characters, begin, layout="TNC", merge_outputs=True)

    def _cell(self, states: bool) -> Any:
        mode = f"rnn_{self.config.activation}"
        return mx.rnn.FusedRNNCell(self.config.hidden_size, mode=mode, get_next_state=states, prefix="rnn_")

    def _matrices(self, weights: dict[str, Array]) -> tuple[Array, Array]:
        size = self.config.hidden_size
        read = self.config.embedding or self.vocabulary_size
        rows = self.gates * size
        vector = weights["rnn_parameters"]
        end = rows * read
        return vector[:end].reshape(rows, read), vector[end : end + rows * size].reshape(rows, size)

    def init_weights(self, weights: dict[str, Array]) -> None:
        config = self.config
        alone = self.gates == 1 or not config.identity
        require(alone, "identity", config.identity, f"false for {config.model}, whose gates have a hidden matrix each")
        super().init_weights(weights)


class SequenceModel(FusedModel):
    """`rnn-sequence`."""

    every_step = True


def _apart(values: Symbol, length: int) -> list[Symbol]:
    """Split a sequence (S, N, C) into S symbols (N, C)."""
    parts = mx.sym.split(values, num_outputs=length, axis=0, squeeze_axis=True)
    return [parts[place] for place in range(length)]
