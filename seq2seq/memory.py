"""A lower bound on the memory that an experiment needs; experiments that cannot fit are refused before they start.

Sizes are Python integers, which cannot overflow. Only arrays that are certainly in memory at the same time are counted,
so no experiment is refused that would have worked.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from seq2seq.config import Config, ModelConfig
from seq2seq.errors import UsageError, require
from seq2seq.options import STRING_MODELS, TEXT_MODELS, lacking, model_name
from seq2seq.typing import Array
from seq2seq.vocabulary import AlignedCodec, Codec

FLOAT = 4  # bytes
GATES = {"lstm": 4, "rnn": 1, "gru": 3, "lstm-numpy": 4}
NORMALISATION = {"none": 0, "layer": 2, "batch": 4}  # values for each of an embedding's: of `batch`, two are running
COPIES = 3  # arrays of the weights' size: the weights, their gradients, and the best weights so far
MOMENTS = {"adam": 2, "sgd": 1}
BYTES_TO_SPLIT = 16  # per example, to make the splits: a hash, and an index in a random order
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # memory limit of a container


def parameters(model: str, config: ModelConfig, vocabulary_size: int, channels: int = 1) -> int:
    """The number of parameters of a network.

    Parameters
    ----------
    model : str
        Name of a built-in model of strings, not `auto`.
    config : ModelConfig
    vocabulary_size : int
        V.
    channels : int
        For a transducer, the number of characters it reads per step.

    Returns
    -------
    int
    """
    v = vocabulary_size
    h = config.hidden_size
    layers = config.layers
    if model in TEXT_MODELS:
        read = config.embedding or v
        if model in ("lstm", "gru"):
            network = _recurrent(GATES[model], read, h, layers) + _dense(h, h)
        elif model == "rnn-concat":
            network = _dense(read + h, h)
        else:
            network = _recurrent(GATES.get(model, 1), read, h, 1)
        kind = config.normalise
        if kind == "auto":
            kind = "layer" if model in ("lstm", "gru") else "none"
        return (v + NORMALISATION[kind]) * config.embedding + network + _dense(h, v)
    gates = GATES[config.cell]
    directions = 2 if config.bidirectional else 1
    width = directions * h
    encoder = _recurrent(gates, channels * v, h, layers, directions)
    if model == "repeat":
        return encoder + _recurrent(gates, width, h, layers) + _dense(h, v)
    if model == "attention":
        bias = 18 if config.position_bias else 0
        return encoder + _recurrent(gates, v, width, layers) + _dense(2 * width, width) + _dense(width, v) + bias
    return encoder + _dense(width, v)


def learned(config: Config, codec: Any) -> int:
    """The number of parameters of an experiment's network.

    Parameters
    ----------
    config : Config
    codec : Codec, or another object from the application's `make_codec`

    Returns
    -------
    int
    """
    model = model_name(config.task, config.model.model)
    if model not in STRING_MODELS:
        return _counted(config, codec)
    channels = codec.channels if isinstance(codec, AlignedCodec) else 1
    return parameters(model, config.model, len(codec.vocabulary), channels)


def _counted(config: Config, codec: Any) -> int:
    """The number of parameters in the graph itself."""
    from seq2seq.engine.initializers import auxiliary_shapes, parameter_shapes
    from seq2seq.models import make_model

    network = make_model(config.task, config.model, codec)
    shapes = {**parameter_shapes(network), **auxiliary_shapes(network)}
    return sum(map(math.prod, shapes.values()))


def require_parameters(weights: dict[str, Array], config: Config, codec: Any) -> None:
    """Raise a `UsageError` unless the weights have as many values as the experiment's network has parameters."""
    held = sum(array.size for array in weights.values())
    wanted = learned(config, codec)
    require(held == wanted, "parameters", held, f"{wanted}, as many as the network has")


def _recurrent(gates: int, read: int, hidden: int, layers: int, directions: int = 1) -> int:
    """The number of parameters in stacked recurrent layers with two biases each."""
    first = gates * hidden * (read + hidden + 2)
    above = gates * hidden * (directions * hidden + hidden + 2)
    return directions * (first + (layers - 1) * above)


def _dense(read: int, written: int) -> int:
    """The number of parameters in a dense layer."""
    return (read + 1) * written


def to_train(config: Config, codec: Codec, batch: int) -> int:
    """A lower bound on the memory for training.

    Parameters
    ----------
    config : Config
    codec : Codec
    batch : int
        Number of examples per step.

    Returns
    -------
    int
        Bytes.
    """
    read = codec.target_length if isinstance(codec, AlignedCodec) else codec.widths[0]
    written = 2 if codec.pad_end else codec.target_length  # target length of the shortest batch
    outputs = read * config.model.hidden_size + 2 * written * len(codec.vocabulary)  # states; scores and probabilities
    return of_parameters(config, codec) + FLOAT * batch * outputs


def require_memory_to_train(config: Config, codec: Codec, examples: int) -> None:
    """Raise a `UsageError` that names the sizes, if training on `examples` examples needs more memory than there is."""
    batch = min(config.training.batch_size, examples)
    require_memory(named_sizes(config), to_train(config, codec, batch))


def named_sizes(config: Config) -> str:
    """The options that decide the size of a network, with their values, for a message."""
    sizes = {**vars(config.model), **vars(config.training)}
    unused = lacking(config)
    names = [name for name in ("hidden_size", "layers", "embedding", "batch_size") if name not in unused]
    return ", ".join(f"{name} {sizes[name]}" for name in names)


def of_parameters(config: Config, codec: Any) -> int:
    """A lower bound on the memory for the parameters in training, in bytes."""
    return FLOAT * learned(config, codec) * (COPIES + MOMENTS[config.training.optimizer])


def of_examples(codec: Codec, n: int) -> int:
    """A lower bound on the memory for n encoded examples, in bytes."""
    return n * ((codec.source_ids + codec.target_length) * codec.vocabulary.dtype().itemsize + BYTES_TO_SPLIT)


def available() -> int:
    """The memory available to this process in bytes: that of the machine, or a lower limit set for the process."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    import resource  # not available on Windows

    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed != resource.RLIM_INFINITY:
        limits.append(allowed)
    for file in LIMITS:
        with suppress(OSError, ValueError):  # the file does not exist, or contains `max`
            limits.append(int(Path(file).read_text()))
    return min(limits)


def require_memory(what: str, needed: int) -> None:
    """Raise a `UsageError` if `what` needs more memory than there is: `needed` bytes."""
    there = available()
    if needed > there:
        raise UsageError(f"{what}: would need at least {_size(needed)} of memory, and this machine has {_size(there)}")


def _size(count: int) -> str:
    """A number of bytes as text: `3 MB`, `12 GB` or `4,000,000 TB`."""
    for power, unit in ((10**6, "MB"), (10**9, "GB")):
        if count < 1000 * power:
            return f"{count // power} {unit}"
    return f"{count // 10**12:,} TB"
