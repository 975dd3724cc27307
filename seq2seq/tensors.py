"""Arrays by name, and a state beside them, as what a safetensors file holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from seq2seq.files import parse_json
from seq2seq.typing import Array

STATE = "seq2seq"  # the name of the state in the file's metadata


def to_tensors(arrays: Mapping[str, Array], state: Mapping[str, Any]) -> bytes:
    """The content of a file: arrays, and a state in values that JSON can hold."""
    return save(dict(arrays), metadata={STATE: json.dumps(state)})


def from_tensors(content: bytes) -> tuple[dict[str, Array], dict[str, Any]]:
    """The inverse of `to_tensors`. Raises `ValueError` for anything else, and for values that are no numbers."""
    begin = 8  # bytes that hold the length of the header
    header = _json(content[begin : begin + int.from_bytes(content[:begin], "little")])
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(STATE), str):
        raise ValueError("was not written by this library")
    state = _json(metadata[STATE])
    for tensor in header.values():
        if not isinstance(tensor, dict) or tensor.get("dtype") != "F32":
            raise ValueError("holds arrays that are not of 32-bit floats")
    try:
        arrays = load(content)
    except (SafetensorError, ValueError, OverflowError) as error:
        raise ValueError(f"is damaged: {error}") from None
    for array in arrays.values():
        if not np.isfinite(array).all():
            raise ValueError("holds values that are no numbers")
    return arrays, state


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        values = parse_json(text)
    except ValueError as error:
        raise ValueError(f"is damaged: {error}") from None
    if not isinstance(values, dict):
        raise ValueError("was not written by this library")
    return values
