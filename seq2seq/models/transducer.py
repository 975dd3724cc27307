"""Networks that write one character per character read, for sources of any length.

        source (N, T, channels)
           | one-hot, joined (N, T, channels * V)
        fused recurrent layers, in one or both directions
           | (N, T, H) or (N, T, 2H)
        one dense layer
           |
        logits (N, T, V)

Two networks that differ in how strings are encoded. `transducer` reads the source as written and writes each character
of the target under a character of the source, as in a step of a calculation: `3*7+2` becomes ` 21+2`. `aligned` reads
the digits of both operands at one place together with the operator, the least significant place first, and writes one
digit of the result. A carry then passes from each step to the next, whatever the length. In a bidirectional network the
information which operand is greater can pass to every step, too.

The transducer is that of Graves, Mohamed and Hinton, "Speech Recognition with Deep Recurrent Neural Networks" (2013),
without learning an alignment, which is given here; bidirectional layers are from Schuster and Paliwal (1997).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from seq2seq.config import DataConfig
from seq2seq.errors import UsageError, quoted
from seq2seq.models.base import ParallelModel
from seq2seq.models.recurrent import Recurrent
from seq2seq.mx import Symbol, mx
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import in_place
from seq2seq.typing import Array
from seq2seq.vocabulary import AlignedCodec, Codec


class TransducerModel(ParallelModel):
    """The network that reads the source as written: see the module.

    It has the parameters of `Model`; S is `channels` times T.

    Attributes
    ----------
    channels : int
        Number of characters read per step.
    reads : tuple of str
        Name of each channel.
    """

    channels: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("source",)

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        length = max(task.source_length, task.target_length)
        if in_place(task) and data.reverse_target:
            raise UsageError("reverse_target: got True, but it must be false where a transducer writes steps in place")
        return Codec(task.characters, length, length, data.reverse_target, in_place=in_place(task), any_length=True)

    def logits(self, source: Symbol) -> Symbol:
        sym = mx.sym
        apart = sym.reshape(source, shape=(-4, self.channels, self.target_length, 0))  # (channels, T, N)
        together = sym.transpose(apart, axes=(1, 2, 0))  # (T, N, channels)
        outputs, _ = self._layers().read(self.target_length, together, self.vocabulary_size, channels=self.channels)
        return sym.FullyConnected(self._dropout(outputs), num_hidden=self.vocabulary_size, flatten=False, name="output")

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        vectors = self._layers().embeddings(weights["transducer_parameters"], self.vocabulary_size, self.channels)
        return dict(zip(self.reads, vectors))

    def _layers(self) -> Recurrent:
        return Recurrent(self.config, "transducer", self.config.hidden_size, self.config.bidirectional)

    def readings(self, source: Array, target: Array) -> dict[str, Array]:
        return dict(zip(self.reads, np.split(source, self.channels, axis=1)))


class AlignedModel(TransducerModel):
    """The network that reads two numbers place by place: see the module."""

    channels = AlignedCodec.channels
    reads = ("first number", "second number", "operator")

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        if task.binary_operators is None or task.target_length < task.source_length // 2:
            raise UsageError(
                f"model: aligned reads two numbers and the operator between them, which {quoted(task, 200)} is not"
            )
        return AlignedCodec(
            task.characters, task.source_length, task.target_length, reverse_target=True, any_length=True,
            operators=task.binary_operators, digit_operators=task.digit_operators,
        )  # fmt: skip
