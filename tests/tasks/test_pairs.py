import pytest

from seq2seq import PairsTask, UsageError


def test_pairs_of_a_file(tmp_path):
    (tmp_path / "x.tsv").write_text("a cat\tune chat\na dog\tun chien\n")
    task = PairsTask(str(tmp_path / "x.tsv"))
    assert list(task.pairs()) == [("a cat", "une chat"), ("a dog", "un chien")]
    assert (task.source_length, task.target_length) == (5, 8)
    words = PairsTask(str(tmp_path / "x.tsv"), target_symbols="words")
    assert (words.source_length, words.target_length) == (5, 2)


def test_errors_name_the_file_and_both_lines(tmp_path):
    (tmp_path / "x.tsv").write_text("a\t1\n\nb\t2\na\t3\n")
    with pytest.raises(UsageError, match=r"x\.tsv:4: has another target for its source than .*x\.tsv:1 has$"):
        PairsTask(str(tmp_path / "x.tsv")).count  # noqa: B018
    (tmp_path / "x.tsv").write_text("\n")
    with pytest.raises(UsageError, match=r"x\.tsv: holds no pairs$"):
        PairsTask(str(tmp_path / "x.tsv")).count  # noqa: B018
    with pytest.raises(UsageError, match="path: got '', but it must be the file of the task pairs"):
        PairsTask().count  # noqa: B018


def test_what_is_no_pair_in_a_list():
    for pairs, message in (["ab"], "pair 1: got 'ab'"), ([("a", "b"), ("c", 1)], "pair 2: got"):
        with pytest.raises(UsageError, match=message):
            PairsTask.of(pairs)


@pytest.mark.parametrize("name", ["source_symbols", "target_symbols"])
def test_symbols_that_are_refused(name):
    with pytest.raises(UsageError, match=f"{name}: got 'lines', but it must be characters or words"):
        PairsTask(**{name: "lines"})
