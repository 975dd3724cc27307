from dataclasses import replace

import numpy as np
import pytest

from seq2seq import SourceError, UsageError
from seq2seq.vocabulary import AlignedCodec, Codec, Vocabulary, learned


def test_ids_are_places_among_the_characters_right_justified():
    vocabulary = Vocabulary("ab ")
    ids = vocabulary.encode(["ab", "a", ""], 3)
    assert ids.dtype == np.uint8
    assert ids.tolist() == [[2, 0, 1], [2, 2, 0], [2, 2, 2]]
    assert vocabulary.decode(ids).tolist() == [" ab", "  a", "   "]


def test_lists_and_arrays_are_read_alike():
    vocabulary = Vocabulary("0123 ")
    strings = [" 12", "  3", "123"]
    assert (vocabulary.encode(np.array(strings), 3) == vocabulary.encode([s.strip() for s in strings], 3)).all()
    assert (vocabulary.encode(np.array(["12", "3"]), 3) == vocabulary.encode(["12", "3"], 3)).all()


def test_any_script_and_large_vocabularies():
    vocabulary = Vocabulary("дом猫🙂 ")
    assert vocabulary.decode(vocabulary.encode(["кот".replace("к", "д").replace("т", "м"), "猫🙂"], 4)).tolist() == [
        " дом",
        "  猫🙂",
    ]
    large = Vocabulary(" " + "".join(map(chr, range(0x4E00, 0x4E00 + 400))))
    ids = large.encode(["\u4e00" + chr(0x4E00 + 399)], 2)
    assert ids.dtype == np.int32 and ids.tolist() == [[1, 400]]


def test_what_cannot_be_encoded_is_named():
    vocabulary = Vocabulary("012 ")
    with pytest.raises(SourceError, match="'12x': 'x' is not among the characters '012 '"):
        vocabulary.encode(["1", "12x"], 5)
    with pytest.raises(SourceError, match=r"'\U0001f642' \(U\+1F642 SLIGHTLY SMILING FACE\) is not among"):
        vocabulary.encode(["\U0001f642"], 5)
    with pytest.raises(SourceError, match="'111111' has 6 characters, but this run reads 5"):
        vocabulary.encode(["111111"], 5)
    with pytest.raises(SourceError, match=r"'1{37}\.\.\.' has 5000 characters"):
        vocabulary.encode(["1" * 5000], 5)


def test_a_character_in_another_unicode_form_is_named_with_what_helps():
    message = r"^'cafe\u0301': U\+0301 COMBINING ACUTE ACCENT is not among the characters 'acfeé '"
    with pytest.raises(SourceError, match=message + "; normalised to Unicode's form NFC it would be$"):
        Vocabulary("acfeé ").check("cafe\u0301", 9)
    with pytest.raises(SourceError, match=r"'é' \(U\+00E9 .*\) is not among .*; normalised to Unicode's form NFD it"):
        Vocabulary("acfe\u0301 ").check("café", 9)
    with pytest.raises(SourceError, match=r"U\+00A0 NO-BREAK SPACE is not among .*form NFKC it would be$"):
        Vocabulary("34\ue000 ").check("3\xa04", 9)
    with pytest.raises(SourceError, match=r"'−' \(U\+2212 MINUS SIGN\) is not among the characters '34- '$"):
        Vocabulary("34- ").check("3−4", 9)


@pytest.mark.parametrize("characters", ["aa ", "ab", ""])
def test_characters_that_are_refused(characters):
    with pytest.raises(UsageError, match="characters: got"):
        Vocabulary(characters)


@pytest.mark.parametrize("reverse", [False, True])
def test_targets_come_back_the_right_way_round(reverse):
    codec = Codec("0123456789- ", 5, 3, reverse)
    ids = codec.encode_targets(["23", "-7", "100"])
    assert codec.decode_targets(ids) == ["23", "-7", "100"]
    assert (codec.vocabulary.decode(ids)[0] == "32 ") == reverse
    assert codec.decode_sources(codec.encode_sources(["23"])) == ["23"]


@pytest.mark.parametrize("reverse, first", [(False, "23 "), (True, "32 ")])
def test_padding_that_ends_a_target_comes_after_it(reverse, first):
    codec = Codec("0123456789- ", 5, 3, reverse, pad_end=True)
    ids = codec.encode_targets(["23", "-7", "100", ""])
    assert codec.vocabulary.decode(ids)[0] == first
    assert codec.decode_targets(ids) == ["23", "-7", "100", ""]


def test_a_step_in_its_place_is_closed_up_where_padding_would_end_it():
    codec = Codec("0123456789+ ", 6, 6, False, pad_end=True)
    assert codec.decode_targets(codec.encode_targets(["7+ 36", " 2+4 "])) == ["7+36", "2+4"]


def aligned(digits, operators="+-"):
    return AlignedCodec(
        "0123456789+- ", 2 * digits + 1, digits + 1, True, any_length=True, operators=operators
    )  # fmt: skip


def test_aligned_digits_of_a_place_come_together_the_least_first():
    codec = aligned(3)
    sources = ["123+45", "7-123", "5+6"]
    ids = codec.encode_sources(sources)
    first, second, operator = (codec.vocabulary.decode(part) for part in np.split(ids, 3, axis=1))
    assert first.tolist() == ["321 ", "7   ", "5   "]
    assert second.tolist() == ["54  ", "321 ", "6   "]
    assert operator.tolist() == ["++++", "----", "++++"]
    assert codec.decode_sources(ids) == sources
    assert (codec.encode_sources(np.array([source.rjust(7) for source in sources])) == ids).all()


