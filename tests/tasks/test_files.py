import gzip
import json

import pytest

from seq2seq import Seq2SeqError, UsageError
from seq2seq.errors import DataError
from seq2seq.tasks.files import read_pairs

PAIRS = [("a b", "1"), ('say "x", y', "2\u2028"), ("é'", "三")]


def written(folder, name, text):
    content = text if isinstance(text, bytes) else text.encode()
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path)


def rows(path):
    return [(row.source, row.target) for row in read_pairs(path)]


TSV = "".join(f"{source}\t{target}\n" for source, target in PAIRS)
CSV = 'a b,1\r\n"say ""x"", y","2\u2028"\r\né\',三\r\n'
JSONL = "\n".join([json.dumps(PAIRS[0]), "", json.dumps({"target": PAIRS[1][1], "source": PAIRS[1][0], "x": 1}),
                   json.dumps(PAIRS[2], ensure_ascii=False)])  # fmt: skip


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("suffix, text", [("tsv", TSV), ("txt", TSV), ("csv", CSV), ("jsonl", JSONL)])
def test_every_form_gives_the_same_pairs(tmp_path, suffix, text, ending):
    assert rows(written(tmp_path, f"x.{suffix}{ending}", text)) == PAIRS


@pytest.mark.parametrize("suffix, between", [("tsv", "\t"), ("csv", ",")])
def test_a_mark_a_header_line_ends_and_empty_lines_are_passed_over(tmp_path, suffix, between):
    text = f"\ufeffsource{between}target\r\n\r\na{between}1\r\n\n b{between}2 "
    assert rows(written(tmp_path, f"x.{suffix}", text)) == [("a", "1"), (" b", "2 ")]


@pytest.mark.parametrize("header", ["Source\tTarget", " SOURCE \ttarget ", "\n\r\nsource\ttarget"])
def test_a_header_is_found_in_any_letters_and_after_empty_lines(tmp_path, header):
    assert rows(written(tmp_path, "x.tsv", f"\ufeff{header}\na\t1\n")) == [("a", "1")]
    assert rows(written(tmp_path, "x.csv", f"{header}\na\t1\n".replace("\t", ","))) == [("a", "1")]
    with pytest.raises(UsageError, match=r"x\.csv:1: has 3 columns, but a row is a source and a target"):
        rows(written(tmp_path, "x.csv", "id,source,target\n1,a,b\n"))


def test_a_row_that_looks_like_a_header_further_down_is_a_row(tmp_path):
    assert rows(written(tmp_path, "x.tsv", "a\t1\nsource\ttarget\n")) == [("a", "1"), ("source", "target")]


def test_a_row_of_several_lines_is_named_by_its_first(tmp_path):
    path = written(tmp_path, "x.csv", '"a\nb",1\n\n"c\nd",2\ne\n')
    found = read_pairs(path)
    assert [next(found), next(found)] == [(1, "a\nb", "1"), (4, "c\nd", "2")]
    with pytest.raises(UsageError, match=r"x\.csv:6: has 1 column,"):
        next(found)


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("x.tsv", "a\t1\nb\n", r"x\.tsv:2: has 1 column, but a row is a source and a target"),
        ("x.tsv", "a\t1\t2\n", r"x\.tsv:1: has 3 columns"),
        ("x.csv", "a,1\nb\n", r"x\.csv:2: has 1 column"),
        ("x.csv", 'a,1\n"b,2\n', r"x\.csv:2: is not CSV: unexpected end of data"),
        ("x.tsv", b"a\t1\n\nb\t\xff\n", r"x\.tsv:3: is not UTF-8"),
        ("x.tsv.gz", b"a\t1\nb\t\xe9\n", r"x\.tsv\.gz:2: is not UTF-8"),
        ("x.jsonl", '{"source": "a", "target": "1", "source": "b"}\n', r"x\.jsonl:1: has 'source' twice"),
        ("x.jsonl", '["a", "1"]\n{"source": "a"}\n', r"x\.jsonl:2: has no 'target'"),
        ("x.jsonl", '["a"]\n', r"x\.jsonl:1: has 1 column"),
        ("x.jsonl", '"ab"\n', r"x\.jsonl:1: has 1 column"),
        ("x.jsonl", "[1,\n", r"x\.jsonl:1: is not JSON: "),
        ("x.dat", "a\t1\n", r"path: got '.*x\.dat', but it must end in one of \.tsv, \.txt, \.csv, \.jsonl, each"),
    ],
)
def test_what_cannot_be_read_names_file_and_line(tmp_path, name, text, message):
    with pytest.raises(UsageError, match=message):
        rows(written(tmp_path, name, text))


def test_files_that_are_damaged_or_not_there(tmp_path):
    whole = gzip.compress(TSV.encode() * 100)
    for content in (whole[:-9], b"no gzip", whole[:30] + b"xxxx" + whole[34:]):
        (tmp_path / "x.tsv.gz").write_bytes(content)
        with pytest.raises(UsageError, match=r"x\.tsv\.gz: is damaged: "):
            rows(str(tmp_path / "x.tsv.gz"))
    with pytest.raises(Seq2SeqError, match=r"y\.tsv: cannot be read: No such file or directory"):
        rows(str(tmp_path / "y.tsv"))
    with pytest.raises(DataError, match=r"folder: does not exist"):
        rows(str(tmp_path / "folder"))
    with pytest.raises(Seq2SeqError, match=r"d\.tsv: cannot be read: Is a directory"):
        (tmp_path / "d.tsv").mkdir()
        rows(str(tmp_path / "d.tsv"))
