"""A small writer of ONNX graphs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np

from seq2seq.decoding.properties import METADATA
from seq2seq.errors import Seq2SeqError
from seq2seq.typing import Array

try:
    import onnx
    from onnx import helper, numpy_helper
except ImportError as error:
    raise Seq2SeqError(f"export: needs the package onnx ({error}): pip install 'mxseq2seq[onnx]'") from None

# Both are fixed, because an installed onnx would write its newest versions, which older ONNX Runtimes refuse.
OPSET = 18
IR_VERSION = 8

Value = str  # the name of a value in a graph
Operand = Union[Value, Array, Sequence[int], bool, int, float]


class Graph:
    """A graph under construction. Calling it adds a node: `total = graph("Add", a, 1.0)`.

    Numbers and arrays among the inputs become constants: int64 for integers, float32 for other numbers.

    Parameters
    ----------
    name : str
    outer : Graph, optional
        The graph of which this one is a part, such as the body of a loop. It can use the outer graph's values.
    """

    def __init__(self, name: str, outer: Graph | None = None) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        # Names in an inner graph must differ from those in the outer one.
        self._constants: dict[Any, Any] = {} if outer is None else outer._constants
        self._taken: set[str] = set() if outer is None else outer._taken

    def __call__(self, operator: str, *inputs: Operand, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node.

        Parameters
        ----------
        operator : str
            Name of an ONNX operator.
        *inputs
            Values, numbers or arrays; an empty string for an input that is left out.
        outputs : int
            Number of outputs.
        **attributes
            Attributes of the operator.

        Returns
        -------
        str, or list of str for several outputs
            Names of the outputs.
        """
        # Nodes have names too: ONNX Runtime 1.19 refuses a graph in which it has fused two nodes without.
        names = [self._fresh(operator.lower()) for _ in range(outputs)]
        values = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        self._nodes.append(helper.make_node(operator, values, names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def whole(self, value: Operand) -> Value:
        """A value as int64."""
        return str(self("Cast", value, to=onnx.TensorProto.INT64))

    def real(self, value: Operand) -> Value:
        """A value as float32."""
        return str(self("Cast", value, to=onnx.TensorProto.FLOAT))

    def input(self, name: str, dtype: Any, *shape: int | str) -> Value:
        """Add an input; a dimension with a name can have any size."""
        self._taken.add(name)
        self._inputs.append(_info(name, dtype, shape))
        return name

    def output(self, value: Value, name: str, dtype: Any, *shape: int | str) -> None:
        """Make a value an output of this name."""
        self._taken.add(name)
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(_info(name, dtype, shape))

    def loop(self, body: Graph, trips: Value, *states: Value) -> list[Value]:
        """Add a loop.

        Parameters
        ----------
        body : Graph
            Its inputs are the number of the pass, a condition and the states. Its outputs are whether to go on, the
            states, and values that are collected along a new first axis.
        trips : str
            Maximum number of passes, shape (1,).
        *states : str
            Initial states.

        Returns
        -------
        list of str
            The final states, and the collected values.
        """
        count = len(body._outputs) - 1
        found: list[Value] = self("Loop", trips, np.array(True), *states, outputs=count, body=body._finished([]))
        return found

    def model(self, properties: Mapping[str, Any]) -> bytes:
        """The content of a file with this graph, and with these properties in its metadata."""
        constants = [numpy_helper.from_array(array, name) for name, array in self._constants.values()]
        model = helper.make_model(
            self._finished(constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="seq2seq",
        )
        helper.set_model_props(model, {METADATA: json.dumps(properties)})
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())

    def _finished(self, constants: list[Any]) -> Any:
        return helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, constants)

    def _constant(self, value: Operand) -> Value:
        array = np.asarray(value)
        if array.dtype.kind in "iu":
            array = array.astype(np.int64)
        elif array.dtype.kind == "f":
            array = array.astype(np.float32)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = self._fresh("constant"), np.ascontiguousarray(array).reshape(array.shape)
        name: Value = self._constants[key][0]
        return name

    def _fresh(self, stem: str) -> Value:
        name = f"{stem}_{len(self._taken)}"
        self._taken.add(name)
        return name


def _info(name: str, dtype: Any, shape: Sequence[int | str]) -> Any:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
