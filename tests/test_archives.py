"""Archives that a stranger may have made: whatever `seq2seq pack` does not write is refused in one line."""

import io
import os
import stat
import struct
import zipfile
import zlib

import pytest

from seq2seq import RunError, Solver
from seq2seq.archives import DATE, ENTRY, MOST_MEMBERS, NAMES, Member, archive, exists, read

FILES = {"config.json": b"{}\n", "best.safetensors": bytes(range(256)) * 8, "onnx/model.onnx": b"graph"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(archive(FILES))
    return path


def zipped(path, names, method=zipfile.ZIP_STORED, mode=stat.S_IFREG | 0o644):
    """An archive by Python's own module, with a member of each of these names."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name in names:
            about = zipfile.ZipInfo(name)
            about.compress_type = method
            about.create_system = 3
            about.external_attr = mode << 16
            made.writestr(about, FILES["best.safetensors"])
    return path


def test_its_files_are_read_in_place(file, tmp_path):
    assert {name: read(file / name, 2048) for name in FILES} == FILES
    assert exists(file / "config.json") and exists(file / "onnx" / "model.onnx")
    assert not exists(file / "metrics.csv") and not exists(file / "onnx") and not exists(tmp_path / "config.json")
    with pytest.raises(FileNotFoundError):
        read(file / "metrics.csv", 10)
    assert os.listdir(tmp_path) == ["a.zip"]


def test_a_file_in_a_folder_is_read_as_before(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    assert read(tmp_path / "config.json", 2) == b"{}" and exists(tmp_path / "config.json")


def test_any_program_can_read_it(file):
    with zipfile.ZipFile(file) as opened:
        assert opened.testzip() is None
        assert {about.filename: opened.read(about) for about in opened.infolist()} == FILES
        assert [about.filename for about in opened.infolist()] == sorted(FILES)
        assert {about.date_time for about in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {about.external_attr >> 16 for about in opened.infolist()} == {stat.S_IFREG | 0o644}


def test_an_archive_by_another_program_is_read_if_it_has_this_form(tmp_path):
    path = zipped(tmp_path / "b.zip", ["config.json"])
    assert read(path / "config.json", 4096) == FILES["best.safetensors"]


def test_a_member_has_a_most_size_and_its_checksum(file):
    with pytest.raises(ValueError, match="it has more than 2047 bytes"):
        read(file / "best.safetensors", 2047)
    content = bytearray(file.read_bytes())
    content[content.index(FILES["best.safetensors"]) + 5] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="does not have the checksum"):
        read(file / "best.safetensors", 2048)
    assert read(file / "config.json", 3) == FILES["config.json"]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../config.json", "onnx/../config.json", "a\\config.json", "C:config.json", "onnx/", "config.json/",
     "./config.json", "notes.txt", "optimizer.safetensors", "confıg.json", "config.json\n", "onnx/a/model.onnx",
     "x.py", ".unfinished", "..gz", "", "CONFIG.JSON"],
)  # fmt: skip
def test_a_name_that_no_packed_run_has_is_refused(tmp_path, name):
    path = zipped(tmp_path / "b.zip", ["config.json", name])
    refused(path, "has the file .*, which no packed run has")
    assert os.listdir(tmp_path) == ["b.zip"]
    with pytest.raises(ValueError, match="is no name that a file of a packed run can have"):
        archive({name: b""})


def refused(path, why):
    """Expect that a run is not opened, with one line that says why."""
    assert not exists(path / "config.json")
    with pytest.raises(RunError, match=why) as caught:
        Solver(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a" * 41 + ".gz", "pairs.jsonl.gz" * 20])
def test_a_long_name_is_refused(name):
    assert NAMES.fullmatch(name) is None
    assert max(map(len, ["extra-12.pairs.jsonl.gz", "a" * 40 + ".gz"])) < 200


def test_other_kinds_of_members_are_refused(tmp_path):
    refused(zipped(tmp_path / "link.zip", ["config.json"], mode=stat.S_IFLNK | 0o777), "has the link config.json")
    folder = zipped(tmp_path / "folder.zip", ["config.json"], mode=stat.S_IFDIR | 0o755)
    refused(folder, "its directory says of config.json what seq2seq pack does not write")
    fifo = zipped(tmp_path / "fifo.zip", ["config.json"], mode=stat.S_IFIFO | 0o644)
    refused(fifo, "its directory says of config.json")
    for number, method in enumerate([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]):
        refused(zipped(tmp_path / f"{number}.zip", ["config.json"], method), "has the file config.json compressed")


def test_an_encrypted_member_is_refused(file):
    content = bytearray(file.read_bytes())
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(header) + flags] |= 1
    file.write_bytes(content)
    refused(file, "has the file best.safetensors encrypted")


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "b.zip", ["config.json", "config.json"])
    refused(path, "has the file 'config.json' twice")


def test_too_many_members_are_refused(tmp_path):
    names = [f"extra-{number}.pairs.jsonl.gz" for number in range(1, MOST_MEMBERS + 2)]
    refused(zipped(tmp_path / "b.zip", names), f"has {MOST_MEMBERS + 1} files, but a packed run has at most")
    with pytest.raises(ValueError, match=f"it has {MOST_MEMBERS + 1} files"):
        archive(dict.fromkeys(names, b""))
    assert len(archive(dict.fromkeys(names[1:], b""))) > 0


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("config.json", "w") as member:
        for _ in range(64):
            member.write(bytes(2**20))
    assert path.stat().st_size < 2**17
    refused(path, "has the file config.json compressed")


@pytest.mark.parametrize("size", [0, 2**20, 2**31, 2**32 - 1])
def test_a_size_that_is_not_the_real_one_is_refused(tmp_path, size):
    content = b"{}\n"
    member = Member("config.json", size, zlib.crc32(content), 0)
    directory = member.entry
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(member.header) + len(content), 0)
    path = tmp_path / "b.zip"
    path.write_bytes(member.header + content + directory + end)
    refused(path, "it has more than its directory says" if size == 0 else "is not where its directory says")


def test_a_directory_of_any_size_is_not_read(tmp_path):
    path = tmp_path / "b.zip"
    length = 2**31
    with open(path, "wb") as file:
        file.seek(length)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, length, 0, 0))
    refused(path, "its end does not fit the rest")


def test_a_comment_and_bytes_before_or_after_are_refused(file):
    content = file.read_bytes()
    for changed in (b"#!/bin/sh\n" + content, content + b"\n", content[:-2] + b"\2\0no"):
        file.write_bytes(changed)
        refused(file, "is neither a run folder nor a packed run|its end does not fit|is cut off, or is an archive")


def test_hidden_bytes_between_members_are_refused(tmp_path):
    first, second = Member("config.json", 1, zlib.crc32(b"a"), 0), Member("metrics.csv", 1, zlib.crc32(b"b"), 50)
    head = first.header + b"a"
    body = head + bytes(50 - len(head)) + second.header + b"b"
    directory = first.entry + second.entry
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(directory), len(body), 0)
    path = tmp_path / "b.zip"
    path.write_bytes(body + directory + end)
    refused(path, "metrics.csv is not where its directory says")


def test_a_member_that_is_elsewhere_is_refused(tmp_path):
    member = Member("config.json", 1, zlib.crc32(b"a"), 50)
    body = member.header.ljust(50, b"\0") + member.header + b"a"  # its header is where it should be, too
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(member.entry), len(body), 0)
    path = tmp_path / "b.zip"
    path.write_bytes(body + member.entry + end)
    refused(path, "config.json is not where its directory says")


def test_each_truncation_is_refused(tmp_path):
    content = archive({"config.json": b"{}\n"})
    path = tmp_path / "a.zip"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        refused(path, "cut off|neither a run folder nor a packed run|damaged")


def test_each_bit_of_a_header_counts(file):
    content = file.read_bytes()
    headers = [at for name in FILES for at in range(content.index(name.encode()) - 30, content.index(name.encode()))]
    begin = content.index(b"PK\1\2")
    for place in [*headers, *range(begin, len(content))]:
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            file.write_bytes(changed)
            with pytest.raises(RunError):
                read(file / "config.json", 10**6)


def test_the_date_and_the_size_of_an_entry_are_those_of_the_format():
    assert (DATE >> 9, DATE >> 5 & 15, DATE & 31) == (0, 1, 1) and ENTRY.size == 46


def test_what_is_no_archive_is_named(tmp_path):
    for name, content in {"words.tsv": b"a\tb\n", "empty": b"", "end": b"PK\5\6", "noise": os.urandom(4096)}.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, "is neither a run folder nor a packed run|damaged")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(RunError, match="is not a folder, so not a run"):
        Solver(tmp_path / "fifo")


def test_an_archive_in_zip64_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made, made.open("config.json", "w", force_zip64=True) as member:
        member.write(b"{}")
    (tmp_path / "b.zip").write_bytes(buffer.getvalue())
    refused(tmp_path / "b.zip", "damaged|cut off")
