import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq import SourceError, UsageError
from seq2seq.tasks.alphabet import MOST, PAD, Alphabet, split

PHONEMES = Alphabet(("AH0", "HH", "OW1"), target_separator=" ")
words = st.lists(st.sampled_from(["AH0", "HH", "OW1", "L", "7"]), max_size=8)
text = st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\0"), max_size=12)


@given(words)
def test_each_symbol_is_a_character_and_comes_back(symbols):
    written = PHONEMES.read_target(" ".join(symbols))
    assert len(written) == len(symbols) and PAD not in written
    assert PHONEMES.show_target(written) == " ".join(symbols)
    assert [PHONEMES.symbol(character) for character in written] == symbols


@given(text)
def test_characters_stand_for_themselves_but_spaces_which_would_be_padding(source):
    written = PHONEMES.read_source(source)
    assert len(written) == len(source) and PAD not in written
    assert all(character == other for character, other in zip(source, written) if character != " ")
    assert PHONEMES.show_source(written) == source


def test_spaces_beyond_one_say_nothing_and_padding_is_not_shown():
    assert [*split("  HH   L ", " ")] == ["HH", "L"] and [*split("a b", "")] == ["a", " ", "b"]
    assert PHONEMES.read_target("  HH   L ") == PHONEMES.read_target("HH L")
    assert PHONEMES.show_target(PHONEMES.read_target("HH L") + "  ") == "HH L"


def test_the_characters_are_what_stands_for_the_symbols_and_padding():
    characters = PHONEMES.characters(["L", "HH", " ", "L"])
    assert len(characters) == 4 and characters.endswith(PAD)
    assert {PHONEMES.symbol(character) for character in characters[:-1]} == {"L", "HH", " "}


@pytest.mark.parametrize("target", ["HH XX", "XX", "hello"])
def test_a_symbol_that_is_not_known(target):
    with pytest.raises(SourceError, match=rf"'{target}': '\w+' is not among the symbols 'AH0 HH OW1'"):
        PHONEMES.read_target(target)


def test_a_symbol_in_another_unicode_form_is_said():
    with pytest.raises(
        SourceError, match=r"is not among the symbols 'café'; normalised to Unicode's form NFC it would be$"
    ):
        Alphabet(("café",), " ").read_source("cafe\u0301")


@pytest.mark.parametrize("character", ["\0", "\ue000", "\uf8ff", "\ud800"])
def test_characters_that_no_string_may_have(character):
    with pytest.raises(SourceError, match="is a character that no string may have"):
        PHONEMES.read_source("a" + character)


def test_more_symbols_than_can_be_told_apart():
    with pytest.raises(UsageError, match=f"symbols: there are {MOST + 1} of several characters, but {MOST}"):
        Alphabet(tuple(map(str, range(10, MOST + 11))))
