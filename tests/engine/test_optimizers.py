import math

import numpy as np
import pytest

from seq2seq import TrainingConfig
from seq2seq.engine.clipping import Clip
from seq2seq.engine.optimizers import OPTIMIZERS
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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_rate_too_small_for_a_32_bit_float_moves_nothing(optimizer):
    """MXNet refuses to read one: the rate of a cosine's last updates may be one though its highest is none."""
    weights = mx.nd.ones((16,))
    OPTIMIZERS[optimizer](weights, mx.nd.ones((16,)), TrainingConfig()).update(1e-40, 1, 1.0)
    assert (weights.asnumpy() == 1).all()
