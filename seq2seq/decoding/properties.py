"""Reads `export.json`, the properties of an export, and checks each of its keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from seq2seq.errors import RunError, is_number, is_whole, quoted
from seq2seq.files import parse_json, shown
from seq2seq.folders import EXPORT
from seq2seq.runs import Run

FORMAT = 1
METADATA = "seq2seq"  # the name of the properties in a graph's metadata, where they are without `files`
ONNX = "files"  # a key that an export to ONNX has
MXNET = "graphs"  # a key that one to MXNet's own format has

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_length(value: Any) -> bool:
    return is_whole(value, 1)


def _list_of(is_member: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(is_member, value))


def _object_of(is_member: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(is_member, value.values()))


def _is_example(value: Any) -> bool:
    kinds = {"source": _is_text, "answer": _is_text, "confidence": is_number}
    return isinstance(value, dict) and all(name in value and kinds[name](value[name]) for name in kinds)


def _is_graph(value: Any) -> bool:
    names = _list_of(_is_text)
    return isinstance(value, dict) and names(value.get("inputs")) and names(value.get("outputs"))


def _is_hash(value: Any) -> bool:
    return _is_text(value) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_object_or_null(value: Any) -> bool:
    return value is None or isinstance(value, dict)


CHECKS: dict[str, tuple[Check, str]] = {
    "seq2seq": (_is_text, "a version"),
    "application": (_is_text, "a name"),
    "task": (_is_text, "a name"),
    "model": (_is_text, "a name"),
    "characters": (_list_of(_is_text), "a list of symbols"),
    "pad": (lambda value: is_whole(value, 0), "an id"),
    "start": (lambda value: is_whole(value, 0), "an id"),
    "source_separator": (_is_text, "a string"),
    "target_separator": (_is_text, "a string"),
    "reverse_target": (_is_truth, "true or false"),
    "widths": (lambda value: _list_of(_is_length)(value) and value == sorted({*value}), "widths in ascending order"),
    "source_length": (_is_length, "a whole number from 1"),
    "target_length": (_is_length, "a whole number from 1"),
    "any_length": (_is_truth, "true or false"),
    "states": (_list_of(_is_text), "a list of names"),
    "rule": (_is_object_or_null, "an object or null"),
}
OF_ENGINE: dict[str, dict[str, tuple[Check, str]]] = {
    ONNX: {
        ONNX: (lambda value: _object_of(_is_hash)(value) and "model.onnx" in value, "names of graphs with hashes"),
        "examples": (_list_of(_is_example), "a list of sources with answers and confidences"),
        "working": (_is_object_or_null, "an object or null"),
    },
    MXNET: {
        MXNET: (_object_of(_is_graph), "names of graphs with inputs and outputs"),
        "config": (_is_object_or_null, "an object or null"),
    },
}


def read_properties(run: Run, engine: str) -> dict[str, Any]:
    """Read the properties of an export.

    Parameters
    ----------
    run : Run
        The folder of the export.
    engine : str
        `ONNX` or `MXNET`.

    Returns
    -------
    dict

    Raises
    ------
    RunError
        If the file is missing, damaged or of another version; the message names the key.
    """
    path = shown(run.path / EXPORT)
    values = run.read_json(EXPORT)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise RunError(f"{path}: is not an export of this version (format {FORMAT})")
    for name in ("rule", "config"):  # the first exports had neither
        values.setdefault(name, None)
    for name, (is_good, allowed) in {**CHECKS, **OF_ENGINE[engine]}.items():
        if name not in values:
            raise RunError(f"{path}: is damaged: it lacks {name!r}")
        if not is_good(values[name]):
            raise RunError(f"{path}: is damaged: its {name!r} is {quoted(values[name])}, and not {allowed}")
    size = len(values["characters"])
    if values["start"] != size or values["pad"] >= size or values["characters"][values["pad"]] != "":
        raise RunError(f"{path}: is damaged: its 'pad' or 'start' does not belong to its 'characters'")
    return values


def require_same(run: Run, properties: dict[str, Any], graph: str, metadata: str) -> None:
    """Raise `RunError` if a property of an export is not that in the metadata of a graph.

    Parameters
    ----------
    run : Run
        The folder of the export.
    properties : dict
    graph : str
        Name of the graph's file.
    metadata : str
        JSON.
    """
    try:
        held = parse_json(metadata)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise RunError(f"{shown(run.path / graph)}: is damaged: it has no metadata of an export")
    for name, value in properties.items():
        if name != ONNX and held.get(name) != value:
            raise RunError(f"{shown(run.path / EXPORT)}: is damaged: its {name!r} is not that in {graph}")
