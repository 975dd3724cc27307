"""The networks' forward passes in plain NumPy, from the same weights: what the symbols are checked against."""

from __future__ import annotations

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def recurrent(inputs, hidden, cell, input_weight, input_bias, state_weight, state_bias):
    """One layer in one direction: inputs (T, N, C) and states (N, H) to outputs (T, N, H) and the last states.

    An LSTM has its gates in the order i, f, c, o; where there is one gate it is a tanh, and the cell is not used.
    """
    outputs = []
    for x in inputs:
        gates = x @ input_weight.T + input_bias + hidden @ state_weight.T + state_bias
        if gates.shape == hidden.shape:
            hidden = np.tanh(gates)
        else:
            i, f, c, o = np.split(gates, 4, axis=1)
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
            hidden = sigmoid(o) * np.tanh(cell)
        outputs.append(hidden)
    return np.stack(outputs), hidden, cell


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

    widths = [channels] + [directions * hidden_size] * (layers - 1)
    gates = len(parameters) // (directions * sum(width + hidden_size + 2 for width in widths))
    weights = []
    for width in widths:
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
        zero = np.zeros((inputs.shape[1], hidden_size))
        forward, _, _ = recurrent(inputs, zero, zero, *layer[0])
        if directions == 1:
            inputs, last = forward, forward[-1]
        else:
            backward, _, _ = recurrent(inputs[::-1], zero, zero, *layer[1])
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


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def attention(weights, source, target, vocabulary_size, hidden_size, layers, bidirectional, pad):
    """Log-probabilities (N, T, V) and attention (N, T, S) of the attention model, in 64-bit floats, step by step."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    n, directions = len(source), 2 if bidirectional else 1
    zero = np.zeros((n, hidden_size))
    inputs, begin = np.eye(vocabulary_size)[source].transpose(1, 0, 2), []
    for layer in unpack(weights["encoder_parameters"], vocabulary_size, hidden_size, layers, directions):
        ways = [recurrent(inputs[:: 1 - 2 * way], zero, zero, *layer[way]) for way in range(directions)]
        inputs = np.concatenate([outputs[:: 1 - 2 * way] for way, (outputs, _, _) in enumerate(ways)], axis=2)
        begin.append([np.concatenate([way[state] for way in ways], axis=1) for state in (1, 2)])
    memory = inputs.transpose(1, 0, 2)  # (N, S, D)

    width = directions * hidden_size
    decoder = unpack(weights["decoder_parameters"], vocabulary_size, width, layers, 1)
    one_hot = np.vstack([np.eye(vocabulary_size), np.zeros(vocabulary_size)])  # the last row begins an answer
    before = np.concatenate([np.full((n, 1), vocabulary_size), target[:, :-1]], axis=1)
    steps, looks = [], []
    for characters in before.T:
        x = one_hot[characters][None]
        for number, [layer] in enumerate(decoder):
            x, *begin[number] = recurrent(x, *begin[number], *layer)
        output = x[0]
        scores = np.einsum("nd,nsd->ns", output, memory)
        if "from_first_bias" in weights:
            scores += position_bias(weights, source == pad, len(looks))
        look = np.exp(log_softmax(np.where(source == pad, -1e9, scores)))
        seen = np.einsum("ns,nsd->nd", look, memory)
        joined = np.concatenate([seen, output], axis=1)
        mixed = np.tanh(joined @ weights["attention_weight"].T + weights["attention_bias"])
        steps.append(log_softmax(mixed @ weights["output_weight"].T + weights["output_bias"]))
        looks.append(look)
    return np.stack(steps, axis=1), np.stack(looks, axis=1)


def position_bias(weights, padding, step):
    """What is added to the scores (N, S) of a step."""
    bias, most = np.zeros(padding.shape), len(weights["from_first_bias"]) // 2
    for row, place in np.ndindex(padding.shape):
        for end, distance in (("first", place - padding[row].sum()), ("last", padding.shape[1] - 1 - place)):
            bias[row, place] += 10 * weights[f"from_{end}_bias"][max(-most, min(most, distance - step)) + most]
    return bias


def transducer(weights, source, channels, target_length, vocabulary_size, hidden_size, layers, bidirectional):
    """Log-probabilities (N, T, V) of a transducer, in 64-bit floats."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    places = source.reshape(len(source), channels, target_length)
    joined = np.concatenate([np.eye(vocabulary_size)[places[:, channel]] for channel in range(channels)], axis=2)
    directions = 2 if bidirectional else 1
    outputs, _ = stack(joined.transpose(1, 0, 2), weights["transducer_parameters"], hidden_size, layers, directions)
    return log_softmax(outputs @ weights["output_weight"].T + weights["output_bias"]).transpose(1, 0, 2)


def answers(rng, n, length, size, pad=0):
    """Targets (n, length) of ids below `size`, drawn at random, which padding ends: none has padding inside."""
    others = [place for place in range(size) if place != pad]
    ids = rng.choice(others, size=(n, length))
    ids[np.arange(length) >= rng.integers(1, length + 1, size=(n, 1))] = pad
    return ids


def nats(log_probabilities, target, pad=0):
    """Negative log-probability of targets (N, T) up to the padding that ends each, their sum, shape (N,)."""
    picked = np.take_along_axis(log_probabilities, target[:, :, None], axis=2)[:, :, 0]
    counts = np.ones(target.shape, bool)
    counts[:, 1:] = target[:, :-1] != pad
    return -(picked * counts).sum(axis=1)
