"""The networks of rows beside the same in NumPy."""

import numpy as np
import pytest

from seq2seq import ModelConfig, TrainingConfig
from seq2seq.decoding.rows import RowsPredictor
from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.encodings.table import Category, Number, TableEncoding, Target
from seq2seq.engine.samplers import Bucketed
from seq2seq.engine.trainer import Trainer
from seq2seq.engine.validators import LossValidator
from seq2seq.models.dense import DenseModel
from seq2seq.models.ratings import DotModel, NeuralModel
from seq2seq.mx import mx

N = 6
RATINGS = RatingsEncoding(("a", "b", "c"), ("x", "y"), 1.0, 5.0, 4.0, trained=24)
PAIRS = RATINGS.arrays(list("abcabc"), list("xyxyxy"), np.array([1.0, 2, 3, 4, 5, 4]))
CLASSES = Target.of_classes("t", ["yes", "no"])
NUMBER = Target("t", False, 0.0, 1.0, -0.2, 0.3, ())


def table(target):
    return TableEncoding((Category("c", ("p", "q", "r")),), (Number("n", 0.0, 1.0, -9.0, 9.0, True),), target)


CELLS = {
    "categories": np.array([[0], [1], [2], [0], [1], [2]], np.int32),
    "numbers": np.array([[1, 0], [-1, 0], [2, 0], [0, 1], [1, 0], [0, 0]], np.float32),
    "target": np.array([0, 1, 0, 1, 1, 0], np.float32),
}


def measured(model, arrays):
    """The weights of a network after a step, what it predicts, and its mean loss."""
    config = TrainingConfig(epochs=1, batch_size=N, show_every=0, learning_rate=0.1, warmup_steps=0)
    trainer = Trainer(model, Bucketed(model, arrays, N), config, validators=[])
    trainer.fit()
    loss = LossValidator(model, arrays).validate(trainer.module)["validation_loss"]
    return trainer.weights, RowsPredictor(model, mx.cpu(), trainer.module).predict(arrays), loss


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


@pytest.mark.parametrize("kind", [DotModel, NeuralModel])
@pytest.mark.parametrize("penalty", [0.0, 2.0])
def test_a_rating_is_that_of_the_formula_and_the_loss_has_its_part_of_the_penalty(kind, penalty):
    weights, found, loss = measured(kind(ModelConfig(embedding=2, hidden_size=4, penalty=penalty), RATINGS), PAIRS)
    user, item = weights["user_embedding"][PAIRS["user"]], weights["item_embedding"][PAIRS["item"]]
    score = weights["bias"] + weights["user_bias"][PAIRS["user"], 0] + weights["item_bias"][PAIRS["item"], 0]
    if kind is DotModel:
        score = score + (user * item).sum(axis=1)
    else:
        hidden = np.concatenate([user, item], axis=1) @ weights["hidden_weight"].T + weights["hidden_bias"]
        score = score + np.maximum(hidden, 0) @ weights["output_weight"][0]
    np.testing.assert_allclose(found, 1 + 4 * sigmoid(score), rtol=1e-5)
    tables = [weights[f"{who}_{what}"] for who in ("user", "item") for what in ("embedding", "bias")]
    squares = sum((each**2).sum() for each in tables)
    expected = ((found - PAIRS["rating"]) ** 2).sum() + penalty * N / 24 * squares
    assert loss * N == pytest.approx(expected, rel=1e-4)


def test_the_first_ratings_are_near_the_mean():
    model = DotModel(ModelConfig(embedding=2), RATINGS)
    config = TrainingConfig(epochs=1, batch_size=N, show_every=0)
    trainer = Trainer(model, Bucketed(model, PAIRS, N), config)
    found = RowsPredictor(model, mx.cpu(), trainer.module).predict(PAIRS)
    np.testing.assert_allclose(found, 4.0, atol=0.1)


@pytest.mark.parametrize("target", [NUMBER, CLASSES])
def test_a_table_is_read_by_embeddings_running_means_and_dense_layers(target):
    model = DenseModel(ModelConfig(hidden_size=4, layers=1, embedding=2), table(target))
    weights, found, loss = measured(model, CELLS)

    def normalised(values, name):
        mean, variance = weights[f"{name}_norm_moving_mean"], weights[f"{name}_norm_moving_var"]
        scaled = (values - mean) / np.sqrt(variance + 1e-3)
        return scaled * weights[f"{name}_norm_gamma"] + weights[f"{name}_norm_beta"]

    read = weights["column0_embedding"][CELLS["categories"][:, 0]]
    values = np.concatenate([read, normalised(CELLS["numbers"], "numbers")], axis=1)
    hidden = np.maximum(values @ weights["layer0_weight"].T + weights["layer0_bias"], 0)
    written = normalised(hidden, "layer0") @ weights["output_weight"].T + weights["output_bias"]
    if target is CLASSES:
        written = written - np.log(np.exp(written).sum(axis=1, keepdims=True))
        right = written[np.arange(N), CELLS["target"].astype(int)]
        np.testing.assert_allclose(found, written, rtol=1e-4, atol=1e-5)
        assert loss == pytest.approx(-right.mean(), rel=1e-4)
    else:
        assert written.max() > 0.3  # which is out of the range that was trained on
        np.testing.assert_allclose(found, np.clip(written[:, 0], -0.2, 0.3), rtol=1e-4, atol=1e-5)
        assert loss == pytest.approx(((written[:, 0] - CELLS["target"]) ** 2).mean(), rel=1e-4)
    assert (weights["numbers_norm_moving_mean"] != 0).any()
