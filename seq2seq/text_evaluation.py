"""Scores a model of text on the end of the text, which was held out, and on its training part."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seq2seq.config import DataConfig
from seq2seq.dataset import Dataset, Examples
from seq2seq.splitting import cut

if TYPE_CHECKING:
    from seq2seq.decoding import Predictor


@dataclass(frozen=True)
class TextScore:
    """Scores on a part of a text.

    Attributes
    ----------
    n : int
        Number of predicted characters.
    begin, end : int
        The part of the text that was read and predicted, counted from 0.
    nats, bits : float
        Cross-entropy: the mean negative log-probability per character, to the base e and to the base 2.
    accuracy : float
        Fraction of the characters that were the most probable in the model.
    """

    n: int
    begin: int
    end: int
    nats: float
    bits: float
    accuracy: float


@dataclass(frozen=True)
class TextEvaluation:
    """Scores on a text.

    Attributes
    ----------
    held_out : TextScore
        Scores on the test part.
    train_distribution : TextScore
        Scores on the training part, from its beginning.
    """

    held_out: TextScore
    train_distribution: TextScore

    @property
    def bars(self) -> tuple[str, dict[str, float]]:
        """Title and bars of a plot; the bars are values from 0 to 1, by name."""
        return "accuracy", {"held out": self.held_out.accuracy, "trained on": self.train_distribution.accuracy}

    @property
    def curves(self) -> tuple[str, str]:
        """The unit of the loss, and the validation value to draw."""
        return "nats a character", "exact_match"

    def to_json(self) -> dict[str, Any]:
        """The content of `evaluation.json`."""
        return asdict(self)


def evaluate_text(
    predictor: Predictor, dataset: Dataset, config: DataConfig, length: int, samples: int
) -> TextEvaluation:
    """Score a model on the test part and on the training part of a text.

    Parameters
    ----------
    predictor : Predictor
    dataset : Dataset
    config : DataConfig
        The options of the data set.
    length : int
        Number of characters in the text.
    samples : int
        Maximum number of windows of each part; the first ones are used.

    Returns
    -------
    TextEvaluation
    """
    train, _, test = cut(length, config.validation, config.test)
    return TextEvaluation(
        held_out=_score(predictor, dataset.test, test.start, samples),
        train_distribution=_score(predictor, dataset.train, train.start, samples),
    )


def _score(predictor: Predictor, part: Examples, begin: int, samples: int) -> TextScore:
    sources = part.sources[:samples]
    targets = part.targets[:samples]
    answers = predictor.answer(sources, targets)
    nats = answers.loss
    accuracy = float((answers.ids == targets).mean())
    return TextScore(targets.size, begin, begin + sources.size + 1, nats, nats / math.log(2), accuracy)


def quotations(text: str) -> tuple[int, int]:
    """Count the quotations in straight quotation marks.

    A mark at the beginning of a word opens a quotation, and any other mark closes one: `"one" and "two` opens two and
    closes one. If another quotation is opened inside a quotation, the first one counts as not closed.

    Parameters
    ----------
    text : str

    Returns
    -------
    opened, closed : int
    """
    opens = [match.group(1) is not None for match in re.finditer(r'((?<![^\s(\[-])"(?=\S))|"', text)]
    return sum(opens), sum(first and not second for first, second in zip(opens, opens[1:]))
