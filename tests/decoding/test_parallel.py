import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.decoding import ParallelPredictor
from seq2seq.engine import test_module
from seq2seq.models import RepeatModel
from seq2seq.mx import mx
from seq2seq.workers import _worker
from tests import reference

MODEL = RepeatModel(ModelConfig(hidden_size=6, layers=1), 5, 3, 7)


def draw(seed):
    symbol = MODEL.logits(mx.sym.var("source"))
    shapes, _, _ = symbol.infer_shape(source=(5, 1))
    rng = np.random.default_rng(seed)
    return {n: rng.uniform(-1, 1, s) for n, s in zip(symbol.list_arguments(), shapes) if n != "source"}


def expect(weights, sources):
    return reference.log_probabilities(weights, sources, 3, 7, 6, 1, True)


def up_to_the_end(expected):
    """Which places (N, T) of the most probable answers come before padding has ended them, or are what ends them."""
    goes_on = expected.argmax(axis=2)[:, :-1] != 0
    return np.pad(np.logical_and.accumulate(goes_on, axis=1), ((0, 0), (1, 0)), constant_values=True)


def confidence_of(expected):
    return np.exp((expected.max(axis=2) * up_to_the_end(expected)).sum(axis=1))


@pytest.fixture(params=[1, 2])
def workers(request, monkeypatch):
    """However many cores there are."""
    monkeypatch.setattr(test_module, "workers_of", lambda device: [_worker(mx.cpu(i)) for i in range(request.param)])


@pytest.mark.parametrize("n", [1, 8, 9, 20, 100])
def test_answers_confidence_and_loss_for_any_number_of_sources(workers, n):
    rng = np.random.default_rng(n)
    sources, targets = rng.integers(7, size=(n, 5)), reference.answers(rng, n, 3, 7)
    weights = draw(0)
    expected = expect(weights, sources)
    answers = ParallelPredictor(MODEL, 8, mx.cpu(), weights).answer(sources, targets)
    best, written = expected.argmax(axis=2), up_to_the_end(expected)
    assert (answers.ids == np.where(written, best, 0)).all()
    np.testing.assert_allclose(answers.confidence, confidence_of(expected), rtol=1e-4)
    np.testing.assert_allclose(answers.nats, reference.nats(expected, targets), atol=1e-5)
    lengths = np.minimum((targets != 0).sum(axis=1) + 1, 3)
    assert (answers.characters == lengths).all()
    assert answers.loss == pytest.approx(answers.nats.sum() / lengths.sum())


def test_no_sources():
    answers = ParallelPredictor(MODEL, 2, mx.cpu(), draw(0)).answer(np.zeros((0, 5), np.uint8))
    assert answers.ids.shape == (0, 3) and answers.confidence.shape == (0,) and answers.nats is None


@pytest.mark.parametrize("array", [np.asarray, mx.nd.array])
def test_it_answers_with_the_weights_of_the_moment(workers, array):
    """MXNet can freeze a dense layer's weights when it first runs, and recurrent layers' too."""
    sources = np.random.default_rng(0).integers(7, size=(20, 5))
    predictor = ParallelPredictor(MODEL, 8, mx.cpu())
    for seed in range(3):
        weights = draw(seed)
        predictor.set_weights({name: array(values) for name, values in weights.items()})
        confidence = confidence_of(expect(weights, sources))
        np.testing.assert_allclose(predictor.answer(sources).confidence, confidence, rtol=1e-4)


@pytest.mark.parametrize("change", [lambda w: w.pop("output_bias"), lambda w: w.update(output_bias=np.zeros(8))])
def test_weights_of_another_model(change):
    weights = draw(0)
    change(weights)
    with pytest.raises(ValueError, match="another model"):
        ParallelPredictor(MODEL, 2, mx.cpu(), weights)
