import json
import warnings

import numpy as np
import pytest

from seq2seq import PairsTask, Pronunciation, Solver, UsageError, train
from seq2seq.tasks import Pairs
from tests.test_scripts import call

TINY = {"epochs": 1, "hidden_size": 4, "progress": False}


@pytest.fixture
def official(tmp_path):
    """Three sums that are right, one that is wrong, and two that the run cannot read."""
    path = tmp_path / "official.tsv"
    path.write_text("source\ttarget\n3+4\t7\n9+9\t18\n 1 + 1\t2\n2+2\t5\nx+1\t2\n11+11\t22\n")
    return path


def test_what_cannot_be_read_is_wrong_and_counted(solved, official):
    evaluation = solved.evaluate_pairs(official)
    assert (evaluation.score.n, evaluation.score.exact_match, evaluation.unreadable) == (6, 0.5, 2)
    assert evaluation.score.character_accuracy == pytest.approx(4 / 8)  # 7, 18, 2, not 5, 2 and 22
    assert evaluation.problems[0] == f"{official}:6: 'x+1': 'x' is not among the characters '0123456789+ '"
    assert evaluation.overlap == pytest.approx(4 / 6)
    assert {label: score.n for label, score in evaluation.breakdowns["length"].items()} == {"1": 4, "2": 2}
    assert {label: score.n for label, score in evaluation.breakdowns["operator"].items()} == {"+": 4}
    [mistake] = evaluation.mistakes
    assert (mistake.source, mistake.target, mistake.answer) == ("2+2", "5", "4")
    rows = [("3+4", "7"), ("9+9", "18"), ("1+1", "2"), ("2+2", "5"), ("x+1", "2"), ["11+11", "22"]]
    again = solved.evaluate_pairs(rows)
    assert again.score == evaluation.score and again.problems[0].startswith("pair 5: ")
    assert solved.evaluate_pairs(np.array(rows)).score == solved.evaluate_pairs(iter(rows)).score == again.score


def test_a_score_counts_what_cannot_be_read_as_wrong_and_warns(solved):
    with pytest.warns(
        UserWarning, match=r"^score: 1 of 3 sources cannot be read and count as answered wrongly, such as"
    ):
        assert solved.score([("3+4", "7"), ("az", "za"), ("1+1", "2")]) == pytest.approx(2 / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert solved.score(Pairs(np.array(["3+4", "1+1"]), np.array(["7", "3"]))) == 0.5
    with pytest.raises(UsageError, match=r"pairs: got .*, but it must be one or more"):
        solved.score([])


def test_a_run_whose_data_cannot_be_made_again_is_scored_all_the_same(tmp_path, official):
    task = Pronunciation(given=(("ab", "A B"), ("ba", "B A"), ("ac", "A C"), ("ca", "C A"), ("bc", "B C")))
    run = train(task, tmp_path / "run", **TINY).run
    (run.path / "pairs.jsonl.gz").write_bytes(b"damaged")
    solver = Solver(run.path)
    said = solver("AB")
    evaluation = solver.evaluate_pairs([("AB", "X Y"), ("ab", said), ("ca", "Q"), ("abcabc", "A")])
    assert evaluation.overlap is None and evaluation.unreadable == 1
    assert (evaluation.score.n, evaluation.score.exact_match) == (3, pytest.approx(1 / 3))  # AB has two pronunciations
    assert evaluation.measures["word_error_rate"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "pairs, message",
    [
        ([], "pairs: there are none"),
        ([("3+4", "7"), ("3 + 4", "8")], "pair 2: has another target for its source than pair 1 has"),
        ([("3+4", " ")], "pair 1: its target is empty"),
        ([("3+4", 7)], "pair 1: must be a source and a target, two strings"),
        ([("3+4",)], r"pair 1: got \"\('3\+4',\)\", but it must be a source and a target"),
        (["3+4"], "pair 1: got '3\\+4', but it must be a source and a target"),
        ("pairs.pdf", "path: got 'pairs.pdf', but it must end in one of"),
    ],
)
def test_pairs_that_are_refused(solved, pairs, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        solved.evaluate_pairs(pairs)


def test_a_text_answers_no_pairs(reading):
    with pytest.raises(UsageError, match=r"^pairs: the run .* has read a text, and answers no sources"):
        reading.evaluate_pairs([("a", "b")])


def test_targets_of_words_that_the_run_does_not_know(tmp_path):
    task = PairsTask.of([(f"{a} {b}", f"{b} {a}") for a in "abc" for b in ("one", "two")], **{
        "source_symbols": "words", "target_symbols": "words",
    })  # fmt: skip
    solver = train(task, tmp_path / "run", **TINY)
    evaluation = solver.evaluate_pairs([("a one", "seventeen eighteen"), ("a  one", "seventeen  eighteen")])
    assert evaluation.score.n == 2 and evaluation.score.exact_match == 0 and evaluation.unreadable == 0


def test_what_cannot_be_read_is_wrong_even_if_the_task_accepts_anything(tmp_path):
    class Any(PairsTask):
        name = "any"

        def accepts(self, source, answer, target):
            return True

    solver = train(Any.of([(letter, letter) for letter in "abcdef"]), tmp_path / "run", **TINY)
    assert solver.evaluate_pairs([("a", "b"), ("z", "z")]).score.exact_match == 0.5


def test_evaluate_prints_it_and_leaves_the_run_as_it_is(run_copy, official):
    before = {path.name: path.read_bytes() for path in run_copy.path.iterdir()}
    result = call("evaluate", "--run", run_copy.path, "--pairs", official)
    assert result.returncode == 0, result.stderr
    assert "pairs                       6       0.5000              0.5000" in result.stdout
    assert "2 of 6 sources cannot be read and count as answered wrongly:" in result.stdout
    assert "66.7% of the sources had been trained on" in result.stdout and "answered '4'" in result.stdout
    values = json.loads(call("evaluate", "--run", run_copy.path, "--pairs", official, "--json").stdout)
    assert [values["pairs"][name] for name in ("n", "exact_match", "unreadable")] == [6, 0.5, 2]
    assert [*values] == ["run", "task", "file", "pairs", "by_operator", "by_length", "mistakes"]
    assert {path.name: path.read_bytes() for path in run_copy.path.iterdir()} == before
    for option in (["--samples", 5], ["--plot", "x.png"]):
        result = call("evaluate", "--run", run_copy.path, "--pairs", official, *option)
        assert (result.returncode, result.stderr) == (2, f"evaluate.py: {option[0]}: does not go with --pairs\n")
