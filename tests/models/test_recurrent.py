import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.engine.flat import FlatParameters
from seq2seq.engine.initializers import first_weights, parameter_shapes
from seq2seq.models import AlignedModel, AttentionModel, RepeatModel, TransducerModel
from seq2seq.models.recurrent import Recurrent
from seq2seq.workers import argument_shapes
from tests import reference
from tests.models.symbols import draw, evaluate, gradients, loss_of

T, N, V = 4, 3, 90


def one_hot_and_looked_up(monkeypatch, make):
    """What is made both ways."""
    made = []
    for looked_up in (False, True):
        with monkeypatch.context() as patched:
            if not looked_up:
                patched.setattr(Recurrent, "_look_up", Recurrent._one_hot)
            made.append(make())
    return made


@pytest.mark.parametrize(
    "kind", [RepeatModel, AttentionModel, TransducerModel, AlignedModel], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize(
    "cell, layers, bidirectional", [("lstm", 1, False), ("lstm", 1, True), ("lstm", 2, True), ("rnn", 2, True)]
)
def test_looking_up_gives_the_numbers_of_one_hot_vectors(monkeypatch, kind, cell, layers, bidirectional):
    config = ModelConfig(cell=cell, hidden_size=5, layers=layers, bidirectional=bidirectional)
    width = T * getattr(kind, "channels", 1)
    one_hot, looked_up = one_hot_and_looked_up(monkeypatch, lambda: loss_of(kind(config, width, T, V)))
    assert any("one_hot" in name for name in one_hot.get_internals().list_outputs())
    assert not any("one_hot" in name for name in looked_up.get_internals().list_outputs())
    rng = np.random.default_rng(0)
    inputs = {"source": rng.integers(V, size=(width, N)), "target": reference.answers(rng, N, T, V).T}
    shapes = {name: array.shape for name, array in inputs.items()}
    assert argument_shapes(one_hot, **shapes) == argument_shapes(looked_up, **shapes)
    weights = draw(one_hot, **shapes)
    np.testing.assert_allclose(evaluate(looked_up, weights, **inputs), evaluate(one_hot, weights, **inputs), rtol=1e-5)
    expected, found = (gradients(loss, weights, **inputs) for loss in (one_hot, looked_up))
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-5, err_msg=name)


def test_the_first_weights_do_not_depend_on_it(monkeypatch):
    def first_weights_of():
        model = AttentionModel(ModelConfig(hidden_size=5, layers=2), T, T, V)
        return first_weights(model, FlatParameters(parameter_shapes(model)), 0)

    one_hot, looked_up = one_hot_and_looked_up(monkeypatch, first_weights_of)
    assert one_hot.keys() == looked_up.keys()
    assert all((one_hot[name] == looked_up[name]).all() for name in one_hot)
