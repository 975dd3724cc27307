import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.models import MODELS
from seq2seq.mx import mx
from tests.models.symbols import draw, loss_of

S, T, V, H = 6, 6, 7, 3
PLACES = ("first number", "second number", "operator")
READ = {  # by what, and in which of its channels
    "repeat": {"source": ("encoder", 0)},
    "attention": {"source": ("encoder", 0), "target": ("decoder", 0)},
    "transducer": {"source": ("transducer", 0)},
    "aligned": {name: ("transducer", channel) for channel, name in enumerate(PLACES)},
}


def input_weights(weights, name, config, hidden_size, bidirectional):
    """The weights (C, channels * V) of what a stack reads, as MXNet itself unpacks them: gate by gate, both ways."""
    mode = {"lstm": "lstm", "rnn": "rnn_tanh"}[config.cell]
    cell = mx.rnn.FusedRNNCell(hidden_size, config.layers, mode, bidirectional, prefix=f"{name}_")
    parts = cell.unpack_weights({f"{name}_parameters": mx.nd.array(weights[f"{name}_parameters"])})
    gates = ["_i", "_f", "_c", "_o"] if config.cell == "lstm" else [""]
    ways = ["l", "r"] if bidirectional else ["l"]
    return np.vstack([parts[f"{name}_{way}0_i2h{gate}_weight"].asnumpy() for way in ways for gate in gates])


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize(
    "cell, layers, bidirectional", [("lstm", 1, False), ("lstm", 2, True), ("rnn", 1, True), ("rnn", 2, False)]
)
def test_embeddings_are_what_characters_add_to_the_gates(kind, cell, layers, bidirectional):
    config = ModelConfig(model=kind, cell=cell, hidden_size=H, layers=layers, bidirectional=bidirectional)
    width = len(PLACES) * S if kind == "aligned" else S
    model = MODELS[kind](config, width, T, V)
    weights = draw(loss_of(model), source=(width, 2), target=(T, 2))
    found = model.embeddings(weights)
    assert list(found) == list(READ[kind])
    for name, (stack, channel) in READ[kind].items():
        size, both = (model.width, False) if stack == "decoder" else (H, bidirectional)
        expected = input_weights(weights, stack, config, size, both)
        assert len(found[name]) == V
        for place, vector in enumerate(found[name]):
            one_hot = np.eye(expected.shape[1])[channel * V + place]
            np.testing.assert_allclose(vector, expected @ one_hot, rtol=1e-6)
