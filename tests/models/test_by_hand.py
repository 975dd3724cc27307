import numpy as np
import pytest

from seq2seq import TrainingConfig, UsageError
from seq2seq.config import ModelConfig
from seq2seq.engine.optimizers import Adam
from seq2seq.models import TransducerModel
from seq2seq.models.by_hand import AdamByHand, LstmByHand, RnnByHand, from_fused, to_fused
from seq2seq.mx import mx
from tests.models.symbols import bind, draw, evaluate, gradients, loss_of

S, N, V, H = 7, 3, 6, 5

KINDS = {
    "rnn_tanh": lambda **options: RnnByHand(V, H, **options),
    "rnn_relu": lambda **options: RnnByHand(V, H, activation="relu", **options),
    "lstm": lambda **options: LstmByHand(V, H, **options),
}
kinds = pytest.mark.parametrize("mode", KINDS)
targets = pytest.mark.parametrize("length", [S, 1])


def ids(length, seed=0):
    return np.random.default_rng(seed).integers(V, size=(length, N))


def random_state(model):
    rng = np.random.default_rng(2)
    return tuple(rng.uniform(-1, 1, (N, H)) for _ in range(model.states))


def with_weights(model, name, weights):
    """A model with the weights of a fused layer of this name, and of the dense layer behind it."""
    fused = from_fused(weights[f"{name}_parameters"], V, H)
    model.parameters = {**fused, **{part: weights[part].copy() for part in ("output_weight", "output_bias")}}
    return model


def assert_gradients_agree(by_hand, fused, name, characters=1):
    expected = {f"{name}_parameters": to_fused(by_hand), **by_hand}
    for part, gradient in fused.items():
        np.testing.assert_allclose(gradient / characters, expected[part], atol=1e-5, err_msg=part)


@kinds
@targets
def test_gradients_agree_with_finite_differences(mode, length):
    model = KINDS[mode](seed=1, dtype=np.float64)
    rng, state = np.random.default_rng(3), random_state(model)
    for name in ("i2h_bias", "h2h_bias", "output_bias"):
        model.parameters[name] += rng.normal(size=model.parameters[name].shape)
    loss, found, _ = model.loss_and_gradients(ids(S), ids(length, 1), state)
    assert loss == model.loss(ids(S), ids(length, 1), state)[0]
    assert found.keys() == model.parameters.keys()
    for name, values in model.parameters.items():
        expected, step = np.empty_like(values), 1e-5
        for place in np.ndindex(values.shape):
            kept = values[place]
            values[place] = kept + step
            above, _ = model.loss(ids(S), ids(length, 1), state)
            values[place] = kept - step
            below, _ = model.loss(ids(S), ids(length, 1), state)
            values[place], expected[place] = kept, (above - below) / (2 * step)
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, atol=1e-9, err_msg=name)


@kinds
@targets
def test_the_fused_operator_gives_the_same_numbers_from_the_same_weights(mode, length):
    sym, model = mx.sym, KINDS[mode](dtype=np.float64)
    names = ["hidden", "cell"][: model.states]
    states = {name: state[None] for name, state in zip(names, random_state(model))}
    layer = sym.RNN(
        sym.one_hot(sym.var("source"), depth=V), sym.var("layer_parameters"), *map(sym.var, names),
        mode=mode, state_size=H, num_layers=1, state_outputs=True,
    )  # fmt: skip
    predicting = sym.slice_axis(layer[0], axis=0, begin=S - length, end=None)
    logits = sym.FullyConnected(predicting, num_hidden=V, flatten=False, name="output")
    picked = sym.pick(sym.log_softmax(logits), sym.var("target"))
    loss = sym.make_loss(sym.mean(sym.negative(picked)))
    inputs = {"source": ids(S), "target": ids(length, 1), **states}
    weights = draw(loss, **{name: array.shape for name, array in inputs.items()})
    with_weights(model, "layer", weights)

    found, by_hand, last = model.loss_and_gradients(inputs["source"], inputs["target"], random_state(model))
    values = bind(sym.Group([loss, *list(layer)[1:]]), weights, inputs).forward(is_train=False)
    assert found == pytest.approx(values[0].asscalar(), abs=1e-5)
    for state, expected in zip(last, values[1:]):
        np.testing.assert_allclose(state, expected.asnumpy()[0], atol=1e-5)
    assert_gradients_agree(by_hand, gradients(loss, weights, **inputs), "layer")


@pytest.mark.parametrize("cell, kind", [("rnn", RnnByHand), ("lstm", LstmByHand)])
def test_the_transducer_gives_the_same_numbers_from_the_same_weights(cell, kind):
    config = ModelConfig(model="transducer", cell=cell, hidden_size=H, layers=1, bidirectional=False)
    transducer = TransducerModel(config, S, S, V, pad=-1)  # none of the ids is padding: all are learned
    source = mx.sym.var("source")
    loss, inputs = loss_of(transducer), {"source": ids(S), "target": ids(S, 1)}
    weights = draw(loss, source=(S, N), target=(S, N))
    model = with_weights(kind(V, H, dtype=np.float64), "transducer", weights)

    expected = evaluate(transducer.log_probabilities(source), weights, source=ids(S))
    np.testing.assert_allclose(np.log(model.probabilities(ids(S))[0]), expected, atol=1e-5)
    found, by_hand, _ = model.loss_and_gradients(inputs["source"], inputs["target"])
    assert found == pytest.approx(evaluate(loss, weights, **inputs)[0] / (S * N), abs=1e-5)  # that loss is a sum
    assert_gradients_agree(by_hand, gradients(loss, weights, **inputs), "transducer", S * N)


