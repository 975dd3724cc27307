"""The embeddings of a text's characters, normalised over the batch or each by itself."""

import json

import numpy as np
import pytest

from seq2seq import Config, ModelConfig, Solver, Text, UsageError, train
from seq2seq.models import MODELS, ByHandModel
from seq2seq.mx import mx
from seq2seq.options import TEXT_MODELS, fitted
from tests.conftest import some_text
from tests.models.symbols import draw, loss_of

S, N, V, E = 7, 4, 6, 5
EPSILON = 1e-5
EMBEDDED = [name for name in TEXT_MODELS if not issubclass(MODELS[name], ByHandModel)]
IDS = np.random.default_rng(0).integers(V, size=(S, N)).astype(np.float32)
TEXT = Text(given=some_text(200), length=4)
SMALL = {"embedding": 4, "hidden_size": 8, "layers": 1, "batch_size": 4, "show_every": 0, "progress": False}


def make(name, length=S, **options):
    steps = length if MODELS[name].every_step else 1
    return MODELS[name](ModelConfig(model=name, hidden_size=6, embedding=E, **options), length, steps, V)


def characters(normalise, is_train):
    """The embeddings as drawn, and as the layers above them read them; with the running values."""
    symbol = make("rnn", normalise=normalise)._characters(mx.sym.var("source"))
    weights = draw(symbol, source=IDS.shape)
    weights.update({name: np.abs(array) for name, array in weights.items() if name.endswith("var")})
    arrays = {name: mx.nd.array(array) for name, array in {**weights, "source": IDS}.items()}
    executor = symbol.bind(mx.cpu(), arrays, aux_states=arrays)
    found = executor.forward(is_train=is_train)[0].asnumpy()
    return weights["embedding_weight"][IDS.astype(int)], found, weights


def scaled(values, mean, variance, weights):
    return (values - mean) / np.sqrt(variance + EPSILON) * weights["normal_gamma"] + weights["normal_beta"]


def test_over_the_batch_in_training_and_by_the_running_values_otherwise():
    embedded, found, weights = characters("batch", is_train=True)
    expected = scaled(embedded, embedded.mean((0, 1)), embedded.var((0, 1)), weights)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    embedded, found, weights = characters("batch", is_train=False)
    expected = scaled(embedded, weights["normal_moving_mean"], weights["normal_moving_var"], weights)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_embedding_by_itself_or_none():
    embedded, found, weights = characters("layer", is_train=True)
    expected = scaled(embedded, embedded.mean(2, keepdims=True), embedded.var(2, keepdims=True), weights)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    embedded, found, _ = characters("none", is_train=True)
    np.testing.assert_allclose(found, embedded, rtol=1e-6)


@pytest.mark.parametrize("name", EMBEDDED)
def test_auto_is_layer_for_the_gated_models_and_none_for_the_others(name):
    length = 3 if name == "char3" else S
    arguments = {
        kind: loss_of(make(name, length, normalise=kind)).list_arguments() for kind in ("auto", "layer", "none")
    }
    assert arguments["layer"] != arguments["none"]
    assert arguments["auto"] == arguments["layer" if name in ("lstm", "gru") else "none"]
    auxiliary = loss_of(make(name, length, normalise="batch")).list_auxiliary_states()
    assert auxiliary == ["normal_moving_mean", "normal_moving_var"]


@pytest.mark.parametrize("name", ["gru", "rnn", "rnn-scan"])
def test_a_run_scores_with_the_running_values_that_it_keeps(tmp_path, name):
    solver = train(TEXT, tmp_path / "run", model=name, normalise="batch", epochs=2, learning_rate=0.02, **SMALL)
    weights = Solver(solver.run.path).weights
    assert (weights["normal_moving_mean"] != 0).all() and (weights["normal_moving_var"] != 1).all()
    held_out = solver.dataset.validation
    answers = solver.predictor(len(held_out)).answer(held_out.sources, held_out.targets)
    assert answers.loss == pytest.approx(min(row["validation_loss"] for row in solver.run.read_metrics()), rel=1e-5)
    assert "".join(Solver(solver.run.path).continued("the cat", 20)) == "".join(solver.continued("the cat", 20))


def test_a_run_that_was_made_before_the_option_opens_as_it_was(tmp_path):
    run = train(TEXT, tmp_path / "run", model="gru", epochs=1, **SMALL).run
    config = run.path / "config.json"
    values = json.loads(config.read_text())
    del values["model"]["normalise"]
    config.write_text(json.dumps(values))
    assert {"normal_gamma", "normal_beta"} <= set(Solver(run.path).weights)
    again = train(TEXT, run.path, resume=True, model="gru", epochs=2, **SMALL)
    assert again.config.model.normalise == "auto" and len(again.run.read_metrics()) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"model": "rnn", "normalise": "batch", "embedding": 0},
            "normalise: got 'batch', .* left out without an embed",
        ),
        (
            {"model": "lstm-numpy", "normalise": "batch"},
            "normalise: got 'batch', .* left out with the model lstm-numpy",
        ),
        ({"normalise": "group"}, "normalise: got 'group', but it must be one of auto, batch, layer, none"),
    ],
)
def test_what_cannot_be_normalised_is_refused_by_name(options, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        fitted(Config(task=TEXT).with_options(**options), options)
    assert fitted(Config(task=TEXT), {"model": "rnn", "normalise": "none"}).model.normalise == "auto"
