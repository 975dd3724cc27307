import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.models import AttentionModel
from seq2seq.mx import mx
from tests import reference
from tests.models.symbols import draw, evaluate, gradients, loss_of

S, T, V, PAD = 7, 5, 9, 4
CONFIGS = [
    ModelConfig(model="attention", hidden_size=3, layers=1, bidirectional=False),
    ModelConfig(model="attention", hidden_size=4, layers=1, bidirectional=True),
    ModelConfig(model="attention", hidden_size=3, layers=2, bidirectional=True),
    ModelConfig(model="attention", cell="rnn", hidden_size=4, layers=2, bidirectional=True),
    ModelConfig(model="attention", hidden_size=4, layers=1, position_bias=True),
]


@pytest.fixture(autouse=True)
def few_offsets(monkeypatch):
    monkeypatch.setattr("seq2seq.models.attention.OFFSETS", 2)


def case(config, n=6):
    model = AttentionModel(config, S, T, V, PAD)
    rng = np.random.default_rng(0)
    source, target = rng.integers(V, size=(n, S)), rng.integers(V, size=(n, T))
    target[0] = [1, PAD, PAD, PAD, PAD]
    source[source == PAD] = 0
    source[1, :3] = PAD
    loss = loss_of(model)
    return model, source, target, draw(loss, source=(S, n), target=(T, n))


def expected(config, weights, source, target):
    size = config.hidden_size
    return reference.attention(weights, source, target, V, size, config.layers, config.bidirectional, PAD)


@pytest.mark.parametrize("config", CONFIGS)
def test_probabilities_attention_and_loss_agree_with_numpy(config):
    model, source, target, weights = case(config)
    inputs = {"source": source.T, "target": target.T}
    symbols = mx.sym.var("source"), mx.sym.var("target")
    log_probabilities, looks = expected(config, weights, source, target)
    for symbol, values in [
        (model.log_probabilities(*symbols), log_probabilities.transpose(1, 0, 2)),
        (model.attention(*symbols), looks),
        (loss_of(model), [reference.nats(log_probabilities, target, PAD).sum()]),
    ]:
        np.testing.assert_allclose(evaluate(symbol, weights, **inputs), values, rtol=1e-6, atol=1e-5)
    assert (looks[1, :, :3] == 0).all() and np.allclose(looks.sum(axis=2), 1)


@pytest.mark.parametrize("config", CONFIGS)
def test_steps_agree_with_teacher_forcing(config):
    model, source, target, weights = case(config)
    n = len(source)
    encoded = model.encode(mx.sym.var("source"))
    kept = {name: evaluate(symbol, weights, source=source.T) for name, symbol in encoded.items()}
    previous = np.full(n, V)
    log_probabilities, _ = expected(config, weights, source, target)
    variables = {name: mx.sym.var(name) for name in kept}
    states, memory = ({n: variables[n] for n in names} for names in (model.state_names, model.memory_names))
    after, states = model.step(mx.sym.var("previous"), states, memory)
    for place in range(T):
        inputs = {"previous": previous, **kept}
        np.testing.assert_allclose(evaluate(after, weights, **inputs), log_probabilities[:, place], atol=1e-5)
        kept.update({name: evaluate(symbol, weights, **inputs) for name, symbol in states.items()})
        previous = target[:, place]


@pytest.mark.parametrize("config", CONFIGS[1:])
def test_gradients_agree_with_finite_differences(config):
    model, source, target, weights = case(config, 3)
    loss = loss_of(model)
    found = gradients(loss, weights, source=source.T, target=target.T)
    wide = {name: array.astype(np.float64) for name, array in weights.items()}
    rng = np.random.default_rng(2)
    for name, gradient in found.items():
        flat = wide[name].reshape(-1)
        for index in rng.choice(flat.size, min(flat.size, 20), replace=False):
            kept, losses = flat[index], []
            for step in (1e-5, -1e-5):
                flat[index] = kept + step
                losses.append(reference.nats(expected(config, wide, source, target)[0], target, PAD).sum())
            flat[index] = kept
            assert gradient.reshape(-1)[index] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=2e-4), name


def test_what_follows_the_end_of_an_answer_reaches_neither_loss_nor_gradients():
    model, source, target, weights = case(CONFIGS[1])
    target[:, 3:] = PAD
    found = []
    for length, after in [(T, PAD), (T, 1), (4, PAD)]:
        target[:, 4:] = after
        loss = loss_of(model.resized(S, length))
        inputs = {"source": source.T, "target": target[:, :length].T}
        found.append({"loss": evaluate(loss, weights, **inputs), **gradients(loss, weights, **inputs)})
    for other in found[1:]:
        for name, array in found[0].items():
            np.testing.assert_allclose(other[name], array, atol=1e-6)
