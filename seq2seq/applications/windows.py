"""The examples of a text: its parts in order, each cut into windows that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from seq2seq.config import DataConfig, Extra
from seq2seq.dataset import Dataset, Examples, Portion
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
    train, validation, test = (_windows(ids[part], codec) for part in cut(len(ids), config.validation, config.test))
    for name, part in zip(("training", "validation", "test"), (train, validation, test)):
        if len(part) == 0:
            raise UsageError(
                f"validation, test: holding out {config.validation} and {config.test} of {len(ids)} characters leaves "
                f"too few for {name}: the model reads {codec.source_length} to predict what follows"
            )
    mixed = []
    for each in extra:
        part = _windows(_ids(cast(Text, each.task), codec), codec)
        require(len(part) > 0, "mix", each.shown, f"a text longer than {codec.source_length} characters")
        mixed.append(Portion(part, each.share or 0))
    return Dataset(codec, "position", train, validation, test, mixed=tuple(mixed))


def _ids(task: Text, codec: Codec) -> Array:
    """A text as ids, shape (L,)."""
    [ids] = codec.vocabulary.encode([task.alphabet.read_source(task.text)], len(task.text))
    return ids


def _windows(ids: Array, codec: Codec) -> Examples:
    """Cut a part of a text (L,) into consecutive examples, so that each character is read once."""
    width = codec.source_length
    end = (len(ids) - 1) // width * width
    sources, targets = (part.reshape(-1, width) for part in (ids[:end], ids[1 : end + 1]))
    return Examples(sources, np.ascontiguousarray(targets[:, width - codec.target_length :]))
