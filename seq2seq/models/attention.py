"""An encoder and a decoder with attention: each step attends to every character of the source.

            source (S, N)                             target (T, N), shifted by one step
               | one-hot (S, N, V)                      | one-hot (T, N, V)
    fused bidirectional encoder  --- last states --->  fused decoder
               | (S, N, D)                              | (T, N, D)
               +----------- dot products (T, N, S), softmax: the attention of each step to each position
                                  |
               weighted sum of the encoder's outputs (T, N, D), joined to the decoder's (T, N, 2D)
                                  | dense, tanh (T, N, D)
                                  | dense
                              logits (T, N, V)

Dot-product attention after the decoder: Luong, Pham and Manning, "Effective Approaches to Attention-based Neural
Machine Translation" (2015), without input feeding, so that training computes all steps in one fused operator. In
training the decoder reads the correct characters before each step (teacher forcing: Williams and Zipser 1989), and when
it answers, its own. D is H, or 2H if the encoder is bidirectional.

With `position_bias`, a learned bias for each relative position is added to the scores. The relative position is the
distance from the current step to a position of the source, counted from the source's first character and also from its
last (Shaw, Uszkoreit and Vaswani, "Self-Attention with Relative Position Representations", 2018; as a bias alone,
Raffel et al. 2020). Without the bias, the states must count the steps, and they cannot count further than in training.
"""

from __future__ import annotations

from dataclasses import replace

from seq2seq.config import DataConfig
from seq2seq.models.base import AutoregressiveModel
from seq2seq.models.decoder import Decoder, shifted
from seq2seq.models.encoder import Encoder
from seq2seq.mx import Symbol, mx
from seq2seq.tasks import Task
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec

FAR_BELOW = -1e9  # a score that softmax turns into 0
OFFSETS = 4  # the largest distance that has a bias of its own
FASTER = 10  # factor on the learned bias, so that it is learned before the states learn to count


