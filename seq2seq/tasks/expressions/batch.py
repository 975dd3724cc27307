"""A batch of expressions as numbers.

N expressions of up to K terms are three arrays (N, K): `numbers`; `operators`, the character codes of the operators
before them; and `nesting`, the number of parentheses that open before each number or, if negative, close after it. No
number needs both, since a group has more than one. The first operator is `+`. A term that is absent is 0 in all three.

The first number may be negative. In the working other numbers can be negative too, and are written in their own
parentheses, which `nesting` does not count: `3*(2-5)` becomes `3*(-3)`. If there can be no parentheses, `nesting` has
no columns.

All functions loop over the K terms or over the characters, and NumPy handles the N rows.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import numpy as np

from seq2seq.arrays import blocks, mix
from seq2seq.typing import Array

OPERATORS = "+-*/%"
PLUS, MINUS, TIMES, DIVIDE, REMAINDER = (ord(operator) for operator in OPERATORS)
BLOCK = 2**14  # expressions at a time, so that the arrays stay in the processor's cache


class Expressions(NamedTuple):
    """N expressions as numbers: see the module's docstring."""

    numbers: Array  # (N, K) of the smallest signed type that holds the operands
    operators: Array  # (N, K) uint8
    nesting: Array  # (N, K) int8, or (N, 0)

    @property
    def nested(self) -> bool:
        """Whether there can be parentheses."""
        return self.nesting.shape[1] > 0

    def take(self, rows: Any) -> Expressions:
        return Expressions(*(array[rows] for array in self))


def stack(parts: list[Expressions]) -> Expressions:
    """Concatenate expressions with different numbers of terms. Missing terms are absent."""

    def joined(arrays: list[Array]) -> Array:
        width = max(array.shape[1] for array in arrays)
        return np.concatenate([np.pad(array, ((0, 0), (0, width - array.shape[1]))) for array in arrays])

    return Expressions(*(joined(list(arrays)) for arrays in zip(*parts)))


def in_blocks(strings_of: Callable[[Expressions, int], Array], expressions: Expressions, width: int) -> Array:
    """The strings (N,) of this width that a function makes from expressions, computed block by block."""
    strings = np.empty(len(expressions.numbers), f"U{width}")
    for block in blocks(len(strings), BLOCK):
        strings[block] = strings_of(expressions.take(block), width)
    return strings


def hash_numbers(numbers: Array) -> Array:
    """A 64-bit hash of each whole number."""
    return mix(numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))


def hash_in_order(expressions: Expressions) -> Array:
    """A 64-bit hash for each expression, shape (N,), that depends on the order of its terms."""
    hashes = np.zeros(len(expressions.numbers), np.uint64)
    for block in blocks(len(hashes), BLOCK):
        numbers, operators, nesting = expressions.take(block)
        for term, (number, operator) in enumerate(zip(numbers.T, operators.T)):
            mark = operator.astype(np.uint64)
            if expressions.nested:
                mark += nesting[:, term].astype(np.uint64) << np.uint64(8)
            hashes[block] = mix(hashes[block] * np.uint64(3) + hash_numbers(number) + mark)
    return hashes
