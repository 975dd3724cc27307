import numpy as np

from seq2seq import TrainingConfig
from seq2seq.engine.decay import Decay
from seq2seq.mx import mx
from tests.engine.test_updater import learned


def test_weights_lose_a_fraction_that_follows_the_rate():
    weights = mx.nd.array([1.0, -2.0])
    decay = Decay(weights, 0.5)
    decay(0.1)
    decay(0.2)
    np.testing.assert_allclose(weights.asnumpy(), np.array([1.0, -2.0]) * 0.95 * 0.9, rtol=1e-6)


def test_it_is_apart_from_the_moments_of_adam(monkeypatch):
    """One update of Adam moves the weights as far as without decay, after they have shrunk."""
    options = {"batch_size": 50, "epsilon": 1e-8}
    plain, plain_moments, _ = learned(monkeypatch, 1, **options)
    decayed, moments, _ = learned(monkeypatch, 1, weight_decay=0.5, **options)
    first, _, _ = learned(monkeypatch, 1, rate=0.0, **options)
    for name, array in first.items():
        np.testing.assert_allclose(decayed[name] - array * (1 - 0.004 * 0.5), plain[name] - array, atol=1e-6)
        assert (moments[f"moment0.{name}"] == plain_moments[f"moment0.{name}"]).all()


def test_each_replica_shrinks_its_own_section(monkeypatch):
    (one, *_), (two, *_) = (learned(monkeypatch, number, weight_decay=0.5) for number in (1, 2))
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-4)
    assert TrainingConfig().weight_decay == 0
