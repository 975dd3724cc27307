import json
import pickle
import threading

import numpy as np
import pytest

from seq2seq import Addition, Arithmetic, Solver, UsageError, Writer, train
from seq2seq.ensemble import Ensemble
from seq2seq.explaining import explain
from tests.conftest import SMALL
from tests.test_scripts import call

TASK = Arithmetic("+", terms=2, operands=(0, 9))
OPTIONS = {**SMALL, "model": "repeat", "validation": 10, "test": 10, "progress": False}


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Three runs with the same data: two networks of different sizes, and one with other weights."""
    folder = tmp_path_factory.mktemp("three")
    different = [{}, {"hidden_size": 11, "layers": 2}, {"seed": 5}]
    return [
        train(TASK, folder / str(number), **{**OPTIONS, "data_seed": 0, **options}).run.path
        for number, options in enumerate(different)
    ]


def test_it_answers_with_the_average_of_its_members(three):
    ensemble = Solver(three)
    assert type(ensemble) is Ensemble and [run.path for run in ensemble.runs] == three
    ids = ensemble.codec.encode_sources(["3+4", "9+9", "0+8"])
    found = ensemble.predictor(3).answer(ids)
    assert ensemble(["3+4", "9+9", "0+8"]) == ensemble.codec.decode_targets(found.ids)
    alone = [Solver(path).predictor(3).answer(ids, found.ids).nats for path in three]
    together = ensemble.predictor(3).answer(ids, found.ids).nats
    assert (together < np.mean(alone, axis=0)).all()  # normalising again adds to what all agree on
    assert [answer.confidence for answer in ensemble.answer(["3+4"])] == pytest.approx([np.exp(-together[0])], rel=1e-4)


def test_a_run_with_itself_is_the_run(solved, attentive, stepping):
    for solver, source in ((solved, "3+4"), (attentive, "3+2+1"), (stepping, "3+2-1")):
        ensemble = Solver([solver.run.path, solver.run.path])
        assert ensemble(source) == solver(source)
        assert ensemble.work(source) == solver.work(source)
        assert ensemble.answer([source])[0].confidence == pytest.approx(solver.answer([source])[0].confidence, rel=1e-4)
    expected = attentive.n_best("3+2+1", 4)
    found = Solver([attentive.run.path] * 2).n_best("3+2+1", 4)
    assert [answer.text for answer in found] == [answer.text for answer in expected]


def test_its_evaluation_is_saved_nowhere(three):
    evaluation = Solver(three).evaluate()
    assert evaluation.held_out.n == 10 and evaluation.overlap == 0
    assert not [path for path in three if (path / "evaluation.json").exists()]


def test_what_any_member_was_trained_on_counts_as_trained_on(three, tmp_path):
    other = train(TASK, tmp_path / "other", **OPTIONS, data_seed=1)
    ensemble = Solver([three[0], other.run.path])
    first = Solver(three[0]).dataset
    mine = first.codec.decode_sources(first.test.sources)
    theirs = set(other.codec.decode_sources(other.dataset.train.sources))
    known = [source for source in mine if source in theirs]
    evaluation = ensemble.evaluate()
    assert 0 < len(known) < 10 and evaluation.overlap == len(known) / 10
    assert evaluation.train_distribution.n == 80
    by_known = evaluation.breakdowns["trained on"]
    assert {label: score.n for label, score in by_known.items()} == {"no": 10 - len(known), "yes": len(known)}
    assert ensemble.evaluate_pairs([(source, "1") for source in mine]).overlap == len(known) / 10


def test_it_is_used_in_threads_and_pickled(three):
    ensemble = Solver(three)
    expected = ensemble(["3+4", "9+9"])
    assert pickle.loads(pickle.dumps(ensemble))(["3+4", "9+9"]) == expected
    found = []
    threads = [threading.Thread(target=lambda: found.append(ensemble(["3+4", "9+9"]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3
    assert repr(ensemble) == f"Ensemble({[str(path) for path in three]!r})"


def test_what_the_average_makes_of_each_step_is_shown(three):
    [explanation] = explain(Solver(three), "3+4")
    assert explanation.attention is None and explanation.probabilities.sum(axis=1) == pytest.approx(1, rel=1e-4)


def test_an_answer_is_unlike_training_where_it_is_to_any_member(three, monkeypatch):
    ensemble = Solver(three)
    assert ensemble.answer(["3+4"])[0].unlike_training is None
    monkeypatch.setattr(ensemble.members[2], "_unlike", lambda prepared, calls=(): f"is {prepared}")
    assert ensemble.answer(["3+4"])[0].unlike_training == "is 3+4"


def test_runs_that_cannot_answer_together_are_refused_in_a_line(three, reading, solved, attentive, tmp_path):
    with pytest.raises(UsageError, match=r"run: got \[\], but it must be one run or more"):
        Solver([])
    with pytest.raises(UsageError, match="reading: opens as a Writer, and answers no sources"):
        Solver([three[0], reading.run.path])
    with pytest.raises(UsageError, match=r"run: got \[.*, but it must be the path of a folder"):
        Writer([reading.run.path])
    with pytest.raises(UsageError, match=r"attentive and .*0: differ in their task: terms, operands, steps$"):
        Solver([three[0], attentive.run.path])
    other = train(Addition(1), tmp_path / "addition", **OPTIONS)
    with pytest.raises(UsageError, match=r"addition and .*0: differ in their task: name, "):
        Solver([three[0], other.run.path])
    attention = train(TASK, tmp_path / "attention", **{**OPTIONS, "model": "attention"})
    with pytest.raises(UsageError, match="differ in pad_end: True and False, with the models attention and repeat"):
        Solver([three[0], attention.run.path])
    aligned = train(TASK, tmp_path / "aligned", **{**OPTIONS, "model": "aligned"})
    with pytest.raises(UsageError, match="have models that encode strings differently: aligned and repeat"):
        Solver([three[0], aligned.run.path])
    reversed_ = train(TASK, tmp_path / "reversed", **OPTIONS, reverse_target=False)
    with pytest.raises(UsageError, match="differ in reverse_target: False and True"):
        Solver([three[0], reversed_.run.path])


def test_the_commands_take_several_runs(three):
    runs = [word for path in three for word in ("--run", path)]
    ensemble = Solver(three)
    assert call("solve", *runs, "3+4", "9+9").stdout == "".join(f"{each}\n" for each in ensemble(["3+4", "9+9"]))
    result = call("explain", *runs, "3+4")
    assert result.stdout.splitlines() == ensemble.explain("3+4"), result.stderr
    for option in ("--embeddings", "--neighbours"):
        result = call("explain", *runs, option, "3")
        assert (result.returncode, result.stderr) == (2, f"explain.py: {option}: shows what one --run has learned\n")
    result = call("evaluate", *runs, "--json")
    assert result.returncode == 0 and result.stderr == ""
    values = json.loads(result.stdout)
    assert values["runs"] == [str(path) for path in three] and "run" not in values
    assert values["held_out"]["exact_match"] == ensemble.evaluate().held_out.exact_match
    assert call("evaluate", *runs).stdout.startswith(f"{ensemble.shown}: Arithmetic(")
    result = call("evaluate", *runs, "--plot", "curves.png")
    assert result.returncode == 2 and result.stderr.endswith("--plot: draws the learning curves of one --run\n")
    result = call("solve", *runs, "--beam", 2, "3+4")
    assert result.returncode == 2 and "beam: the model of" in result.stderr and result.stderr.count("\n") == 1
