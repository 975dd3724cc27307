"""ONNX Runtime, only for answers: the network as a graph of ONNX operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from worker import Array, Contestant, Problem, serve


def onnx_order(gates: Array) -> Array:
    """Rows (4H, ...) for the gates input, forget, cell, output in the order of ONNX: input, output, forget, cell."""
    i, f, c, o = np.split(gates, 4)
    return np.concatenate([i, o, f, c])


def network(problem: Problem) -> Any:
    """`source`, ids (N, S) of uint8, to `ids` (N, T)."""
    constants = {
        "depth": np.array(problem.vocabulary_size, np.int64),
        "off_on": np.array([0, 1], np.float32),
        "repeats": np.array([problem.target_length, 1, 1], np.int64),
        "direction": np.array([1], np.int64),
        "output_weight": problem.weights["output_weight"].T.copy(),
        "output_bias": problem.weights["output_bias"],
    }
    for name in ("encoder", "decoder"):
        input_weight, state_weight, input_bias, state_bias = map(onnx_order, problem.layer(name))
        constants[f"{name}_w"], constants[f"{name}_r"] = input_weight[None], state_weight[None]
        constants[f"{name}_b"] = np.concatenate([input_bias, state_bias])[None]

    def lstm(name: str, inputs: str, outputs: list[str]) -> Any:
        return helper.make_node(
            "LSTM", [inputs, *(f"{name}_{part}" for part in "wrb")], outputs, hidden_size=problem.hidden
        )

    nodes = [
        helper.make_node("Transpose", ["source"], ["source_major"], perm=[1, 0]),
        helper.make_node("OneHot", ["source_major", "depth", "off_on"], ["characters"]),  # (S, N, V)
        lstm("encoder", "characters", ["", "state"]),  # (1, N, H)
        helper.make_node("Expand", ["state", "repeats"], ["repeated"]),  # (T, N, H)
        lstm("decoder", "repeated", ["outputs"]),  # (T, 1, N, H)
        helper.make_node("Squeeze", ["outputs", "direction"], ["squeezed"]),
        helper.make_node("MatMul", ["squeezed", "output_weight"], ["product"]),
        helper.make_node("Add", ["product", "output_bias"], ["logits"]),
        helper.make_node("ArgMax", ["logits"], ["best"], axis=-1, keepdims=0),
        helper.make_node("Transpose", ["best"], ["ids"], perm=[1, 0]),
    ]
    graph = helper.make_graph(
        nodes,
        "repeat",
        [helper.make_tensor_value_info("source", TensorProto.INT64, ["N", problem.source_length])],
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["N", problem.target_length])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class OnnxRuntime(Contestant):
    def prepare_answers(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.variant["threads"]
        model = network(self.problem).SerializeToString()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def forward(self, sources: Array) -> Any:
        return self.session.run(None, {"source": sources.astype(np.int64)})[0]


if __name__ == "__main__":
    serve(OnnxRuntime)
