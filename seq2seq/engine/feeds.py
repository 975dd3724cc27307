"""Copies batches to the device, divided among replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.calls import Call, forward_backward
from seq2seq.engine.network import Arrays, Input
from seq2seq.engine.replica import Graph, Replica
from seq2seq.engine.samplers import Batch
from seq2seq.mx import mx
from seq2seq.typing import Array
from seq2seq.workers import Worker

BLOCK = 2**16  # rows that are copied to the device at a time


class Feed(NamedTuple):
    """A batch on the device.

    Attributes
    ----------
    rows, terms : int
        Number of rows, and of their loss terms.
    step : int
        Index of the batch in the arrays that `calls` read.
    graphs : list of Graph
        One graph per replica that has rows of this batch.
    calls : list of list of Call
        For each graph, the calls that copy the batch to its inputs.
    """

    rows: int
    terms: int
    step: int
    graphs: list[Graph]
    calls: list[list[Call]]

    def compute(self) -> None:
        """Compute the losses and gradients of all graphs."""
        for graph, calls in zip(self.graphs, self.calls):
            for call in calls:
                call(begin=self.step, end=self.step + 1)
            forward_backward(graph.executor)


class Feeder:
    """Copies batches to the device, divided among replicas.

    Parameters
    ----------
    inputs : dict of str to Input
        The inputs of the network.
    replicas : sequence of Replica
    batch_size : int
    parts : int, optional
        The number of parts that a batch is divided into; by default one for each replica.
    first : int
        The part of the first replica; the other replicas have the parts after it.
    """

    def __init__(
        self,
        inputs: Mapping[str, Input],
        replicas: Sequence[Replica],
        batch_size: int,
        parts: int | None = None,
        first: int = 0,
    ) -> None:
        self._inputs = inputs
        self._replicas = replicas
        self._batch_size = batch_size
        self._parts = parts or len(replicas)
        self._first = first

    def feeds(self, arrays: Arrays, batches: Sequence[Batch]) -> Iterator[Feed]:
        """Prepare batches for `update`; they are copied to the device in blocks."""
        block = max(1, BLOCK // self._batch_size)
        for start in range(0, len(batches), block):
            kinds: dict[Any, list[Batch]] = {}
            for batch in batches[start : start + block]:
                kinds.setdefault(_kind(batch), []).append(batch)
            # The largest first: the other graphs fit in its working memory.
            ready = {kind: self._put(arrays, kinds[kind]) for kind in sorted(kinds, reverse=True)}
            for batch in batches[start : start + block]:
                step, graphs, calls = next(ready[_kind(batch)])
                yield Feed(len(batch.rows), batch.terms, step, graphs, calls)

    def _put(self, arrays: Arrays, batches: list[Batch]) -> Iterator[tuple[int, list[Graph], list[list[Call]]]]:
        """The step, the graphs and the calls that copy their inputs, for batches of the same size and widths."""
        rows = np.stack([batch.rows for batch in batches])  # (steps, n)
        widths = batches[0].widths
        parts = np.array_split(rows, self._parts, axis=1)[self._first :]
        graphs = []
        calls = []
        for replica, own in zip(self._replicas, parts):
            if not own.size:
                break  # there are fewer rows than parts, and the first parts have one each
            part = {name: self._values(name, arrays[name][own], widths) for name in self._inputs}
            graph = replica.graph(own.shape[1], widths, {name: array.dtype for name, array in part.items()})
            graphs.append(graph)
            calls.append([_copying(array, graph.inputs[name], replica.worker) for name, array in part.items()])
        return ((step, graphs, calls) for step in range(len(rows)))

    def _values(self, name: str, values: Array, widths: Mapping[str, int]) -> Array:
        """The values of an input (steps, n, ...), cut to its width, as (steps, ..., n)."""
        if name in widths:
            values = self._inputs[name].cut(values, widths[name])
        # Rows last and time first, the order of the recurrent layers, so that the graph need not transpose.
        return np.ascontiguousarray(np.moveaxis(values, 1, -1))


def _kind(batch: Batch) -> tuple[Any, ...]:
    """The size and widths of a batch; batches for which these are equal use the same graph."""
    return (len(batch.rows), *batch.widths.items())


def _copying(array: Array, inputs: Any, worker: Worker) -> Call:
    """A call that copies one step of an array (steps, ..., n) to the input of a graph (..., n)."""
    on_device = mx.nd.array(array, worker.device, dtype=array.dtype)
    return Call("slice_axis", [on_device], inputs.reshape((1, *inputs.shape)), axis=0, begin=0, end=1)
