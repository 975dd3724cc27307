"""Recurrent networks by hand, in NumPy alone: the forward pass step by step, and back-propagation by the chain rule.

        source (S, N)
           | one-hot (S, N, V)
        recurrent layer, left to right
           | the hidden states of the last T steps (T, N, H)
        dense layer
           | logits (T, N, V)
        softmax
           |
        probabilities of the target's characters (T, N, V)

With T = S every step predicts a character, with T = 1 only the last step does. The computation of MXNet's fused `RNN`
operator is written out here, with weights in the same layout, so that the same weights give the same results.

`d_x` is the derivative of the loss with respect to `x`, and has the shape of `x`. The backward pass goes through the
lines of the forward pass in reverse order, and applies one rule to each:

        y = f(x)             d_x = d_y * f'(x)
        y = a * b            d_a = d_y * b          d_b = d_y * a
        y = x @ W.T + b      d_x = d_y @ W          d_W = d_y.T @ x, d_b = d_y, both summed over all x
        x is used twice      d_x is the sum of the derivatives from both uses

A hidden state is used twice: by the dense layer and by the next step. So the backward pass begins at the last step, and
every step passes the derivative with respect to its initial state to the step before. This is back-propagation through
time: Werbos, "Backpropagation through time: what it does and how to do it" (1990). It ends at the first step, where the
initial state is treated as a constant.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from seq2seq.errors import is_whole, require
from seq2seq.typing import Array
from seq2seq.values import whole

State = tuple[Array, ...]

FUSED = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")  # in the order of the fused operator's vector
BETA1 = 0.9  # Adam's constants, with the values of its paper
BETA2 = 0.999
EPSILON = 1e-8


class ByHand(ABC):
    """Base class of a network with one recurrent layer and a dense layer.

    Parameters
    ----------
    vocabulary_size, hidden_size : int
        V and H.
    seed : int
        Determines the initial weights.
    dtype : type
        `np.float32`, as in MXNet, or `np.float64`.

    Attributes
    ----------
    parameters : dict of str to ndarray
        From input to hidden and from hidden to hidden, with G gates per unit: `i2h_weight` (G * H, V), `h2h_weight`
        (G * H, H), `i2h_bias` and `h2h_bias` (G * H,). The dense layer: `output_weight` (V, H), `output_bias` (V,).

    Raises
    ------
    UsageError
        If an argument is not allowed.
    """

    gates: ClassVar[int]
    states: ClassVar[int]  # number of arrays that pass from step to step, the hidden state first

    def __init__(self, vocabulary_size: int, hidden_size: int, seed: int = 0, dtype: Any = np.float32) -> None:
        require(dtype in (np.float32, np.float64), "dtype", dtype, "np.float32 or np.float64")
        self.vocabulary_size = whole("vocabulary_size", vocabulary_size, 1)
        self.hidden_size = whole("hidden_size", hidden_size, 1)
        self.dtype = dtype
        first = self._first_parameters(np.random.default_rng(seed))
        self.parameters = {name: array.astype(dtype) for name, array in first.items()}

    def _first_parameters(self, rng: np.random.Generator) -> dict[str, Array]:
        v = self.vocabulary_size
        h = self.hidden_size
        gates = self.gates
        return {
            "i2h_weight": _glorot(rng, h, v, gates),
            "h2h_weight": _glorot(rng, h, h, gates),
            "i2h_bias": np.zeros(gates * h),
            "h2h_bias": np.zeros(gates * h),
            "output_weight": _glorot(rng, v, h),
            "output_bias": np.zeros(v),
        }

    # One step, for subclasses to define ---------------------------------------------------------------------------

    @abstractmethod
    def _step(self, sums: Array, state: State) -> tuple[State, Any]:
        """The forward pass of one step.

        Parameters
        ----------
        sums : ndarray, shape (N, G * H)
            Weighted sums of the character and the hidden state.
        state : tuple of ndarray, shape (N, H)
            The state before the step.

        Returns
        -------
        state : tuple of ndarray, shape (N, H)
            The state after the step.
        kept
            Values that the backward pass needs.
        """

    @abstractmethod
    def _step_back(self, d_state: State, kept: Any) -> tuple[Array, State]:
        """The backward pass of one step.

        Parameters
        ----------
        d_state : tuple of ndarray, shape (N, H)
            Derivatives with respect to the state after the step.
        kept
            From `_step`.

        Returns
        -------
        d_sums : ndarray, shape (N, G * H)
        d_others : tuple of ndarray, shape (N, H)
            Derivatives with respect to those parts of the state before that are used other than in the sums: none, or
            the cells.
        """

    # Public methods -----------------------------------------------------------------------------------------------

    def probabilities(self, source_ids: Array, state: State | None = None) -> tuple[Array, State]:
        """The probabilities of the next character after each step.

        Parameters
        ----------
        source_ids : ndarray of int, shape (S, N)
            Ids below V, time first.
        state : tuple of ndarray, shape (N, H), optional
            Initial state, as returned by an earlier call; zeros by default.

        Returns
        -------
        probabilities : ndarray, shape (S, N, V)
        state : tuple of ndarray, shape (N, H)
            The final state: the hidden state, and for an LSTM the cells.

        Raises
        ------
        UsageError
            If an array has the wrong shape or contains an invalid id.
        """
        hidden, _, last = self._forward(self._one_hot("source_ids", source_ids), state)
        return np.exp(self._log_probabilities(hidden[1:])), last

    def loss(self, source_ids: Array, target_ids: Array, state: State | None = None) -> tuple[float, State]:
        """The loss and the final state as in `loss_and_gradients`, without the backward pass."""
        source, target = self._examples(source_ids, target_ids)
        hidden, _, last = self._forward(source, state)
        return _cross_entropy(self._log_probabilities(hidden[-len(target) :]), target), last

    def loss_and_gradients(
        self, source_ids: Array, target_ids: Array, state: State | None = None
    ) -> tuple[float, dict[str, Array], State]:
        """The loss and its gradients.

        Parameters
        ----------
        source_ids, state
            As in `probabilities`.
        target_ids : ndarray of int, shape (T, N)
            The characters that the last T steps should predict; T is at most S.

        Returns
        -------
        loss : float
            Mean negative log-probability of the target's characters, in nats.
        gradients : dict of str to ndarray
            Derivatives of the loss, with the names and shapes of `parameters`.
        state
            As in `probabilities`.

        Raises
        ------
        UsageError
            If an array has the wrong shape or contains an invalid id.
        """
        source, target = self._examples(source_ids, target_ids)
        hidden, kept, last = self._forward(source, state)
        predicting = hidden[-len(target) :]  # (T, N, H)
        log_probabilities = self._log_probabilities(predicting)  # (T, N, V)

        # The derivative of -log(softmax) with respect to the logits: the probabilities, minus 1 at the target.
        d_logits = (np.exp(log_probabilities) - target) / math.prod(target.shape[:2])  # (T, N, V)
        d_hidden = np.zeros_like(hidden[1:])  # (S, N, H)
        d_hidden[-len(target) :] = d_logits @ self.parameters["output_weight"]
        d_sums = self._back_through_time(d_hidden, kept)  # (S, N, G * H)
        gradients = {
            "i2h_weight": _sum_of_products(d_sums, source),
            "h2h_weight": _sum_of_products(d_sums, hidden[:-1]),
            "i2h_bias": d_sums.sum(axis=(0, 1)),
            "h2h_bias": d_sums.sum(axis=(0, 1)),
            "output_weight": _sum_of_products(d_logits, predicting),
            "output_bias": d_logits.sum(axis=(0, 1)),
        }
        return _cross_entropy(log_probabilities, target), gradients, last

    def update(self, gradients: dict[str, Array], learning_rate: float) -> None:
        """Make one step of gradient descent.

        Parameters
        ----------
        gradients : dict of str to ndarray
            From `loss_and_gradients`.
        learning_rate : float
        """
        for name, gradient in gradients.items():
            self.parameters[name] -= learning_rate * gradient

    # All steps ----------------------------------------------------------------------------------------------------

    def _forward(self, source: Array, state: State | None) -> tuple[Array, list[Any], State]:
        """The forward pass of all steps.

        Parameters
        ----------
        source : ndarray, shape (S, N, V)
            One-hot characters.
        state : tuple of ndarray, shape (N, H), optional

        Returns
        -------
        hidden : ndarray, shape (S + 1, N, H)
            The hidden states before the first step and after each step.
        kept : list
            From `_step`, one per step.
        state : tuple of ndarray, shape (N, H)
            The final state.
        """
        parameters = self.parameters
        shape = (source.shape[1], self.hidden_size)
        state = tuple(np.zeros(shape, self.dtype) for _ in range(self.states)) if state is None else state
        shapes = [array.shape for array in state]
        require(shapes == [shape] * self.states, "shapes of state", shapes, f"{[shape] * self.states}")

        hidden = [state[0]]
        kept = []
        for read in source @ parameters["i2h_weight"].T + parameters["i2h_bias"]:  # (N, G * H)
            sums = read + state[0] @ parameters["h2h_weight"].T + parameters["h2h_bias"]
            state, values = self._step(sums, state)
            hidden.append(state[0])
            kept.append(values)
        return np.stack(hidden), kept, state

    def _back_through_time(self, d_hidden: Array, kept: list[Any]) -> Array:
        """The backward pass of all steps.

        Parameters
        ----------
        d_hidden : ndarray, shape (S, N, H)
            Derivatives with respect to the hidden states as inputs of the dense layer.
        kept : list
            From `_forward`.

        Returns
        -------
        ndarray, shape (S, N, G * H)
            Derivatives with respect to the sums of every step.
        """
        d_state: State = tuple(np.zeros_like(d_hidden[0]) for _ in range(self.states))  # no step uses the final state
        d_sums: list[Array] = []  # from the last step to the first
        for d_read, values in zip(d_hidden[::-1], kept[::-1]):
            d_sum, d_others = self._step_back((d_read + d_state[0], *d_state[1:]), values)
            d_state = (d_sum @ self.parameters["h2h_weight"], *d_others)
            d_sums.append(d_sum)
        return np.stack(d_sums[::-1])

    def _log_probabilities(self, hidden: Array) -> Array:
        """Log-probabilities, shape (T, N, V), from hidden states, shape (T, N, H)."""
        logits = hidden @ self.parameters["output_weight"].T + self.parameters["output_bias"]
        shifted = logits - logits.max(axis=-1, keepdims=True)  # the probabilities are the same; exp cannot overflow
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    def _examples(self, source_ids: Array, target_ids: Array) -> tuple[Array, Array]:
        """Checked ids as one-hot vectors, shapes (S, N, V) and (T, N, V)."""
        source = self._one_hot("source_ids", source_ids)
        target = self._one_hot("target_ids", target_ids)
        s, n = source.shape[:2]
        t, rows = target.shape[:2]
        require(t <= s and rows == n, "shape of target_ids", (t, rows), f"(T, {n}), T at most {s}")
        return source, target

    def _one_hot(self, name: str, ids: Array) -> Array:
        """Ids (S, N) as vectors (S, N, V) that are 1 at the id and 0 elsewhere."""
        v = self.vocabulary_size
        shape = np.shape(ids)
        require(len(shape) == 2 and 0 not in shape, f"shape of {name}", shape, "(steps, N)")
        wrong = [value for value in np.unique(ids).tolist() if not is_whole(value, 0) or value >= v]
        require(not wrong, name, wrong[:3], f"whole numbers from 0 to {v - 1}")
        return np.eye(v, dtype=self.dtype)[ids]


class RnnByHand(ByHand):
    """A plain recurrent network (Elman, "Finding structure in time", 1990):

        h' = f(x @ i2h_weight.T + i2h_bias + h @ h2h_weight.T + h2h_bias)

    Parameters
    ----------
    vocabulary_size, hidden_size, seed, dtype
        As in `ByHand`.
    activation : str
        f: `tanh` or `relu`.
    """

    gates = 1
    states = 1

    def __init__(
        self, vocabulary_size: int, hidden_size: int, seed: int = 0, dtype: Any = np.float32, activation: str = "tanh"
    ) -> None:
        require(activation in ("tanh", "relu"), "activation", activation, "tanh or relu")
        super().__init__(vocabulary_size, hidden_size, seed, dtype)
        self.activation = activation

    def _step(self, sums: Array, state: State) -> tuple[State, Array]:
        hidden = np.tanh(sums) if self.activation == "tanh" else np.maximum(sums, 0)
        return (hidden,), hidden

    def _step_back(self, d_state: State, kept: Array) -> tuple[Array, State]:
        [d_hidden] = d_state
        hidden = kept
        slope = 1 - hidden**2 if self.activation == "tanh" else hidden > 0  # f' as a function of f's result
        return d_hidden * slope, ()


class LstmByHand(ByHand):
    """A network with long short-term memory:

        i, f, g, o = the four parts of x @ i2h_weight.T + i2h_bias + h @ h2h_weight.T + h2h_bias
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')

    The cells c are added to, not overwritten, so that their gradient need not shrink at every step. The gates learn
    when to write to the cells (i), to keep them (f) and to output them (o).

    Hochreiter and Schmidhuber, "Long short-term memory" (1997), with the forget gate f of Gers, Schmidhuber and
    Cummins, "Learning to forget" (2000). It has the parameters of `ByHand`.
    """

    gates = 4
    states = 2

    def _first_parameters(self, rng: np.random.Generator) -> dict[str, Array]:
        """Initial parameters; the forget gates start open as in MXNet, with both biases 1."""
        first = super()._first_parameters(rng)
        for name in ("i2h_bias", "h2h_bias"):
            first[name][self.hidden_size : 2 * self.hidden_size] = 1
        return first

    def _step(self, sums: Array, state: State) -> tuple[State, State]:
        before = state[1]
        i, f, g, o = np.split(sums, 4, axis=1)  # (N, H) each
        i = _sigmoid(i)
        f = _sigmoid(f)
        g = np.tanh(g)
        o = _sigmoid(o)
        cell = f * before + i * g
        shown = np.tanh(cell)
        return (o * shown, cell), (i, f, g, o, before, shown)

    def _step_back(self, d_state: State, kept: State) -> tuple[Array, State]:
        d_hidden, d_cell = d_state
        i, f, g, o, before, shown = kept
        # hidden = o * shown
        d_o = d_hidden * shown
        d_shown = d_hidden * o
        # shown = tanh(cell), and the next step uses the cell too
        d_cell = d_cell + d_shown * (1 - shown**2)
        # cell = f * before + i * g
        d_f = d_cell * before
        d_before = d_cell * f
        d_i = d_cell * g
        d_g = d_cell * i
        # With y = sigmoid(x), dy/dx = y * (1 - y); with y = tanh(x), dy/dx = 1 - y**2.
        d_sums = [d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g**2), d_o * o * (1 - o)]
        return np.concatenate(d_sums, axis=1), (d_before,)


class AdamByHand:
    """Adam (Kingma and Ba 2015), in place of `ByHand.update`.

    Parameters
    ----------
    parameters : dict of str to ndarray
        A model's parameters. Changed in place by every update.
    epsilon : float
        Added to the square root of the second moment.

    Attributes
    ----------
    updates : int
        Number of updates so far.
    moments : tuple of dict of str to ndarray
        Running means of the gradients and of their squares.
    """

    def __init__(self, parameters: dict[str, Array], epsilon: float = EPSILON) -> None:
        self.parameters = parameters
        self.epsilon = epsilon
        self.updates = 0
        means, squares = ({name: np.zeros_like(array) for name, array in parameters.items()} for _ in range(2))
        self.moments = means, squares

    def update(self, gradients: dict[str, Array], learning_rate: float) -> None:
        """Make one update: change each parameter by about the learning rate, against its mean gradient.

        Parameters
        ----------
        gradients : dict of str to ndarray
        learning_rate : float
        """
        self.updates += 1
        rate = learning_rate * math.sqrt(1 - BETA2**self.updates) / (1 - BETA1**self.updates)
        means, squares = self.moments
        for name, gradient in gradients.items():
            mean = means[name]
            square = squares[name]
            mean += (1 - BETA1) * (gradient - mean)
            square += (1 - BETA2) * (gradient**2 - square)
            self.parameters[name] -= rate * mean / (np.sqrt(square) + self.epsilon)


def to_fused(parameters: dict[str, Array]) -> Array:
    """Join the recurrent layer's parameters or gradients into one vector for MXNet's `RNN` operator.

    Parameters
    ----------
    parameters : dict of str to ndarray

    Returns
    -------
    ndarray, shape (G * H * (V + H + 2),)
    """
    return np.concatenate([parameters[name].ravel() for name in FUSED])


def from_fused(vector: Array, vocabulary_size: int, hidden_size: int) -> dict[str, Array]:
    """The inverse of `to_fused`.

    Parameters
    ----------
    vector : ndarray, shape (G * H * (V + H + 2),)
    vocabulary_size, hidden_size : int
        V and H.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    UsageError
        If the vector has the wrong length.
    """
    gate = hidden_size * (vocabulary_size + hidden_size + 2)  # numbers per gate
    require(len(vector) % gate == 0, "length of vector", len(vector), f"{gate} for each gate")
    rows = len(vector) // gate * hidden_size  # G * H
    shapes = [(rows, vocabulary_size), (rows, hidden_size), (rows,), (rows,)]
    parts = np.split(vector, np.cumsum([np.prod(shape) for shape in shapes[:-1]]))
    return {name: part.reshape(shape).copy() for name, part, shape in zip(FUSED, parts, shapes)}


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), in a form that never overflows."""
    return (1 + np.tanh(x / 2)) / 2


def _glorot(rng: np.random.Generator, rows: int, columns: int, count: int = 1) -> Array:
    """Draw `count` matrices, stacked, as in Glorot and Bengio (2010): values that pass through such a matrix, forward
    or backward, keep about the same size."""
    limit = math.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (count * rows, columns))


def _cross_entropy(log_probabilities: Array, target: Array) -> float:
    """Mean negative log-probability of one-hot characters; both arguments have shape (T, N, V)."""
    return -float((log_probabilities * target).sum(axis=-1).mean())


def _sum_of_products(d_y: Array, x: Array) -> Array:
    """d_W for y = x @ W.T, shape (R, C): the outer products of d_y (S, N, R) and x (S, N, C), summed over S and N."""
    return np.tensordot(d_y, x, axes=((0, 1), (0, 1)))
