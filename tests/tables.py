"""Tables that tests and pages make themselves, from models whose parameters are known."""

import numpy as np


def ratings(n=1500, users=60, items=40, noise=0.4, seed=0):
    """Rows of ratings from 1 to 5, of a model with two factors and biases; first the header."""
    rng = np.random.default_rng(seed)
    likes, traits = rng.normal(0, 0.7, (users, 2)), rng.normal(0, 0.7, (items, 2))
    severity, quality = rng.normal(0, 0.4, users), rng.normal(0, 0.6, items)
    user, item = rng.integers(users, size=n), rng.integers(items, size=n)
    mean = 3 + severity[user] + quality[item] + (likes[user] * traits[item]).sum(axis=1)
    stars = np.clip(np.round(mean + rng.normal(0, noise, n)), 1, 5)
    rows = [(f"u{a}", f"film {b}", f"{int(c)}") for a, b, c in zip(user, item, stars)]
    return [("user", "item", "rating"), *rows], quality
