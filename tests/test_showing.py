import pytest

from seq2seq.showing import form_hint, named, one_line, printable


def test_a_text_of_several_lines_is_shown_on_one():
    text = "a\nb\r\nc\vd\fe\x1cf\x1dg\x1eh\x85i\u2028j\u2029k\tl \\n"
    shown = one_line(text)
    assert shown == r"a\nb\r\nc\x0bd\x0ce\x1cf\x1dg\x1eh\x85i\u2028j\u2029k" + "\tl \\n"
    assert shown.splitlines() == [shown]


def test_what_leaves_no_mark_is_escaped_in_a_picture():
    assert printable("a b\t\xa0\u200bé猫\n") == r"a b\t\xa0\u200bé猫\n"


@pytest.mark.parametrize(
    "character, name",
    [
        ("x", "'x'"), (" ", "' '"), ("\t", "U+0009"), ("\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("а", "'а' (U+0430 CYRILLIC SMALL LETTER A)"), ("\u2212", "'−' (U+2212 MINUS SIGN)"),
        ("\xa0", "U+00A0 NO-BREAK SPACE"), ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    ],
)  # fmt: skip
def test_a_character_that_looks_like_another_is_named(character, name):
    assert named(character) == name


def test_the_form_in_which_a_text_is_known_is_named():
    def hint(text, known):
        return form_hint(text, set(known).issuperset)

    assert hint("cafe\u0301", "café").endswith("NFC it would be") and hint("café", "cafe\u0301").endswith(
        "NFD it would be"
    )
    assert hint("３\xa04", "34 ").endswith("NFKC it would be")
    assert hint("3−4", "34-") == hint("x", "y") == ""
