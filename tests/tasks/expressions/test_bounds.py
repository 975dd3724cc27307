from itertools import combinations_with_replacement, product

import pytest

from seq2seq.tasks.expressions.bounds import range_of
from tests.tasks.by_hand import value


@pytest.mark.parametrize("operator", "+-*/%")
def test_the_range_of_two_parts_holds_all_their_values(operator):
    ends = list(combinations_with_replacement((-3, -1, 0, 1, 2, 4), 2))
    for first, second in product(ends, ends):
        values = []
        for left, right in product(range(first[0], first[1] + 1), range(second[0], second[1] + 1)):
            try:
                values.append(value(f"({left}){operator}({right})"))
            except ArithmeticError:
                continue
        least, most = range_of(first, operator, second)
        assert all(least <= worth <= most for worth in values)
        if operator in "+-*":
            assert (least, most) == (min(values), max(values))
