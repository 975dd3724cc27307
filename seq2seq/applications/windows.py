"""The examples of a text: its parts in order, each cut into windows that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from seq2seq.config import DataConfig, Extra
from seq2seq.dataset import Dataset, Examples, Portion
from seq2seq.errors import UsageError, require
from seq2seq.splitting import cut
from seq2seq.stored import StoredIds, Windows
from seq2seq.tasks.text import Text
from seq2seq.typing import Array
from seq2seq.vocabulary import Codec


def build_windows(task: Text, config: DataConfig, codec: Codec, extra: Sequence[Extra]) -> Dataset:
    """Make the data set of a text, split by position.

    Parameters
    ----------
    task : Text
    config : DataConfig
    codec : Codec
    extra : sequence of Extra
        Other texts, each with a `share`. They are read whole.

    Returns
    -------
    Dataset

    Raises
    ------
    UsageError
        If the options do not fit a text, or a part is too short.
    """
    require(config.split == "position", "split", config.split, "position where a text is read")
    require(config.examples is None, "examples", config.examples, "absent where a text is read: all of it is used")
    for each in extra:
        good = each.task.application == task.application and each.share and each.examples is None
        require(bool(good), each.option, each.shown, "absent where a text is read, or another text with a share")
    ids = _ids(task, codec)
    parts = cut(len(ids), config.validation, config.test)
    train, validation, test = (_windows(ids, part, codec, stays=part is parts[0]) for part in parts)
    for name, part in zip(("training", "validation", "test"), (train, validation, test)):
        if len(part) == 0:
            raise UsageError(
                f"validation, test: holding out {config.validation} and {config.test} of {len(ids)} characters leaves "
                f"too few for {name}: the model reads {codec.source_length} to predict what follows"
            )
    mixed = []
    for each in extra:
        other = _ids(cast(Text, each.task), codec)
        part = _windows(other, slice(0, len(other)), codec)
        require(len(part) > 0, "mix", each.shown, f"a text longer than {codec.source_length} characters")
        mixed.append(Portion(part, each.share or 0))
    return Dataset(codec, "position", train, validation, test, mixed=tuple(mixed))


def _ids(task: Text, codec: Codec) -> Array | StoredIds:
    """A text as ids, shape (L,): in memory, or in a temporary file if the text is long."""
    if task.scan.text is not None:
        [ids] = codec.vocabulary.encode([task.alphabet.read_source(task.text)], task.scan.characters)
        return ids
    vocabulary = codec.vocabulary
    stored = StoredIds(len(vocabulary), vocabulary.dtype)
    for block in task.blocks("encoding"):
        stored.append(vocabulary.encode_text(block))
    return stored


def _windows(ids: Array | StoredIds, part: slice, codec: Codec, stays: bool = True) -> Examples:
    """Cut a part of a text into consecutive examples, so that each character is read once.

    If `stays`, those of stored ids stay where they are.
    """
    width = codec.source_length
    length = codec.target_length
    rows = max(0, (part.stop - part.start - 1) // width)
    if isinstance(ids, StoredIds):
        sources: Any = Windows(ids, part.start, rows, width, width)
        targets: Any = Windows(ids, part.start + 1 + width - length, rows, width, length)
        return Examples(sources, targets) if stays else Examples(sources[:], targets[:])
    end = part.start + rows * width
    sources, targets = (each.reshape(-1, width) for each in (ids[part.start : end], ids[part.start + 1 : end + 1]))
    return Examples(sources, np.ascontiguousarray(targets[:, width - length :]))
