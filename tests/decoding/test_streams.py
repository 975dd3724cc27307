import numpy as np
import pytest

from seq2seq import ModelConfig
from seq2seq.decoding import StreamPredictor, make_predictor
from seq2seq.decoding.streams import STREAMS
from seq2seq.models import MODELS
from seq2seq.mx import mx
from tests.models.symbols import draw, evaluate

S, V = 4, 6


@pytest.mark.parametrize("kind", ["rnn-stateful", "lstm"])
@pytest.mark.parametrize(
    "windows, batch_size, streams", [(10, 3, 3), (12, 3, 3), (2, 1, 1), (2, 5, 5), (40, 99, STREAMS)]
)
def test_each_stream_is_read_as_one(kind, windows, batch_size, streams):
    model = MODELS[kind](ModelConfig(hidden_size=5, layers=1), S, S, V)
    weights = draw(model.log_probabilities(mx.sym.var("source")), source=(S, 1))
    text = np.random.default_rng(0).integers(V, size=windows * S + 1)
    sources, targets = text[:-1].reshape(windows, S), text[1:].reshape(windows, S)
    predictor = make_predictor(model, batch_size, mx.cpu(), weights)
    assert isinstance(predictor, StreamPredictor)
    count = -(-windows // streams)
    for _ in range(2):  # what was read once is forgotten
        answers = predictor.answer(sources, targets)
        for begin in range(0, windows, count):
            part = sources[begin : begin + count].reshape(-1, 1)
            symbol = model.resized(len(part), len(part)).log_probabilities(mx.sym.var("source"))
            found = evaluate(symbol, weights, source=part)[:, 0]  # (places, V)
            picked = found[np.arange(len(part)), targets[begin : begin + count].reshape(-1)]
            np.testing.assert_allclose(
                answers.nats[begin : begin + count], -picked.reshape(-1, S).sum(axis=1), rtol=1e-4
            )
            assert (answers.ids[begin : begin + count].reshape(-1) == found.argmax(axis=1)).all()
    np.testing.assert_array_equal(predictor.answer(sources).ids, answers.ids)
