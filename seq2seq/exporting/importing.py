"""Puts graphs in MXNet's own format back into a run folder.

A network is known by the names and shapes of its parameters, which are those of the same network in `seq2seq/models/`:
`encoder_parameters` (the vector of a fused operator, as `FusedRNNCell` with the prefix `encoder_` has it),
`decoder_parameters`, `output_weight`, `output_bias` and so on. So a checkpoint of a program of your own can go on as a
run if its parameters have these names and shapes, and mean the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq.applications import application_of
from seq2seq.config import Config
from seq2seq.dataset import build_dataset
from seq2seq.decoding.properties import MXNET, read_properties
from seq2seq.engine.initializers import auxiliary_shapes, parameter_shapes
from seq2seq.errors import RunError, UsageError, listed, require, short
from seq2seq.exporting.folder import new_folder, require_new
from seq2seq.exporting.params import read_params
from seq2seq.exporting.properties import symbols_of
from seq2seq.files import parse_json, read, shown
from seq2seq.folders import CONFIG, EXPORT
from seq2seq.memory import learned
from seq2seq.models import make_model
from seq2seq.mx import alone
from seq2seq.places import PathLike
from seq2seq.runs import KNOWN, MOST_VALUES, WEIGHTS, Run, json_bytes
from seq2seq.solver import Solver
from seq2seq.typing import Array

MOST_BYTES = 2**31


def import_mxnet(
    prefix: PathLike | Sequence[PathLike], run_dir: PathLike, like: PathLike | Config | None = None
) -> Any:
    """Put a checkpoint in MXNet's own format, such as `export` writes, back into a run folder.

    The run answers as the checkpoint does, and another training can start from it: `train(start_from=...)`. It cannot
    be resumed, since a checkpoint has no state of an optimizer.

    Parameters
    ----------
    prefix : path, or list of path
        `DIR/NAME` for the files `DIR/NAME-symbol.json` and `DIR/NAME-0000.params`, or those of the last epoch. A
        network in two parts has two of them, such as `encoder-9` and `step-9`.
    run_dir : path
        The folder to make.
    like : path or Config, optional
        A run with the same task, symbols and network; or the options of one. By default those in the `export.json`
        beside the checkpoint.

    Returns
    -------
    Solver

    Raises
    ------
    UsageError
        If the folder exists, or it is not known which run the checkpoint is of.
    RunError
        If a file is missing or damaged, or the parameters are not those of the network.
    """
    prefixes = [prefix] if isinstance(prefix, (str, os.PathLike)) else listed("prefix", prefix, "checkpoints")
    good = all(isinstance(each, (str, os.PathLike)) and Path(each).name for each in prefixes)
    require(good and len(prefixes) > 0, "prefix", prefix, "the path of a checkpoint, or several")
    require_new("run_dir", run_dir)
    weights: dict[str, Array] = {}
    for each in prefixes:
        weights.update(_read_checkpoint(Path(each)))
    folder = Path(prefixes[0]).parent
    with new_folder("run_dir", run_dir) as made:
        run = Run(made)
        properties = read_properties(Run(folder), MXNET) if os.path.lexists(folder / EXPORT) else None
        what = _write_options(run, folder, properties, like)
        try:
            config = run.read_config(outlined=True)
        except RunError as error:
            raise RunError(str(error).replace(shown(made / CONFIG), f"{what}: its configuration")) from None
        codec = application_of(config.task).make_codec(config)
        if properties is not None and properties["characters"] != symbols_of(codec):
            raise RunError(f"{shown(folder / EXPORT)}: its 'characters' are not those of {what}")
        _require_parameters(weights, config, codec, ", ".join(map(shown, prefixes)))
        for name in WEIGHTS.values():
            run.write_arrays(name, weights, {})
    return Solver(run_dir, engine="mxnet")


def _write_options(run: Run, folder: Path, properties: dict[str, Any] | None, like: PathLike | Config | None) -> str:
    """Write what a run folder has besides its weights. Returns what the network is like, for messages."""
    if isinstance(like, Config):
        codec = application_of(like.task).make_codec(like)
        dataset = build_dataset(like.task, like.data, like.data_seed, codec, like.extra)
        run.write_config(like, dataset.fingerprint, dataset.outline(like.task))
        return "the given options"
    if like is not None:
        other = Run(like)
        config = other.read_config(outlined=True)
        for name in (KNOWN, *config.keeping, CONFIG):
            if other.has(name):
                (run.path / name).write_bytes(other.content(name))
        return other.shown
    kept = properties and properties["config"]
    if kept is None:
        where = shown(folder / EXPORT)
        raise UsageError(f"like: name a run with the same task and network, or give options: there are none in {where}")
    (run.path / CONFIG).write_bytes(json_bytes(kept))
    return shown(folder / EXPORT)


def _read_checkpoint(prefix: Path) -> dict[str, Array]:
    """The arrays of the last epoch of a checkpoint. Raises `RunError`."""
    symbol = prefix.with_name(f"{prefix.name}-symbol.json")
    try:
        nodes = parse_json(_content(symbol))["nodes"]
        variables = {node["name"] for node in nodes if node["op"] == "null"}
    except (KeyError, TypeError, ValueError):
        raise RunError(f"{shown(symbol)}: is damaged: it is not a graph of MXNet") from None
    pattern = re.escape(prefix.name) + r"-[0-9]{4}\.params"
    epochs = sorted(name for name in os.listdir(prefix.parent) if re.fullmatch(pattern, name))
    params = prefix.with_name(epochs[-1] if epochs else f"{prefix.name}-0000.params")
    try:
        arrays = read_params(_content(params))
    except ValueError as error:
        raise RunError(f"{shown(params)}: {error}") from None
    foreign = sorted({*arrays} - variables)
    if foreign:
        raise RunError(f"{shown(symbol)}: is not the graph of {params.name}: it has no {short(foreign[0])}")
    return arrays


def _content(path: Path) -> bytes:
    try:
        return read(path, MOST_BYTES)
    except OSError as error:
        raise RunError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise RunError(f"{shown(path)}: {error}") from None


def _require_parameters(weights: dict[str, Array], config: Config, codec: Any, named: str) -> None:
    """Raise `RunError` unless these are the parameters of the network of a configuration."""
    if learned(config, codec) > MOST_VALUES:
        raise RunError(f"{named}: is not of the network that is asked for, which has {learned(config, codec)} values")
    network = make_model(config.task, config.model, codec)
    with alone:
        shapes = {**parameter_shapes(network), **auxiliary_shapes(network)}
    for name in weights:
        if name not in shapes:
            raise RunError(f"{named}: has {short(name)}, but the network has {', '.join(shapes)}")
    for name, shape in shapes.items():
        if name not in weights:
            raise RunError(f"{named}: has no {name}, which the network has with shape {shape}")
        if weights[name].shape != shape:
            raise RunError(f"{named}: has {name} with shape {weights[name].shape}, but the network has it with {shape}")
