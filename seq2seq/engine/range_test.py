"""Learning-rate range test: a few hundred updates at a rising rate, with the loss at each rate.

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
from seq2seq.typing import Array

LOWEST = 1e-5  # the rates are spaced geometrically from LOWEST ...
HIGHEST = 10.0  # ... to HIGHEST
UPDATES = 300
SMOOTHING = 0.9  # decay of the running mean of the losses
WORSE = 4.0  # the test ends if the smoothed loss exceeds its minimum by this factor
LEFT = 0.1  # fraction of the smoothed loss's fall that remains at the suggested rate
TOLD = 50  # updates between two lines of progress


@dataclass(frozen=True)
class RangeTest:
    """Result of a range test.

    Attributes
    ----------
    rates : list of float
        Learning rate of each update, in ascending order.
    losses : list of float
        Loss of each update's batch, before the weights were updated at that rate.
    smoothed : list of float
        Running mean of the losses, bias-corrected as in Adam.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]

    @property
    def fall(self) -> list[float]:
        """The smoothed losses up to and including the lowest."""
        return self.smoothed[: int(np.argmin(self.smoothed)) + 1]

    @property
    def suggestion(self) -> float:
        """The rate from which at most a tenth of the fall in the smoothed loss remains, rounded to two digits.

        The rate of steepest fall would be too low: there a network only learns how frequent each value is. The
        rate of lowest loss lies on a minimum so flat that chance decides, and close to rates at which nothing is
        learned.

        Raises
        ------
        Seq2SeqError
            If the loss never fell.
        """
        fall = self.fall
        near = fall[-1] + LEFT * (max(fall) - fall[-1])
        above = [place for place, loss in enumerate(fall) if loss > near]
        if not above:
            raise Seq2SeqError(f"find_rate: the loss did not fall from rate {LOWEST:g} on; choose a learning_rate")
        return float(f"{self.rates[above[-1] + 1]:.2g}")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `rates.csv`."""
        columns = zip(self.rates, self.losses, self.smoothed)
        return [dict(zip(("learning_rate", "train_loss", "smoothed_loss"), values)) for values in columns]

    @property
    def decision(self) -> dict[str, Any]:
        """The content of `rates.json`."""
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
    weights: dict[str, Array] | None = None,
) -> RangeTest:
    """Run a range test: train new or given weights at a rate that rises from 1e-5 until training fails.

    It ends after 300 updates, or when the smoothed loss is four times its lowest or not a number. If there are few
    rows, it makes several passes over them.

    Parameters
    ----------
    network, sampler, seed, device, updater
        As in `Trainer`.
    config : TrainingConfig
        Its learning rate, warm-up and schedule are ignored.
    note : callable
        Called with a line of progress every 50 updates.
    weights : dict of str to ndarray, optional
        The weights to start from; by default initial ones.

    Returns
    -------
    RangeTest
    """
    updater = updater or Updater(network, config, seed, device)
    if weights is not None:
        updater.set_weights(weights)
    updater.seed(seed)
    plans = (sampler.epoch(np.random.default_rng((seed, 1, epoch))) for epoch in itertools.count())
    feeds: Iterator[Any] = (feed for plan in plans for feed in updater.feeds(sampler.arrays, plan))
    test = RangeTest([], [], [])
    mean = 0.0
    for update, (rate, feed) in enumerate(zip(np.geomspace(LOWEST, HIGHEST, UPDATES).tolist(), feeds), 1):
        if not network.random:  # otherwise other threads would draw from the same random state
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
