"""Base classes of networks that read and write strings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import ClassVar, TypeVar

import numpy as np

from seq2seq.config import DataConfig, ModelConfig
from seq2seq.engine.network import Arrays, Input, Widths
from seq2seq.models.basis import BaseModel
from seq2seq.models.losses import cross_entropy, target_log_probabilities
from seq2seq.mx import Symbol, mx
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import in_place
from seq2seq.typing import Array
from seq2seq.vocabulary import AFTER, UNDER, UNDER_REVERSED, Codec, learned

M = TypeVar("M", bound="Model")


class Model(BaseModel):
    """Builds a network's symbols. All symbols built by one model have the same parameters, by name.

    Parameters
    ----------
    config : ModelConfig
    source_length, target_length : int
        Number of ids in a source (S) and in a target (T).
    vocabulary_size : int
        Number of ids in the vocabulary (V).
    pad : int
        The id of padding.
    padding : str
        The position of the padding in a target: see `Codec.padding`.

    Attributes
    ----------
    answers : bool
        Whether an output is an answer, which is right or wrong as a whole. In a model of text each character counts by
        itself, and the best weights have the lowest loss.
    """

    answers: ClassVar[bool] = True
    application: ClassVar[str] = "answering"

    def __init__(
        self,
        config: ModelConfig,
        source_length: int,
        target_length: int,
        vocabulary_size: int,
        pad: int = 0,
        padding: str = AFTER,
    ) -> None:
        super().__init__(config)
        self.source_length = source_length
        self.target_length = target_length
        self.vocabulary_size = vocabulary_size
        self.pad = pad
        self.padding = padding

    @classmethod
    def of(cls: type[M], config: ModelConfig, codec: Codec) -> M:
        vocabulary = codec.vocabulary
        return cls(config, codec.source_ids, codec.target_length, len(vocabulary), vocabulary.pad, codec.padding)

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        """Make the codec with which this network encodes a task's strings as arrays.

        Parameters
        ----------
        task : Task
        data : DataConfig

        Returns
        -------
        Codec

        Raises
        ------
        UsageError
            If the network cannot read the task's strings.
        """
        return Codec(
            task.characters, task.source_length, task.target_length, data.reverse_target, in_place=in_place(task)
        )

    @property
    def inputs(self) -> dict[str, Input]:
        """Ids of sources, aligned at the end, and of targets, aligned at the start."""
        return {"source": Input((self.source_length,), keep="last"), "target": Input((self.target_length,))}

    def terms(self, arrays: Arrays) -> Array:
        """The number of learned characters in each target, int, shape (N,)."""
        return self.learned(arrays["source"], arrays["target"]).sum(axis=1)

    def narrowed(self, widths: Widths) -> Model:
        return self.resized(widths.get("source", self.source_length), widths.get("target", self.target_length))

    def resized(self: M, source_length: int, target_length: int) -> M:
        """The same network for other lengths S and T."""
        other = copy(self)
        other.source_length = source_length
        other.target_length = target_length
        return other

    @abstractmethod
    def log_probabilities(self, source: Symbol, target: Symbol) -> Symbol:
        """Log-probability of each character at each step.

        Parameters
        ----------
        source, target : mxnet.Symbol
            Ids, shapes (S, N) and (T, N), time first, of any numeric type. A step may use only the target characters
            before it.

        Returns
        -------
        mxnet.Symbol
            Shape (T, N, V).
        """

    def learned(self, sources: Array, targets: Array) -> Array:
        """The mask of learned characters; in a text, all are learned.

        Parameters
        ----------
        sources, targets : ndarray of int, shapes (N, S) and (N, T)
            Ids.

        Returns
        -------
        ndarray of bool, shape (N, T)
        """
        return learned(sources, targets, self.pad, self.padding) if self.answers else np.ones(targets.shape, bool)

    def _learned(self, source: Symbol, target: Symbol) -> Symbol:
        """`learned` as a symbol, 1 or 0, shape (T, N), from ids (S, N) and (T, N) without padding inside a string."""
        sym = mx.sym
        length = self.target_length
        if self.padding in (UNDER, UNDER_REVERSED):
            above = sym.cast(sym.slice_axis(source, axis=0, begin=self.source_length - length, end=None), "float32")
            return (above if self.padding == UNDER else sym.reverse(above, axis=0)) != self.pad
        if length == 1:
            return sym.ones_like(sym.cast(target, "float32"))
        after = self.padding == AFTER
        begin, end = (0, length - 1) if after else (1, length)
        neighbour = sym.cast(sym.slice_axis(target, axis=0, begin=begin, end=end), "float32") != self.pad  # (T - 1, N)
        always = sym.ones_like(sym.slice_axis(neighbour, axis=0, begin=0, end=1))
        return sym.concat(*([always, neighbour] if after else [neighbour, always]), dim=0)

    def read(self, source: Symbol, target: Symbol, states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        """Log-probabilities from given states, and the final states.

        Parameters
        ----------
        source, target
            As in `log_probabilities`.
        states : dict of str to mxnet.Symbol
            Initial states, shaped as in `state_shapes`.

        Returns
        -------
        log_probabilities : mxnet.Symbol, shape (T, N, V)
        states : dict of str to mxnet.Symbol
        """
        return self.log_probabilities(source, target), {}

    def target_log_probabilities(self, source: Symbol, target: Symbol) -> Symbol:
        """Log-probability of each learned character in the target, and 0 elsewhere.

        Parameters
        ----------
        source, target
            As in `log_probabilities`.

        Returns
        -------
        mxnet.Symbol, shape (T, N)
        """
        return target_log_probabilities(self.log_probabilities(source, target), target, self._mask(source, target))

    def loss(self, inputs: Mapping[str, Symbol], states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        """Negative log-probability of the learned characters, summed over T and N (nats): see `Network.loss`."""
        source = inputs["source"]
        target = inputs["target"]
        log_probabilities, after = self.read(source, target, states)
        mask = self._mask(source, target)
        loss = cross_entropy(log_probabilities, target, mask, self.config.label_smoothing)
        return loss, {name: mx.sym.BlockGrad(state) for name, state in after.items()}

    def _mask(self, source: Symbol, target: Symbol) -> Symbol | None:
        """1 for learned characters of the target, else 0, shape (T, N); None for a text, where all are learned."""
        return self._learned(source, target) if self.answers else None

    def attention(self, source: Symbol, target: Symbol) -> Symbol:
        """The attention weights of each target step for each source position; None for a model without attention.

        Parameters
        ----------
        source, target
            As in `log_probabilities`.

        Returns
        -------
        mxnet.Symbol, shape (N, T, S), or None
        """
        return None

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        """The vector that represents each character in each input: its embedding, or its column of input weights.

        Parameters
        ----------
        weights : dict of str to ndarray

        Returns
        -------
        dict of str to ndarray, shape (V, C)
            By name of the input; empty by default.
        """
        return {}

    def readings(self, source: Array, target: Array) -> dict[str, Array]:
        """The ids that each input reads.

        Parameters
        ----------
        source, target : ndarray of int, shapes (N, S) and (N, T)

        Returns
        -------
        dict of str to ndarray of int
            With the names of `embeddings`.
        """
        return {"source": source}


class ParallelModel(Model):
    """A network that writes all characters of an answer at once; each depends only on the source."""

    @abstractmethod
    def logits(self, source: Symbol) -> Symbol:
        """Unnormalised log-probabilities, shape (T, N, V), from ids, shape (S, N)."""

    def log_probabilities(self, source: Symbol, target: Symbol = None) -> Symbol:
        return mx.sym.log_softmax(self.logits(source), axis=-1)


class AutoregressiveModel(Model):
    """A network that writes one character at a time, each conditioned on those before it; padding ends the answer.

    The start symbol is the id V, whose one-hot vector is all zeros.
    """

    memory_names: tuple[str, ...]  # arrays of `encode` that every step reads, rows along axis 0

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states that pass from step to step, rows along axis 1."""
        return ("hidden", "cell") if self.config.cell == "lstm" else ("hidden",)

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        codec = super().codec(task, data)
        return replace(codec, pad_end=True, target_length=max(codec.target_length, 2))  # a character and the end

    @abstractmethod
    def encode(self, source: Symbol) -> dict[str, Symbol]:
        """The initial states and the memory, by name, from ids, shape (S, N)."""

    @abstractmethod
    def step(
        self, previous: Symbol, states: dict[str, Symbol], memory: dict[str, Symbol]
    ) -> tuple[Symbol, dict[str, Symbol]]:
        """Compute one step for R rows.

        Parameters
        ----------
        previous : mxnet.Symbol
            Ids of the characters before the step, shape (R,).
        states, memory : dict of str to mxnet.Symbol
            By `state_names` and `memory_names`.

        Returns
        -------
        log_probabilities : mxnet.Symbol, shape (R, V)
        states : dict of str to mxnet.Symbol
            The states after the step.
        """
