import json

import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.models import RepeatModel
from seq2seq.mx import mx
from tests import reference
from tests.models.symbols import evaluate, loss_of

S, T, V = 8, 4, 13

SIZES = [
    (32, ModelConfig(hidden_size=32, layers=1, bidirectional=False)),  # the notebook's, where its reshape works
    (5, ModelConfig(hidden_size=16, layers=1, bidirectional=False)),  # where it does not
    (7, ModelConfig(hidden_size=3, layers=1, bidirectional=True)),
    (1, ModelConfig(hidden_size=10, layers=2, bidirectional=True)),
    (6, ModelConfig(hidden_size=9, layers=3, bidirectional=False)),
    (6, ModelConfig(cell="rnn", hidden_size=9, layers=2, bidirectional=True)),
]


def bind_loss(config, batch_size):
    module = mx.mod.Module(loss_of(RepeatModel(config, S, T, V)), ["source"], ["target"])
    module.bind(*shapes(batch_size))
    mx.random.seed(3)
    module.init_params(mx.init.Uniform(0.5))
    return module


def shapes(batch_size):
    return (
        [mx.io.DataDesc("source", (S, batch_size), layout="TN")],
        [mx.io.DataDesc("target", (T, batch_size), layout="TN")],
    )


def batch_of(source, target):
    """A batch of ids (N, S) and (N, T), with time first, as the loss reads it."""
    return mx.io.DataBatch([mx.nd.array(source.T)], [mx.nd.array(target.T)])


def weights_of(module):
    return {name: array.asnumpy() for name, array in module.get_params()[0].items()}


@pytest.mark.parametrize("batch_size, config", SIZES)
def test_log_probabilities_and_loss_agree_with_numpy(batch_size, config):
    rng = np.random.default_rng(0)
    source, target = rng.integers(V, size=(batch_size, S)), reference.answers(rng, batch_size, T, V)
    module = bind_loss(config, batch_size)
    expected = reference.log_probabilities(
        weights_of(module), source, T, V, config.hidden_size, config.layers, config.bidirectional
    )

    symbol = RepeatModel(config, S, T, V).log_probabilities(mx.sym.var("source"))
    log_probabilities = evaluate(symbol, weights_of(module), source=source.T)
    np.testing.assert_allclose(log_probabilities.transpose(1, 0, 2), expected, atol=1e-5)

    module.forward(batch_of(source, target), is_train=True)
    loss = reference.nats(expected, target).sum()
    np.testing.assert_allclose(module.get_outputs()[0].asscalar(), loss, rtol=1e-5)


@pytest.mark.parametrize("batch_size, config", SIZES[1:4])
def test_gradients_agree_with_finite_differences(batch_size, config):
    rng = np.random.default_rng(1)
    source, target = rng.integers(V, size=(batch_size, S)), reference.answers(rng, batch_size, T, V)
    module = bind_loss(config, batch_size)
    module.forward_backward(batch_of(source, target))
    gradients = {
        name: gradient.asnumpy() for name, (gradient,) in zip(module._param_names, module._exec_group.grad_arrays)
    }
    weights = {name: array.astype(np.float64) for name, array in weights_of(module).items()}

    def loss():
        log_probabilities = reference.log_probabilities(
            weights, source, T, V, config.hidden_size, config.layers, config.bidirectional
        )
        return reference.nats(log_probabilities, target).sum()

    assert set(gradients) == {"encoder_parameters", "decoder_parameters", "output_weight", "output_bias"}
    for name, gradient in gradients.items():
        flat = weights[name].reshape(-1)
        for index in rng.choice(flat.size, min(flat.size, 40), replace=False):
            kept, step = flat[index], 1e-5
            flat[index] = kept + step
            above = loss()
            flat[index] = kept - step
            below = loss()
            flat[index] = kept
            assert gradient.reshape(-1)[index] == pytest.approx((above - below) / (2 * step), abs=2e-4), name


def test_dropout_acts_in_training_alone():
    config = ModelConfig(hidden_size=8, layers=2, dropout=0.5)
    model = RepeatModel(config, S, T, V)
    assert model.random and not RepeatModel(ModelConfig(), S, T, V).random
    module = bind_loss(config, 4)
    batch = batch_of(np.ones((4, S)), np.ones((4, T)))

    def losses(is_train):
        values = []
        for _ in range(3):
            module.forward(batch, is_train=is_train)
            values.append(module.get_outputs()[0].asscalar())
        return set(values)

    assert len(losses(False)) == 1
    assert len(losses(True)) == 3


def test_dropout_is_between_layers_on_the_state_and_before_the_dense_layer():
    graph = json.loads(
        RepeatModel(ModelConfig(hidden_size=8, layers=2, dropout=0.5), S, T, V).logits(mx.sym.var("source")).tojson()
    )
    nodes = graph["nodes"]
    drops = [node for node in nodes if node["op"] == "Dropout"]
    assert [float(node["attrs"]["p"]) for node in drops] == [0.5, 0.5]
    assert [float(node["attrs"]["p"]) for node in nodes if node["op"] == "RNN"] == [0.5, 0.5]
    readers = {nodes[reader["inputs"][0][0]]["name"]: reader["op"] for reader in nodes if reader["inputs"]}
    assert sorted(readers[node["name"]] for node in drops) == ["Concat", "FullyConnected"]
