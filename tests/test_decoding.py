import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.decoding import Predictor
from seq2seq.models import RepeatModel
from seq2seq.mx import mx
from tests import reference

CONFIG = ModelConfig(hidden_size=6, layers=1)
MODEL = RepeatModel(CONFIG, 5, 3, 7)


@pytest.fixture
def trained():
    module = mx.mod.Module(MODEL.loss(mx.sym.var("source"), mx.sym.var("target")), ["source"], ["target"])
    module.bind([mx.io.DataDesc("source", (5, 4), layout="TN")], [mx.io.DataDesc("target", (3, 4), layout="TN")])
    mx.random.seed(0)
    module.init_params(mx.init.Uniform(1))
    return module


def reference_for(module, sources):
    weights = {name: array.asnumpy() for name, array in module.get_params()[0].items()}
    return reference.log_probabilities(weights, sources, 3, 7, 6, 1, True)


@pytest.mark.parametrize("n", [1, 8, 9, 20])
def test_answers_confidence_and_loss_for_any_number_of_sources(trained, n):
    rng = np.random.default_rng(n)
    sources, targets = rng.integers(7, size=(n, 5)), rng.integers(7, size=(n, 3))
    expected = reference_for(trained, sources)
    answers = Predictor(MODEL, 8, mx.cpu(), shared_module=trained).answer(sources, targets)
    assert (answers.ids == expected.argmax(axis=2)).all()
    np.testing.assert_allclose(answers.confidence, np.exp(expected.max(axis=2)).prod(axis=1), rtol=1e-4)
    losses = -np.take_along_axis(expected, targets[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    np.testing.assert_allclose(answers.loss, losses, atol=1e-5)


def test_no_sources():
    module = Predictor(MODEL, 2, mx.cpu(), weights={n: np.zeros(s) for n, s in shapes().items()})
    answers = module.answer(np.zeros((0, 5), np.uint8))
    assert answers.ids.shape == (0, 3) and answers.confidence.shape == (0,) and answers.loss is None


def shapes():
    symbol = MODEL.logits(mx.sym.var("source"))
    shapes, _, _ = symbol.infer_shape(source=(5, 1))
    return {name: shape for name, shape in zip(symbol.list_arguments(), shapes) if name != "source"}


def test_the_test_module_uses_the_trained_ones_parameters_where_they_are(trained):
    predictor = Predictor(MODEL, 8, mx.cpu(), shared_module=trained)
    assert not predictor.module.for_training
    sources = np.random.default_rng(0).integers(7, size=(8, 5))
    before = predictor.answer(sources).confidence

    trained.init_optimizer(kvstore=None, optimizer="sgd", optimizer_params={"learning_rate": 5.0, "rescale_grad": 1})
    batch = mx.io.DataBatch([mx.nd.array(sources[:4].T)], [mx.nd.zeros((3, 4))])
    trained.forward_backward(batch)
    trained.update()

    after = predictor.answer(sources).confidence
    assert not np.allclose(before, after)
    trained._params_dirty = True
    np.testing.assert_allclose(after, np.exp(reference_for(trained, sources).max(axis=2)).prod(axis=1), rtol=1e-4)
    ours = predictor.module._exec_group.param_arrays
    theirs = trained._exec_group.param_arrays
    theirs[0][0][:] = 7  # one memory: what is written to one is read from the other
    assert (ours[0][0].asnumpy() == 7).all()
