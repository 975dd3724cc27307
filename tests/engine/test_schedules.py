import math

import pytest

from seq2seq import TrainingConfig
from seq2seq.engine.schedules import learning_rate


def test_the_learning_rate():
    cosine = TrainingConfig(learning_rate=1.0, warmup_steps=9, schedule="cosine")
    assert [learning_rate(cosine, update, 110) for update in (1, 5, 9)] == pytest.approx([0.1, 0.5, 0.9])
    assert learning_rate(cosine, 10, 110) == pytest.approx(1.0)
    assert learning_rate(cosine, 10 + 101 // 2, 110) == pytest.approx(0.5, abs=0.01)
    assert 0 < learning_rate(cosine, 110, 110) < 0.001
    assert learning_rate(cosine, 1000, 110) == 0
    assert learning_rate(cosine, 3, 20) == pytest.approx(1.0)  # of 20 updates, 2 at the most warm up
    assert learning_rate(cosine, 1, 5) == pytest.approx(1.0)
    constant = TrainingConfig(learning_rate=1.0, warmup_steps=0, schedule="constant")
    assert {learning_rate(constant, update, 10) for update in range(1, 12)} == {1.0}


def test_restarts_are_cosines_each_twice_as_long_as_the_last():
    config = TrainingConfig(learning_rate=1.0, warmup_steps=2, schedule="restarts")
    rates = [learning_rate(config, update, 30) for update in range(1, 32)]
    expected = [1 / 3, 2 / 3]  # the warm-up; 28 are left, for cycles of 4, 8 and 16
    expected += [(1 + math.cos(math.pi * done / length)) / 2 for length in (4, 8, 16) for done in range(length)]
    assert rates == pytest.approx([*expected, 0])
    assert rates[2:8] == pytest.approx([1, 0.853553, 0.5, 0.146447, 1, 0.961940], abs=1e-6)
    once, cosine = (TrainingConfig(schedule=schedule, cycles=1) for schedule in ("restarts", "cosine"))
    assert all(learning_rate(once, update, 2500) == learning_rate(cosine, update, 2500) for update in range(1, 2502))


def test_no_cycle_begins_an_update_late():
    config = TrainingConfig(learning_rate=1.0, warmup_steps=0, schedule="restarts", cycles=5)
    for first in range(1, 300):  # updates in the first cycle
        starts = [first * (2**cycle - 1) + 1 for cycle in range(5)]
        assert [learning_rate(config, update, first * 31) for update in starts] == [1.0] * 5
