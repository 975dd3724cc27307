"""MXNet called with little Python, for what a training does at every step.

`mx.nd` looks up an operator, converts its arrays and writes out its parameters at every call, and makes an object of
every slice: more work than the engine's own. Where the workers keep all cores busy, they lose that time. The functions
of the library that these call are those that `mx.nd` and `Executor` call.
"""

from __future__ import annotations

import ctypes
from typing import Any

from seq2seq.mx import Executor, mx

_library, _check, _handles, _strings = mx.base._LIB, mx.base.check_call, mx.base.c_handle_array, mx.base.c_str_array


class Call:
    """One operator on arrays that stay the same.

    Parameters
    ----------
    operator : str
        Its name, as in `mx.nd`.
    inputs : list of mxnet.NDArray
        It runs where the first of them is.
    out : mxnet.NDArray
        What it writes to.
    parameters
        The operator's. A call can give other values to those that are named here.
    """

    def __init__(self, operator: str, inputs: list[Any], out: Any, **parameters: Any) -> None:
        handle = ctypes.c_void_p()
        _check(_library.NNGetOpHandle(mx.base.c_str(operator), ctypes.byref(handle)))
        self._arrays = [*inputs, out]  # the handles are theirs
        self._places = {name: place for place, name in enumerate(parameters)}
        self._values = _strings([str(value) for value in parameters.values()])
        outputs = ctypes.cast(_handles([out]), ctypes.POINTER(mx.base.NDArrayHandle))
        self._arguments = (
            handle, ctypes.c_int(len(inputs)), _handles(inputs), ctypes.byref(ctypes.c_int(1)), ctypes.byref(outputs),
            ctypes.c_int(len(parameters)), _strings(list(parameters)), self._values,
            ctypes.byref(ctypes.POINTER(ctypes.c_int)()),
        )  # fmt: skip

    def __call__(self, **changed: Any) -> None:
        for name, value in changed.items():
            self._values[self._places[name]] = str(value).encode()
        _check(_library.MXImperativeInvokeEx(*self._arguments))


def forward_backward(executor: Executor) -> None:
    """Run a graph that ends in its loss forwards and backwards, for training."""
    _check(_library.MXExecutorForward(executor.handle, ctypes.c_int(1)))
    _check(_library.MXExecutorBackwardEx(executor.handle, ctypes.c_int(0), None, ctypes.c_int(1)))
