"""What expressions are worth, and what makes two of them the same question in another order."""

from __future__ import annotations

import numpy as np

from seq2seq.arrays import mix
from seq2seq.tasks.expressions.batch import MINUS, PLUS, TIMES, Expressions, hash_numbers


def values(expressions: Expressions) -> np.ndarray:
    """The value of each expression, shape (N,): products first, then sums from left to right."""
    numbers, operators = expressions.numbers.astype(np.int64), expressions.operators
    total = np.zeros(len(numbers), np.int64)
    product = numbers[:, 0]  # of the factors being read, with the sign that it has in the sum
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total += np.where(ends, product, 0)
        signed = np.where(operator == MINUS, -number, number)
        product = np.where(times, product * number, np.where(ends, signed, product))
    return total + product


def hash_commutative(expressions: Expressions) -> np.ndarray:
    """A 64-bit hash an expression, shape (N,), the same for every order of its terms and factors.

    Sums do not depend on order, so a product is the sum of its factors' hashes, scattered again with its sign, and
    an expression the sum of its products'. Two expressions that share a hash by chance end on one side of a split:
    that wastes a little and leaks nothing.
    """
    numbers, operators = expressions
    # With its sign added, `-3` hashes before a sum as `3` does that is taken away: so `-3+5` and `5-3` are one.
    negative = (numbers[:, 0] < 0) * np.uint64(MINUS - PLUS)
    factors = hash_numbers(np.abs(numbers[:, 0])) + negative
    total, sign = np.zeros(len(numbers), np.uint64), np.full(len(numbers), PLUS, np.uint64)
    for number, operator in zip(numbers.T[1:], operators.T[1:]):
        times, ends = operator == TIMES, (operator == PLUS) | (operator == MINUS)
        total = np.where(ends, total + mix(factors + sign), total)
        hashed = hash_numbers(number)
        factors = np.where(times, factors + hashed, np.where(ends, hashed, factors))
        sign = np.where(ends, operator.astype(np.uint64), sign)
    return total + mix(factors + sign)
