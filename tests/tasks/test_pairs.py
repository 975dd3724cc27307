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


def test_a_space_is_a_symbol_unless_it_stands_between_symbols():
    pairs = [("/", " "), ("\t", "x"), (" ", "\u3000")]
    assert [*PairsTask.of(pairs).pairs()] == pairs
    for side, number in (("source", 3), ("target", 1)):
        with pytest.raises(UsageError, match=f"^pair {number}: its {side} is ' ' alone, which stands between symbols$"):
            PairsTask.of(pairs, **{f"{side}_symbols": "words"}).count  # noqa: B018


def header_note(folder, text):
    (folder / "x.csv").write_text(text)
    return PairsTask(str(folder / "x.csv")).notes


def test_a_first_row_that_seems_to_name_the_columns_is_said(tmp_path):
    [note] = header_note(tmp_path, "number,roman_numeral\n1,I\n2,II\n")
    assert note.endswith("x.csv: the first row is learned as a pair, 'number' to 'roman_numeral'; "
                         "were it a header, it would have to say source and target")  # fmt: skip
    for text in ("Source , TARGET\n1,2\n", "dog,chien\ncat,chat\ngood,cher\n", "a,x\nb,y\n", "1,I\n", "abc,d\n"):
        assert not header_note(tmp_path, text)
    assert not PairsTask.of([("number", "roman"), ("1", "I")]).notes


@pytest.mark.parametrize("name", ["source_symbols", "target_symbols"])
def test_symbols_that_are_refused(name):
    with pytest.raises(UsageError, match=f"{name}: got 'lines', but it must be characters or words"):
        PairsTask(**{name: "lines"})


def test_what_a_run_keeps_may_be_damaged():
    for kept in ("[" * 100_000 + "\n", "7\n", '["a"]\n', "no JSON\n"):
        with pytest.raises((ValueError, TypeError)):
            PairsTask.restored({}, kept)
