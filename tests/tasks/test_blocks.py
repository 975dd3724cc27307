import gzip
import random

import pytest

from seq2seq import UsageError
from seq2seq.errors import DataError
from seq2seq.tasks import blocks
from seq2seq.tasks.blocks import Reading, digest_of, noting, read_blocks
from seq2seq.tasks.files import read_lines

PIECES = ["a", "é", "語", "😀", "\r", "\n", "\r\n", "\ufeff", " "]


@pytest.fixture(params=[1, 2, 3, 7])
def small(request, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", request.param)


def read(path):
    return "".join(read_blocks(str(path), "x.txt", "reading"))


def test_blocks_are_the_lines_whatever_their_borders_divide(small, tmp_path):
    """Characters of several bytes, line ends and a byte order mark lie across the borders."""
    rng = random.Random(0)
    path = tmp_path / "x.txt"
    for _ in range(300):
        path.write_bytes("".join(rng.choices(PIECES, k=rng.randrange(9))).encode())
        assert read(path) == "\n".join(line for _, line in read_lines(str(path)))


@pytest.mark.parametrize(
    "content, problem",
    [
        (b"a\nb\nc\xe8\xaa", "x.txt:3: is not UTF-8"),
        (b"\n\n\xff\n", "x.txt:3: is not UTF-8"),
        (b"a\n\nb\0", "x.txt:3: has a zero byte"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_its_line(small, tmp_path, content, problem):
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(UsageError, match=problem):
        read(tmp_path / "x.txt")


def test_a_packed_file_is_read_in_blocks(small, tmp_path):
    packed = gzip.compress("語\r\né".encode())
    (tmp_path / "x.gz").write_bytes(packed)
    assert read(tmp_path / "x.gz") == "語\né"
    (tmp_path / "x.gz").write_bytes(packed[:-9])
    with pytest.raises(UsageError, match="is damaged"):
        read(tmp_path / "x.gz")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read(tmp_path / "y.gz")


def test_a_long_reading_says_how_far_it_is(small, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "SECONDS", 0.0)
    (tmp_path / "x.txt").write_bytes(b"a" * 21)
    lines = []
    with noting(lines.append):
        read(tmp_path / "x.txt")
    assert lines[0].startswith("reading x.txt: ") and lines[-1] == "reading x.txt: 100%, about 0 s left"
    before = len(lines)
    read(tmp_path / "x.txt")
    monkeypatch.setattr(blocks, "SECONDS", 60.0)
    with noting(lines.append):
        Reading("reading", 3).at(2)
    assert len(lines) == before


def test_a_digest_is_that_of_the_whole():
    assert digest_of(["語a", "", "b"]) == digest_of(["語ab"]) != digest_of(["語a"])
