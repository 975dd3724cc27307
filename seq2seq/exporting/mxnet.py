"""The folder of an export to MXNet's own format: for each graph `NAME-symbol.json` and `NAME-0000.params`.

| graph | of | inputs |
|---|---|---|
| `model` | other models of pairs, and models of texts | `source` (S, N), and the states of a text's model |
| `encoder-S` | `attention`, for each width S of a source | `source` (S, N) |
| `step-S` | one step of its answer | `previous` (N), the states and the memory, which the encoder returns |

Ids are floats, with the time first. MXNet's operators have fixed lengths, so there is a graph for each width. A source
is padded on the left to the smallest width that fits it. `export.json` has the symbols, the widths, and the inputs and
outputs of each graph, and the configuration of the run, with which `importing.py` makes a run folder again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from seq2seq.engine.network import variables
from seq2seq.exporting.folder import new_folder
from seq2seq.exporting.properties import properties_of
from seq2seq.folders import CONFIG, EXPORT
from seq2seq.models import AutoregressiveModel, CharacterModel, ParallelModel
from seq2seq.mx import Symbol, alone, mx
from seq2seq.places import PathLike
from seq2seq.runs import json_bytes
from seq2seq.solver import Solver

Graph = tuple[list[str], dict[str, Symbol]]  # names of the inputs, and the outputs by name


@alone
def export_mxnet(solver: Solver, folder: PathLike) -> None:
    """Write the folder: see `export` for the parameters and the errors."""
    with new_folder("mxnet", folder) as made:
        described: dict[str, Any] = {}
        for name, (inputs, outputs) in _graphs(solver).items():
            symbol = mx.sym.Group([*outputs.values()])
            arrays = {each: mx.nd.array(array) for each, array in solver.weights.items()}
            own = {each: arrays[each] for each in symbol.list_arguments() if each in arrays}
            auxiliary = {each: arrays[each] for each in symbol.list_auxiliary_states()}
            mx.model.save_checkpoint(str(made / name), 0, symbol, own, auxiliary)
            described[name] = {"inputs": inputs, "outputs": [*outputs]}
        properties = {**properties_of(solver), "graphs": described, "config": solver.run.read_json(CONFIG)}
        (made / EXPORT).write_bytes(json_bytes(properties))


def _graphs(solver: Solver) -> dict[str, Graph]:
    """The graphs by name."""
    model = solver.model(solver.codec)
    if isinstance(model, AutoregressiveModel):
        graphs: dict[str, Graph] = {}
        for width in solver.codec.widths:
            narrow = model.resized(width, model.target_length)
            graphs[f"encoder-{width}"] = ["source"], narrow.encode(mx.sym.var("source"))
            states = variables(narrow.state_names)
            memory = variables(narrow.memory_names)
            found, after = narrow.step(mx.sym.var("previous"), states, memory)
            graphs[f"step-{width}"] = ["previous", *states, *memory], _outputs(found, after)
        return graphs
    if not model.answers:
        states = variables(model.state_shapes(1))
        length = 1 if states else model.source_length
        found, after = cast(CharacterModel, model.resized(length, 1)).read_on(mx.sym.var("source"), states)
        return {"model": (["source", *states], _outputs(found, after))}
    assert isinstance(model, ParallelModel)
    return {"model": (["source"], {"log_probabilities": model.log_probabilities(mx.sym.var("source"))})}


def _outputs(log_probabilities: Symbol, after: Mapping[str, Symbol]) -> dict[str, Symbol]:
    """The outputs of a step by name, from those of a model's method and the states after it."""
    return {"log_probabilities": log_probabilities, **{f"{name}_after": state for name, state in after.items()}}
