import pytest

from seq2seq import Roman, UsageError
from seq2seq.tasks.roman import numeral

VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def value(written):
    values = [VALUES[letter] for letter in written]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0]))


def test_numerals_are_right():
    assert [numeral(n) for n in (1, 4, 9, 14, 40, 90, 400, 1994, 2024, 3888)] == [
        "I", "IV", "IX", "XIV", "XL", "XC", "CD", "MCMXCIV", "MMXXIV", "MMMDCCCLXXXVIII",
    ]  # fmt: skip
    assert all(value(numeral(n)) == n for n in range(1, 4000))
    assert len({numeral(n) for n in range(1, 4000)}) == 3999


def test_both_ways():
    assert list(Roman((4, 5)).pairs()) == [("IV", "4"), ("V", "5")]
    assert list(Roman((4, 5), to="numeral").pairs()) == [("4", "IV"), ("5", "V")]
    assert (Roman().count, Roman().source_length, Roman().target_length) == (3999, 15, 4)
    assert Roman().normalise("xiv") == "XIV"


@pytest.mark.parametrize("options", [{"numbers": (0, 5)}, {"numbers": (1, 4000)}, {"to": "words"}])
def test_options_that_are_refused(options):
    with pytest.raises(UsageError, match=f"{next(iter(options))}: got"):
        Roman(**options)
