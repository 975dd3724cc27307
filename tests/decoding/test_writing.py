from itertools import islice

import numpy as np
import pytest

from seq2seq import ModelConfig
from seq2seq.config import TEXT_MODELS
from seq2seq.decoding.writing import Reader, draw, write
from seq2seq.models import MODELS
from seq2seq.mx import mx
from tests.models.symbols import draw as draw_weights
from tests.models.symbols import evaluate

V = 6
TEXT = np.random.default_rng(1).integers(V, size=30)


@pytest.mark.parametrize("kind", TEXT_MODELS)
def test_a_reader_looks_back_as_far_as_its_model_reads_or_remembers_all(kind):
    length = MODELS[kind].length
    model = MODELS[kind](ModelConfig(hidden_size=5), length, length if MODELS[kind].every_step else 1, V)
    weights = draw_weights(model.log_probabilities(mx.sym.var("source")), source=(length, 1))
    reader, begin = Reader(model, mx.cpu(), weights), model.fewest
    found = [reader.read(TEXT[:begin]), *(reader.read([each]) for each in TEXT[begin:])]
    for end, log_probabilities in enumerate(found, begin):
        seen = TEXT[:end] if model.state_shapes(1) else TEXT[max(0, end - length) : end]
        symbol = model.resized(len(seen), len(seen) if model.every_step else 1).log_probabilities(mx.sym.var("source"))
        expected = evaluate(symbol, weights, source=seen[:, None])[-1, 0]
        np.testing.assert_allclose(log_probabilities[1:], expected[1:], atol=1e-5)
        assert log_probabilities[model.pad] == -np.inf


def drawn(temperature=1.0, top_k=0, number=4000):
    rng = np.random.default_rng(0)
    scores = np.array([np.log(0.1), -np.inf, *np.log([0.4, 0.3, 0.2])])
    return np.bincount([draw(scores, temperature, top_k, rng) for _ in range(number)], minlength=5) / number


def test_characters_are_drawn_as_probable_as_they_are_and_the_impossible_never():
    np.testing.assert_allclose(drawn(), [0.1, 0, 0.4, 0.3, 0.2], atol=0.02)
    squares = np.array([0.1, 0, 0.4, 0.3, 0.2]) ** 2
    np.testing.assert_allclose(drawn(0.5), squares / squares.sum(), atol=0.02)
    np.testing.assert_allclose(drawn(top_k=2), [0, 0, 4 / 7, 3 / 7, 0], atol=0.02)
    for options in ({"temperature": 0}, {"top_k": 1}, {"temperature": 1e-9}):
        assert drawn(**options, number=20).tolist() == [0, 0, 1, 0, 0]


class Counting:
    """Foretells the character after the last it read, beyond doubt."""

    def read(self, ids):
        return np.log(np.eye(V)[(ids[-1] + 1) % V] + 1e-30)


def test_what_was_drawn_is_read_next():
    written = write(Counting(), [4, 2], temperature=1.0, top_k=0, rng=np.random.default_rng(0))
    assert list(islice(written, 3)) == [3, 4, 5]
