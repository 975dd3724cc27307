"""From sources to answers: a module that is not for training, and what it says."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seq2seq.models import RepeatModel
from seq2seq.mx import mx


class Answers(NamedTuple):
    """What a model answers to N sources.

    Attributes
    ----------
    ids : ndarray of int, shape (N, T)
        The most probable character at each step.
    confidence : ndarray of float, shape (N,)
        The probability the model gives to the whole answer: the product of its characters', from 0 to 1.
    loss : ndarray of float, shape (N,), or None
        Mean over T of the negative log-probability of the target's characters (nats), where targets were given.
    """

    ids: np.ndarray
    confidence: np.ndarray
    loss: np.ndarray | None


class Predictor:
    """Answers sources with a trained model, in batches of its own size.

    Parameters
    ----------
    model : RepeatModel
    batch_size : int
        Sources a forward pass (N).
    device : mxnet.Context
    shared_module : mxnet.mod.Module, optional
        A bound module of the same model. This predictor then reads that module's parameters where they are, so it
        always answers with the weights of the moment, and works in its memory.
    weights : dict of str to ndarray, optional
        The parameters, when there is no module to share them.
    """

    def __init__(
        self,
        model: RepeatModel,
        batch_size: int,
        device: Any,
        *,
        shared_module: Any = None,
        weights: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.batch_size = batch_size
        # An input of a name that the shared module has would be given that module's memory, and the engine says so
        # on stderr when it is too small.
        name = f"source_{batch_size}"
        self.module = mx.mod.Module(
            model.log_probabilities(mx.sym.var(name)), data_names=[name], label_names=None, context=device
        )
        shape = (batch_size, model.source_length)
        self.module.bind([(name, shape)], for_training=False, shared_module=shared_module)
        if weights is not None:
            self.module.set_params({name: mx.nd.array(array) for name, array in weights.items()}, {})
        # Through the module's executor, and not its `forward`, one answer alone takes little more than half the time.
        [self._executor] = self.module._exec_group.execs
        self._input = self._executor.arg_dict[name]
        self._padded = np.zeros(shape, np.float32)
        self._target_length = model.target_length

    def answer(self, sources: np.ndarray, targets: np.ndarray | None = None) -> Answers:
        """Answer every source, the last incomplete batch too.

        Parameters
        ----------
        sources : ndarray of int, shape (N, S)
        targets : ndarray of int, shape (N, T), optional

        Returns
        -------
        Answers
        """
        n = len(sources)
        ids = np.empty((n, self._target_length), np.int32)
        confidence = np.empty(n)
        loss = np.empty(n) if targets is not None else None
        for start in range(0, n, self.batch_size):
            rows = slice(start, min(start + self.batch_size, n))
            log_probabilities = self._forward(sources[rows])
            ids[rows] = log_probabilities.argmax(axis=-1)
            confidence[rows] = np.exp(log_probabilities.max(axis=-1).sum(axis=-1, dtype=np.float64))
            if loss is not None and targets is not None:
                wanted = targets[rows, :, None].astype(np.int64)
                picked = np.take_along_axis(log_probabilities, wanted, axis=-1)[:, :, 0]
                loss[rows] = -picked.mean(axis=-1, dtype=np.float64)
        return Answers(ids, confidence, loss)

    def _forward(self, sources: np.ndarray) -> np.ndarray:
        """Log-probabilities (n, T, V) of up to a batch of sources (n, S): the batch is filled up and cut again."""
        n = len(sources)
        self._padded[:n] = sources
        self._input._sync_copyfrom(self._padded)
        self._executor.forward(is_train=False)
        return np.asarray(self._executor.outputs[0].asnumpy()[:n])
