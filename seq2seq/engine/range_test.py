"""A learning rate from a range test: a few hundred updates at a rate that rises, and the loss at each.

From Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from seq2seq.config import TrainingConfig
from seq2seq.dataset import Examples
from seq2seq.engine import make_updater
from seq2seq.engine.samplers import make_batching
from seq2seq.errors import Seq2SeqError
from seq2seq.models import Model
from seq2seq.mx import alone, give_way
from seq2seq.progress import Progress
from seq2seq.vocabulary import Codec

LOWEST, HIGHEST = 1e-5, 10.0  # rates; each is so many times the one before it
UPDATES = 300
SMOOTHING = 0.9  # what the running mean of the losses keeps of itself at each update
WORSE = 4.0  # times its lowest: the smoothed loss that ends the test
LEFT = 0.1  # of the smoothed loss's fall, at the rate that is suggested
TOLD = 50  # updates between two lines of progress


@dataclass(frozen=True)
class RangeTest:
    """What came of a range test.

    Attributes
    ----------
    rates : list of float
        Of its updates, each higher than the one before it.
    losses : list of float
        Of the updates' batches, in nats a character, before the weights moved at that rate.
    smoothed : list of float
        Their running mean, corrected for having begun at 0 as Adam corrects its moments.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]

    @property
    def fall(self) -> list[float]:
        """The smoothed losses down to the lowest."""
        return self.smoothed[: int(np.argmin(self.smoothed)) + 1]

    @property
    def suggestion(self) -> float:
        """The rate from which on no more than a tenth of the smoothed loss's fall is left, to two digits.

        Where the fall is steepest would be too low: that is where a network learns how frequent each character is. The
        lowest loss lies on a floor so flat that chance decides where, and near rates at which nothing is learned.
        """
        fall = self.fall
        near = fall[-1] + LEFT * (max(fall) - fall[-1])
        above = [place for place, loss in enumerate(fall) if loss > near]
        if not above:
            raise Seq2SeqError(f"find_rate: the loss fell at no rate from {LOWEST:g} on; choose a learning_rate")
        return float(f"{self.rates[above[-1] + 1]:.2g}")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `rates.csv`."""
        columns = zip(self.rates, self.losses, self.smoothed)
        return [dict(zip(("learning_rate", "train_loss", "smoothed_loss"), values)) for values in columns]

    @property
    def decision(self) -> dict[str, Any]:
        """What is in `rates.json`."""
        return {
            "learning_rate": self.suggestion,
            "rule": f"from this rate on no more than {LEFT:.0%} of the smoothed loss's fall is left, to two digits",
            "updates": len(self.rates),
            "rates": [self.rates[0], self.rates[-1]],
            "fall": [max(self.fall), self.fall[-1]],
            "rate_of_lowest": self.rates[len(self.fall) - 1],
        }


@alone
def range_test(
    model: Model, codec: Codec, config: TrainingConfig, train: Examples, seed: int, device: Any, progress: Progress
) -> RangeTest:
    """Make the first updates of a training, with weights of its own, at a rate that rises from 1e-5 until it fails.

    It ends after 300 updates, or when the smoothed loss is four times its lowest or no number. Of few examples it makes
    several passes. The arguments are those of `Trainer`; of `config`, rate, warm-up and schedule have no effect.
    """
    batching = make_batching(train, codec, config.batch_size, model.in_order)
    updater = make_updater(model, config, seed, device)
    updater.seed(seed)
    plans = (batching.epoch(np.random.default_rng((seed, 1, epoch))) for epoch in itertools.count())
    batches: Iterator[Any] = (batch for plan in plans for batch in updater.batches(train, plan))
    test, mean = RangeTest([], [], []), 0.0
    for update, (rate, batch) in enumerate(zip(np.geomspace(LOWEST, HIGHEST, UPDATES).tolist(), batches), 1):
        if not model.random:  # else others would draw of the same masks
            give_way()
        updater.update(batch, update, rate)
        loss = updater.mean_loss(batch.characters)
        updater.loss_sum[:] = 0
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        smoothed = mean / (1 - SMOOTHING**update)
        if not math.isfinite(smoothed):
            break
        test.rates.append(rate)
        test.losses.append(loss)
        test.smoothed.append(smoothed)
        if smoothed > WORSE * min(test.smoothed):
            break
        if update % TOLD == 0:
            progress.note(f"range test {update}/{UPDATES}: learning rate {rate:.2g}, loss {smoothed:.4f}")
    return test