def test_a_factor_of_one_digit_stands_at_every_place():
    codec = AlignedCodec("0123456789+* ", 7, 4, True, any_length=True, operators="+*", digit_operators="*")
    sources = ["123*4", "5*6", "123+4"]
    ids = codec.encode_sources(sources)
    assert codec.vocabulary.decode(np.split(ids, 3, axis=1)[1]).tolist() == ["4444", "6666", "4   "]
    assert codec.decode_sources(ids) == sources


@pytest.mark.parametrize("source", ["12", "1+2-3"])
def test_aligned_reads_two_numbers(source):
    with pytest.raises(SourceError, match="this run reads two numbers with one of \\+- between"):
        aligned(3).encode_sources(["1+2", source])


@pytest.mark.parametrize("a, b", [(4, 1), (1, 4), (20, 20), (100, 3), (1, 5000), (5000, 5000)])
def test_a_codec_that_fits_has_room_and_does_not_depend_on_what_else_is_asked(a, b):
    codec = aligned(3).fitting("9" * a + "+" + "9" * b)
    [source], [target] = (["9" * a + "+" + "9" * b], [str(int("9" * a) + int("9" * b))] if max(a, b) < 4000 else [""])
    assert codec.decode_sources(codec.encode_sources([source])) == [source]
    if target:
        assert codec.decode_targets(codec.encode_targets([target])) == [target]
    longest = max(a, b) + 1
    assert longest <= codec.target_length <= max(4, longest * 9 / 8 + 1)
    plain = Codec("0123456789+- ", 7, 7, False, any_length=True)
    assert plain.fitting("1" * 7) is plain
    wide = plain.fitting("1" * (a + b))
    assert a + b <= wide.source_length == wide.target_length <= max(7, (a + b) * 9 / 8 + 1)
    assert Codec("0123456789+- ", 7, 7, False).fitting("1" * 8).source_length == 7


def test_where_padding_ends_targets_a_wider_codec_has_as_much_more_room_for_both():
    codec = Codec("abc ", 10, 12, False, pad_end=True, any_length=True)
    assert codec.fitting("abc").source_length == 10 and codec.fitting("a" * 10) == codec
    for length in (11, 30, 1000):
        wide = codec.fitting("a" * length)
        assert length <= wide.source_length <= length * 9 / 8 and wide.target_length == wide.source_length + 2
        assert wide.decode_sources(wide.encode_sources(["ab" * (length // 2)])) == ["ab" * (length // 2)]


@pytest.mark.parametrize(
    "padding, target, places",
    [
        ("after", "32   ", "11100"),  # `23` from its end; the first padding says that nothing more comes
        ("after", "54321", "11111"),
        ("after", "     ", "10000"),
        ("after", "3 2  ", "11000"),  # a model may write on behind its answer's end
        ("before", "   23", "00111"),
        ("before", "12345", "11111"),
        ("before", "  2 3", "00011"),
        ("under", " 21+2", "11111"),  # under 3*7+2: the blank in front is written
        ("under", "   23", "11111"),
    ],
)
def test_which_places_of_a_target_are_learned(padding, target, places):
    vocabulary = Vocabulary(" 0123456789+*")
    sources, targets = vocabulary.encode(["3*7+2"], 5), vocabulary.encode([target], 5)
    [found] = learned(sources, targets, vocabulary.pad, padding)
    assert "".join("1" if place else "0" for place in found) == places


def test_under_a_source_only_what_stands_under_its_characters_is_learned():
    vocabulary = Vocabulary(" 0123456789+*")
    sources, targets = vocabulary.encode(["21+2", "3*7+2"], 6), vocabulary.encode(["23", "21+2"], 6)
    assert learned(sources, targets, vocabulary.pad, "under").tolist() == [[0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]]
    backwards = learned(sources, targets[:, ::-1], vocabulary.pad, "under, reversed")
    assert backwards.tolist() == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]]


@pytest.mark.parametrize(
    "options, padding",
    [
        ({}, "before"),
        ({"reverse_target": True}, "after"),
        ({"pad_end": True}, "after"),
        ({"pad_end": True, "in_place": True}, "after"),
        ({"in_place": True}, "under"),
        ({"in_place": True, "reverse_target": True}, "under, reversed"),
    ],
)
def test_where_the_padding_of_a_target_is(options, padding):
    assert Codec(" ab", 4, 4, **{"reverse_target": False, **options}).padding == padding


def test_room_for_longer_steps_leaves_the_others_in_their_width():
    short = Codec("0123456789+* ", 7, 7, True, pad_end=True, in_place=True)
    assert short.with_longer(7) is short
    codec = short.with_longer(12)
    assert codec.widths == [7, 12] and codec.target_length == 12
    for source, width in [("3*7+2", 7), ("10*10+1", 7), ("10*10+10", 12), ("123456*7+10", 12)]:
        fits = codec.fitting(source)
        assert (fits.source_length, fits.target_length, fits.widths) == (width, 12, [width])
        assert codec.source_widths(codec.encode_sources([source])) == [width]
    assert replace(codec, one_width=True).widths == [12]
    one = Codec("0123456789+* ", 7, 7, False, in_place=True, any_length=True).with_longer(12)
    assert one.widths == [12] and one.fitting("1+1") is one
