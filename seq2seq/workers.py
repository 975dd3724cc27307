"""Where graphs are bound and run: the GPU, or the two halves of a CPU.

MXNet works through the operators of one context in one thread, and takes `cpu(0)` and `cpu(1)` for two contexts: what
runs in one does not wait for the other. A thread's operators use half of the cores, which is what MXNet leaves them
unless `OMP_NUM_THREADS` says how many; then there is one worker, and it does as it was told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from seq2seq.mx import Device, mx

T = TypeVar("T")


class Worker:
    """A context, and the Python thread that binds its graphs.

    A graph takes its random state from the thread that binds it, whether or not it ever draws from it, and each fused
    recurrent operator claims that state while it runs: graphs that one thread has bound never run side by side.
    """

    def __init__(self, device: Device) -> None:
        self.device = device

    def call(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """What the function returns when this worker's thread calls it."""
        return _thread(self.device).submit(function, *arguments, **options).result()

    def bind(
        self,
        symbol: Any,
        inputs: dict[str, Any],
        weights: dict[str, Any],
        gradients: dict[str, Any] | None = None,
        shared: Any = None,
    ) -> Any:
        """An executor of the symbol over these very arrays, for training if there are gradients.

        Parameters
        ----------
        symbol : mxnet.Symbol
        inputs, weights, gradients : dict of str to mxnet.NDArray
            By the names of the symbol's arguments, on this worker's device.
        shared : mxnet.executor.Executor, optional
            Another of this worker's, whose working memory is used again: the two must not run at once, nor this one
            need more than that.
        """
        asked = {name: "write" if gradients and name in gradients else "null" for name in symbol.list_arguments()}
        return self.call(symbol.bind, self.device, {**inputs, **weights}, gradients, asked, shared_exec=shared)


def argument_shapes(symbol: Any, **inputs: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The shape of each of a symbol's arguments by name, given those of its inputs."""
    return dict(zip(symbol.list_arguments(), symbol.infer_shape(**inputs)[0]))


def workers_of(device: Device) -> tuple[Worker, ...]:
    """The workers that share what runs on a device, its own first. One process has one set of them."""
    if device.device_type != "cpu":
        return (_worker(device),)
    told = "OMP_NUM_THREADS" in os.environ
    return tuple(_worker(mx.cpu(index)) for index in range(1 if told or _cores() == 1 else 2))


@cache
def _worker(device: Device) -> Worker:
    return Worker(device)


@cache
def _thread(device: Device) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=f"binds for {device}")


# The child of a fork has the graphs, and can run them, but not the threads.
os.register_at_fork(after_in_child=_thread.cache_clear)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
