"""Working out expressions step by step."""

from __future__ import annotations

import numpy as np

from seq2seq.tasks.expressions.batch import DIVIDE, MINUS, PLUS, REMAINDER, TIMES, Expressions, in_blocks, stack
from seq2seq.tasks.expressions.strings import answer, digits, lengths, write, write_spaced
from seq2seq.tasks.expressions.values import divided
from seq2seq.typing import Array


def next_term(expressions: Expressions) -> Array:
    """The term that the next step joins to the previous one, shape (N,); more than K where no operator is left.

    It is the first from the left that can be joined: there is no parenthesis between the two terms, and no factor with
    higher precedence follows.
    """
    _, operators, nesting = expressions
    none = operators.shape[1] + 1
    if not expressions.nested:  # it is the second, or the third if only that one is a factor
        operators = operators[:, :3]
    if operators.shape[1] == 1:
        return np.full(len(operators), none)
    operator = operators[:, 1:]
    can, waits = operator != 0, _adds(operator)
    waits[:, :-1] &= can[:, 1:] & ~waits[:, 1:]
    waits[:, -1] = False
    if expressions.nested:
        can &= nesting[:, 1:] <= 0  # a parenthesis between the two: its contents come first
        waits &= nesting[:, 1:] == 0  # operators after a closing parenthesis do not matter
    can &= ~waits
    return np.where(can.any(axis=1), can.argmax(axis=1) + 1, none)


def _adds(operator: Array) -> Array:
    return (operator == PLUS) | (operator == MINUS)


def _begin_with_three_factors(expressions: Expressions, most: int) -> Array:
    """Whether the first three terms are factors, and neither of the first two is the result of a step."""
    _, operators, nesting = expressions
    if operators.shape[1] < 3:
        return np.zeros(len(operators), bool)
    factors = (operators[:, 1:3] == TIMES).all(axis=1) & ~_with_result(expressions, 2, most)
    return factors & (nesting[:, 1] == 0) & (nesting[:, 2] <= 0) if expressions.nested else factors


def _with_result(expressions: Expressions, terms: int, most: int) -> Array:
    """Whether one of the first terms is larger than `most`, the largest number in an expression as it is drawn."""
    return (np.abs(expressions.numbers[:, :terms]) > most).any(axis=1)


def next_in_place(expressions: Expressions, most: int) -> tuple[Expressions, Array]:
    """The expressions, in the order in which they are worked out, and the term that the next step joins to the previous
    one, shape (N,): see `next_term`.

    If an expression begins with three factors and none is negative, the largest is moved to the front and left for
    later: `7*7*8`, `7*8*7` and `8*7*7` all become `8*49`. A model that has learned one of them knows them all.
    """
    term = next_term(expressions)
    three = _begin_with_three_factors(expressions, most)
    term[(term == 1) & three] = 2
    rows = np.flatnonzero(three & (expressions.numbers[:, :3] >= 0).all(axis=1))
    if len(rows) == 0:
        return expressions, term
    numbers = expressions.numbers.copy()
    order = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1]])[numbers[rows, :3].argmax(axis=1)]
    numbers[rows[:, None], [0, 1, 2]] = np.take_along_axis(numbers[rows], order, axis=1)
    return expressions._replace(numbers=numbers), term


def next_step(expressions: Expressions, most: int) -> Expressions:
    """Each expression after one step of working it out. Parentheses around a single number are dropped.

    A step joins two terms: see `next_in_place`. A result, which is greater than `most`, is multiplied at once, so that
    one of the factors stays small.
    """
    aside = first_aside(expressions, most)
    if not aside.any():
        return _joined(*next_in_place(expressions, most))
    apart, whole = np.flatnonzero(aside), np.flatnonzero(~aside)
    parts = [next_step(expressions.take(whole), most), _after_first(expressions.take(apart), most)]
    return stack(parts).take(np.argsort(np.concatenate([whole, apart])))


def _after_first(expressions: Expressions, most: int) -> Expressions:
    """Each expression after one step of working out what follows its first term."""
    after = next_step(without_first(expressions), most)
    numbers = np.column_stack([expressions.numbers[:, 0], after.numbers])
    operators = np.column_stack([expressions.operators[:, :2], after.operators[:, 1:]])
    return Expressions(numbers, operators, expressions.nesting)


