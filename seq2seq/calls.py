"""Calls of MXNet operators with little Python overhead, for the steps of a training.

At every call `mx.nd` looks up the operator, converts its arrays and formats its parameters, and it makes an object for
every slice. This can take longer than the operator, and if the workers keep all cores busy, they lose that time. The
functions here call the same functions of the library as `mx.nd` and `Executor`.
"""

from __future__ import annotations

import ctypes
from typing import Any

from seq2seq.mx import Executor, mx
from seq2seq.typing import Array


class Call:
    """An operator bound to fixed arrays; calling the object runs it.

    Parameters
    ----------
    operator : str
        Name of the operator in `mx.nd`.
    inputs : list of mxnet.NDArray
        The operator runs on the device of the first array.
    out : mxnet.NDArray
        The array for the result.
    parameters
        Parameters of the operator. Each call can override the values of those named here.
    """

    def __init__(self, operator: str, inputs: list[Any], out: Any, **parameters: Any) -> None:
        handles = mx.base.c_handle_array
        strings = mx.base.c_str_array
        handle = ctypes.c_void_p()
        self._invoke = mx.base._LIB.MXImperativeInvokeEx
        self._check = mx.base.check_call
        self._check(mx.base._LIB.NNGetOpHandle(mx.base.c_str(operator), ctypes.byref(handle)))
        self._arrays = [*inputs, out]  # keeps the handles valid
        self._places = {name: place for place, name in enumerate(parameters)}
        self._values = strings([str(value) for value in parameters.values()])
        outputs = ctypes.cast(handles([out]), ctypes.POINTER(mx.base.NDArrayHandle))
        self._arguments = (
            handle, ctypes.c_int(len(inputs)), handles(inputs), ctypes.byref(ctypes.c_int(1)), ctypes.byref(outputs),
            ctypes.c_int(len(parameters)), strings(list(parameters)), self._values,
            ctypes.byref(ctypes.POINTER(ctypes.c_int)()),
        )  # fmt: skip

    def __call__(self, **changed: Any) -> None:
        for name, value in changed.items():
            self._values[self._places[name]] = str(value).encode()
        self._check(self._invoke(*self._arguments))


def read_into(array: Any, out: Array) -> None:
    """Copy an MXNet array of float32 into a contiguous NumPy array of the same size. Waits for the device."""
    data = out.ctypes.data_as(ctypes.c_void_p)
    mx.base.check_call(mx.base._LIB.MXNDArraySyncCopyToCPU(array.handle, data, ctypes.c_size_t(out.size)))


def write_from(array: Any, values: Array) -> None:
    """Copy a contiguous NumPy array of float32 into an MXNet array of the same size. Waits for the device."""
    data = values.ctypes.data_as(ctypes.c_void_p)
    mx.base.check_call(mx.base._LIB.MXNDArraySyncCopyFromCPU(array.handle, data, ctypes.c_size_t(values.size)))


def forward_backward(executor: Executor) -> None:
    """Run the forward and backward pass of a graph whose output is a loss."""
    library = mx.base._LIB
    check = mx.base.check_call
    check(library.MXExecutorForward(executor.handle, ctypes.c_int(1)))
    check(library.MXExecutorBackwardEx(executor.handle, ctypes.c_int(0), None, ctypes.c_int(1)))
