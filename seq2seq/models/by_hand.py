"""Recurrent networks by hand, in NumPy alone: every step forward, and every link of the chain rule back.

        source (S, N)
           | one-hot (S, N, V)
        recurrent layer, from left to right
           | the hidden states of the last T steps (T, N, H)
        dense layer
           | logits (T, N, V)
        softmax
           |
        probabilities of the target's characters (T, N, V)

With T = S every step predicts a character, with T = 1 the last alone. What MXNet's fused `RNN` operator does behind
one name is spelled out here, with weights in its layout, so that the same weights give the same numbers.

`d_x` is the derivative of the loss by `x`, and has its shape. The way back takes the lines of the way forward in the
opposite order, and of each it asks how its result depends on what it read:

        y = f(x)             d_x = d_y * f'(x)
        y = a * b            d_a = d_y * b          d_b = d_y * a
        y = x @ W.T + b      d_x = d_y @ W          d_W = d_y.T @ x, d_b = d_y, both summed over all x
        x is read twice      d_x is the sum of what comes back from either

A hidden state is read twice: by the dense layer and by the next step. So the way back begins at the last step, and
every step hands the one before it what its state was worth. That is back-propagation through time: Werbos,
"Backpropagation through time: what it does and how to do it" (1990). It ends at the first step, whatever came before:
a state that is handed in counts as given.
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

FUSED = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")  # as the fused operator's vector has them
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam, as its paper has them


class ByHand(ABC):
    """A network whose recurrent layer is still to be chosen.

    Parameters
    ----------
    vocabulary_size, hidden_size : int
        V and H.
    seed : int
        Decides the first weights.
    dtype : type
        `np.float32`, which MXNet computes with, or `np.float64`.

    Attributes
    ----------
    parameters : dict of str to ndarray
        With G gates a unit, of input to hidden and hidden to hidden: `i2h_weight` (G * H, V), `h2h_weight` (G * H, H),
        `i2h_bias` and `h2h_bias` (G * H,); of the dense layer: `output_weight` (V, H), `output_bias` (V,).
    """

    gates: ClassVar[int]
    states: ClassVar[int]  # how many arrays pass from step to step, the hidden state first

    def __init__(self, vocabulary_size: int, hidden_size: int, seed: int = 0, dtype: Any = np.float32) -> None:
        require(dtype in (np.float32, np.float64), "dtype", dtype, "np.float32 or np.float64")
        self.vocabulary_size = whole("vocabulary_size", vocabulary_size, 1)
        self.hidden_size = whole("hidden_size", hidden_size, 1)
        self.dtype = dtype
        first = self._first_parameters(np.random.default_rng(seed))
        self.parameters = {name: array.astype(dtype) for name, array in first.items()}

    def _first_parameters(self, rng: np.random.Generator) -> dict[str, Array]:
        v, h, gates = self.vocabulary_size, self.hidden_size, self.gates
        return {
            "i2h_weight": _glorot(rng, h, v, gates),
            "h2h_weight": _glorot(rng, h, h, gates),
            "i2h_bias": np.zeros(gates * h),
            "h2h_bias": np.zeros(gates * h),
            "output_weight": _glorot(rng, v, h),
            "output_bias": np.zeros(v),
        }

    # One step: what a kind of network adds ------------------------------------------------------------------------

    @abstractmethod
    def _step(self, sums: Array, state: State) -> tuple[State, Any]:
        """From weighted sums of the character and the hidden state (N, G * H), and the state before the step: the state
        after it, and what the way back will want to know."""

    @abstractmethod
    def _step_back(self, d_state: State, kept: Any) -> tuple[Array, State]:
        """From the derivatives by the state after the step: those by the sums (N, G * H), and by what it read of the
        state before other than through the sums: nothing, or the cells."""

    # Using it -----------------------------------------------------------------------------------------------------

    def probabilities(self, source_ids: Array, state: State | None = None) -> tuple[Array, State]:
        """What each step expects to come next.

        Parameters
        ----------
        source_ids : ndarray, shape (S, N)
            Whole numbers below V, time first.
        state : tuple of ndarray, shape (N, H), optional
            Where to begin, as an earlier call returned it; zeros by default.

        Returns
        -------
        probabilities : ndarray, shape (S, N, V)
        state : tuple of ndarray, shape (N, H)
            The last one: the hidden state, and of an LSTM the cells.
        """
        hidden, _, last = self._forward(self._one_hot("source_ids", source_ids), state)
        return np.exp(self._log_probabilities(hidden[1:])), last

    def loss(self, source_ids: Array, target_ids: Array, state: State | None = None) -> tuple[float, State]:
        """As `loss_and_gradients`, without the way back."""
        source, target = self._examples(source_ids, target_ids)
        hidden, _, last = self._forward(source, state)
        return _cross_entropy(self._log_probabilities(hidden[-len(target) :]), target), last

    def loss_and_gradients(
        self, source_ids: Array, target_ids: Array, state: State | None = None
    ) -> tuple[float, dict[str, Array], State]:
        """How far the model is off, and which way each parameter would have to go to make that worse.

        Parameters
        ----------
        source_ids, state
            As in `probabilities`.
        target_ids : ndarray, shape (T, N)
            What the last T steps should have predicted; T is at most S.

        Returns
        -------
        loss : float
            The negative log-probability of the target's characters, their mean, in nats.
        gradients : dict of str to ndarray
            Its derivatives, named and shaped as `parameters`.
        state
            As in `probabilities`.

        Raises
        ------
        UsageError
            If an array has another shape, or an id that the vocabulary lacks.
        """
        source, target = self._examples(source_ids, target_ids)
        hidden, kept, last = self._forward(source, state)
        predicting = hidden[-len(target) :]  # (T, N, H)
        log_probabilities = self._log_probabilities(predicting)  # (T, N, V)

        # The derivative of -log(softmax) by the logits: the probabilities, less 1 at the target's character.
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
        """One step of gradient descent."""
        for name, gradient in gradients.items():
            self.parameters[name] -= learning_rate * gradient

    # All steps ----------------------------------------------------------------------------------------------------

    def _forward(self, source: Array, state: State | None) -> tuple[Array, list[Any], State]:
        """From one-hot characters (S, N, V): the hidden states from before the first step to after the last
        (S + 1, N, H), what each step kept, and the last state."""
        parameters, shape = self.parameters, (source.shape[1], self.hidden_size)
        state = tuple(np.zeros(shape, self.dtype) for _ in range(self.states)) if state is None else state
        shapes = [array.shape for array in state]
        require(shapes == [shape] * self.states, "shapes of state", shapes, f"{[shape] * self.states}")

        hidden, kept = [state[0]], []
        for read in source @ parameters["i2h_weight"].T + parameters["i2h_bias"]:  # (N, G * H)
            sums = read + state[0] @ parameters["h2h_weight"].T + parameters["h2h_bias"]
            state, values = self._step(sums, state)
            hidden.append(state[0])
            kept.append(values)
        return np.stack(hidden), kept, state

    def _back_through_time(self, d_hidden: Array, kept: list[Any]) -> Array:
        """From the derivatives by the hidden states, as far as the dense layer read them (S, N, H): those by the sums
        of every step (S, N, G * H)."""
        d_state: State = tuple(np.zeros_like(d_hidden[0]) for _ in range(self.states))  # no step reads the last
        d_sums: list[Array] = []  # the last step's first
        for d_read, values in zip(d_hidden[::-1], kept[::-1]):
            d_sum, d_others = self._step_back((d_read + d_state[0], *d_state[1:]), values)
            d_state = (d_sum @ self.parameters["h2h_weight"], *d_others)
            d_sums.append(d_sum)
        return np.stack(d_sums[::-1])

    def _log_probabilities(self, hidden: Array) -> Array:
        """From hidden states (T, N, H), shape (T, N, V)."""
        logits = hidden @ self.parameters["output_weight"].T + self.parameters["output_bias"]
        shifted = logits - logits.max(axis=-1, keepdims=True)  # the same probabilities, and exp cannot overflow
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    def _examples(self, source_ids: Array, target_ids: Array) -> tuple[Array, Array]:
        source, target = self._one_hot("source_ids", source_ids), self._one_hot("target_ids", target_ids)
        (s, n), (t, rows) = source.shape[:2], target.shape[:2]
        require(t <= s and rows == n, "shape of target_ids", (t, rows), f"(T, {n}), T at most {s}")
        return source, target

    def _one_hot(self, name: str, ids: Array) -> Array:
        """Ids (S, N) as vectors (S, N, V) that are 1 at the id and 0 elsewhere."""
        v, shape = self.vocabulary_size, np.shape(ids)
        require(len(shape) == 2 and 0 not in shape, f"shape of {name}", shape, "(steps, N)")
        wrong = [value for value in np.unique(ids).tolist() if not is_whole(value, 0) or value >= v]
        require(not wrong, name, wrong[:3], f"whole numbers from 0 to {v - 1}")
        return np.eye(v, dtype=self.dtype)[ids]


class RnnByHand(ByHand):
    """Hidden units that read the character and each other (Elman, "Finding structure in time", 1990):

        h' = f(x @ i2h_weight.T + i2h_bias + h @ h2h_weight.T + h2h_bias)

    Parameters
    ----------
    activation : str
        f: `tanh` or `relu`. The others are those of `ByHand`.
    """

    gates, states = 1, 1

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
        [d_hidden], hidden = d_state, kept
        slope = 1 - hidden**2 if self.activation == "tanh" else hidden > 0  # f', by its own result
        return d_hidden * slope, ()


class LstmByHand(ByHand):
    """Long short-term memory: cells c that are added to and not overwritten, so that what comes back to them from
    far ahead is not squeezed at every step on its way, and gates that learn when to write, keep and show them:

        i, f, g, o = the four parts of x @ i2h_weight.T + i2h_bias + h @ h2h_weight.T + h2h_bias
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')

    Hochreiter and Schmidhuber, "Long short-term memory" (1997), with the forget gate f of Gers, Schmidhuber and
    Cummins, "Learning to forget" (2000). Parameters are those of `ByHand`.
    """

    gates, states = 4, 2

    def _first_parameters(self, rng: np.random.Generator) -> dict[str, Array]:
        """The forget gates start open, as MXNet's do: a bias of 1 from either side."""
        first = super()._first_parameters(rng)
        for name in ("i2h_bias", "h2h_bias"):
            first[name][self.hidden_size : 2 * self.hidden_size] = 1
        return first

    def _step(self, sums: Array, state: State) -> tuple[State, State]:
        before = state[1]
        i, f, g, o = np.split(sums, 4, axis=1)  # (N, H) each
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        cell = f * before + i * g
        shown = np.tanh(cell)
        return (o * shown, cell), (i, f, g, o, before, shown)

    def _step_back(self, d_state: State, kept: State) -> tuple[Array, State]:
        d_hidden, d_cell = d_state
        i, f, g, o, before, shown = kept
        d_o, d_shown = d_hidden * shown, d_hidden * o  # hidden = o * shown
        d_cell = d_cell + d_shown * (1 - shown**2)  # shown = tanh(cell), and the next step reads the cell too
        d_i, d_g = d_cell * g, d_cell * i  # cell = f * before + i * g
        d_f, d_before = d_cell * before, d_cell * f
        d_sums = d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g**2), d_o * o * (1 - o)  # sigmoid' = y * (1 - y)
        return np.concatenate(d_sums, axis=1), (d_before,)


