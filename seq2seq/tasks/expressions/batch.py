"""A batch of expressions as numbers.

N expressions of up to K terms are two arrays: `numbers` (N, K), and `operators` (N, K) with the character code of the
operator before each number. The first operator is `+`; a term that is absent has operator 0. A number is negative only
where it comes first. Everything is a loop over the K terms, or the characters, with NumPy doing the N rows.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import numpy as np

from seq2seq.arrays import blocks, mix

OPERATORS = "+-*/%"
PLUS, MINUS, TIMES, DIVIDE, REMAINDER = (ord(operator) for operator in OPERATORS)
BLOCK = 2**14  # expressions at a time, so that what is done to them stays in the processor's cache


class Expressions(NamedTuple):
    """N expressions as numbers: see the module's docstring."""

    numbers: np.ndarray  # (N, K) of the smallest signed type that holds the operands
    operators: np.ndarray  # (N, K) uint8

    def take(self, rows: Any) -> Expressions:
        return Expressions(self.numbers[rows], self.operators[rows])


def stack(parts: list[Expressions]) -> Expressions:
    """Join expressions of different numbers of terms, the missing terms marked absent."""
    width = max(part.numbers.shape[1] for part in parts)

    def joined(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.pad(array, ((0, 0), (0, width - array.shape[1]))) for array in arrays])

    return Expressions(joined([part.numbers for part in parts]), joined([part.operators for part in parts]))


def in_blocks(strings_of: Callable[[Expressions, int], np.ndarray], expressions: Expressions, width: int) -> np.ndarray:
    """The strings (N,) of that width that a function makes of expressions, a block of them at a time."""
    strings = np.empty(len(expressions.numbers), f"U{width}")
    for block in blocks(len(strings), BLOCK):
        strings[block] = strings_of(expressions.take(block), width)
    return strings


def hash_numbers(numbers: np.ndarray) -> np.ndarray:
    """A 64-bit hash of each whole number."""
    return mix(numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))


def hash_in_order(expressions: Expressions) -> np.ndarray:
    """A 64-bit hash an expression, shape (N,), that depends on the order of everything."""
    hashes = np.zeros(len(expressions.numbers), np.uint64)
    for block in blocks(len(hashes), BLOCK):
        for number, operator in zip(expressions.numbers[block].T, expressions.operators[block].T):
            hashes[block] = mix(hashes[block] * np.uint64(3) + hash_numbers(number) + operator.astype(np.uint64))
    return hashes
