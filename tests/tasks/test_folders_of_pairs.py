import gzip

import pytest

from seq2seq import RunError, Solver, UsageError, train
from seq2seq.tasks.blocks import noting
from seq2seq.tasks.pairs import PairsTask
from tests.conftest import PAIRS, SMALL

OPTIONS = {**SMALL, "epochs": 1, "hidden_size": 4, "progress": False}


@pytest.fixture
def folder(tmp_path):
    """The pairs in three files of two kinds, one of them packed, with a file beside them that is no data."""
    path = tmp_path / "shards"
    (path / "more").mkdir(parents=True)
    parts = PAIRS[:8], PAIRS[8:9], PAIRS[9:]
    for name, part in zip(("part-0.tsv", "part-1.csv", "part-2.tsv.gz"), parts):
        content = "".join(f"{source}{',' if 'csv' in name else chr(9)}{target}\n" for source, target in part).encode()
        (path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (path / "README.md").write_text("no pairs")
    (path / ".part-3.tsv").write_text("half")
    return path


def test_a_folder_of_files_is_their_pairs_in_the_order_of_their_names(folder):
    task = PairsTask(str(folder))
    assert [*task.pairs()] == PAIRS and task.count == len(PAIRS) and task.notes == ()
    assert task.kept_digest == PairsTask.of(PAIRS).kept_digest and task.keep() == PairsTask.of(PAIRS).keep()


def test_a_long_reading_of_pairs_says_how_far_it_is(folder, monkeypatch):
    monkeypatch.setattr("seq2seq.tasks.blocks.SECONDS", 0.0)
    monkeypatch.setattr("seq2seq.tasks.files.LINES", 1)
    lines = []
    with noting(lines.append):
        PairsTask(str(folder)).rows  # noqa: B018
    names = ("part-0.tsv: 100%", "part-1.csv: 100%", "part-2.tsv.gz: 100%")
    assert all(any(name in line for line in lines) for name in names)


def test_errors_name_the_file_of_a_folder(folder):
    source = PAIRS[3][0]
    (folder / "part-4.tsv").write_text(f"x\ty\n{source}\tz\n")
    with pytest.raises(UsageError, match=r"part-4\.tsv:2: has another target for its source than .*part-0\.tsv:4 has"):
        PairsTask(str(folder)).rows  # noqa: B018
    (folder / "part-4.tsv").write_text("x\n")
    with pytest.raises(UsageError, match=r"part-4\.tsv:1: has 1 column"):
        PairsTask(str(folder)).rows  # noqa: B018
    with pytest.raises(UsageError, match=r"path: got .*, but it must be a file, or a folder with files that end in"):
        PairsTask(str(folder / "more")).rows  # noqa: B018


def test_pairs_too_large_to_keep_are_given_again(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq.tasks.listed.MOST_KEPT", 100)
    task = PairsTask(str(folder))
    run = tmp_path / "run"
    held_out = train(task, run, **OPTIONS).evaluate().held_out
    assert task.unkept and task.keep() is None and not (run / "pairs.jsonl.gz").exists()
    assert train(PairsTask(str(folder)), run, resume=True, progress=False).evaluate().held_out == held_out
    with pytest.raises(
        RunError, match="the pairs it was trained on are not there; if they were too large to keep, give"
    ):
        Solver(run).evaluate()
    (folder / "part-1.csv").unlink()
    with pytest.raises(RunError, match="was made with other data than"):
        Solver(run, task=PairsTask(str(folder)))
