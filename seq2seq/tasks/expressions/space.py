"""All expressions with a given number of terms: count, list and draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np

from seq2seq.arrays import blocks
from seq2seq.errors import UsageError
from seq2seq.lazy import cached_property
from seq2seq.tasks.expressions.batch import BLOCK, PLUS, Expressions, hash_in_order, stack
from seq2seq.tasks.expressions.levels import nestings
from seq2seq.tasks.expressions.values import have_value
from seq2seq.typing import Array

LIST_LIMIT = 10_000_000  # expressions
TRIES = 100  # draws for each expression that is wanted, in addition to `LIST_LIMIT`
ROUND = 2**20  # draws at a time


@dataclass(frozen=True)
class Space:
    """The expressions with `terms` terms that the options of `Arithmetic` allow.

    Each has a rank, from 0: a number whose digits, in a mixed radix, choose its parts. With divisions, all expressions
    have ranks, but only those whose divisions are exact belong to the space. If there are few, all of them are tried;
    otherwise each one that is drawn is tried.
    """

    operators: str
    terms: int
    operands: tuple[int, int]
    mixed: bool
    signed: bool
    parentheses: bool = False

    @property
    def count(self) -> int:
        """The number of expressions; an upper bound if there are divisions and too many candidates to try."""
        return len(self._whole) if self.tried else self.candidates

    @cached_property
    def candidates(self) -> int:
        """The number of expressions, including those with inexact divisions."""
        low, high = self.operands
        choices = len(self.operators) ** (self.terms - 1) if self.mixed or self.terms == 1 else len(self.operators)
        return int(self._firsts * (high - low + 1) ** (self.terms - 1) * choices * len(self._nestings))

    @property
    def divides(self) -> bool:
        """Whether there can be divisions."""
        return self.terms > 1 and not {"/", "%"}.isdisjoint(self.operators)

    @property
    def tried(self) -> bool:
        """Whether there are divisions and all candidates are tried."""
        return self.divides and self.candidates <= LIST_LIMIT

    @cached_property
    def _whole(self) -> Array:
        """The ranks of the expressions whose divisions are exact."""
        ranks = np.arange(self.candidates)
        return np.concatenate([ranks[block][have_value(self.at(ranks[block]))] for block in blocks(len(ranks), ROUND)])

    @property
    def _ranks(self) -> Array:
        return self._whole if self.divides else np.arange(self.candidates)

    @property
    def _firsts(self) -> int:
        """How many numbers can come first: those of `operands` and, if signed, their negatives, except that of 0."""
        low, high = self.operands
        return high - low + 1 + (high - max(low, 1) + 1 if self.signed else 0)

    def _first(self, choice: Array) -> Array:
        """The first number, from choices (N,) below `_firsts`."""
        low, high = self.operands
        return np.where(choice <= high - low, low + choice, (high - low + 1) - choice - max(low, 1))

    def _empty(self, n: int) -> Expressions:
        dtype = np.min_scalar_type(
            -self.operands[1] - 1
        )  # the minimum of a signed type is one below the negative of its maximum
        shape = (n, self.terms)
        nesting = np.zeros((n, self._nestings.shape[1]), np.int8)
        return Expressions(np.empty(shape, dtype), np.full(shape, PLUS, np.uint8), nesting)

    @property
    def _nestings(self) -> Array:
        """All placements of parentheses."""
        return nestings(self.terms) if self.parentheses else np.zeros((1, 0), np.int8)

    @property
    def _codes(self) -> Array:
        return np.array([ord(operator) for operator in self.operators], np.uint8)

    def at(self, rank: Array) -> Expressions:
        """The expressions with these ranks (N,)."""
        low, high = self.operands
        numbers, operators, nesting = expressions = self._empty(len(rank))
        for term in reversed(range(1, self.terms)):
            rank, digit = np.divmod(rank, high - low + 1)
            numbers[:, term] = low + digit
            if self.mixed:
                rank, digit = np.divmod(rank, len(self.operators))
                operators[:, term] = self._codes[digit]
        rank, digit = np.divmod(rank, self._firsts)
        numbers[:, 0] = self._first(digit)
        if not self.mixed and self.terms > 1:
            rank, digit = np.divmod(rank, len(self.operators))
            operators[:, 1:] = self._codes[digit][:, None]
        nesting[:] = self._nestings[rank]
        return expressions

    def list(self) -> Expressions:
        """All expressions, by rank."""
        return self.at(self._ranks)

    def draw(self, n: int, rng: np.random.Generator) -> Expressions:
        """Draw `n` expressions uniformly, with repetition. Raises `UsageError` if too few can be found."""
        if not self.divides:
            return self._draw(n, rng)
        if self.tried:
            if n > 0 and self.count == 0:
                raise UsageError(f"operands: of {self._described} none comes out whole")
            return self.at(self._whole[rng.integers(max(1, self.count), size=n)])
        return self._gather(n, rng, lambda drawn: drawn.take(slice(n)))

    def draw_distinct(self, n: int, rng: np.random.Generator) -> Expressions:
        """Draw `n` distinct expressions; every set of them is equally likely. Raises as `draw` does."""
        if self.tried or (2 * n >= self.count and not self.divides):  # listing them is no slower
            return self.at(self._ranks[rng.permutation(self.count)[:n]])

        def each_once(drawn: Expressions) -> Expressions:
            # By hash: if two different expressions have the same hash, one is dropped. No expression is kept twice.
            _, first = np.unique(hash_in_order(drawn), return_index=True)
            return drawn.take(np.sort(first)[:n])

        return self._gather(n, rng, each_once)

    def _gather(self, n: int, rng: np.random.Generator, kept: Callable[[Expressions], Expressions]) -> Expressions:
        """Draw until `n` expressions whose divisions are exact are kept. `kept` never returns more than `n`."""
        drawn, tries, whole = self._empty(0), 0, 0
        while len(drawn.numbers) < n:
            if tries > LIST_LIMIT + TRIES * n:
                raise UsageError(
                    f"n: {n} are wanted of {self._described}, but {tries} draws found only {len(drawn.numbers)} "
                    "that come out whole"
                )
            missing = n - len(drawn.numbers)
            size = missing + missing // 8 + 16
            if self.divides:  # estimated from the fraction found so far
                size = min(size * (tries + 1) // (whole + 1), ROUND)
            more = self._draw(size, rng)
            if self.divides:
                more = more.take(have_value(more))
            tries, whole = tries + size, whole + len(more.numbers)
            drawn = kept(stack([drawn, more]))
        return drawn

    @property
    def _described(self) -> str:
        low, high = self.operands
        return f"the expressions of {self.terms} terms from {low} to {high} with {self.operators}"

    def _draw(self, n: int, rng: np.random.Generator) -> Expressions:
        """Draw `n` expressions, whether their divisions are exact or not."""
        low, high = self.operands
        numbers, operators, nesting = expressions = self._empty(n)
        for rows in blocks(n, BLOCK):
            numbers[rows] = rng.integers(low, high, size=numbers[rows].shape, endpoint=True)
        if self.signed:
            numbers[:, 0] = self._first(rng.integers(self._firsts, size=n))
        for rows in blocks(n, BLOCK):
            chosen = rng.integers(len(self.operators), size=(len(operators[rows]), self.terms - 1 if self.mixed else 1))
            operators[rows, 1:] = self._codes[chosen]
        if self.parentheses:
            nesting[:] = self._nestings[rng.integers(len(self._nestings), size=n)]
        return expressions
