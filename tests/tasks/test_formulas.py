import pytest

from seq2seq import SourceError
from seq2seq.tasks.formulas import postfix, tokens_of


@pytest.mark.parametrize(
    "source, read",
    [
        (" 12 +3 ", "12+3"),
        ("007*0-00", "7*0-0"),
        ("3 × 4 ÷ 2 − 1 · 5", "3*4/2-1*5"),
        ("-(-3)--4", "-(-3)--4"),
        ("7//2%3", "7//2%3"),
        ("((5))", "((5))"),
    ],
)
def test_what_people_type_is_read(source, read):
    assert "".join(tokens_of(source)) == read


@pytest.mark.parametrize(
    "source, problem",
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("3+", "ends where a number is expected"),
        ("-", "ends where a number is expected"),
        ("3+*4", r"has \* where a number is expected"),
        ("2**3", r"has \* where a number is expected"),
        ("()", r"has \) where a number is expected"),
        ("1 2+3", "lacks an operator before its 2. part, '2'"),
        ("2(3+4)", r"lacks an operator before its 2. part, '\('"),
        ("(1+2", r"has a \( without a \)"),
        ("1+2)", r"has a \) without a \("),
        ("1.5+2", "has '.', which is neither a digit nor one of"),
        ("x+1", "has 'x'"),
        ("2^3", r"has '\^'"),
        ("١+٢", "has '١'"),
        ("1+" * 10_000, "ends where"),
    ],
)
def test_what_is_no_expression_is_said_in_a_line(source, problem):
    with pytest.raises(SourceError, match=problem) as raised:
        tokens_of(source)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 200


def test_operators_are_brought_into_the_order_of_work():
    assert " ".join(postfix(tokens_of("1+2*3-4"))) == "1 2 3 * + 4 -"
    assert " ".join(postfix(tokens_of("-7//2*(3-1)"))) == "7 negative 2 // 3 1 - *"
    assert len(postfix(tokens_of("(" * 5000 + "1" + ")" * 5000))) == 1