@kinds
def test_the_fused_vector_and_back(mode):
    model = KINDS[mode]()
    vector = to_fused(model.parameters)
    again = from_fused(vector, V, H)
    assert again.keys() | {"output_weight", "output_bias"} == model.parameters.keys()
    for name, array in again.items():
        np.testing.assert_array_equal(array, model.parameters[name])
        assert not np.shares_memory(array, vector)


@kinds
def test_two_halves_with_the_state_between_them_are_one_whole(mode):
    model = KINDS[mode](dtype=np.float64)
    source, target, half = ids(S), ids(S, 1), 3
    whole, last = model.probabilities(source)
    first, state = model.probabilities(source[:half])
    second, end = model.probabilities(source[half:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole)
    np.testing.assert_allclose(end, last)
    losses = [model.loss(source[:half], target[:half])[0], model.loss(source[half:], target[half:], state)[0]]
    assert np.average(losses, weights=[half, S - half]) == pytest.approx(model.loss(source, target)[0])


@kinds
@pytest.mark.parametrize("adam", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_learns_a_small_text(mode, adam, dtype):
    text = np.tile([0, 1, 2, 0, 1, 3, 4, 5], 2 * N)  # what follows a 1 depends on what came before the 0
    lines = text.reshape(N, -1).T
    model = KINDS[mode](dtype=dtype)
    learner, rate = (AdamByHand(model.parameters), 0.03) if adam else (model, 0.1)
    losses = []
    for _ in range(200):
        loss, by_hand, _ = model.loss_and_gradients(lines[:-1], lines[1:])
        losses.append(loss)
        learner.update(by_hand, rate)
    assert losses[0] == pytest.approx(np.log(V), abs=0.5)
    assert losses[-1] < (0.1 if adam else 0.8 * losses[0])  # 0.18: all that the character before tells
    assert {array.dtype for array in model.parameters.values()} == {np.dtype(dtype)}
    assert model.probabilities(lines)[0].dtype == dtype


def test_the_updates_are_those_of_the_formulas():
    model, rng = RnnByHand(V, H, dtype=np.float64), np.random.default_rng(0)
    before = to_fused(model.parameters)
    given = [{name: rng.normal(size=array.shape) for name, array in model.parameters.items()} for _ in range(3)]
    model.update(given[0], 0.1)
    np.testing.assert_allclose(to_fused(model.parameters), before - 0.1 * to_fused(given[0]))

    by_hand, weights = AdamByHand(model.parameters), mx.nd.array(to_fused(model.parameters))
    gradient = mx.nd.zeros_like(weights)
    theirs = Adam(weights, gradient, TrainingConfig())
    for update, each in enumerate(given, 1):
        gradient[:] = to_fused(each)
        theirs.update(0.1, update, 1.0)
        by_hand.update(each, 0.1)
    np.testing.assert_allclose(to_fused(model.parameters), weights.asnumpy(), atol=1e-5)


@pytest.mark.parametrize("cell, kind", [("rnn", RnnByHand), ("lstm", LstmByHand)])
def test_it_begins_as_the_transducer_does(cell, kind):
    config = ModelConfig(model="transducer", cell=cell, hidden_size=50, layers=1, bidirectional=False)
    module = mx.mod.Module(TransducerModel(config, 2, 2, 80).logits(mx.sym.var("source")), ["source"], None)
    module.bind([("source", (2, 1))])
    module.init_params(mx.init.Xavier())
    weights = {name: array.asnumpy() for name, array in module.get_params()[0].items()}
    expected = {**from_fused(weights["transducer_parameters"], 80, 50), **weights}
    for name, array in kind(80, 50, seed=5).parameters.items():
        if name.endswith("bias"):
            np.testing.assert_array_equal(array, expected[name])
        else:  # uniform, up to a limit
            assert abs(array).max() == pytest.approx(abs(expected[name]).max(), rel=0.01)
            assert array.std() == pytest.approx(expected[name].std(), rel=0.05)


def test_the_seed_decides_the_first_weights():
    first, again, other = (to_fused(LstmByHand(V, H, seed=seed).parameters) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: RnnByHand(0, H), "vocabulary_size: got 0, but it must be a whole number from 1"),
        (lambda: LstmByHand(V, 2.5), "hidden_size: got 2.5, but it must be a whole number from 1"),
        (lambda: RnnByHand(V, H, activation="cubic"), "activation: got 'cubic', but it must be tanh or relu"),
        (lambda: from_fused(np.zeros(66), V, H), "length of vector: got 66, but it must be 65 for each gate"),
        (lambda: RnnByHand(V, H, dtype=int), r"dtype: got .*int.*, but it must be np.float32 or np.float64"),
        (lambda: LstmByHand(V, H).probabilities([1, 2]), r"shape of source_ids: got \(2,\), but it must be \(steps, N"),
        (
            lambda: RnnByHand(V, H).probabilities([[V]]),
            r"source_ids: got \[6\], but it must be whole numbers from 0 to 5",
        ),
        (lambda: RnnByHand(V, H).loss(ids(S), [[0.5] * N]), r"target_ids: got \[0.5\], but it must be whole numbers"),
        (
            lambda: RnnByHand(V, H).loss(ids(3), ids(4)),
            r"shape of target_ids: got \(4, 3\), .* be \(T, 3\), T at most 3",
        ),
        (
            lambda: LstmByHand(V, H).probabilities(ids(3), (np.zeros((2, H)),)),
            r"shapes of state: got \[\(2, 5\)\], but it must be \[\(3, 5\), \(3, 5\)\]",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(UsageError, match=message):
        call()
