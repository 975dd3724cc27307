"""How far the values of expressions can go, found without looking at one."""

from __future__ import annotations

from seq2seq.tasks.expressions.space import Space

INT64_MAX = 2**63 - 1


def extremes(space: Space) -> tuple[int, int]:
    """The least and the greatest value; with divisions they lie within these, which are no longer to write."""
    (low, high), terms = space.operands, space.terms
    if terms == 1:
        return (-high if space.signed else low), high
    # Taking away the most from the least; with products allowed beside differences, a product takes away more.
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
    # Mixed expressions lie within these: a sum or a product of all terms is the largest, and without `-` the
    # least is no smaller than the least single term, or what is left of it by a division.
    return min(least for least, _ in used), max(greatest for _, greatest in used)


def exact(space: Space) -> bool:
    """Whether no value, nor any on the way to it, can pass what 64-bit integers hold."""
    terms, largest = space.terms, space.operands[1]
    # A sum or a product of the largest operands goes furthest: partial results stay below it too.
    bound = terms * largest if {"+", "-"} & set(space.operators) else largest
    if "*" in space.operators:  # never raise to a huge power only to see that it is huge
        bound = max(bound, largest**terms if terms * (largest - 1).bit_length() < 200 else INT64_MAX + 1)
    return bound <= INT64_MAX
