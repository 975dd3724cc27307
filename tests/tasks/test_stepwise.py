import pytest

from seq2seq import Addition, Arithmetic, Reverse
from seq2seq.tasks.stepwise import StepwiseTask, in_place, steps_of, stepwise


@pytest.mark.parametrize(
    "task, works_in_steps, in_its_place",
    [
        (Arithmetic(steps="call"), True, True),
        (Arithmetic(steps="call", by_digit=True), True, False),
        (Arithmetic(), False, False),
        (Reverse(), False, False),
    ],
)
def test_a_task_that_works_in_steps_has_the_hooks_of_one(task, works_in_steps, in_its_place):
    hooks = stepwise(task)
    assert (hooks is not None, in_place(task)) == (works_in_steps, in_its_place)
    assert not works_in_steps or (isinstance(hooks, StepwiseTask) and hooks.head("3*7+2") == slice(0, 5))


def test_the_steps_of_pairs_are_those_of_working_them_out_and_else_the_pairs_themselves():
    sums = Arithmetic("+", 3, (1, 1), steps="call")
    assert sums.shown(steps_of(sums, sums.list())) == [("1+1", "2"), ("2+1", "3"), ("3", "3")]
    two_numbers = Addition(1).list()
    assert steps_of(Addition(1), two_numbers) is two_numbers
