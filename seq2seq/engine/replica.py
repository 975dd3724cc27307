"""One worker's part of every update: its copy of the weights, its graphs, and its section of the vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from seq2seq.calls import Call
from seq2seq.compiled.graph import with_compiled_lstm
from seq2seq.engine.flat import FlatParameters
from seq2seq.engine.network import Network, variables
from seq2seq.mx import Executor, mx
from seq2seq.workers import Worker


class Graph(NamedTuple):
    """The graph of the loss, bound for a number of rows n.

    Attributes
    ----------
    executor : mxnet.executor.Executor
    inputs : dict of str to mxnet.NDArray, shape (..., n)
    loss : mxnet.NDArray, shape (1,)
    add_loss : Call
        Adds the loss to the sum.
    hand_on : list of Call
        Copy the final states to the initial states of the next batch.
    """

    executor: Executor
    inputs: dict[str, Any]
    loss: Any
    add_loss: Call
    hand_on: list[Call]


class Replica:
    """One worker's part of every update.

    Parameters
    ----------
    worker : Worker
    network : Network
    flat : FlatParameters
        The layout of the parameter vector (P,).
    section : slice
        The part of the vector that this worker updates.
    loss_sum : mxnet.NDArray, shape (1,)
        The loss is added to it.
    rows : int
        The number of rows of a full batch that this worker processes.
    auxiliary : dict of str to tuple of int
        Shapes of the auxiliary states: see `auxiliary_shapes`.
    compiled : bool
        Whether its LSTMs are the compiled ones: see `seq2seq/compiled/`.
    weights : mxnet.NDArray, shape (P,), optional
        The weights of another replica on the same device, to be used by both.

    Attributes
    ----------
    weights, gradients : mxnet.NDArray, shape (P,)
    own_weights, own_gradients : mxnet.NDArray, shape (section,)
        The section's weights and, after `add_up`, the sum of its gradients.
    auxiliary : dict of str to mxnet.NDArray
        Changed by the graphs, from the rows that this worker processes.
    states : dict of str to mxnet.NDArray
        Initial states of the next batch; empty for a network without states.
    add_up, fetch : list of Call
        Exchange gradients and weights with the other replicas; empty if there are none.
    """

    def __init__(
        self,
        worker: Worker,
        network: Network,
        flat: FlatParameters,
        section: slice,
        loss_sum: Any,
        rows: int,
        auxiliary: Mapping[str, tuple[int, ...]],
        compiled: bool,
        weights: Any = None,
    ) -> None:
        self.worker = worker
        self.network = network
        self.flat = flat
        self.section = section
        self.loss_sum = loss_sum
        self.compiled = compiled
        self.weights = mx.nd.zeros((flat.size,), worker.device) if weights is None else weights
        self.gradients = mx.nd.zeros((flat.size,), worker.device)
        self.own_weights = self.weights
        self.own_gradients = self.gradients
        if section.stop - section.start < flat.size:
            # Separate arrays, since the engine lets only one operator at a time write to any part of an array.
            self.own_weights = mx.nd.zeros_like(self.weights[section])
            self.own_gradients = mx.nd.zeros_like(self.weights[section])
        self.auxiliary = {name: mx.nd.zeros(shape, worker.device) for name, shape in auxiliary.items()}
        self.states = {name: mx.nd.zeros(shape, worker.device) for name, shape in network.state_shapes(rows).items()}
        self.add_up: list[Call] = []
        self.fetch: list[Call] = []
        self._graphs: dict[Any, Graph] = {}

    @property
    def parameters(self) -> dict[str, Any]:
        """The replica's weights by name, as views of the vector, and its auxiliary states."""
        return {**self.flat.split(self.weights), **self.auxiliary}

    def graph(self, n: int, widths: Mapping[str, int], dtypes: Mapping[str, Any]) -> Graph:
        """The graph for a batch shape, bound when first needed.

        All graphs of a replica share its weights and its working memory.

        Parameters
        ----------
        n : int
            Number of rows.
        widths : dict of str to int
            Widths of the sequences that are cut.
        dtypes : dict of str to dtype
            Type of each input.
        """
        key = (n, *widths.items())
        if key not in self._graphs:
            network = self.network.narrowed(widths)
            inputs = {
                name: mx.nd.zeros((*each.shape, n), self.worker.device, dtypes[name])
                for name, each in network.inputs.items()
            }
            loss, after = network.loss(variables(inputs), variables(self.states))
            symbol = mx.sym.Group([loss, *after.values()])
            executor = self.worker.bind(
                with_compiled_lstm(symbol) if self.compiled else symbol,
                {**inputs, **self.states},
                self.parameters,
                self.flat.split(self.gradients),
                shared=next((graph.executor for graph in self._graphs.values()), None),
            )
            summed, *last = executor.outputs
            add_loss = Call("add_n", [self.loss_sum, summed], self.loss_sum, num_args=2)
            hand_on = [Call("_copyto", [new], self.states[name]) for name, new in zip(after, last)]
            self._graphs[key] = Graph(executor, inputs, summed, add_loss, hand_on)
        return self._graphs[key]

    def meet(self, replicas: list[Replica]) -> None:
        """Prepare the exchange of gradients and weights with the other replicas.

        An operator runs on the device of its first array, so the replica's own array comes first.

        Parameters
        ----------
        replicas : list of Replica
            All replicas, including this one.
        """
        own_first = sorted(replicas, key=lambda replica: replica is not self)
        parts = [replica.gradients[self.section] for replica in own_first]
        self.add_up = [Call("add_n", parts, self.own_gradients, num_args=len(parts))]
        self.fetch = [Call("_copyto", [other.own_weights], self.weights[other.section]) for other in replicas]
