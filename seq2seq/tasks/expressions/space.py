"""All expressions of one number of terms: counted, listed, drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.tasks.expressions.batch import BLOCK, PLUS, Expressions, hash_in_order, stack


@dataclass(frozen=True)
class Space:
    """The expressions of so many terms that the options of `Arithmetic` allow.

    Each has a rank, from 0: a number whose digits, in a mixed radix, choose its parts.
    """

    operators: str
    terms: int
    operands: tuple[int, int]
    mixed: bool
    signed: bool

    @property
    def count(self) -> int:
        low, high = self.operands
        choices = len(self.operators) ** (self.terms - 1) if self.mixed or self.terms == 1 else len(self.operators)
        return int(self._firsts * (high - low + 1) ** (self.terms - 1) * choices)

    @property
    def _firsts(self) -> int:
        """How many numbers can come first: those from `operands`, and if signed their negatives; 0 has none."""
        low, high = self.operands
        return high - low + 1 + (high - max(low, 1) + 1 if self.signed else 0)

    def _first(self, choice: np.ndarray) -> np.ndarray:
        """The first number, from choices (N,) below `_firsts`."""
        low, high = self.operands
        return np.where(choice <= high - low, low + choice, (high - low + 1) - choice - max(low, 1))

    def _empty(self, n: int) -> Expressions:
        numbers = np.empty((n, self.terms), np.min_scalar_type(-self.operands[1] - 1))  # signed types reach one further below 0
        return Expressions(numbers, np.full((n, self.terms), PLUS, np.uint8))

    @property
    def _codes(self) -> np.ndarray:
        return np.array([ord(operator) for operator in self.operators], np.uint8)

    def at(self, rank: np.ndarray) -> Expressions:
        """The expressions of these ranks (N,)."""
        low, high = self.operands
        numbers, operators = expressions = self._empty(len(rank))
        for term in reversed(range(1, self.terms)):
            rank, digit = np.divmod(rank, high - low + 1)
            numbers[:, term] = low + digit
            if self.mixed:
                rank, digit = np.divmod(rank, len(self.operators))
                operators[:, term] = self._codes[digit]
        rank, digit = np.divmod(rank, self._firsts)
        numbers[:, 0] = self._first(digit)
        if not self.mixed and self.terms > 1:
            operators[:, 1:] = self._codes[rank][:, None]
        return expressions

    def list(self) -> Expressions:
        """All of them, by rank."""
        return self.at(np.arange(self.count))

    def draw(self, n: int, rng: np.random.Generator) -> Expressions:
        """So many, each equally likely, some perhaps twice."""
        low, high = self.operands
        numbers, operators = expressions = self._empty(n)
        for rows in blocks(n, BLOCK):
            numbers[rows] = rng.integers(low, high, size=numbers[rows].shape, endpoint=True)
        if self.signed:
            numbers[:, 0] = self._first(rng.integers(self._firsts, size=n))
        for rows in blocks(n, BLOCK):
            chosen = rng.integers(len(self.operators), size=(len(operators[rows]), self.terms - 1 if self.mixed else 1))
            operators[rows, 1:] = self._codes[chosen]
        return expressions

    def draw_distinct(self, n: int, rng: np.random.Generator) -> Expressions:
        """So many of them, no one twice, each choice of them equally likely."""
        if 2 * n >= self.count:  # most of them are wanted: no dearer than listing them
            return self.at(rng.permutation(self.count)[:n])
        drawn = self._empty(0)
        while len(drawn.numbers) < n:
            missing = n - len(drawn.numbers)
            drawn = stack([drawn, self.draw(missing + missing // 8 + 16, rng)])
            # By hash: two different expressions that share one lose a draw, and no expression comes twice.
            _, first = np.unique(hash_in_order(drawn), return_index=True)
            drawn = drawn.take(np.sort(first)[:n])
        return drawn
