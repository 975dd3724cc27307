import numpy as np
import pytest

from seq2seq.models.losses import cross_entropy
from seq2seq.mx import mx
from tests.models.symbols import evaluate

T, N, V = 3, 4, 5
RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(T, N, V))
LOG_PROBABILITIES = SCORES - np.log(np.exp(SCORES).sum(axis=-1, keepdims=True))
TARGET = RNG.integers(V, size=(T, N))
MASK = RNG.integers(2, size=(T, N))


def found(**options):
    symbols = [mx.sym.var(name) for name in ("log_probabilities", "target", "mask")]
    given = {"log_probabilities": LOG_PROBABILITIES, "target": TARGET, "mask": MASK}
    return evaluate(cross_entropy(*symbols, **options), {}, **given)[0]


def test_the_cross_entropy_is_summed_over_what_is_learned():
    expected = 0.0
    for step in range(T):
        for row in range(N):
            expected -= MASK[step, row] * LOG_PROBABILITIES[step, row, TARGET[step, row]]
    assert found() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_label_smoothing_is_the_cross_entropy_to_a_smoothed_target(smoothing):
    smoothed = np.eye(V)[TARGET] * (1 - smoothing) + smoothing / V
    expected = -(MASK[:, :, None] * smoothed * LOG_PROBABILITIES).sum()
    assert found(label_smoothing=smoothing) == pytest.approx(expected, rel=1e-5)
