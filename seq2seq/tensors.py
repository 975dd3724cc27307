"""Converts named arrays and a state to the content of a safetensors file, and back."""

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
    """Make the content of a file.

    Parameters
    ----------
    arrays : dict of str to ndarray of float32
    state : dict
        Plain values for JSON.

    Returns
    -------
    bytes
    """
    return save(dict(arrays), metadata={STATE: json.dumps(state)})


def from_tensors(content: bytes) -> tuple[dict[str, Array], dict[str, Any]]:
    """The inverse of `to_tensors`.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    arrays : dict of str to ndarray
    state : dict

    Raises
    ------
    ValueError
        If the content is not from `to_tensors`, or has values that are not finite.
    """
    begin = 8  # number of bytes before the header, which hold its length
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
            raise ValueError("holds values that are not finite")
    return arrays, state


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        values = parse_json(text)
    except ValueError as error:
        raise ValueError(f"is damaged: {error}") from None
    if not isinstance(values, dict):
        raise ValueError("was not written by this library")
    return values
