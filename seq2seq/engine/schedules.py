"""How the learning rate changes over a training."""

from __future__ import annotations

import math

from seq2seq.engine.options import TrainingConfig


def learning_rate(config: TrainingConfig, update: int, updates: int) -> float:
    """The rate of an update: a straight rise over the warm-up, then constant, or half a cosine down to 0, or several.

    Those of `restarts` begin at the highest rate again, each twice as long as the one before it, and the last ends with
    the training (Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts").

    Parameters
    ----------
    config : TrainingConfig
    update : int
        The number of the update, the first being 1.
    updates : int
        How many there will be in all.
    """
    rate, warmup = config.learning_rate, min(config.warmup_steps, updates // 10)
    if update <= warmup:
        return rate * update / (warmup + 1)
    if config.schedule == "constant":
        return rate
    done, length = update - 1 - warmup, max(1, updates - warmup)
    if config.schedule == "restarts":  # in whole numbers, so that no cycle begins an update late
        shares = 2**config.cycles - 1
        share = min(done * shares // length + 1, shares)
        size = 2 ** (share.bit_length() - 1)  # of the cycle, in shares; those before it have one share less
        done, length = done * shares - (size - 1) * length, size * length
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done / length)))
