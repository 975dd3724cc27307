"""Expressions and their targets, kept as numbers: a tenth of what the strings take."""

from __future__ import annotations

from typing import Any, Callable

from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.expressions.batch import Expressions
from seq2seq.tasks.expressions.strings import write
from seq2seq.typing import Array


class ExpressionPairs(Pairs):
    """Expressions, and what is to be answered to them.

    Parameters
    ----------
    expressions : Expressions
    source_length, target_length : int
    target_of : callable
        From expressions and a width to strings: their values, their working, or the next step.
    """

    def __init__(
        self,
        expressions: Expressions,
        source_length: int,
        target_length: int,
        target_of: Callable[[Expressions, int], Array],
    ) -> None:
        self.expressions, self.target_of = expressions, target_of
        self.source_length, self.target_length = source_length, target_length

    @property
    def sources(self) -> Array:
        return write(self.expressions, self.source_length)

    @property
    def targets(self) -> Array:
        return self.target_of(self.expressions, self.target_length)

    def __len__(self) -> int:
        return len(self.expressions.numbers)

    def take(self, rows: Any) -> ExpressionPairs:
        return ExpressionPairs(self.expressions.take(rows), self.source_length, self.target_length, self.target_of)
