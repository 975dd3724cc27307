import gzip

import numpy as np
import pytest

from seq2seq import Seq2SeqError, Text, UsageError
from tests.tasks.test_files import written

LINES = "So it is,\nand so it was.\n"


def test_a_file_is_one_text(tmp_path):
    for name, content in [("x.md", LINES), ("x.txt.gz", LINES), ("x", "\ufeff" + LINES.replace("\n", "\r\n"))]:
        task = Text(written(tmp_path, name, content))
        assert task.text == LINES.rstrip("\n")
        assert task.symbols == sorted(set(task.text)) and len(task.characters) == len(task.symbols) + 1


def test_what_it_draws_are_windows_of_the_text_shifted_by_one():
    task = Text(given="    \n    " + LINES, length=5)
    rng = np.random.default_rng(0)
    drawn = {task.draw(rng) for _ in range(200)}
    text = task.text
    places = [place for place in range(len(text) - 5) if text[place : place + 5].strip()]
    windows = {(text[place : place + 5], text[place + 1 : place + 6]) for place in places}
    assert drawn == {(source, target) for source, target in windows if target.strip()}


def test_what_it_keeps_makes_it_again():
    task = Text(given=LINES, length=5)
    again = Text.restored(task.options(), task.keep())
    assert again.text == task.text and again.options() == task.options()
    with pytest.raises(ValueError, match="the text it was trained on is not there"):
        Text.restored(task.options(), None)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "x.txt: holds no text"),
        (" \n\n", "x.txt: holds no text"),
        (b"a\n\xff\n", "x.txt:2: is not UTF-8"),
        ("a\nb\0c", "x.txt:2: has a zero byte, so this is not a file of text"),
        ("\ue000", r"x.txt:1: has '\\ue000', a character that no string may have"),
    ],
)
def test_texts_that_cannot_be_learned(tmp_path, content, message):
    with pytest.raises(UsageError, match=message):
        Text(written(tmp_path, "x.txt", content)).text  # noqa: B018


def test_files_that_are_not_there_and_options_that_are_refused(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"a" * 1000)[:-9])
    for task, message in [
        (Text(), "path: got '', but it must be the file of the task text"),
        (Text(str(tmp_path / "y")), "y: cannot be read: No such file"),
        (Text(str(tmp_path / "x.gz")), "x.gz: is damaged"),
        (Text(given=" "), "text: holds no text"),
        (Text(given="a\n\0"), "line 2: has"),
    ]:
        with pytest.raises(Seq2SeqError, match=message):
            task.text  # noqa: B018
    for options in ({"path": 3}, {"length": 0}, {"length": "8"}, {"given": 3}):
        with pytest.raises(UsageError, match=f"{next(iter(options))}: got"):
            Text(**options)
