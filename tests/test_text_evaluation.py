import math

import numpy as np
import pytest

from seq2seq.mx import mx
from seq2seq.text_evaluation import TextEvaluation, quotations
from tests.models.symbols import evaluate


def test_nats_bits_and_accuracy_are_those_of_the_model(reading):
    evaluation, dataset = reading.evaluate(), reading.dataset
    assert isinstance(evaluation, TextEvaluation)
    model = reading.predictor(1).model
    symbol = model.log_probabilities(mx.sym.var("source"))
    for score, part in [(evaluation.held_out, dataset.test), (evaluation.train_distribution, dataset.train)]:
        found = evaluate(symbol, reading.weights, source=part.sources.T)  # (T, N, V)
        picked = np.take_along_axis(found, part.targets.T[:, :, None].astype(int), axis=2)
        assert score.nats == pytest.approx(-picked.mean(), rel=1e-5) and score.n == picked.size
        assert score.bits == pytest.approx(score.nats / math.log(2))
        assert score.accuracy == pytest.approx((found.argmax(axis=2) == part.targets.T).mean())
    assert evaluation.held_out.nats < 1.5  # it has learned, and tells words from chance


def test_where_in_the_text_it_was_scored(reading):
    text, evaluation = reading.task.text, reading.evaluate()
    held_out, trained = evaluation.held_out, evaluation.train_distribution
    assert trained.begin == 0 and trained.end <= 0.9 * len(text) + 1 and held_out.end <= len(text)
    shown = reading.codec.decode_sources(reading.dataset.test.sources)
    assert "".join(shown) == text[held_out.begin : held_out.end - 1]
    few = reading.evaluate(samples=3)
    assert few.held_out.n == 24 and (few.held_out.begin, few.train_distribution.end) == (held_out.begin, 25)


def test_the_best_weights_are_those_of_the_lowest_loss(reading):
    rows = reading.run.read_metrics()
    losses = [row["validation_loss"] for row in rows]
    _, state = reading.run.read_arrays("best.safetensors")
    assert state["epoch"] == 1 + int(np.argmin(losses))
    assert all(row["validation_bits"] == pytest.approx(row["validation_loss"] / math.log(2)) for row in rows)
    assert rows[-1]["validation_exact_match"] == pytest.approx(reading.evaluate().held_out.accuracy, abs=0.2)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("none", (0, 0)),
        ('"one" and "two', (2, 1)),
        ('he said "yes," and ("no") and--"perhaps"', (3, 3)),
        ('"one "two"', (2, 1)),
        ('it ended" here " and', (0, 0)),
    ],
)
def test_quotations(text, expected):
    assert quotations(text) == expected
