import numpy as np
import pytest

from seq2seq import SourceError, UsageError
from seq2seq.vocabulary import Codec, Vocabulary


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
    with pytest.raises(SourceError, match="'\U0001f642' is not among"):
        vocabulary.encode(["\U0001f642"], 5)
    with pytest.raises(SourceError, match="'111111' has 6 characters, but this run reads 5"):
        vocabulary.encode(["111111"], 5)
    with pytest.raises(SourceError, match=r"'1{37}\.\.\.' has 5000 characters"):
        vocabulary.encode(["1" * 5000], 5)


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
