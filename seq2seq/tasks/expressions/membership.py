"""Whether a given expression is one of those that are drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from seq2seq.errors import short
from seq2seq.tasks.expressions.space import Space
from seq2seq.tasks.expressions.strings import read
from seq2seq.tasks.expressions.values import have_value
from seq2seq.tasks.measure import out_of_range, spread


def unlike(source: str, spaces: Sequence[Space]) -> str | None:
    """Why an expression is in none of these spaces; None if it is in one.

    Parameters
    ----------
    source : str
        An expression with the operators, signs and parentheses of the spaces.
    spaces : sequence of Space
        They differ only in the number of terms, which increases by one.
    """
    numbers = re.findall("[0-9]+", source)
    if reason := out_of_range(len(numbers), spaces[0].terms, spaces[-1].terms, "term"):
        return reason
    space = spaces[len(numbers) - spaces[0].terms]
    least, most = space.operands
    for number in numbers:
        if len(number) > len(str(most)) or not least <= int(number) <= most:
            return f"has the number {short(number)[1:-1]}; trained on {spread(least, most)}"
    if not space.mixed and len({*re.findall(r"(?<=[0-9)])[^0-9()]", source)}) > 1:
        return "mixes operators; trained on one in each expression"
    if _has_needless_parentheses(source):
        return "has parentheses around all of it, or around others alone; trained on none such"
    if space.divides and not have_value(read(np.array([source]))).all():
        return "does not come out whole; trained on those that do"
    return None


def _has_needless_parentheses(source: str) -> bool:
    opened: list[int] = []
    groups = set()
    for place, character in enumerate(source):
        if character == "(":
            opened.append(place)
        elif character == ")":
            groups.add((opened.pop(), place))
    return (0, len(source) - 1) in groups or any((begin + 1, end - 1) in groups for begin, end in groups)
