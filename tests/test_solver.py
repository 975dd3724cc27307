import json

import numpy as np
import pytest

from seq2seq import RunError, Solver, SourceError, UsageError


def test_it_answers_one_and_many(solved):
    assert solved("3+4") == "7"
    assert solved(["3+4", "9+9", "0+0"]) == ["7", "18", "0"]
    assert solved([]) == []
    assert solved(source for source in ("3+4",)) == ["7"]
    assert solved(" 3 + 4 ") == "7"


def test_the_same_source_has_the_same_answer_in_any_company(solved):
    sources = [f"{i}+{j}" for i in range(10) for j in range(10)]
    alone = [solved(source) for source in sources]
    assert solved(sources) == alone
    assert solved(sources * 25)[:100] == alone  # through the largest batch, more than once
    assert solved(sources[:20]) == alone[:20]


def test_answers_have_confidence(solved):
    answers = solved.answer(["3+4", "9+9"])
    assert [answer.text for answer in answers] == ["7", "18"]
    assert all(0.3 < answer.confidence <= 1 for answer in answers)


@pytest.mark.parametrize(
    "source, message",
    [
        ("", "the source is empty"),
        ("   ", "the source is empty"),
        ("3-4", "'3-4': '-' is not among the characters '0123456789\\+ '"),
        ("3+", "'3\\+' is not an expression of whole numbers and \\+ such as 3\\+7"),
        ("333+4", "'333\\+4' has 5 characters, but this run reads 3"),
        ("9" * 10**6, "has 1000000 characters, but this run reads 3"),
        ("3\x00", "is not among the characters"),
        ("三+4", "'三' is not among the characters"),
    ],
)
def test_sources_it_cannot_read(solved, source, message):
    with pytest.raises(SourceError, match=message) as caught:
        solved(source)
    assert len(str(caught.value)) < 200
    with pytest.raises(SourceError):
        solved(["1+1", source])


@pytest.mark.parametrize("source", [34, b"3+4", None, [3]])
def test_sources_that_are_no_strings(solved, source):
    with pytest.raises((UsageError, TypeError)):
        solved(source if isinstance(source, list) else [source])


def test_evaluation_is_kept_in_the_run(solved):
    evaluation = solved.evaluate()
    assert (evaluation.held_out.n, evaluation.train_distribution.n) == (50, 2000)
    assert evaluation.held_out.exact_match == 1
    assert evaluation.overlap == 1
    kept = json.loads((solved.run.path / "evaluation.json").read_text())
    assert kept == {"seed": 0, **json.loads(json.dumps(evaluation.to_json()))}


def test_best_and_last_weights(solved):
    assert isinstance(Solver(solved.run.path, weights="last")("1+1"), str)
    with pytest.raises(UsageError, match="weights: got 'first', but it must be best or last"):
        Solver(solved.run.path, weights="first")


def test_no_run(tmp_path):
    with pytest.raises(RunError, match=r"nowhere: holds no run \(there is no config.json\)"):
        Solver(tmp_path / "nowhere")


def test_the_weights_asked_for_are_those_that_answer(solved, run_copy):
    arrays, state = run_copy.read_arrays("last.safetensors")
    run_copy.write_arrays("last.safetensors", {name: np.zeros_like(array) for name, array in arrays.items()}, state)
    characters = len(solved.codec.vocabulary)
    blank = Solver(run_copy.path, weights="last").answer(["1+1"])[0]
    assert blank.confidence == pytest.approx(characters**-2.0, rel=1e-4)
    assert Solver(run_copy.path).answer(["1+1"]) == solved.answer(["1+1"])


@pytest.mark.parametrize("options", [{"samples": 0}, {"samples": 1.5}, {"seed": -1}])
def test_evaluations_that_are_refused(solved, options):
    [name] = options
    with pytest.raises(UsageError, match=f"{name}: got .*, but it must be a whole number"):
        solved.evaluate(**options)
