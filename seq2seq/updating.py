"""One update of a model's weights at a time: the bound modules, the optimizer and the running loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seq2seq.config import TrainingConfig
from seq2seq.models import RepeatModel
from seq2seq.mx import mx
from seq2seq.optimizers import OPTIMIZERS, learning_rate


class Bound(NamedTuple):
    """A module bound to some batch size, and what of it a step touches."""

    module: Any
    executor: Any
    source: Any
    target: Any
    gradients: list[Any]


class Updater:
    """Moves a model's weights, a batch at a time, without ever waiting for the engine.

    Parameters
    ----------
    model : RepeatModel
    config : TrainingConfig
    updates : int
        How many updates there will be in all, for the learning rate.
    dtype : numpy.dtype
        Of the ids in the batches.
    seed : int
        Decides the first weights.
    device : mxnet.Context

    Attributes
    ----------
    module : mxnet.mod.Module
        The one bound to the configured batch size, for others to share.
    loss_sum : mxnet.NDArray, shape (1,)
        Sum over the examples since it was last set to 0 of their loss, divided by the batch size.
    """

    def __init__(
        self, model: RepeatModel, config: TrainingConfig, updates: int, dtype: Any, seed: int, device: Any
    ) -> None:
        self.model, self.config, self.updates, self.dtype, self.device = model, config, updates, dtype, device
        self._bound: dict[int, Bound] = {}
        self.module = self._bind(config.batch_size).module
        # First weights as in the notebook (Glorot and Bengio 2010); the LSTM's forget gates start open.
        mx.random.seed(seed)
        self.module.init_params(mx.init.Xavier())
        parameters = [parameter for (parameter,) in self.module._exec_group.param_arrays]
        self._optimizer = OPTIMIZERS[config.optimizer](parameters, config)
        self.loss_sum = mx.nd.zeros((1,), device)

    def _bind(self, batch_size: int) -> Bound:
        """The module for that many examples. All of them share parameters and memory."""
        if batch_size not in self._bound:
            loss = self.model.loss(mx.sym.var("source"), mx.sym.var("target"))
            module = mx.mod.Module(loss, data_names=["source"], label_names=["target"], context=self.device)
            source_shape, target_shape = (self.model.source_length, batch_size), (self.model.target_length, batch_size)
            module.bind(
                [mx.io.DataDesc("source", source_shape, self.dtype, layout="TN")],
                [mx.io.DataDesc("target", target_shape, self.dtype, layout="TN")],
                shared_module=self.module if self._bound else None,
            )
            # Steps go through the executor: the module's own `forward` takes longer than the engine at small sizes.
            [executor] = module._exec_group.execs
            inputs = executor.arg_dict
            gradients = [gradient for (gradient,) in module._exec_group.grad_arrays]
            self._bound[batch_size] = Bound(module, executor, inputs["source"], inputs["target"], gradients)
        return self._bound[batch_size]

    def rate(self, update: int) -> float:
        """The learning rate of an update, the first being 1."""
        return learning_rate(self.config, update, self.updates)

    def update(self, source: Any, target: Any, update: int) -> None:
        """Take one step.

        Parameters
        ----------
        source, target : mxnet.NDArray
            Ids on the device, shapes (S, n) and (T, n), for any n.
        update : int
            Its number, the first being 1.
        """
        n = source.shape[1]
        bound = self._bind(n)
        source.copyto(bound.source)
        target.copyto(bound.target)
        bound.executor.forward(is_train=True)
        bound.executor.backward()
        [loss] = bound.executor.outputs
        self.loss_sum += loss if n == self.config.batch_size else loss * (n / self.config.batch_size)
        self._optimizer.update(bound.gradients, self.rate(update), update)
        self.module._params_dirty = True  # what it has copied out before is no longer true

    def mean_loss(self, examples: int) -> float:
        """The mean loss over so many examples since it was last set to 0. Waits for the engine."""
        return float(self.loss_sum.asscalar()) * self.config.batch_size / examples

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The weights of the moment, by parameter name. Waits for the engine."""
        parameters, _ = self.module.get_params()
        return {name: array.asnumpy() for name, array in sorted(parameters.items())}

    @property
    def moments(self) -> dict[str, Any]:
        """The optimizer's arrays by name."""
        return {
            f"moment{order}.{name}": moment
            for order, moments in enumerate(self._optimizer.moments)
            for name, moment in zip(self.module._param_names, moments)
        }

    def set_weights(self, weights: dict[str, np.ndarray]) -> None:
        """Set the weights, by parameter name."""
        self.module.set_params({name: mx.nd.array(array) for name, array in weights.items()}, {})
