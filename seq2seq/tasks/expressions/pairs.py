"""Expressions and their targets, stored as numbers, in a tenth of the memory of strings."""

from __future__ import annotations

from typing import Any, Callable

from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.expressions.batch import Expressions
from seq2seq.tasks.expressions.strings import write
from seq2seq.typing import Array


class ExpressionPairs(Pairs):
    """Expressions and their targets.

    Parameters
    ----------
    expressions : Expressions
    source_length, target_length : int
    target_of : callable
        A function from expressions and a width to strings: values, workings, or next steps.
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