def first_aside(expressions: Expressions, most: int) -> Array:
    """Whether the first term stays aside in the next step, bool, shape (N,): it is added to a product that is still to
    be worked out, and one of the first three terms is the result of a step, greater than `most`. Never where there can
    be parentheses."""
    numbers, operators, _ = expressions
    if expressions.nested or numbers.shape[1] < 3:
        return np.zeros(len(numbers), bool)
    product = _adds(operators[:, 1]) & (operators[:, 2] != 0) & ~_adds(operators[:, 2])
    return product & _with_result(expressions, 3, most)


def without_first(expressions: Expressions) -> Expressions:
    """What follows the first term of each expression without parentheses."""
    operators = expressions.operators[:, 1:].copy()
    operators[:, 0] = PLUS
    return Expressions(expressions.numbers[:, 1:], operators, expressions.nesting)


def _joined(expressions: Expressions, term: Array) -> Expressions:
    """Each expression with one term joined to the previous one."""
    numbers, operators = expressions.numbers.astype(np.int64), expressions.operators
    nesting = expressions.nesting.copy()
    rows = np.flatnonzero(term < numbers.shape[1])
    right = term[rows]
    first, second, operator = numbers[rows, right - 1], numbers[rows, right], operators[rows, right]
    value = np.where(operator == PLUS, first + second, first - second)
    value = np.where(operator == TIMES, first * second, value)
    divides = np.flatnonzero((operator == DIVIDE) | (operator == REMAINDER))
    value[divides] = divided(first[divides], operator[divides], second[divides])
    numbers[rows, right - 1] = value
    if expressions.nested:
        nesting[rows, right - 1] += nesting[rows, right]
    places = np.arange(max(1, numbers.shape[1] - 1))
    places = places + (places >= term[:, None])  # all except that term
    arrays = (numbers, operators, nesting)
    return Expressions(*(np.take_along_axis(array, places[:, : array.shape[1]], axis=1) for array in arrays))


def next_step_by_digit(expressions: Expressions) -> Expressions:
    """The same as `next_step`, but a factor with several digits other than 0 is split first.

    `12*24` becomes `240+48`. Further factors multiply both products: `12*24*3` becomes `240*3+48*3`. For expressions
    without parentheses or divisions.
    """
    term = next_term(expressions)
    there = term < expressions.numbers.shape[1]
    place = np.where(there, term, 0)[:, None]
    number, operator = (np.take_along_axis(array, place, axis=1)[:, 0].astype(np.int64) for array in expressions[:2])
    splits = there & (operator == TIMES) & (number != _first_digit(number))
    apart, whole = np.flatnonzero(splits), np.flatnonzero(~splits)
    parts = [_joined(expressions.take(whole), term[whole]), _split(expressions.take(apart), term[apart])]
    after = stack(parts).take(np.argsort(np.concatenate([whole, apart])))
    return _kept(after, after.operators != 0)


def _first_digit(numbers: Array) -> Array:
    """Whole numbers from 0 with all digits except the first replaced by 0."""
    place = 10 ** (digits(numbers) - 1)
    return numbers // place * place


def _split(expressions: Expressions, term: Array) -> Expressions:
    """Each expression with the product of a term and the previous one split at the first digit of the term."""
    numbers, operators, n = expressions.numbers.astype(np.int64), expressions.operators, len(term)
    rows, left = np.arange(n), term - 1
    places = np.arange(numbers.shape[1])
    stays = (places > term[:, None]) & (operators != TIMES)
    ends = np.where(stays.any(axis=1), stays.argmax(axis=1), numbers.shape[1])  # of the product with all its factors
    rest = (ends - term - 1)[:, None]  # factors after the two
    second = (left + 1)[:, None] + rest  # where the second of the new products begins
    places = np.arange(numbers.shape[1] + int(rest.max(initial=0)))
    origin = np.where(places < second, places + (places > left[:, None]), places - rest)
    there = origin < numbers.shape[1]
    taken = np.where(there, origin, 0)
    new = [np.where(there, np.take_along_axis(array, taken, axis=1), 0) for array in (numbers, operators)]
    factor, by = numbers[rows, left], numbers[rows, term]
    tens = _first_digit(by)
    first = left == 0  # its sign belongs to the number
    new[0][rows, left] = factor * tens
    new[0][rows, second[:, 0]] = np.where(first, np.abs(factor), factor) * (by - tens)
    new[1][rows, second[:, 0]] = np.where(first, np.where(factor < 0, MINUS, PLUS), operators[rows, left])
    return Expressions(new[0], new[1].astype(np.uint8), expressions.nesting)


