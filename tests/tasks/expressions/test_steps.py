import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import Arithmetic, UsageError
from tests.tasks.by_hand import next_step, value
from tests.tasks.test_arithmetic import MOSTLY_WHOLE, ranges

tasks = st.builds(
    Arithmetic, operators=MOSTLY_WHOLE, terms=ranges(1, 4, 2), operands=ranges(0, 700, 700), signed=st.booleans()
).filter(lambda task: task.count >= 200)


@given(tasks, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_steps_are_those_of_working_it_out(task, seed):
    task = replace(task, steps="call")
    drawn = task.sample(50, np.random.default_rng(seed))
    steps = task.steps_of(drawn)
    said = dict(zip(steps.sources.tolist(), steps.targets.tolist()))
    assert len(said) == len(steps)
    assert all(target == next_step(source) for source, target in said.items())
    left = set(said)
    for source, answer in zip(*map(np.ndarray.tolist, drawn)):
        source = source.strip()
        for _ in range(20):
            cut = task.head(source)
            head = source[:cut].rjust(task.source_length)
            left.discard(head)
            source, before = said[head].replace(" ", "") + source[cut:], source
            if source == before:
                break
        assert source == answer.strip()
    assert not left  # nothing but these


@pytest.mark.parametrize(
    "operators, terms", [("+", 2), ("+-", 2), ("*", 2), ("*%", 2), ("+*", 3), ("-%", 3), ("+-*/%", 3)]
)
def test_the_head_is_all_that_a_step_needs(operators, terms):
    task = Arithmetic(operators, terms=8, operands=(0, 99), steps="call")
    for source in task.sample(200, np.random.default_rng(0)).sources.tolist():
        source = source.strip()
        cut = task.head(source)
        assert len(re.findall(r"\d+", source[:cut])) == terms
        assert next_step(source) == next_step(source[:cut]) + source[cut:]


def test_a_value_never_needs_more_room_than_its_terms():
    task = Arithmetic("+-*/%", terms=2, operands=(0, 130), steps="call")
    sources, targets = task.steps_of(task.list())
    assert all(len(source) == len(target) for source, target in zip(sources.tolist(), targets.tolist()))
    assert all(target == next_step(source) for source, target in zip(sources.tolist(), targets.tolist()))


@given(tasks, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_working_in_one_answer(task, seed):
    task = replace(task, steps="answer")
    sources, targets = task.sample(50, np.random.default_rng(seed))
    for source, target in zip(sources.tolist(), targets.tolist()):
        steps, written = [source.strip()], target.strip().split("=")
        while next_step(steps[-1]) != steps[-1]:
            steps.append(next_step(steps[-1]).replace(" ", ""))
        assert written == (steps[1:] or steps) and len(target) == task.target_length
        assert task.final(target.strip()) == str(value(source))


def test_steps_that_are_refused():
    with pytest.raises(UsageError, match="steps: got 'some', but it must be one of none, answer, call"):
        Arithmetic(steps="some")
