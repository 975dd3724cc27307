import math

import numpy as np
import pytest

from seq2seq import TrainingConfig
from seq2seq.engine.optimizers import OPTIMIZERS, Clip, learning_rate
from seq2seq.mx import mx

SIZES = [3, 8, 1]  # of the sections of a gradient


def moved(optimizer, gradients, rate=0.1, scale=0.25, **options):
    """The weights, zeros at first, after an update with each of the gradients, which are given divided by the scale."""
    config = TrainingConfig(optimizer=optimizer, **options)
    weights, given = ([mx.nd.zeros(size) for size in SIZES] for _ in range(2))
    optimizers = [OPTIMIZERS[optimizer](*arrays, config) for arrays in zip(weights, given)]
    clip = Clip(given, config.clip_norm)
    for update, arrays in enumerate(gradients, 1):
        for place, array in zip(given, arrays):
            place[:] = array / scale
        if config.clip_norm:
            clip(scale)
        for learner in optimizers:
            learner.update(rate, update, 1.0 if config.clip_norm else scale)
    return [array.asnumpy() for array in weights]


def draw(updates):
    rng = np.random.default_rng(0)
    return [[rng.normal(size=size) for size in SIZES] for _ in range(updates)]


def cut(arrays, longest):
    length = math.sqrt(sum((array**2).sum() for array in arrays))
    return [array * min(1, longest / length) for array in arrays]


@pytest.mark.parametrize("clip_norm", [0.0, 0.5, 100.0])
def test_adam_takes_the_steps_of_the_paper(clip_norm):
    """Kingma and Ba (2015), the efficient form of algorithm 1 at the end of their section 2."""
    gradients = draw(4)
    weights = [np.zeros(size) for size in SIZES]
    first, second = [np.zeros(size) for size in SIZES], [np.zeros(size) for size in SIZES]
    for t, arrays in enumerate(gradients, 1):
        rate = 0.1 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for i, g in enumerate(cut(arrays, clip_norm) if clip_norm else arrays):
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g * g
            weights[i] -= rate * first[i] / (np.sqrt(second[i]) + 1e-3)
    for ours, expected in zip(moved("adam", gradients, clip_norm=clip_norm, epsilon=1e-3), weights):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("clip_norm", [0.0, 0.5, 100.0])
def test_sgd_takes_the_steps_of_momentum(clip_norm):
    gradients = draw(4)
    weights, velocity = [np.zeros(size) for size in SIZES], [np.zeros(size) for size in SIZES]
    for arrays in gradients:
        for i, g in enumerate(cut(arrays, clip_norm) if clip_norm else arrays):
            velocity[i] = 0.8 * velocity[i] - 0.1 * g
            weights[i] = weights[i] + velocity[i]
    for ours, expected in zip(moved("sgd", gradients, clip_norm=clip_norm, momentum=0.8), weights):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_gradient_of_zero_moves_nothing(optimizer):
    for array in moved(optimizer, [[np.zeros(size) for size in SIZES]]):
        assert (array == 0).all()


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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rate_too_small_for_a_32_bit_float_moves_nothing(optimizer):
    """MXNet refuses to read one: the rate of a cosine's last updates may be one though its highest is none."""
    weights = mx.nd.ones((16,))
    OPTIMIZERS[optimizer](weights, mx.nd.ones((16,)), TrainingConfig()).update(1e-40, 1, 1.0)
    assert (weights.asnumpy() == 1).all()
