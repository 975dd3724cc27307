import gzip
import os
import pickle
import threading

import numpy as np
import pytest

from seq2seq import Seq2SeqError, UsageError
from seq2seq.tasks import FileTask, many
from seq2seq.tasks.arrays import Row
from seq2seq.tasks.files import hold_more_than, read_pairs
from seq2seq.tasks.many import ManyPairs
from seq2seq.tasks.pairs import PairsTask
from tests.conftest import PAIRS

OTHERS = [(f"{a}\n{b}", f"{b}x") for a, b in PAIRS]  # with the end of a line


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of three pairs, and no files are small enough for memory."""
    monkeypatch.setattr(many, "ROWS", 3)
    monkeypatch.setattr(many, "COMPARED", 2)
    monkeypatch.setattr("seq2seq.tasks.listed.IN_MEMORY", 10)


def write(path, pairs):
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs))
    return PairsTask(str(path))


def never(source):
    raise AssertionError(source)


@pytest.mark.parametrize("pairs", [PAIRS, PAIRS[:3], PAIRS[:1], [*PAIRS, *OTHERS], []])
@pytest.mark.parametrize("times", [1, 3])
def test_each_pair_comes_once_in_order(pairs, times):
    stored = ManyPairs([*pairs, *pairs[::-1], *pairs][: times * len(pairs)], never)
    assert [*stored] == pairs and len(stored) == len(pairs) and stored.again == (times - 1) * len(pairs)
    assert [pair for block in stored.blocks() for pair in block] == pairs
    rows = np.random.default_rng(0).integers(len(pairs), size=20) if pairs else np.empty(0, int)
    assert stored.take(rows) == [pairs[row] for row in rows]
    assert ("no", "pair") not in stored and all(pair in stored for pair in pairs)


def test_long_strings_are_read_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(many, "CHARACTERS", 100)
    pairs = [(f"{n}" * 30, f"{n}" * 40) for n in range(5)]
    assert [*map(len, ManyPairs(pairs, never).blocks())] == [2, 2, 1]


def test_sources_with_one_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(many, "hash", lambda string: len(string) << 32, raising=False)
    asked = []
    stored = ManyPairs([("ab", "c"), ("ba", "cc"), ("c", "d"), ("ca", "ccc")], asked.append)
    assert [*stored] == [("ab", "c"), ("ba", "cc"), ("c", "d"), ("ca", "ccc")] and asked == ["ba", "ca"]


def test_a_task_of_many_pairs_is_that_of_few(tmp_path, monkeypatch):
    pairs = [*PAIRS, *[(f"{a}z", b) for a, b in PAIRS]]
    task = write(tmp_path / "x.tsv", [*pairs, *pairs[5:9]])
    assert task._many is not None and task.unkept and task.keep() is task.keep_parts() is None
    monkeypatch.undo()
    few = write(tmp_path / "x.tsv", [*pairs, *pairs[5:9]])
    assert few._many is None and not few.unkept
    assert [*task.pairs()] == [*few.pairs()] == pairs and task.rows == few.rows and task.notes == few.notes
    assert "4 rows came twice and are used once" in task.notes[0]
    assert task._measure == few._measure and task.count == few.count and task.example_source == few.example_source
    assert task.unlike_training("abc") == few.unlike_training("abc") != task.unlike_training(pairs[0][0])
    for name in ("sample", "sample_distinct"):
        found, expected = (getattr(each, name)(30, np.random.default_rng(0)) for each in (task, few))
        assert (found.sources == expected.sources).all() and (found.targets == expected.targets).all()
    assert (task.list().sources == few.list().sources).all()
    assert task.kept_digest == few.kept_digest != write(tmp_path / "x.tsv", pairs[1:]).kept_digest


def test_a_task_of_many_pairs_is_copied_without_them(tmp_path):
    task = write(tmp_path / "x.tsv", PAIRS)
    assert task._many is not None
    other = pickle.loads(pickle.dumps(task))
    assert other == task and "_many" not in vars(other) and [*other.pairs()] == PAIRS


def test_errors_in_many_pairs_name_the_file_and_the_line(tmp_path):
    for number, (lines, message) in enumerate(
        (
            (["a\tb", "c"], r"0\.tsv:22: has 1 column"),
            (["a" * 300 + "\tb"], r"1\.tsv:21: its source has 300 symbols, more than longest, 200"),
            (["a\tb", "c\td", "a\tb", "a\td"], r"2\.tsv:24: has another target for its source than .*2\.tsv:21 has"),
            (["a\ue000\tb"], r"3\.tsv:21: its source has '\\ue000', a character that no string may have"),
        )
    ):
        path = tmp_path / f"{number}.tsv"
        path.write_text("".join(f"{line}\n" for line in [*map("\t".join, PAIRS), *lines]))
        with pytest.raises(UsageError, match=message):
            PairsTask(str(path)).count  # noqa: B018
    (tmp_path / "empty.tsv").write_text("\n" * 20)
    with pytest.raises(UsageError, match=r"empty\.tsv: holds no pairs"):
        PairsTask(str(tmp_path / "empty.tsv")).count  # noqa: B018


def test_no_place_for_many_pairs_is_said(tmp_path, monkeypatch):
    task = write(tmp_path / "x.tsv", PAIRS)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(Seq2SeqError, match=r"^/nowhere: cannot hold the pairs: No such file.*TMPDIR"):
        task.count  # noqa: B018


def test_packed_files_are_measured_unpacked(tmp_path):
    (tmp_path / "x.tsv").write_bytes(b"a\tb\n" * 100)
    (tmp_path / "y.tsv.gz").write_bytes(gzip.compress(b"a\tb\n" * 100))
    paths = [str(tmp_path / "x.tsv"), str(tmp_path / "y.tsv.gz")]
    assert hold_more_than(799, paths) and not hold_more_than(800, paths)
    (tmp_path / "y.tsv.gz").write_bytes(b"no gzip")
    assert not hold_more_than(400, paths) and not hold_more_than(0, [str(tmp_path / "missing")])


class Own(FileTask):
    name = "own"

    def read(self, path):
        yield from (Row(number, source, target) for number, source, target in read_pairs(path))


class Several(Own):
    several = True


class Keyed(Own):
    def key(self, sources, key):
        return np.char.lower(sources)


def test_only_what_can_be_read_again_and_split_by_row_is_not_held(tmp_path):
    write(tmp_path / "x.tsv", PAIRS)
    path = str(tmp_path / "x.tsv")
    assert Own(path)._many is not None and [*Own(path).pairs()] == PAIRS
    assert Several(path)._many is Keyed(path)._many is PairsTask.of(PAIRS)._many is None


def test_pairs_from_a_pipe_are_held(tmp_path):
    pipe = tmp_path / "pipe.tsv.gz"
    content = gzip.compress("".join(f"{source}\t{target}\n" for source, target in PAIRS).encode())
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    task = PairsTask(str(pipe))
    assert [*task.pairs()] == PAIRS and task._many is None
    writer.join()
