import gzip
import os
import subprocess
import sys
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from seq2seq import RunError
from seq2seq.files import clear_temporaries, parse_json, read, shown, unpack, write, write_named

OTHERS = {
    "link": (lambda path: path.symlink_to(path.with_name("victim")), "is a link, not an ordinary file"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a link, not an ordinary file"),
    "FIFO": (os.mkfifo, "is not an ordinary file"),
    "folder": (os.mkdir, "is not an ordinary file"),
    "large": (lambda path: path.write_bytes(bytes(101)), "has more than 100 bytes"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_ordinary_file_is_not_read(tmp_path, kind):
    make, message = OTHERS[kind]
    (tmp_path / "victim").write_text("mine")
    make(tmp_path / "file")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "file", 100)


def test_an_ordinary_file_is_read_and_a_missing_one_is_missing(tmp_path):
    (tmp_path / "file").write_bytes(bytes(100))
    assert read(tmp_path / "file", 100) == bytes(100)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "another", 100)


def test_no_more_memory_is_set_aside_than_a_file_has(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    assert read(tmp_path / "file", 2**50) == b"content"


def test_no_link_is_written_through(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    names = iter(["0" * 16, "0" * 16, "1" * 16])
    monkeypatch.setattr("seq2seq.files.secrets.token_hex", lambda size: next(names))
    for name in ("file", "file.tmp", f".file.{'0' * 16}.tmp"):
        (tmp_path / name).symlink_to(victim)
    with pytest.raises(FileExistsError):
        write(tmp_path / "file", b"new")
    monkeypatch.undo()
    write(tmp_path / "file", b"new")
    assert victim.read_text() == "mine"
    assert (tmp_path / "file").read_text() == "new" and not (tmp_path / "file").is_symlink()


def test_of_many_writers_at_once_each_is_whole_and_none_fails(tmp_path):
    def writes(number):
        for _ in range(20):
            write(tmp_path / "file", bytes([number]) * 10_000)
            content = read(tmp_path / "file", 10_000)
            assert len(content) == 10_000 and len(set(content)) == 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(writes, range(8)))
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_nothing(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError):
        write(tmp_path / "file", b"new")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_device_or_a_folder_that_the_user_names_is_not_replaced_by_a_file(tmp_path, make):
    make(tmp_path / "file")
    before = os.lstat(tmp_path / "file")
    with pytest.raises(RunError, match=r"/file: cannot be written: it is not an ordinary file$"):
        write_named(tmp_path / "file", b"new")
    assert os.path.samestat(before, os.lstat(tmp_path / "file"))


def test_a_file_that_the_user_names_is_written_or_the_message_has_its_name(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    write_named(tmp_path / "file", b"new")
    assert read(tmp_path / "file", 10) == b"new"
    with pytest.raises(RunError, match=r"/none/file: cannot be written: No such file or directory$"):
        write_named(tmp_path / "none" / "file", b"new")


WRITER = """
import os, signal, sys, time
from pathlib import Path
from seq2seq import files
os.replace = lambda *names: (print(flush=True), time.sleep(60))
files.write(Path(sys.argv[1]), b"new")
"""


def test_what_killed_writers_left_is_cleared_and_what_others_write_is_not(tmp_path):
    for name in ("file.tmp", "other.tmp", "file.txt"):
        (tmp_path / name).touch()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "file"], stdout=subprocess.PIPE)
    writer.stdout.readline()
    clear_temporaries(tmp_path, ["file"])
    [temporary] = set(os.listdir(tmp_path)) - {"other.tmp", "file.txt"}
    writer.kill()
    writer.communicate()
    assert temporary.startswith(".file.") and (tmp_path / temporary).read_text() == "new"
    clear_temporaries(tmp_path, ["file"])
    assert sorted(os.listdir(tmp_path)) == ["file.txt", "other.tmp"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("[" * 100_000, "nested too deep"),
        ('{"a": 1, "a": 2}', "a name comes twice"),
        ("NaN", "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("1e999", "1e999 is not a number"),
        ("1" * 41, "a number is too long"),
        ("{", "Expecting"),
        (b"\xff", "codec"),
    ],
)
def test_json_that_this_library_does_not_write(text, message):
    with pytest.raises(ValueError, match=message):
        parse_json(text)


def test_json_that_it_writes():
    assert parse_json('{"a": [1, -2.5, 1e-08, null, "\\udcff"]}') == {"a": [1, -2.5, 1e-08, None, "\udcff"]}


def test_gzip_has_a_limit():
    assert unpack(gzip.compress(bytes(1000)), 1000) == bytes(1000)
    with pytest.raises(ValueError, match="holds more than 999 bytes"):
        unpack(gzip.compress(bytes(1000)), 999)
    for packed in (gzip.compress(b"text")[:-1], gzip.compress(b"text") + b"x", b"text", zlib.compress(b"text"), b""):
        with pytest.raises(ValueError):
            unpack(packed, 1000)


def test_no_more_is_unpacked_than_the_limit():
    bomb = gzip.compress(bytes(2**26), 1)
    tracemalloc.start()
    with pytest.raises(ValueError, match="holds more than"):
        unpack(bomb, 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_path_is_shown_in_a_line():
    assert shown("a\nb\x1b[31m/\udcff é") == "a\\nb\\x1b[31m/\\udcff é"
