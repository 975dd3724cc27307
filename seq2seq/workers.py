"""Workers bind and run graphs: one on a GPU, or two on a CPU.

MXNet runs the operators of a context in one thread, and treats `cpu(0)` and `cpu(1)` as two contexts, which do not wait
for each other. The operators of each thread use half of the cores, MXNet's default. If `OMP_NUM_THREADS` is set, there
is one worker, which uses this number of threads.
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
    """A context with the Python thread that binds its graphs.

    A graph gets its random state from the thread that binds it, whether or not it draws random numbers, and each fused
    recurrent operator locks this state while it runs. So graphs bound by the same thread never run in parallel.

    Parameters
    ----------
    device : mxnet.Context
    number : int
        Workers of a device with different numbers have threads of their own, so their graphs draw
        from different random states.
    """

    def __init__(self, device: Device, number: int = 0) -> None:
        self.device = device
        self.number = number

    def call(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Call a function in this worker's thread, and return its result."""
        return _thread(self.device, self.number).submit(function, *arguments, **options).result()

    def bind(
        self,
        symbol: Any,
        inputs: dict[str, Any],
        weights: dict[str, Any],
        gradients: dict[str, Any] | None = None,
        shared: Any = None,
    ) -> Any:
        """Bind a symbol to arrays, without copying them.

        Parameters
        ----------
        symbol : mxnet.Symbol
        inputs, weights : dict of str to mxnet.NDArray
            By the names of the symbol's arguments, on this worker's device. The weights include the auxiliary states.
        gradients : dict of str to mxnet.NDArray, optional
            Arrays for the gradients, by the names of the weights; only for training.
        shared : mxnet.executor.Executor, optional
            Another executor of this worker whose working memory is reused. The two must not run at the same time, and
            the new one must not need more memory.

        Returns
        -------
        mxnet.executor.Executor
        """
        asked = {name: "write" if gradients and name in gradients else "null" for name in symbol.list_arguments()}
        return self.call(symbol.bind, self.device, {**inputs, **weights}, gradients, asked, weights, shared_exec=shared)


def argument_shapes(symbol: Any, **inputs: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The shapes of all arguments and auxiliary states of a symbol by name, inferred from the shapes of its inputs."""
    arguments, _, auxiliary = symbol.infer_shape(**inputs)
    return {
        **dict(zip(symbol.list_arguments(), arguments)),
        **dict(zip(symbol.list_auxiliary_states(), auxiliary)),
    }


def workers_of(device: Device) -> tuple[Worker, ...]:
    """The workers of a device, the device's own worker first; a process has one set of them."""
    if device.device_type != "cpu":
        return (_worker(device),)
    limited = "OMP_NUM_THREADS" in os.environ
    return tuple(_worker(mx.cpu(index)) for index in range(1 if limited or _cores() == 1 else 2))


@cache
def _worker(device: Device) -> Worker:
    return Worker(device)


@cache
def _thread(device: Device, number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=f"binds for {device}")


# The child of a fork has the graphs and can run them, but it does not have the threads.
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_thread.cache_clear)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
