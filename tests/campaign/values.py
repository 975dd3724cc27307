"""Odd values, as someone may write them into a file or on a command line."""

from __future__ import annotations

import random
from typing import Any

NUMBERS = (
    0, 1, -1, 2, 3, 7, 100, 1000, 65_537, 10**6, 2**31 - 1, 2**31, 2**32, 2**63, 10**9, 10**12, 10**19, 10**30, 10**39,
    -(10**9), -(2**63), 0.0, 0.5, 0.999, 1.0, 1.5, -0.5, 1e-8, 1e-45, 1e-320, 1e38, 1e39, 1e308, -1e308,
)  # fmt: skip
TEXTS = (
    "", " ", "x", "auto", "none", "expression", "position", "attention", "transducer", "aligned", "repeat", "gru",
    "char3", "rnn", "rnn-numpy", "lstm", "adam", "sgd", "cosine", "arithmetic", "text", "pairs", "dates", "+-*/%",
    "0-9", "3-1", "-", "--", "\u0663", "é", "e\u0301", "\u202e", "\ue000", "\0", "\n", "\r\n", "\x1b[31m", "\t",
    "\ud800", "\U0001f600", "nan", "inf", "-inf", "1e400", "0x10", "1_000", "True", "null", "../..", "/dev/zero", "/",
    ".", "a" * 300, "x" * 100_000, "\n" * 1000,
)  # fmt: skip


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def value(rng: random.Random) -> Any:
    """Anything that JSON can hold."""
    kind = rng.randrange(12)
    if kind < 5:
        return rng.choice(NUMBERS)
    if kind < 8:
        return rng.choice(TEXTS)
    return rng.choice(
        [None, True, False, [], {}, [1, 2], [2, 1], [0, 10**9], [1, 10**30], ["a"], ["a", 1], {"a": 1}, [[1, 2]],
         float("nan"), float("inf"), nested(50), nested(800), ["x"] * 1000, list(range(500))]
    )  # fmt: skip
