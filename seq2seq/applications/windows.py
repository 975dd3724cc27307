"""The examples of a text: its parts in order, each cut into windows that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seq2seq.config import DataConfig, Extra
from seq2seq.dataset import Dataset, Examples
from seq2seq.errors import UsageError, require
from seq2seq.splitting import cut
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
        Must be empty.

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
    require(not extra, "extra", list(extra), "absent where a text is read")
    [ids] = codec.vocabulary.encode([task.alphabet.read_source(task.text)], len(task.text))
    parts = [_windows(ids[part], codec) for part in cut(len(ids), config.validation, config.test)]
    for name, part in zip(("training", "validation", "test"), parts):
        if len(part) == 0:
            raise UsageError(
                f"validation, test: holding out {config.validation} and {config.test} of {len(ids)} characters leaves "
                f"too few for {name}: the model reads {codec.source_length} to predict what follows"
            )
    return Dataset(codec, "position", *parts)


def _windows(ids: Array, codec: Codec) -> Examples:
    """Cut a part of a text (L,) into consecutive examples, so that each character is read once."""
    width = codec.source_length
    end = (len(ids) - 1) // width * width
    sources, targets = (part.reshape(-1, width) for part in (ids[:end], ids[1 : end + 1]))
    return Examples(sources, np.ascontiguousarray(targets[:, width - codec.target_length :]))
