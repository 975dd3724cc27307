"""Graphs of the models of texts predict what MXNet predicts, with random weights."""

from itertools import product

import numpy as np
import onnxruntime
import pytest

from seq2seq import ModelConfig
from seq2seq.decoding import Reader
from seq2seq.exporting.texts import graphs_of_text
from seq2seq.models import MODELS
from seq2seq.mx import mx
from seq2seq.options import TEXT_MODELS
from tests.models.symbols import draw, loss_of

V, H = 9, 6
BY_HAND = ("rnn-numpy", "lstm-numpy")
OPTIONS = [
    *product(TEXT_MODELS, [{}]),
    *product([name for name in TEXT_MODELS if name not in BY_HAND], [{"embedding": 5}]),
    *product(["rnn-add", "gru", "lstm"], [{"embedding": 5, "normalise": kind} for kind in ("batch", "layer", "none")]),
    *product(["char3", "rnn-concat", "rnn-stateful"], [{"activation": "relu"}]),
    *product(["gru", "lstm"], [{"layers": 3}, {"layers": 1, "dropout": 0.5}]),
]


@pytest.mark.parametrize("name, options", OPTIONS)
def test_each_prediction_is_that_of_mxnet(name, options):
    kind = MODELS[name]
    length = 3 if name == "char3" else 5
    model = kind(ModelConfig(model=name, hidden_size=H, **options), length, length if kind.every_step else 1, V)
    drawn = draw(loss_of(model), source=(length, 1), target=(model.target_length, 1))
    weights = {name: np.float32(np.abs(array) if name.endswith("var") else 2 * array) for name, array in drawn.items()}
    session = onnxruntime.InferenceSession(graphs_of_text(model, weights)["model"].model({}))
    reader = Reader(model, mx.cpu(), weights)
    states = {name: np.zeros(shape, np.float32) for name, shape in model.state_shapes(1).items()}
    ids = np.random.default_rng(0).integers(1, V, 12)
    read = ids[: kind.fewest]
    expected = reader.read(read)
    for place in range(kind.fewest, len(ids) + 1):
        window = read if model.stateful else ids[max(0, place - length) : place]
        found, *after = session.run(None, {"source": window[None], **states})
        states = dict(zip(states, after))
        np.testing.assert_allclose(found[0][1:], expected[1:], rtol=1e-5, atol=1e-4)  # without the padding
        read = ids[place : place + 1]
        expected = reader.read(read) if len(read) else expected
    assert np.ptp(expected[1:]) > 0.1
