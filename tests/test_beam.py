"""Answers by a beam search, asked for or as the run's configuration says."""

import json

import pytest

from seq2seq import Arithmetic, Solver, UsageError, train
from seq2seq.explaining import explain
from tests.conftest import SMALL

SOURCES = [f"{a}+{b}" for a in range(10) for b in range(10)]


@pytest.fixture(scope="module")
def searching(tmp_path_factory):
    """A run that has learned too little to be sure, whose configuration says that it answers with a beam of 4."""
    path = tmp_path_factory.mktemp("runs") / "searching"
    task = Arithmetic("+", terms=2, operands=(0, 9))
    options = {**SMALL, "model": "attention", "validation": 10, "test": 20, "progress": False}
    return train(task, path, beam=4, **options)


def test_a_run_answers_with_the_beam_of_its_configuration(searching):
    assert searching.beam == 4 and json.loads((searching.run.path / "config.json").read_text())["model"]["beam"] == 4
    best = [searching.n_best(source, 4)[0] for source in SOURCES]
    found = searching.answer(SOURCES)
    assert [answer.text for answer in found] == [answer.text for answer in best]
    assert [answer.confidence for answer in found] == pytest.approx([answer.confidence for answer in best], rel=1e-3)
    sizes = [searching.predictor(1000, beam=beam).batch_size for beam in (1, 4)]
    assert sizes == [1024, 256]  # as many rows on the device


def test_a_beam_that_is_asked_for_comes_before_that_of_the_configuration(searching):
    greedy = Solver(searching.run.path, beam=1)
    assert greedy.beam == 1
    surer = [a.confidence - b.confidence for a, b in zip(searching.answer(SOURCES), greedy.answer(SOURCES))]
    assert max(surer) > 0.001 and min(surer) > -0.001


def test_an_explanation_is_of_the_answer_that_is_given(searching):
    greedy = Solver(searching.run.path, beam=1)
    differ = next(source for source in SOURCES if greedy(source) != searching(source))
    assert [explain(solver, differ)[0].answer for solver in (searching, greedy)] == [searching(differ), greedy(differ)]


def test_an_ensemble_has_the_beam_that_is_asked_for_or_that_of_its_first_run(searching):
    paths = [searching.run.path] * 2
    assert [Solver(paths).beam, Solver(paths, beam=2).beam] == [4, 2]
    assert Solver(paths)(SOURCES[:10]) == searching(SOURCES[:10])


@pytest.mark.parametrize("beam", [0, 100, 1.5])
def test_beams_that_are_refused(searching, beam):
    with pytest.raises(UsageError, match=r"beam: got .*, but it must be a whole number from 1 to 12"):
        Solver(searching.run.path, beam=beam)


def test_a_model_that_writes_all_characters_at_once_has_no_beam(solved, small, tmp_path):
    assert Solver(solved.run.path, beam=1).beam == 1
    with pytest.raises(UsageError, match=r"^beam: the model of .*sums writes all characters at once"):
        Solver(solved.run.path, beam=3)
    with pytest.raises(UsageError, match="beam: got 3, but it must be left out with the model repeat"):
        train(run_dir=tmp_path / "run", model="repeat", beam=3, **small)
    with pytest.raises(UsageError, match="beam: got 99, but it must be a whole number from 1 to 12"):
        train(run_dir=tmp_path / "run", model="attention", beam=99, **small)
    assert not (tmp_path / "run").exists()
