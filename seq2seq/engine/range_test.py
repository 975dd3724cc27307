"""A learning rate from a range test: a few hundred updates at a rate that rises, and the loss at each.

From Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from seq2seq.engine.network import Network
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.samplers import Sampler
from seq2seq.engine.updater import BaseUpdater, Updater
from seq2seq.errors import Seq2SeqError
from seq2seq.mx import Device, alone, give_way

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
        Of the updates' batches, before the weights moved at that rate.
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
    network: Network,
    sampler: Sampler,
    config: TrainingConfig,
    seed: int,
    device: Device,
    note: Callable[[str], None] = lambda line: None,
    updater: BaseUpdater | None = None,
) -> RangeTest:
    """Make the first updates of a training, with weights of its own, at a rate that rises from 1e-5 until it fails.

    It ends after 300 updates, or when the smoothed loss is four times its lowest or not a number. With few rows it
    makes several passes. The arguments are those of `Trainer`; the rate, warm-up and schedule of `config` have no
    effect. `note` is given a line from time to time.
    """
    updater = updater or Updater(network, config, seed, device)
    updater.seed(seed)
    plans = (sampler.epoch(np.random.default_rng((seed, 1, epoch))) for epoch in itertools.count())
    feeds: Iterator[Any] = (feed for plan in plans for feed in updater.feeds(sampler.arrays, plan))
    test = RangeTest([], [], [])
    mean = 0.0
    for update, (rate, feed) in enumerate(zip(np.geomspace(LOWEST, HIGHEST, UPDATES).tolist(), feeds), 1):
        if not network.random:  # else others would draw from the same masks
            give_way()
        updater.update(feed, update, rate)
        loss = updater.loss_sum / feed.terms
        updater.loss_sum = 0.0
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
            note(f"range test {update}/{UPDATES}: learning rate {rate:.2g}, loss {smoothed:.4f}")
    return test
