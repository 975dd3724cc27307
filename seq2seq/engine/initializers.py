"""Initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.engine.flat import FlatParameters
from seq2seq.engine.network import Network, variables
from seq2seq.mx import mx
from seq2seq.typing import Array


def parameter_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter of a network, by name."""
    symbol, given = _one_row(network)
    shapes = dict(zip(symbol.list_arguments(), symbol.infer_shape(**given)[0]))
    return {name: shape for name, shape in shapes.items() if name not in given}


def auxiliary_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """The shape of each auxiliary state of a network, by name.

    These are arrays that its graph changes in training and reads otherwise, and that have no gradient, such as the
    running means of batch normalisation.
    """
    symbol, given = _one_row(network)
    return dict(zip(symbol.list_auxiliary_states(), symbol.infer_shape(**given)[2]))


def first_weights(network: Network, flat: FlatParameters, seed: int) -> dict[str, Array]:
    """Draw the initial weights, with the auxiliary states.

    They are uniform as in Glorot and Bengio (2010) and in the notebook, except for variables with an initialiser of
    their own and for the changes that the network's `init_weights` makes.

    Parameters
    ----------
    network : Network
    flat : FlatParameters
        The layout of the network's parameters.
    seed : int

    Returns
    -------
    dict of str to ndarray
    """
    symbol, _ = _one_row(network)
    mx.random.seed(seed)
    initializer = mx.init.Xavier()
    attributes = symbol.attr_dict()
    arrays = flat.split(mx.nd.zeros((flat.size,)))
    arrays.update({name: mx.nd.zeros(shape) for name, shape in auxiliary_shapes(network).items()})
    for name, array in sorted(arrays.items()):
        initializer(mx.init.InitDesc(name, attributes.get(name)), array)
    weights = {name: array.asnumpy() for name, array in arrays.items()}
    network.init_weights(weights)
    return weights


def _one_row(network: Network) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """The loss for a batch of one row, and the shapes of its inputs."""
    states = network.state_shapes(1)
    given = {name: (*each.shape, 1) for name, each in network.inputs.items()}
    loss, _ = network.loss(variables(given), variables(states))
    read = {name: shape for name, shape in states.items() if name in loss.list_arguments()}
    return loss, {**given, **read}


def identity(matrix: Array) -> None:
    """Set a square matrix to the identity, in place.

    As hidden-to-hidden weights it makes a recurrent layer keep its state at first (Le et al. 2015).

    Parameters
    ----------
    matrix : ndarray, shape (H, H)
    """
    matrix[:] = np.eye(len(matrix))