def heads(expressions: Expressions, terms: int, most: int) -> Expressions:
    """What the next step of each expression depends on: its first `terms` terms, a group being one term.

    Where a result, which is greater than `most`, is among these, no more than the two terms that are joined, or than
    the product that has to be worked out first.
    """
    if expressions.nested:
        outside = expressions.nesting.cumsum(axis=1) == expressions.nesting  # no parenthesis is open before the number
        return _kept(expressions, outside.cumsum(axis=1) <= terms)
    aside = first_aside(expressions, most)
    if aside.any():
        parts = [expressions.take(~aside), without_first(expressions.take(aside))]
        return heads(stack(parts), terms, most)
    two = _with_result(expressions, 2, most) & (next_term(expressions) == 1)
    return _kept(expressions, np.arange(expressions.numbers.shape[1]) < np.where(two, 2, terms)[:, None])


def heads_by_digit(expressions: Expressions, terms: int) -> Expressions:
    """The first `terms` terms of each expression without parentheses, and the factors that follow."""
    ends = (np.arange(expressions.numbers.shape[1]) >= terms) & (expressions.operators != TIMES)
    return _kept(expressions, ends.cumsum(axis=1) == 0)


def _kept(expressions: Expressions, kept: Array) -> Expressions:
    width = max(1, kept.sum(axis=1).max(initial=0))
    return Expressions(*((array * kept[:, : array.shape[1]])[:, :width] for array in expressions))


def write_step(expressions: Expressions, width: int, most: int) -> Array:
    """Each expression after one step, as right-justified strings (N,), with the value in place of its terms.

    `3*7+2` becomes ` 21+2`, and `7*7*8` becomes `8* 49`. A value is never longer than its terms.
    """
    return in_blocks(lambda part, width: _write_step(part, width, most), expressions, width)


def _write_step(expressions: Expressions, width: int, most: int) -> Array:
    expressions, term = next_in_place(expressions, most)
    left, after = term - 1, _joined(expressions, term)
    taken = lengths(expressions) + 1  # with the operator before it
    if expressions.nested:
        taken += np.abs(expressions.nesting)
    taken[expressions.operators == 0] = 0
    from_left = np.arange(taken.shape[1]) >= left[:, None]
    begin = width + 1 - (taken * from_left).sum(axis=1)
    if expressions.nested:  # parentheses that are still open before the value stay in place
        place = np.minimum(left, after.nesting.shape[1] - 1)
        begin += np.maximum(after.nesting[np.arange(len(place)), place], 0)
    return write_spaced(after, width, left, begin)


def write_step_by_digit(expressions: Expressions, width: int) -> Array:
    """Each expression after `next_step_by_digit`, which can be longer, as right-justified strings (N,)."""
    return in_blocks(lambda part, width: write(next_step_by_digit(part), width), expressions, width)


def write_working(expressions: Expressions, width: int, most: int) -> Array:
    """The results of all steps of working out the expressions, such as `21+2=23`, right-justified, shape (N,)."""
    working = np.full(len(expressions.numbers), "", f"U{width}")
    for _ in range(expressions.numbers.shape[1] - 1):
        busy = (expressions.operators[:, 1:] != 0).any(axis=1)
        expressions = next_step(expressions, most)
        joined = np.char.add(np.where(working == "", "", "="), np.char.lstrip(write(expressions, width)))
        working = np.where(busy, np.char.add(working, joined), working).astype(f"U{width}")  # `add` widens the type
    single = working == ""
    working[single] = np.char.lstrip(answer(expressions.take(single), width))
    return np.char.rjust(working, width).astype(f"U{width}")
