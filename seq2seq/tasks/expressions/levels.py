"""Parentheses: their possible placements, and how groups are replaced by their values."""

from __future__ import annotations

from functools import cache
from typing import Callable

import numpy as np

from seq2seq.tasks.expressions.batch import Expressions
from seq2seq.typing import Array


@cache
def nestings(terms: int) -> Array:
    """All placements of parentheses in an expression, as `Expressions.nesting`, shape (placements, terms).

    A group has at least two parts, is not the whole expression, and no two groups have the same terms. The placements
    correspond to the trees with `terms` leaves whose inner nodes have at least two children. From one term on there are
    1, 1, 3, 11, 45, 197, the little Schröder numbers.
    """
    if terms == 1:
        return np.zeros((1, 1), np.int8)
    # The first part is a number or a group. One more part follows, or the parts of a shorter expression.
    ways = []
    for first in range(1, terms):
        rest = terms - first
        follows = _part(rest) if rest == 1 else np.concatenate([_part(rest), nestings(rest)])
        begins = _part(first)
        ways.append(np.hstack([np.repeat(begins, len(follows), axis=0), np.tile(follows, (len(begins), 1))]))
    return np.concatenate(ways)


def _part(terms: int) -> Array:
    """All placements in one part: a number, or a group of `terms` terms including its own parentheses."""
    ways = nestings(terms).copy()
    if terms > 1:
        ways[:, 0] += 1
        ways[:, -1] -= 1
    return ways


def ungroup(items: Array, expressions: Expressions, worth: Callable[[Array, Array], Array]) -> tuple[Array, Array]:
    """Replace each group by a single item, the deepest groups first.

    Parameters
    ----------
    items : ndarray, shape (N, K)
        One item for each number of the expressions, such as its value or hash.
    expressions : Expressions
    worth : callable
        A function from the items (M, L) and operators (M, L) of M groups without inner parentheses to their items (M,).

    Returns
    -------
    items, operators : ndarray, shape (N, K)
        The item of each group is in place of its first number, and its other terms are absent.
    """
    items, operators, nesting = items.copy(), expressions.operators.copy(), expressions.nesting
    behind = nesting.cumsum(axis=1)  # the number of groups that are open after each number
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
