import numpy as np
import pytest

from seq2seq import Addition, Arithmetic, DataConfig, UsageError
from seq2seq.config import ModelConfig
from seq2seq.models import AlignedModel, TransducerModel, make_codec, make_model
from seq2seq.mx import mx
from tests import reference
from tests.models.symbols import draw, evaluate

T, V = 6, 7


@pytest.mark.parametrize("kind", [TransducerModel, AlignedModel])
@pytest.mark.parametrize(
    "cell, layers, bidirectional", [("lstm", 1, False), ("lstm", 1, True), ("lstm", 2, True), ("rnn", 2, True)]
)
def test_log_probabilities_agree_with_numpy(kind, cell, layers, bidirectional):
    config = ModelConfig(cell=cell, hidden_size=5, layers=layers, bidirectional=bidirectional)
    width = kind.channels * T
    symbol = kind(config, width, T, V).log_probabilities(mx.sym.var("source"))
    source = np.random.default_rng(0).integers(V, size=(4, width))
    weights = draw(symbol, source=(width, 4))
    expected = reference.transducer(weights, source, kind.channels, T, V, 5, layers, bidirectional)
    found = evaluate(symbol, weights, source=source.T)
    np.testing.assert_allclose(found.transpose(1, 0, 2), expected, atol=1e-5)


def test_the_parameters_do_not_depend_on_the_length():
    task, config = Addition((1, 4), "+-"), ModelConfig(model="aligned", hidden_size=5, layers=1)
    codec = make_codec(task, DataConfig(), config)
    shapes = []
    for each in (codec, codec.fitting("1" * 300 + "+1")):
        symbol = make_model(task, config, each).log_probabilities(mx.sym.var("source"))
        names, (known, _, _) = symbol.list_arguments(), symbol.infer_shape(source=(each.source_ids, 1))
        shapes.append({name: shape for name, shape in zip(names, known) if name != "source"})
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("task", [Arithmetic(), Arithmetic("*", terms=(1, 2)), Arithmetic("+", terms=2, steps="call")])
def test_aligned_is_for_two_numbers(task):
    with pytest.raises(UsageError, match="model: aligned reads two numbers and the operator between them"):
        make_codec(task, DataConfig(), ModelConfig(model="aligned"))