class AdamByHand:
    """Adam (Kingma and Ba 2015), to be used in place of a model's own `update`.

    Parameters
    ----------
    parameters : dict of str to ndarray
        A model's, changed in place by every update.
    epsilon : float
        What is added to the root of the second moment.

    Attributes
    ----------
    updates : int
        How many there were.
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
        """Move every parameter by about the learning rate, against the running mean of its gradient."""
        self.updates += 1
        rate = learning_rate * math.sqrt(1 - BETA2**self.updates) / (1 - BETA1**self.updates)
        means, squares = self.moments
        for name, gradient in gradients.items():
            mean, square = means[name], squares[name]
            mean += (1 - BETA1) * (gradient - mean)
            square += (1 - BETA2) * (gradient**2 - square)
            self.parameters[name] -= rate * mean / (np.sqrt(square) + self.epsilon)


def to_fused(parameters: dict[str, Array]) -> Array:
    """The recurrent layer's parameters, or gradients, as the one vector of MXNet's `RNN` operator."""
    return np.concatenate([parameters[name].ravel() for name in FUSED])


def from_fused(vector: Array, vocabulary_size: int, hidden_size: int) -> dict[str, Array]:
    """The inverse of `to_fused`."""
    gate = hidden_size * (vocabulary_size + hidden_size + 2)  # numbers a gate
    require(len(vector) % gate == 0, "length of vector", len(vector), f"{gate} for each gate")
    rows = len(vector) // gate * hidden_size  # G * H
    shapes = [(rows, vocabulary_size), (rows, hidden_size), (rows,), (rows,)]
    parts = np.split(vector, np.cumsum([np.prod(shape) for shape in shapes[:-1]]))
    return {name: part.reshape(shape).copy() for name, part, shape in zip(FUSED, parts, shapes)}


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), in a form that never overflows."""
    return (1 + np.tanh(x / 2)) / 2


def _glorot(rng: np.random.Generator, rows: int, columns: int, count: int = 1) -> Array:
    """So many matrices, one below the other, drawn as Glorot and Bengio (2010) do: whatever passes through such a
    matrix, forward or back, keeps about its size."""
    limit = math.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (count * rows, columns))


def _cross_entropy(log_probabilities: Array, target: Array) -> float:
    """The mean negative log-probability of one-hot characters, both (T, N, V)."""
    return -float((log_probabilities * target).sum(axis=-1).mean())


def _sum_of_products(d_y: Array, x: Array) -> Array:
    """d_W of y = x @ W.T: the outer products of y's derivatives (S, N, R) and x (S, N, C), summed over all steps and
    rows, shape (R, C)."""
    return np.tensordot(d_y, x, axes=((0, 1), (0, 1)))
