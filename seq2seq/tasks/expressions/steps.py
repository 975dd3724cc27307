"""Working expressions out a step at a time."""

from __future__ import annotations

import numpy as np

from seq2seq.tasks.expressions.batch import DIVIDE, MINUS, PLUS, REMAINDER, TIMES, Expressions, in_blocks
from seq2seq.tasks.expressions.strings import answer, lengths, write, write_spaced
from seq2seq.tasks.expressions.values import divided


def next_term(operators: np.ndarray) -> np.ndarray:
    """The term that the next step joins to the one before it, shape (N,); more than K where nothing is left.

    The second, or the third where only that one is a factor: this needs no look at what follows.
    """
    first, second = (operators[:, term] if term < operators.shape[1] else np.zeros(len(operators)) for term in (1, 2))
    term = np.where(_adds(first) & ~_adds(second) & (second != 0), 2, 1)
    return np.where(first == 0, operators.shape[1] + 1, term)


def _adds(operator: np.ndarray) -> np.ndarray:
    return (operator == PLUS) | (operator == MINUS)


def next_step(expressions: Expressions) -> Expressions:
    """Each expression after one step of working it out: see `next_term`."""
    numbers, operators = expressions.numbers.astype(np.int64), expressions.operators
    term = next_term(operators)
    rows = np.flatnonzero(term < numbers.shape[1])
    right = term[rows]
    first, second, operator = numbers[rows, right - 1], numbers[rows, right], operators[rows, right]
    value = np.where(operator == PLUS, first + second, first - second)
    value = np.where(operator == TIMES, first * second, value)
    divides = np.flatnonzero((operator == DIVIDE) | (operator == REMAINDER))
    value[divides] = divided(first[divides], operator[divides], second[divides])
    numbers[rows, right - 1] = value
    places = np.arange(max(1, numbers.shape[1] - 1))
    places = places + (places >= term[:, None])  # all but that term
    return Expressions(*(np.take_along_axis(array, places, axis=1) for array in (numbers, operators)))


def heads(expressions: Expressions, terms: int) -> Expressions:
    """So many terms from the left of each expression."""
    return Expressions(*(array[:, :terms] for array in expressions))


def write_step(expressions: Expressions, width: int) -> np.ndarray:
    """Each expression as right-justified strings (N,), the next step's value standing where its terms stood.

    `3*7+2` becomes ` 21+2`. A value never takes more room than what it is the value of.
    """
    return in_blocks(_write_step, expressions, width)


def _write_step(expressions: Expressions, width: int) -> np.ndarray:
    left = next_term(expressions.operators) - 1
    taken = lengths(expressions) + 1  # and the operator before it
    taken[expressions.operators == 0] = 0
    from_left = np.arange(taken.shape[1]) >= left[:, None]
    begin = width + 1 - (taken * from_left).sum(axis=1)
    return write_spaced(next_step(expressions), width, left, begin)


def write_working(expressions: Expressions, width: int) -> np.ndarray:
    """What every step of working the expressions out leaves, such as `21+2=23`, right-justified, shape (N,)."""
    working = np.full(len(expressions.numbers), "", f"U{width}")
    for _ in range(expressions.numbers.shape[1] - 1):
        busy = (expressions.operators[:, 1:] != 0).any(axis=1)
        expressions = next_step(expressions)
        joined = np.char.add(np.where(working == "", "", "="), np.char.lstrip(write(expressions, width)))
        working = np.where(busy, np.char.add(working, joined), working)
    single = working == ""
    working[single] = np.char.lstrip(answer(expressions.take(single), width))
    return np.char.rjust(working, width).astype(f"U{width}")
