import numpy as np
import pytest

from seq2seq import Arithmetic, DataConfig, ModelConfig, Text, TrainingConfig, UsageError
from seq2seq.config import TEXT_MODELS
from seq2seq.engine.network import variables
from seq2seq.engine.updater import Updater
from seq2seq.models import MODELS, make_codec, make_model
from seq2seq.models.by_hand import RnnByHand, from_fused
from seq2seq.mx import mx
from tests.models.symbols import bind, draw, evaluate, gradients, loss_of

S, N, V, H = 7, 4, 6, 5
ELMAN = ["rnn-add", "rnn-concat", "rnn", "rnn-sequence", "rnn-stateful", "rnn-scan"]
STACKED = ["lstm", "gru"]
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
    if kind in ("rnn-add", "rnn-scan", "char3"):
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
    loss = loss_of(model, N)
    weights = draw(loss, source=source.shape, target=target.shape)
    oracle.parameters = by_hand(kind, weights)
    expected, expected_gradients, _ = oracle.loss_and_gradients(source, target)
    assert evaluate(loss, weights, source=source, target=target)[0] == pytest.approx(target.size * expected, rel=1e-5)
    found = by_hand(kind, gradients(loss, weights, source=source, target=target))
    for name in set(found) - ({"h2h_bias"} if kind == "rnn-concat" else set()):
        np.testing.assert_allclose(found[name] / target.size, expected_gradients[name], atol=1e-5, err_msg=name)


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


@pytest.mark.parametrize("kind", ["char3", *ELMAN])
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


@pytest.mark.parametrize("kind", ["char3", *ELMAN])
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


@pytest.mark.parametrize("kind", STACKED)
def test_embeddings_of_what_has_gates(kind):
    gates = {"lstm": 4, "gru": 3}[kind]
    for embedding in (0, 3):
        model = make(kind, embedding=embedding, layers=2)
        weights = Updater(model, TrainingConfig(), 0, mx.cpu()).weights
        [vectors] = model.embeddings(weights).values()
        cell = mx.rnn.FusedRNNCell(H, 2, kind, prefix="rnn_")
        parts = cell.unpack_weights({"rnn_parameters": mx.nd.array(weights["rnn_parameters"])})
        named = [array.asnumpy() for name, array in parts.items() if "l0_i2h" in name and name.endswith("weight")]
        expected = weights["embedding_weight"] if embedding else np.vstack(named).T
        np.testing.assert_array_equal(vectors, expected)
        assert vectors.shape == (V, embedding or gates * H)
    with pytest.raises(UsageError, match=f"identity: got True, but it must be false for {kind}"):
        Updater(make(kind, identity=True), TrainingConfig(), 0, mx.cpu())


# Those that remember --------------------------------------------------------------------------------------------------


@activations
def test_what_is_remembered_is_what_is_remembered_by_hand(activation):
    model = make("rnn-stateful", activation=activation)
    oracle = RnnByHand(V, H, dtype=np.float64, activation=activation)
    source, target, hidden = ids(S), ids(S, 1), np.random.default_rng(2).uniform(-1, 1, (1, N, H))
    loss, after = model.loss(variables(model.inputs), variables(["hidden"]))
    both = mx.sym.Group([loss, *after.values()])
    given = {"source": source, "target": target, "hidden": hidden}
    weights = draw(both, **{name: array.shape for name, array in given.items()})
    oracle.parameters = by_hand("rnn", weights)
    expected, expected_gradients, [last] = oracle.loss_and_gradients(source, target, (hidden[0],))
    found, states = (array.asnumpy() for array in bind(both, weights, given).forward(is_train=False))
    assert found[0] == pytest.approx(target.size * expected, rel=1e-5)
    np.testing.assert_allclose(states[0], last, atol=1e-5)
    found_gradients = by_hand("rnn", gradients(both, weights, **given))
    for name, array in found_gradients.items():
        np.testing.assert_allclose(array / target.size, expected_gradients[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("kind", ["rnn-stateful", *STACKED])
@pytest.mark.parametrize("embedding", [0, 3])
def test_two_batches_that_follow_each_other_are_one_of_twice_the_length(kind, embedding):
    model = make(kind, 2 * S, embedding=embedding, layers=2)
    source = ids(2 * S)
    whole = model.log_probabilities(mx.sym.var("source"))
    weights = draw(whole, source=source.shape)
    expected = evaluate(whole, weights, source=source)
    shapes = model.state_shapes(N)
    states, found = {name: np.zeros(shape) for name, shape in shapes.items()}, []
    half, after = model.resized(S, S).read_on(mx.sym.var("source"), {name: mx.sym.var(name) for name in shapes})
    for part in np.split(source, 2):
        outputs = bind(mx.sym.Group([half, *after.values()]), weights, {"source": part, **states}).forward()
        found.append(outputs[0].asnumpy())
        states = {name: output.asnumpy() for name, output in zip(after, outputs[1:])}
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)
    assert {name: array.shape for name, array in states.items()} == shapes


def test_who_reads_a_text():
    text, data = Text(given="abc " * 30), DataConfig(split="position")
    for kind in TEXT_MODELS:
        codec = make_codec(text, data, ModelConfig(model=kind))
        length, last = (
            {"char3": 3, "lstm": 40, "gru": 40}.get(kind, 8),
            kind in ("char3", "rnn-add", "rnn-concat", "rnn"),
        )
        assert (codec.source_length, codec.target_length) == (length, 1 if last else length)
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