class AttentionModel(AutoregressiveModel):
    """The network with attention: see the module. It has the parameters of `Model`."""

    memory_names = ("outputs", "hidden_places")

    @classmethod
    def codec(cls, task: Task, data: DataConfig) -> Codec:
        return replace(super().codec(task, data), any_length=task.any_length)

    @property
    def state_names(self) -> tuple[str, ...]:
        return (*super().state_names, "steps") if self.config.position_bias else super().state_names

    @property
    def width(self) -> int:
        """Size of the encoder's outputs and of the decoder's states (D)."""
        return self.config.hidden_size * (2 if self.config.bidirectional else 1)

    def encode(self, source: Symbol) -> dict[str, Symbol]:
        """Encode a source.

        Parameters
        ----------
        source : mxnet.Symbol
            Ids, shape (S, N).

        Returns
        -------
        dict of str to mxnet.Symbol
            The decoder's initial states, shape (layers, N, D) each; with `position_bias`, `steps`, the number of steps
            done, shape (1, N); `outputs`, the encoder's outputs, shape (S, N, D); and `hidden_places`, the attention
            mask, 0 or for padding a very low score, shape (1, N, S).
        """
        sym = mx.sym
        encoder = Encoder(self.config)
        # (S, N, D), and states of shape (layers * directions, N, H) each
        outputs, states = encoder.read(self.source_length, source, self.vocabulary_size)
        padding = sym.cast(sym.transpose(source), "float32") == self.pad  # (N, S)
        first = [*map(encoder.joined, states)]
        if self.config.position_bias:
            first.append(sym.zeros_like(sym.slice_axis(sym.cast(source, "float32"), axis=0, begin=0, end=1)))
        return {
            **dict(zip(self.state_names, first)),
            "outputs": outputs,
            "hidden_places": sym.expand_dims(padding * FAR_BELOW, axis=0),
        }

    def step(
        self, previous: Symbol, states: dict[str, Symbol], memory: dict[str, Symbol]
    ) -> tuple[Symbol, dict[str, Symbol]]:
        outputs, after = self._decode(mx.sym.expand_dims(previous, axis=0), 1, states)
        _, logits = self._attend(outputs, 1, {**states, **memory})
        return mx.sym.log_softmax(mx.sym.reshape(logits, shape=(-3, 0)), axis=-1), after

    def log_probabilities(self, source: Symbol, target: Symbol) -> Symbol:
        return mx.sym.log_softmax(self._teach(source, target)[1], axis=-1)

    def attention(self, source: Symbol, target: Symbol) -> Symbol:
        """The attention weights of each target step for each source position, shape (N, T, S); they sum to 1 over S."""
        return mx.sym.transpose(self._teach(source, target)[0], axes=(1, 0, 2))

    def embeddings(self, weights: dict[str, Array]) -> dict[str, Array]:
        [source] = Encoder(self.config).embeddings(weights["encoder_parameters"], self.vocabulary_size)
        [target] = self._decoder().embeddings(weights["decoder_parameters"], self.vocabulary_size)
        return {"source": source, "target": target}

    def readings(self, source: Array, target: Array) -> dict[str, Array]:
        return {"source": source, "target": target[:, :-1]}

    def _decoder(self) -> Decoder:
        return Decoder(self.config, self.width, states=True)

    def _teach(self, source: Symbol, target: Symbol) -> tuple[Symbol, Symbol]:
        """Attention (T, N, S) and logits (T, N, V), from ids (S, N) and (T, N)."""
        encoded = self.encode(source)
        previous = shifted(target, start=self.vocabulary_size)
        outputs, _ = self._decode(previous, self.target_length, encoded)
        return self._attend(outputs, self.target_length, encoded)

    def _decode(self, previous: Symbol, length: int, states: dict[str, Symbol]) -> tuple[Symbol, dict[str, Symbol]]:
        """The decoder's outputs (length, N, D) and states, from the characters before each step (length, N)."""
        recurrent = super().state_names
        begin = [states[name] for name in recurrent]
        outputs, after = self._decoder().read(length, previous, self.vocabulary_size, begin)
        states_after = dict(zip(recurrent, after))
        if self.config.position_bias:
            states_after["steps"] = states["steps"] + length
        return outputs, states_after

    def _attend(self, outputs: Symbol, length: int, encoded: dict[str, Symbol]) -> tuple[Symbol, Symbol]:
        """Attention (T, N, S) and logits (T, N, V), from the decoder's outputs (T, N, D), T being the length."""
        sym = mx.sym
        # With `axis=0` matrices have their rows along the first axis. `batch_dot` would need copies in another order.
        scores = sym.linalg.gemm2(outputs, encoded["outputs"], transpose_b=True, axis=0)
        if self.config.position_bias:
            scores = scores + self._position_bias(length, encoded)
        attention = sym.softmax(sym.broadcast_add(scores, encoded["hidden_places"]), axis=-1)
        seen = sym.linalg.gemm2(attention, encoded["outputs"], axis=0)
        # `concat` along the last axis takes 20 times as long as `stack`, and `tanh` 10 times as long as `Activation`.
        joined = sym.reshape(sym.stack(seen, outputs, axis=2), shape=(0, 0, -3))
        mixed = sym.FullyConnected(joined, num_hidden=self.width, flatten=False, name="attention")
        mixed = sym.Activation(mixed, act_type="tanh")
        logits = sym.FullyConnected(self._dropout(mixed), num_hidden=self.vocabulary_size, flatten=False, name="output")
        return attention, logits

    def _position_bias(self, length: int, encoded: dict[str, Symbol]) -> Symbol:
        """The bias of each step for each position of the source, shape (T, N, S): see the module."""
        sym = mx.sym
        done = sym.slice_axis(encoded["steps"], axis=1, begin=0, end=1)  # (1, 1): the same for every source
        steps = sym.broadcast_add(done, sym.reshape(sym.arange(length), shape=(1, -1)))  # (1, T)
        places = sym.arange(self.source_length)
        of_end = []
        for end, place in (("first", places), ("last", self.source_length - 1 - places)):
            offset = sym.broadcast_sub(sym.reshape(place, shape=(-1, 1)), steps)  # (S, T)
            known = sym.clip(offset, -OFFSETS, OFFSETS) + OFFSETS
            of_end.append(sym.take(sym.var(f"from_{end}_bias", shape=(2 * OFFSETS + 1,)), known))
        # The position of a source's first character, (N, 1).
        padding = sym.transpose(sym.sum(encoded["hidden_places"] < 0, axis=2))
        from_first = sym.take(of_end[0], sym.broadcast_sub(sym.expand_dims(places, axis=0), padding))  # (N, S, T)
        both = sym.broadcast_add(from_first, sym.expand_dims(of_end[1], axis=0))
        return sym.transpose(both, axes=(2, 0, 1)) * FASTER
