"""Learning-rate schedules."""

from __future__ import annotations

import math

from seq2seq.engine.options import TrainingConfig


def learning_rate(config: TrainingConfig, update: int, updates: int) -> float:
    """The learning rate of an update: a linear warm-up, then a constant rate or cosines that fall to 0.

    `cosine` has one half cosine. `restarts` has several, each starting again at the highest rate and twice as long as
    the one before it; the last one ends with the training (Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient
    Descent with Warm Restarts").

    Parameters
    ----------
    config : TrainingConfig
    update : int
        Number of the update, counted from 1.
    updates : int
        Total number of updates.

    Returns
    -------
    float
    """
    rate = config.learning_rate
    warmup = min(config.warmup_steps, updates // 10)
    if update <= warmup:
        return rate * update / (warmup + 1)
    if config.schedule == "constant":
        return rate
    done = update - 1 - warmup
    length = max(1, updates - warmup)
    if config.schedule == "restarts":  # in whole numbers, so that no cycle begins an update late
        units = 2**config.cycles - 1  # the cycles last 1, 2, 4, ... units of time
        unit = min(done * units // length + 1, units)
        size = 2 ** (unit.bit_length() - 1)  # units of this cycle; the cycles before it have size - 1 together
        done = done * units - (size - 1) * length
        length = size * length
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done / length)))
