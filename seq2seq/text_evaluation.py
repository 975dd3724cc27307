"""How well a model foretells a text: on the end of it, which was held out, and on what it was trained on."""

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
    """How well some part of a text was foretold.

    Attributes
    ----------
    n : int
        How many characters were predicted.
    begin, end : int
        Where in the text these characters and those read before them are, counted from 0.
    nats, bits : float
        The mean negative log-probability of a character, to the base e and to the base 2: the cross-entropy.
    accuracy : float
        The share of them that the model held for the most probable.
    """

    n: int
    begin: int
    end: int
    nats: float
    bits: float
    accuracy: float


@dataclass(frozen=True)
class TextEvaluation:
    """Scores on the test part of a text, and on as much (or all) of its training part, from its beginning."""

    held_out: TextScore
    train_distribution: TextScore

    @property
    def bars(self) -> tuple[str, dict[str, float]]:
        """The title and the bars of a picture of it, by name, from 0 to 1."""
        return "accuracy", {"held out": self.held_out.accuracy, "trained on": self.train_distribution.accuracy}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def evaluate_text(
    predictor: Predictor, dataset: Dataset, config: DataConfig, length: int, samples: int
) -> TextEvaluation:
    """Score a model on the test part of a text of so many characters, and on its training part.

    Parameters
    ----------
    predictor : Predictor
    dataset : Dataset
    config : DataConfig
        That it was made with.
    length : int
    samples : int
        The most windows to score of each; of more, the first.
    """
    train, _, test = cut(length, config.validation, config.test)
    return TextEvaluation(
        held_out=_score(predictor, dataset.test, test.start, samples),
        train_distribution=_score(predictor, dataset.train, train.start, samples),
    )


def _score(predictor: Predictor, part: Examples, begin: int, samples: int) -> TextScore:
    sources, targets = part.sources[:samples], part.targets[:samples]
    answers = predictor.answer(sources, targets)
    nats = answers.loss
    accuracy = float((answers.ids == targets).mean())
    return TextScore(targets.size, begin, begin + sources.size + 1, nats, nats / math.log(2), accuracy)


def quotations(text: str) -> tuple[int, int]:
    """How many quotations a text opens with a straight quotation mark, and how many of them it closes.

    A mark at the beginning of a word opens one, any other closes: so `"one" and "two` opens two and closes one. What is
    opened within a quotation leaves the first one open.
    """
    opens = [match.group(1) is not None for match in re.finditer(r'((?<![^\s(\[-])"(?=\S))|"', text)]
    return sum(opens), sum(first and not second for first, second in zip(opens, opens[1:]))
