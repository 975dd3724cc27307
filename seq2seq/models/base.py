"""What every network has: parameters by name, a loss to learn from, and a way of reading and writing strings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import ClassVar, TypeVar

import numpy as np

from seq2seq.config import DataConfig, ModelConfig
from seq2seq.engine.network import Arrays, Input, Network, Widths
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.updater import BaseUpdater
from seq2seq.models.losses import cross_entropy, target_log_probabilities
from seq2seq.mx import Device, Symbol, mx
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import in_place
from seq2seq.typing import Array
from seq2seq.vocabulary import AFTER, UNDER, UNDER_REVERSED, Codec, learned

M = TypeVar("M", bound="Model")


class Model(Network):
    """Builds a network's symbols. Two symbols built by one model have the same parameters, by name.

    Parameters
    ----------
    config : ModelConfig
    source_length, target_length, vocabulary_size : int
        S, the ids of a source; T, those of a target; and V.
    pad : int
        The id of padding.
    padding : str
        Where the padding of a target is: see `Codec.padding`.

    Attributes
    ----------
    options : tuple of str
        The options of `ModelConfig` that it has, for a model of another package; those of the library's own are in
        `seq2seq/options.py`.
    answers : bool
        Whether what it writes is an answer, right or wrong as a whole. Of a text's model each character is by itself,
        and the best weights are those that find it the most probable.
    application : str
        That of the tasks it is made for: see `Task.application`.
    """

    options: ClassVar[tuple[str, ...]] = ()
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
        self.config = config
        self.source_length = source_length
        self.target_length = target_length
        self.vocabulary_size = vocabulary_size
        self.pad = pad
        self.padding = padding

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        """How this network has a task's strings as arrays. Raises `UsageError` if it cannot read them."""
        return Codec(
            task.characters, task.source_length, task.target_length, data.reverse_target, in_place=in_place(task)
        )

    @property
    def inputs(self) -> dict[str, Input]:
        """Ids of sources, which end at the last place, and of targets, which begin at the first."""
        return {"source": Input((self.source_length,), keep="last"), "target": Input((self.target_length,))}

    def terms(self, arrays: Arrays) -> Array:
        """The learned characters of each target."""
        return self.learned(arrays["source"], arrays["target"]).sum(axis=1)

    def narrowed(self, widths: Widths) -> Model:
        return self.resized(widths.get("source", self.source_length), widths.get("target", self.target_length))

    def resized(self: M, source_length: int, target_length: int) -> M:
        """The same network for other widths."""
        other = copy(self)
        other.source_length, other.target_length = source_length, target_length
        return other

    @property
    def random(self) -> bool:
        """Whether training draws random numbers on the device (it does for dropout)."""
        return self.config.dropout > 0

    @abstractmethod
    def log_probabilities(self, source: Symbol, target: Symbol) -> Symbol:
        """Log-probability of each character at each step.

        Parameters
        ----------
        source, target : mxnet.Symbol
            Ids, shapes (S, N) and (T, N), time first, of any numeric type. Of the target, a step may use the
            characters before its own.

        Returns
        -------
        mxnet.Symbol
            Shape (T, N, V).
        """

    def learned(self, sources: Array, targets: Array) -> Array:
        """Which places of targets are learned, bool, shape (N, T), from ids (N, S) and (N, T): of a text, all."""
        return learned(sources, targets, self.pad, self.padding) if self.answers else np.ones(targets.shape, bool)

    def _learned(self, source: Symbol, target: Symbol) -> Symbol:
        """The same as a symbol: 1 or 0, shape (T, N), from ids (S, N) and (T, N), none of which has padding inside."""
        sym, length = mx.sym, self.target_length
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
        """Log-probabilities (T, N, V) as `log_probabilities` gives them, from these states, and the states after."""
        return self.log_probabilities(source, target), {}

    def target_log_probabilities(self, source: Symbol, target: Symbol) -> Symbol:
        """Log-probability of each of the target's learned characters, 0 where none is, shape (T, N), from ids."""
        return target_log_probabilities(self.log_probabilities(source, target), target, self._mask(source, target))

    def loss(self, inputs: Mapping[str, Symbol], states: Mapping[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        """The negative log-probability of the targets' learned characters (nats), their sum over T and N."""
        source, target = inputs["source"], inputs["target"]
        log_probabilities, after = self.read(source, target, states)
        mask = self._mask(source, target)
        loss = cross_entropy(log_probabilities, target, mask, self.config.label_smoothing)
        return loss, {name: mx.sym.BlockGrad(state) for name, state in after.items()}

    def _mask(self, source: Symbol, target: Symbol) -> Symbol | None:
        """1 where a character of the target is learned, else 0, shape (T, N); for a text, all are."""
        return self._learned(source, target) if self.answers else None

    def updater(self, config: TrainingConfig, seed: int, device: Device) -> BaseUpdater | None:
        """What trains it, where that is not MXNet."""
        return None

    def attention(self, source: Symbol, target: Symbol) -> Symbol:
        """How much each step of writing the target looks at each place of the source, shape (N, T, S): None, unless a
        model looks back."""
        return None

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        """The vector that each character adds to the gates of the layer that reads it, by what is read: (V, C) each.

        None, unless a model says so.
        """
        return {}

    def readings(self, source: Array, target: Array) -> dict[str, Array]:
        """Which of the ids (N, S) and (N, T) it reads, by the names of `embeddings`."""
        return {"source": source}

    def _dropout(self, values: Symbol) -> Symbol:
        return mx.sym.Dropout(values, p=self.config.dropout) if self.config.dropout else values


class ParallelModel(Model):
    """A network that writes all characters of an answer at once: each depends on the source alone."""

    @abstractmethod
    def logits(self, source: Symbol) -> Symbol:
        """Unnormalised log-probabilities (T, N, V) from ids (S, N)."""

    def log_probabilities(self, source: Symbol, target: Symbol = None) -> Symbol:
        return mx.sym.log_softmax(self.logits(source), axis=-1)


class AutoregressiveModel(Model):
    """A network that writes an answer a character at a time, each knowing those before it; padding ends it.

    The character before the first is the id V, whose one-hot vector is all zeros.
    """

    memory_names: ClassVar[tuple[str, ...]]  # what every step reads, rows along axis 0

    @property
    def state_names(self) -> tuple[str, ...]:
        """What passes from step to step, rows along axis 1."""
        return ("hidden", "cell") if self.config.cell == "lstm" else ("hidden",)

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        codec = super().codec(task, data)
        return replace(codec, pad_end=True, target_length=max(codec.target_length, 2))  # a character, and its end

    @abstractmethod
    def encode(self, source: Symbol) -> dict[str, Symbol]:
        """From ids (S, N), by name: the states before the first step, and the memory."""

    @abstractmethod
    def step(
        self, previous: Symbol, states: dict[str, Symbol], memory: dict[str, Symbol]
    ) -> tuple[Symbol, dict[str, Symbol]]:
        """From the characters before, ids (R,): log-probabilities (R, V), and the states after."""
