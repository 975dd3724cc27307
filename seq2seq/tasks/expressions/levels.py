"""Parentheses: where they can stand, and how what is in them becomes one thing."""

from __future__ import annotations

from functools import cache
from typing import Callable

import numpy as np

from seq2seq.tasks.expressions.batch import Expressions
from seq2seq.typing import Array


@cache
def nestings(terms: int) -> Array:
    """All ways to set parentheses in an expression of so many terms, as `Expressions.nesting`, shape (ways, terms).

    A group has two parts or more, is not the whole expression, and no other group has the same terms. So the ways are
    the trees with so many leaves whose inner nodes have two branches or more: 1, 1, 3, 11, 45, 197 of them from one
    term on, the little Schröder numbers.
    """
    if terms == 1:
        return np.zeros((1, 1), np.int8)
    # By its first part, a number or a group, and by what follows: one more part, or as many as in a shorter expression.
    ways = []
    for first in range(1, terms):
        rest = terms - first
        follows = _part(rest) if rest == 1 else np.concatenate([_part(rest), nestings(rest)])
        begins = _part(first)
        ways.append(np.hstack([np.repeat(begins, len(follows), axis=0), np.tile(follows, (len(begins), 1))]))
    return np.concatenate(ways)


def _part(terms: int) -> Array:
    """All ways to set parentheses in a number, or in a group of so many terms with its own."""
    ways = nestings(terms).copy()
    if terms > 1:
        ways[:, 0] += 1
        ways[:, -1] -= 1
    return ways


def ungroup(items: Array, expressions: Expressions, worth: Callable[[Array, Array], Array]) -> tuple[Array, Array]:
    """Replace each group by what it is worth, the deepest groups first.

    Parameters
    ----------
    items : ndarray, shape (N, K)
        What stands for the numbers of the expressions.
    expressions : Expressions
    worth : callable
        From the items (M, L) and operators (M, L) of M groups, without parentheses in them, to an item each.

    Returns
    -------
    items, operators : ndarray, shape (N, K)
        Each group's item stands where its first number stood, and its other terms are absent.
    """
    items, operators, nesting = items.copy(), expressions.operators.copy(), expressions.nesting
    behind = nesting.cumsum(axis=1)  # how many groups are open behind each number, before it, and where it stands
    before = behind - nesting
    within = np.maximum(before, behind)
    for level in reversed(range(1, within.max(initial=0) + 1)):
        rows, first = np.nonzero((before < level) & (level <= within))
        _, last = np.nonzero((behind < level) & (level <= within))
        places = first[:, None] + np.arange((last - first).max() + 1)
        places, present = np.minimum(places, last[:, None]), places <= last[:, None]
        items[rows, first] = worth(items[rows[:, None], places], operators[rows[:, None], places] * present)
        operators[before >= level] = 0
    return items, operators
