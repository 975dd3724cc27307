import numpy as np
import pytest

from seq2seq import Arithmetic, DataConfig, ModelConfig, Text, TrainingConfig, UsageError
from seq2seq.config import TEXT_MODELS
from seq2seq.models import MODELS, make_codec, make_model
from seq2seq.models.by_hand import RnnByHand, from_fused
from seq2seq.mx import mx
from seq2seq.updating import Updater
from tests.models.symbols import draw, evaluate, gradients

S, N, V, H = 7, 4, 6, 5
ELMAN = ["rnn-add", "rnn-concat", "rnn", "rnn-sequence"]
activations = pytest.mark.parametrize("activation", ["tanh", "relu"])


def ids(length, seed=0):
    return np.random.default_rng(seed).integers(V, size=(length, N))


def make(kind, length=S, **options):
    steps = length if MODELS[kind].every_step else 1
    return MODELS[kind](ModelConfig(model=kind, hidden_size=H, **options), length, steps, V)


def source_and_target():
    return mx.sym.var("source"), mx.sym.var("target")


def by_hand(kind, weights):
    """These weights, or gradients, named as `RnnByHand` names its own."""
    if kind.startswith(("rnn-add", "char3")):
        first = {"i2h": "input", "h2h": "hidden"}
        recurrent = {f"{n}_{part}": weights[f"{own}_{part}"] for n, own in first.items() for part in ("weight", "bias")}
    elif kind == "rnn-concat":
        joined, bias = weights["joined_weight"], weights["joined_bias"]
        recurrent = {"i2h_weight": joined[:, :V], "h2h_weight": joined[:, V:], "i2h_bias": bias, "h2h_bias": 0 * bias}
    else:
        recurrent = from_fused(weights["rnn_parameters"], V, H)
    return {**recurrent, "output_weight": weights["output_weight"], "output_bias": weights["output_bias"]}


@activations
@pytest.mark.parametrize("kind", ELMAN)
def test_loops_and_fused_operators_are_the_network_by_hand(kind, activation):
    model, oracle = make(kind, activation=activation), RnnByHand(V, H, dtype=np.float64, activation=activation)
    source, target = ids(S), ids(model.target_length, 1)
    loss = model.loss(*source_and_target())
    weights = draw(loss, source=source.shape, target=target.shape)
    oracle.parameters = by_hand(kind, weights)
    expected, expected_gradients, _ = oracle.loss_and_gradients(source, target)
    assert evaluate(loss, weights, source=source, target=target)[0] == pytest.approx(N * expected, rel=1e-5)
    found = by_hand(kind, gradients(loss, weights, source=source, target=target))
    for name in set(found) - ({"h2h_bias"} if kind == "rnn-concat" else set()):
        np.testing.assert_allclose(found[name] / N, expected_gradients[name], atol=1e-5, err_msg=name)


@activations
def test_three_characters_without_a_loop(activation):
    model = make("char3", 3, activation=activation)
    symbol = model.log_probabilities(mx.sym.var("source"))
    weights, source = draw(symbol, source=(3, N)), ids(3)
    act = np.tanh if activation == "tanh" else lambda x: np.maximum(x, 0)
    first, second, third = (weights["input_weight"].T[each] + weights["input_bias"] for each in source)
    hidden = act(first)
    for read in (second, third):
        hidden = act(read + hidden @ weights["hidden_weight"].T + weights["hidden_bias"])
    logits = hidden @ weights["output_weight"].T + weights["output_bias"]
    expected = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(evaluate(symbol, weights, source=source)[0], expected, atol=1e-5)
    assert {name: array.shape for name, array in weights.items() if name.endswith("weight")} == {
        "input_weight": (H, V), "hidden_weight": (H, H), "output_weight": (V, H),
    }  # fmt: skip


@pytest.mark.parametrize("kind", TEXT_MODELS)
def test_an_embedding_is_what_a_one_hot_vector_picks(kind):
    """With the identity as the embedding, the numbers are those of one-hot vectors."""
    length = MODELS[kind].length
    plain, embedded = make(kind, length), make(kind, length, embedding=V)
    source = ids(length)
    symbols = [model.log_probabilities(mx.sym.var("source")) for model in (plain, embedded)]
    weights = draw(symbols[0], source=source.shape)
    expected = evaluate(symbols[0], weights, source=source)
    found = evaluate(symbols[1], {**weights, "embedding_weight": np.eye(V)}, source=source)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", TEXT_MODELS)
@pytest.mark.parametrize("embedding", [0, 3])
def test_embeddings_and_the_identity(kind, embedding):
    length = MODELS[kind].length
    firsts = []
    for identity in (False, True):
        model = make(kind, length, embedding=embedding, identity=identity)
        firsts.append(Updater(model, TrainingConfig(), 0, mx.cpu()).weights)
    changed = [name for name, array in firsts[0].items() if not (array == firsts[1][name]).all()]
    assert len(changed) == 1
    [vectors] = model.embeddings(firsts[1]).values()
    if embedding:
        np.testing.assert_array_equal(vectors, firsts[1]["embedding_weight"])
    else:
        hand = by_hand(kind, firsts[1])
        np.testing.assert_array_equal(vectors, hand["i2h_weight"].T)
        np.testing.assert_array_equal(hand["h2h_weight"], np.eye(H))
        np.testing.assert_array_equal(by_hand(kind, firsts[0])["i2h_weight"], hand["i2h_weight"])
    assert len(vectors) == V


def test_who_reads_a_text():
    text, data = Text(given="abc " * 30), DataConfig(split="position")
    for kind in TEXT_MODELS:
        codec = make_codec(text, data, ModelConfig(model=kind))
        length = 3 if kind == "char3" else 8
        assert (codec.source_length, codec.target_length) == (length, length if kind == "rnn-sequence" else 1)
        model = make_model(text, ModelConfig(model=kind), codec)
        assert isinstance(model, MODELS[kind]) and model.vocabulary_size == 5
    codec = make_codec(Text(given="abc", length=20), data, ModelConfig(model="rnn"))
    assert codec.source_length == 20
    for task, options, message in [
        (text, {"model": "attention"}, "model: attention answers sources, but a text is read by one of char3,"),
        (Text(given="abc", length=4), {"model": "char3"}, "length: got 4, but it must be 3 for char3"),
    ]:
        with pytest.raises(UsageError, match=message):
            make_codec(task, data, ModelConfig(**options))
    with pytest.raises(UsageError, match=r"model: char3 reads a text, which Arithmetic\(.*\) is not"):
        make_codec(Arithmetic(), DataConfig(), ModelConfig(model="char3"))
    with pytest.raises(UsageError, match="reverse_target: got True"):
        make_codec(text, DataConfig(reverse_target=True), ModelConfig(model="rnn"))
