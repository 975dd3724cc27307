"""The task of expressions with numbers of any length."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seq2seq.errors import UsageError, is_range, is_whole, require
from seq2seq.tasks.base import Task
from seq2seq.tasks.formulas import NEGATIVE, TOKEN, postfix, tokens_of
from seq2seq.values import whole

MOST_TERMS = 1000
MOST_DIGITS = 4000  # of a value; Python converts integers to strings up to 4,300 digits
MOST_DEPTH = 20
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
TRIES = 1000


@dataclass(frozen=True)
class LongArithmetic(Task):
    """Expressions with the precedence of Python, whose numbers may have thousands of digits.

    Parameters
    ----------
    operators : str
        Any of `+`, `-`, `*`, `//` and `%`, such as `+-*` or `//%`. No divisor is 0.
    terms : int or (int, int)
        The number of terms, or the least and the greatest.
    digits : int or (int, int)
        The most digits of a number, or the least and the most. All these numbers are equally likely.
    later_digits : int or (int, int), optional
        The same for the numbers after the first.
    depth : int
        The most parentheses around a number. Between the outermost terms, and again within parentheses, a random part
        is put in parentheses with a probability of a half.

    Raises
    ------
    UsageError
        If an option is not allowed.
    """

    operators: str = field(default="+-*", metadata={"help": "any of + - * // %", "parse": str})
    terms: int | tuple[int, int] = field(
        default=2, metadata={"help": "how many numbers, as 3 or as a range 2-4", "parse": "range"}
    )
    digits: int | tuple[int, int] = field(
        default=(1, 20), metadata={"help": "most digits of a number, or a range 1-20", "parse": "range"}
    )
    later_digits: int | tuple[int, int] | None = field(
        default=None, metadata={"help": "the same for the numbers after the first", "parse": "range"}
    )
    depth: int = field(default=0, metadata={"help": "the most parentheses around a number", "parse": int})

    name = "long-arithmetic"

    def __post_init__(self) -> None:
        super().__post_init__()
        tokens = TOKEN.findall(self.operators) if isinstance(self.operators, str) else []
        known = "".join(tokens) == self.operators and set(tokens) <= {*OPERATIONS} and len({*tokens}) == len(tokens) > 0
        require(known, "operators", self.operators, f"one or more of {' '.join(OPERATIONS)}, each once")
        object.__setattr__(self, "terms", self._checked("terms", self.terms, MOST_TERMS, exactly=True))
        object.__setattr__(self, "digits", self._checked("digits", self.digits, MOST_DIGITS))
        if self.later_digits is not None:
            object.__setattr__(self, "later_digits", self._checked("later_digits", self.later_digits, MOST_DIGITS))
        whole("depth", self.depth, 0, MOST_DEPTH)
        if self.target_length > MOST_DIGITS:
            raise UsageError(
                f"digits: a value can have {self.target_length} characters, but {MOST_DIGITS} are the most"
            )

    @staticmethod
    def _checked(name: str, value: Any, most: int, exactly: bool = False) -> tuple[int, int]:
        pair = (value if exactly else 1, value) if is_whole(value, 1) else value
        allowed = f"a whole number from 1 to {most}, or a pair (least, most) of them"
        require(is_range(pair, 1, most), name, value, allowed)
        return tuple(pair)

    @property
    def _digits(self) -> list[tuple[int, int]]:
        """The least and the most digits of the first number, and of the others."""
        return [self.digits, self.digits if self.later_digits is None else self.later_digits]  # type: ignore[list-item]

    @property
    def _most_terms(self) -> int:
        assert isinstance(self.terms, tuple)
        return self.terms[1]

    @property
    def _most_digits(self) -> int:
        """Of all numbers of an expression together."""
        (_, first), (_, later) = self._digits
        return first + (self._most_terms - 1) * later

    @property
    def characters(self) -> str:
        return "0123456789" + "".join(sorted({*self.operators, "-"})) + ("()" if self.depth else "") + " "

    @property
    def source_length(self) -> int:
        longest = max(map(len, TOKEN.findall(self.operators)))
        return self._most_digits + longest * (self._most_terms - 1) + 2 * self.depth

    @property
    def target_length(self) -> int:
        if "*" in self.operators:
            return self._most_digits + 1
        return max(most for _, most in self._digits) + len(str(self._most_terms)) + 1

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        for _ in range(TRIES):
            source = self._expression(rng)
            try:
                return source, str(value(source))
            except ZeroDivisionError:
                continue
        raise UsageError(f"digits: {TRIES} expressions in a row divide by 0")

    def _expression(self, rng: np.random.Generator) -> str:
        assert isinstance(self.terms, tuple)
        terms = int(rng.integers(*self.terms, endpoint=True))
        parts = [_number(*self._digits[place > 0], rng) for place in range(terms)]
        operators = TOKEN.findall(self.operators)
        signs = [operators[place] for place in rng.integers(len(operators), size=terms - 1)]
        return self._joined(parts, signs, self.depth, rng)

    def _joined(self, parts: list[str], signs: list[str], depth: int, rng: np.random.Generator) -> str:
        """Terms with operators between, and perhaps a part of them in parentheses."""
        if depth and len(parts) > 2 and rng.random() < 0.5:
            size = int(rng.integers(2, len(parts)))
            begin = int(rng.integers(len(parts) - size + 1))
            end = begin + size
            group = self._joined(parts[begin:end], signs[begin : end - 1], depth - 1, rng)
            parts = [*parts[:begin], f"({group})", *parts[end:]]
            signs = signs[:begin] + signs[end - 1 :]
        return "".join(part + sign for part, sign in zip(parts, [*signs, ""]))


def _number(least: int, most: int, rng: np.random.Generator) -> str:
    """One of the numbers with so many digits, each with the same probability."""
    while True:
        number = "".join(map(str, rng.integers(10, size=most).tolist())).lstrip("0") or "0"
        if len(number) >= least:
            return number


def value(source: str) -> int:
    """The value of an expression. Raises `ZeroDivisionError`, and `SourceError` if it is not an expression."""
    stack: list[int] = []
    for token in postfix(tokens_of(source)):
        if token.isdigit():
            stack.append(int(token))
        elif token == NEGATIVE:
            stack.append(-stack.pop())
        else:
            second = stack.pop()
            stack.append(OPERATIONS[token](stack.pop(), second))
    [result] = stack
    return result
