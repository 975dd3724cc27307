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


SIZES = ("tiny", "small", "middling", "large", "huge")  # in the order of their hidden values
TASTES = ("sweet", "sour", "bitter")


def cakes(n=2000, seed=0, missing=0.05):
    """Rows of cakes whose price depends on an ordered hidden value of each size, on the weight and on the taste."""
    rng = np.random.default_rng(seed)
    size = rng.integers(len(SIZES), size=n)
    taste = rng.integers(len(TASTES), size=n)
    weight = rng.normal(500, 100, n)
    logs = 1 + 0.5 * size + np.array([0.3, 0, 0.1])[taste] + (weight - 500) / 400 + rng.normal(0, 0.1, n)
    shown = [f"{each:.0f}" if known else "" for each, known in zip(weight, rng.random(n) >= missing)]
    header = ("", "size", "taste", "weight", "price")
    return [
        header,
        *zip(map(str, range(n)), np.array(SIZES)[size], np.array(TASTES)[taste], shown, np.exp(logs).round(3)),
    ]
