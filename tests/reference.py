"""The repeat model's forward pass in plain NumPy, from the same weights: what the symbols are checked against."""

from __future__ import annotations

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(inputs, input_weight, input_bias, state_weight, state_bias):
    """One layer in one direction: inputs (T, N, C) to outputs (T, N, H). Gates in the order i, f, c, o."""
    hidden = cell = np.zeros((inputs.shape[1], state_weight.shape[1]))
    outputs = []
    for x in inputs:
        gates = x @ input_weight.T + input_bias + hidden @ state_weight.T + state_bias
        i, f, c, o = np.split(gates, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
        outputs.append(hidden)
    return np.stack(outputs)


def unpack(parameters, channels, hidden_size, layers, directions):
    """The fused vector as [layer][direction] = (input weight, input bias, state weight, state bias).

    It holds all weights, layer by layer and direction by direction, and then all biases in the same order.
    """
    position = 0

    def take(*shape):
        nonlocal position
        size = int(np.prod(shape))
        position += size
        return parameters[position - size : position].reshape(shape)

    gates = 4 * hidden_size
    weights = []
    for layer in range(layers):
        width = channels if layer == 0 else directions * hidden_size
        weights.append([(take(gates, width), take(gates, hidden_size)) for _ in range(directions)])
    biases = [[(take(gates), take(gates)) for _ in range(directions)] for _ in range(layers)]
    assert position == len(parameters)
    return [
        [(w[0], b[0], w[1], b[1]) for w, b in zip(layer_weights, layer_biases)]
        for layer_weights, layer_biases in zip(weights, biases)
    ]


def stack(inputs, parameters, hidden_size, layers, directions):
    """A stack of layers: outputs (T, N, directions * H) and the last layer's last states (N, directions * H)."""
    for layer in unpack(parameters, inputs.shape[2], hidden_size, layers, directions):
        forward = lstm(inputs, *layer[0])
        if directions == 1:
            inputs, last = forward, forward[-1]
        else:
            backward = lstm(inputs[::-1], *layer[1])
            inputs = np.concatenate([forward, backward[::-1]], axis=2)
            last = np.concatenate([forward[-1], backward[-1]], axis=1)
    return inputs, last


def log_probabilities(weights, source, target_length, vocabulary_size, hidden_size, layers, bidirectional):
    """Ids (N, S) to log-probabilities (N, T, V), in 64-bit floats."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    one_hot = np.eye(vocabulary_size)[source].transpose(1, 0, 2)
    _, last = stack(one_hot, weights["encoder_parameters"], hidden_size, layers, 2 if bidirectional else 1)
    repeated = np.broadcast_to(last, (target_length, *last.shape))
    outputs, _ = stack(repeated, weights["decoder_parameters"], hidden_size, layers, 1)
    logits = outputs @ weights["output_weight"].T + weights["output_bias"]
    logits = logits.transpose(1, 0, 2)
    shifted = logits - logits.max(axis=2, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
