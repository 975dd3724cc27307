import copy
import pickle

import pytest

from seq2seq import Solver, UsageError, Writer


def test_a_texts_run_opens_as_a_writer_whoever_opens_it(reading):
    assert type(reading) is type(Solver(reading.run.path)) is type(Writer(reading.run.path)) is Writer
    assert repr(reading) == f"Writer({str(reading.run.path)!r})"


def test_it_answers_as_a_solver_does_with_the_next_character(reading):
    [*_, whole] = reading.expected("the ca")
    assert reading("the ca") == whole.text and reading(["the ca"] * 2) == [whole.text] * 2
    assert reading.answer(["the ca"]) == [whole] and reading.work("the ca") == [whole.text]
    assert reading.score([("the ca", whole.text), ("the ca", "?")]) == 0.5


@pytest.mark.parametrize("make", [lambda each: pickle.loads(pickle.dumps(each)), copy.copy, copy.deepcopy])
def test_a_copy_is_a_writer_too(reading, make):
    other = make(reading)
    assert type(other) is Writer and other is not reading
    assert [*other.continued("the c", 20)] == [*reading.continued("the c", 20)]


def test_it_refuses_what_only_sources_and_answers_have(reading):
    why = "the run .*reading has read a text: it answers with one character, the next, so there are no"
    with pytest.raises(UsageError, match=f"^n_best: {why}"):
        reading.n_best("the c", 2)
    with pytest.raises(UsageError, match=f"^beam: {why}"):
        Solver(reading.run.path, beam=2)
    with pytest.raises(UsageError, match=r"pairs: the run .*reading has read a text, and answers no sources"):
        reading.evaluate_pairs([("a", "b")])


def test_a_run_of_pairs_is_no_writer(solved):
    with pytest.raises(UsageError, match="sums: opens as a Solver, and not as a Writer"):
        Writer(solved.run.path)
    with pytest.raises(UsageError, match="sums: answers sources, and has no text to continue"):
        solved.continued("1+1")
    assert type(Solver(solved.run.path)) is Solver


def test_what_is_derived_from_solver_opens_as_itself(solved, reading):
    class Own(Solver):
        pass

    assert type(Own(solved.run.path)) is Own and Own(solved.run.path)("3+4") == "7"
    with pytest.raises(UsageError, match="reading: opens as a Writer, and not as a Own"):
        Own(reading.run.path)
