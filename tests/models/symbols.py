"""Symbols with weights drawn at random, evaluated."""

import numpy as np

from seq2seq.engine.network import variables
from seq2seq.mx import mx
from seq2seq.workers import argument_shapes


def loss_of(model, n=1):
    """A model's loss, from variables named for its inputs; of n rows that begin from zeros, if it has states."""
    states = {name: mx.sym.zeros(shape) for name, shape in model.state_shapes(n).items()}
    loss, _ = model.loss(variables(model.inputs), states)
    return loss


def draw(symbol, seed=0, **inputs):
    """Weights for a symbol whose inputs have these shapes."""
    rng = np.random.default_rng(seed)
    shapes = argument_shapes(symbol, **inputs)
    return {name: rng.uniform(-0.8, 0.8, shape) for name, shape in shapes.items() if name not in inputs}


def bind(symbol, weights, inputs, gradients=None):
    arrays = {name: mx.nd.array(array) for name, array in {**weights, **inputs}.items()}
    arguments = {name: arrays[name] for name in symbol.list_arguments()}
    return symbol.bind(mx.cpu(), arguments, gradients)


def evaluate(symbol, weights, **inputs):
    [output] = bind(symbol, weights, inputs).forward(is_train=False)
    return output.asnumpy()


def gradients(loss, weights, **inputs):
    arrays = {name: mx.nd.zeros(array.shape) for name, array in weights.items()}
    executor = bind(loss, weights, inputs, arrays)
    executor.forward(is_train=True)
    executor.backward()
    return {name: array.asnumpy() for name, array in arrays.items()}
