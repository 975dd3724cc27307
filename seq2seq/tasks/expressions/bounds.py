"""Bounds on the values of expressions, found without evaluating any."""

from __future__ import annotations

from seq2seq.tasks.expressions.space import Space

INT64_MAX = 2**63 - 1


def extremes(space: Space) -> tuple[int, int]:
    """The least and the greatest value. With divisions they are bounds, which have no more digits than the values."""
    if space.parentheses:
        within = [ranges[-1] for ranges, _ in _ranges(space)]
        return min(least for least, _ in within), max(greatest for _, greatest in within)
    (low, high), terms = space.operands, space.terms
    if terms == 1:
        return (-high if space.signed else low), high
    # The largest difference from the smallest operand. If products are allowed too, a product subtracts more.
    taken = (terms - 1) * high
    if space.mixed and "*" in space.operators:
        taken = max(taken, high ** (terms - 1))
    quotient = high // max(low, 1) ** (terms - 1)
    candidates = {
        "+": (terms * low, terms * high),
        "-": (low - taken, high - (terms - 1) * low),
        "*": (low**terms, high**terms),
        "/": (0, quotient),
        "%": (0, max(high - 1, 0)),
    }
    if space.signed:
        below = {"+": (terms - 1) * low - high, "-": -taken - high, "*": -(high**terms), "/": -quotient, "%": 0}
        candidates = {operator: (below[operator], most) for operator, (_, most) in candidates.items()}
    used = [candidates[operator] for operator in space.operators]
    # The values of mixed expressions lie within these bounds: a sum or a product of all terms is the largest, and
    # without `-` the least is no smaller than the least single term, or than its quotient or remainder.
    return min(least for least, _ in used), max(greatest for _, greatest in used)


def exact(space: Space) -> bool:
    """Whether no value and no intermediate result can overflow 64-bit integers."""
    if space.parentheses:
        return all(
            -INT64_MAX <= end <= INT64_MAX for both in _ranges(space) for part in both for ends in part for end in ends
        )
    terms, largest = space.terms, space.operands[1]
    # A sum or a product of the largest operands is the bound, also for partial results.
    bound = terms * largest if {"+", "-"} & set(space.operators) else largest
    if "*" in space.operators:  # never compute a huge power only to see that it is huge
        bound = max(bound, largest**terms if terms * (largest - 1).bit_length() < 200 else INT64_MAX + 1)
    return bound <= INT64_MAX


Range = tuple[int, int]


def _ranges(space: Space) -> list[tuple[list[Range], list[Range]]]:
    """The least and the greatest value of a group with one term, two terms, and so on.

    There is a list for groups at the start of an expression and a list for groups further on. If an expression has only
    one operator, there is such a pair of lists for each operator.
    """
    low, high = space.operands
    found = []
    for operators in [space.operators] if space.mixed else space.operators:
        first, further = [(-high if space.signed else low, high)], [(low, high)]
        for terms in range(2, space.terms + 1):
            for ranges in (first, further):
                # The operator that is applied last has `before` terms on its left and the others on its right.
                ends = [
                    end
                    for before in range(1, terms)
                    for operator in operators
                    for end in range_of(ranges[before - 1], operator, further[terms - before - 1])
                ]
                ranges.append((min(ends), max(ends)))
        found.append((first, further))
    return found


def range_of(first: Range, operator: str, second: Range) -> Range:
    """The least and the greatest result for two operands in these ranges; for a division, bounds."""
    (a, b), (c, d) = first, second
    if operator == "+":
        return a + c, b + d
    if operator == "-":
        return a - d, b - c
    if operator == "%":
        return min(c + 1, 0), max(d - 1, 0)
    if operator == "/":
        return (min(a, 0), max(b, 0)) if c >= 0 else (min(a, -b, 0), max(b, -a, 0))
    products = [left * right for left in first for right in second]
    return min(products), max(products)
