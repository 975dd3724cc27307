import numpy as np

from seq2seq.config import ModelConfig
from seq2seq.decoding import WidthsPredictor, make_predictor
from seq2seq.models import AttentionModel
from seq2seq.mx import mx
from seq2seq.vocabulary import Codec
from tests.models.symbols import draw, loss_of

CODEC = Codec(" ab", 24, 6, reverse_target=False, pad_end=True)


def test_each_source_is_answered_in_its_own_width():
    model = AttentionModel(ModelConfig(hidden_size=5, layers=1), 24, 6, 3)
    weights = draw(loss_of(model), source=(24, 1), target=(6, 1))
    predictors = {width: make_predictor(model.resized(width, 6), 4, mx.cpu()) for width in CODEC.widths}
    together = WidthsPredictor(predictors, CODEC)
    together.set_weights(weights)
    lengths = [3, 24, 9, 8, 17, 1, 16, 20, 2]
    sources = CODEC.encode_sources(["ab" * (n // 2) + "a" * (n % 2) for n in lengths])
    targets = CODEC.encode_targets(["ab"[: 1 + n % 2] for n in lengths])
    answers = together.answer(sources, targets)
    for row, length in enumerate(lengths):
        width = next(width for width in (8, 16, 24) if length <= width)
        alone = predictors[width].answer(sources[row : row + 1, 24 - width :], targets[row : row + 1])
        assert (answers.ids[row] == alone.ids[0]).all()
        np.testing.assert_allclose([answers.confidence[row], answers.nats[row]], [alone.confidence[0], alone.nats[0]])
        assert answers.characters[row] == alone.characters[0]
