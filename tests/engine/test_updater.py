import time

import numpy as np
import pytest

from seq2seq import ModelConfig, TrainingConfig, UsageError, workers
from seq2seq.applications.learning import make_sampler
from seq2seq.calls import Call
from seq2seq.dataset import Examples
from seq2seq.engine.flat import FlatParameters
from seq2seq.engine.samplers import Batch, Contiguous
from seq2seq.engine.updater import Updater
from seq2seq.models import MODELS, AttentionModel, LstmModel, RepeatModel, StatefulModel
from seq2seq.models.by_hand import RnnByHand, from_fused
from seq2seq.models.by_hand_updater import ByHandUpdater
from seq2seq.mx import mx
from seq2seq.vocabulary import Codec
from seq2seq.workers import _worker, workers_of

UPDATER = "seq2seq.engine.updater"
S, T, V = 5, 3, 7
MODEL = RepeatModel(ModelConfig(hidden_size=6, layers=2), S, T, V)
CODEC = Codec(" 123456", S, T, False)
RNG = np.random.default_rng(0)
EXAMPLES = Examples(RNG.integers(V, size=(50, S), dtype=np.uint8), RNG.integers(V, size=(50, T), dtype=np.uint8))


def learned(monkeypatch, number, first=0, rate=0.004, **options):
    """Weights, moments and mean loss after an epoch shared by so many workers."""
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: tuple(_worker(mx.cpu(i)) for i in range(number)))
    monkeypatch.setattr(f"{UPDATER}.WORTH_SHARING", 0)
    config = TrainingConfig(**{"batch_size": 7, "warmup_steps": 0, "epsilon": 1e-3, **options})
    updater = Updater(MODEL, config, 0, mx.cpu())
    plan = make_sampler(MODEL, CODEC, EXAMPLES, config).epoch(np.random.default_rng(1))[first:]
    updates = 0
    for updates, feed in enumerate(updater.feeds(EXAMPLES.arrays, plan), 1):
        assert len(feed.graphs) == min(number, feed.rows)
        updater.update(feed, updates, rate)
    assert updates == -(-50 // config.batch_size) - first
    return updater.weights, updater.moments, updater.loss_sum / sum(batch.terms for batch in plan)


@pytest.mark.parametrize(
    "options",
    [{}, {"clip_norm": 0.0}, {"clip_norm": 0.01}, {"optimizer": "sgd"}, {"batch_size": 50}, {"batch_size": 99}],
)
def test_workers_that_share_a_batch_do_what_one_does(monkeypatch, options):
    (one, one_moments, one_loss), (two, two_moments, two_loss) = (learned(monkeypatch, n, **options) for n in (1, 2))
    assert one_loss == pytest.approx(two_loss, rel=1e-5)
    assert one.keys() == two.keys() and one_moments.keys() == two_moments.keys()
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-4)
    for name in one_moments:
        np.testing.assert_allclose(one_moments[name], two_moments[name], atol=1e-4)


def test_a_batch_of_fewer_examples_than_workers(monkeypatch):
    """50 examples in batches of 7 leave one over."""
    (one, *_), (two, *_) = (learned(monkeypatch, n, first=6) for n in (1, 2))
    for name in one:
        np.testing.assert_allclose(one[name], two[name], atol=1e-5)


@pytest.mark.parametrize("number", [1, 2])
def test_blocks_do_not_show(monkeypatch, number):
    whole = learned(monkeypatch, number)
    monkeypatch.setattr("seq2seq.engine.feeds.BLOCK", 20)
    parts = learned(monkeypatch, number)
    assert whole[2] == parts[2] and all((whole[0][name] == parts[0][name]).all() for name in whole[0])


def test_short_sources_are_read_in_a_narrow_width():
    codec = Codec(" abcdef", 16, 4, reverse_target=False, pad_end=True)
    model = AttentionModel(ModelConfig(hidden_size=6, layers=1), 16, 4, V)
    sources = np.where(np.arange(16) < 9, 0, RNG.integers(1, V, size=(20, 16))).astype(np.uint8)
    targets = RNG.integers(1, V, size=(20, 4), dtype=np.uint8)
    losses = []
    for each, shown in [(model, sources), (model.resized(8, 4), sources[:, 8:])]:
        updater = Updater(each, TrainingConfig(batch_size=20), 0, mx.cpu())
        examples = Examples(shown, targets)
        plan = [Batch(np.arange(20), {"source": 8, "target": 4}, 80)]
        if each is model:
            plan = make_sampler(model, codec, examples, TrainingConfig(batch_size=20)).epoch(np.random.default_rng(0))
        [feed] = updater.feeds(examples.arrays, plan)
        updater.update(feed, 1, 0.004)
        losses.append(updater.loss_sum / feed.terms)
    assert losses[0] == pytest.approx(losses[1])


def test_every_worker_ends_with_the_same_weights(monkeypatch):
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: tuple(_worker(mx.cpu(i)) for i in range(2)))
    monkeypatch.setattr(f"{UPDATER}.WORTH_SHARING", 0)
    updater = Updater(MODEL, TrainingConfig(batch_size=10), 0, mx.cpu())
    before = updater.weights
    plan = make_sampler(MODEL, CODEC, EXAMPLES, TrainingConfig(batch_size=10)).epoch(RNG)
    for update, feed in enumerate(updater.feeds(EXAMPLES.arrays, plan), 1):
        updater.update(feed, update, 0.004)
    first, second = (replica.weights.asnumpy() for replica in updater._replicas)
    assert (first == second).all() and not (updater.weights["output_weight"] == before["output_weight"]).all()


def test_small_batches_are_not_shared(monkeypatch):
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: tuple(_worker(mx.cpu(i)) for i in range(2)))
    replicas = [len(Updater(MODEL, TrainingConfig(batch_size=n), 0, mx.cpu())._replicas) for n in (2, 100_000)]
    assert replicas == [1, 2]


def test_parameters_are_parts_of_one_vector():
    flat = FlatParameters({"a": (2, 3), "b": (20,), "c": (1,)})
    arrays = {"a": RNG.normal(size=(2, 3)), "b": RNG.normal(size=20), "c": np.array([5.0])}
    vector = flat.join(arrays)
    assert vector.shape == (flat.size,) and vector.dtype == np.float32
    for name, view in flat.split(vector).items():
        np.testing.assert_allclose(view, arrays[name], rtol=1e-6)
        np.testing.assert_array_equal(flat.split(mx.nd.array(vector))[name].asnumpy(), view)
    for count in (1, 2, 3, 5):
        covered = np.concatenate([vector[section] for section in flat.sections(count)])
        assert (covered == vector).all() and len(flat.sections(count)) == count
        assert all(section.start % 16 == 0 for section in flat.sections(count))
    flat.split(vector)["b"][:] = 7
    assert (vector == 7).sum() == 20


def test_a_call_reads_its_arrays_and_parameters_anew():
    given, out = mx.nd.array([1, 2]), mx.nd.zeros(2)
    double = Call("_mul_scalar", [given], out, scalar=2)
    double()
    assert out.asnumpy().tolist() == [2, 4]
    given[:] = 5
    double(scalar=0.5)
    assert out.asnumpy().tolist() == [2.5, 2.5]
    with pytest.raises(mx.base.MXNetError, match="expected \\[2\\], got \\[3\\]"):
        Call("add_n", [given, mx.nd.zeros(3)], out, num_args=2)()


# Workers --------------------------------------------------------------------------------------------------------------


def test_a_cpu_has_two_workers_unless_it_was_told_how_many_threads_to_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers, "_cores", lambda: 4)
    assert [worker.device for worker in workers_of(mx.cpu())] == [mx.cpu(0), mx.cpu(1)]
    assert workers_of(mx.cpu()) == workers_of(mx.cpu())  # the same ones
    assert [worker.device for worker in workers_of(mx.gpu(3))] == [mx.gpu(3)]
    monkeypatch.setattr(workers, "_cores", lambda: 1)
    assert [worker.device for worker in workers_of(mx.cpu())] == [mx.cpu(0)]
    monkeypatch.setattr(workers, "_cores", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert [worker.device for worker in workers_of(mx.cpu())] == [mx.cpu(0)]


def test_workers_do_not_wait_for_each_other():
    """Bound by one thread, a recurrent graph waits for every other such graph."""
    symbol = MODEL.logits(mx.sym.var("source"))
    shapes = dict(zip(symbol.list_arguments(), symbol.infer_shape(source=(S, 4096))[0]))
    executors = []
    for worker in (_worker(mx.cpu(0)), _worker(mx.cpu(1))):
        arrays = {name: mx.nd.zeros(shape, worker.device) for name, shape in shapes.items()}
        executors.append(worker.bind(symbol, {"source": arrays.pop("source")}, arrays))
        executors[-1].forward()
    mx.nd.waitall()
    started = time.perf_counter()
    for _ in range(100):
        executors[0].forward()
    executors[1].forward()
    executors[1].outputs[0].wait_to_read()
    second = time.perf_counter() - started
    mx.nd.waitall()
    assert second < 0.5 * (time.perf_counter() - started)


# States ---------------------------------------------------------------------------------------------------------------

LETTERS = np.random.default_rng(3).integers(V, size=20 * S + 1).astype(np.uint8)
TEXT = Examples(LETTERS[:-1].reshape(20, S), LETTERS[1:].reshape(20, S))
READER = StatefulModel(ModelConfig(hidden_size=6), S, S, V)
STREAMS = Contiguous(READER, TEXT.arrays, 5).epoch(RNG)


@pytest.mark.parametrize("number", [1, 2])
def test_states_go_from_batch_to_batch_as_by_hand(monkeypatch, number):
    """Truncated back-propagation through time, by plain gradient descent, against NumPy; 5 streams are not even."""
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: tuple(_worker(mx.cpu(i)) for i in range(number)))
    monkeypatch.setattr(f"{UPDATER}.WORTH_SHARING", 0)
    config = TrainingConfig(batch_size=5, optimizer="sgd", momentum=0.0, clip_norm=0)
    updater = Updater(StatefulModel(ModelConfig(hidden_size=6), S, S, V), config, 0, mx.cpu())
    first = updater.weights
    oracle = RnnByHand(V, 6)
    oracle.parameters = {**from_fused(first["rnn_parameters"], V, 6), **{
        name: first[name] for name in ("output_weight", "output_bias")
    }}  # fmt: skip
    update = 0
    for _ in range(2):
        updater.set_states()
        state = None
        for batch, (rows, *_) in zip(updater.feeds(TEXT.arrays, STREAMS), STREAMS):
            update += 1
            updater.update(batch, update, 0.5)
            _, found, state = oracle.loss_and_gradients(TEXT.sources[rows].T, TEXT.targets[rows].T, state)
            oracle.update(found, 0.5)
        np.testing.assert_allclose(updater.states["hidden"][0], state[0], atol=1e-4)
    after = from_fused(updater.weights["rnn_parameters"], V, 6)
    for name in after:
        np.testing.assert_allclose(after[name], oracle.parameters[name], atol=1e-4)
    assert abs(after["h2h_weight"] - from_fused(first["rnn_parameters"], V, 6)["h2h_weight"]).max() > 0.01


@pytest.mark.parametrize("number", [1, 2])
def test_states_can_be_set(monkeypatch, number):
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: tuple(_worker(mx.cpu(i)) for i in range(number)))
    monkeypatch.setattr(f"{UPDATER}.WORTH_SHARING", 0)
    updater = Updater(LstmModel(ModelConfig(hidden_size=6), S, S, V), TrainingConfig(batch_size=5), 0, mx.cpu())
    given = {name: RNG.normal(size=(2, 5, 6)).astype(np.float32) for name in ("hidden", "cell")}
    updater.set_states(given)
    assert all((updater.states[name] == given[name]).all() for name in given)
    updater.set_states()
    assert not any(array.any() for array in updater.states.values())
    assert Updater(MODEL, TrainingConfig(), 0, mx.cpu()).states == {}


@pytest.mark.parametrize("kind", ["rnn-numpy", "lstm-numpy"])
@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_an_epoch_by_hand_is_an_epoch_of_the_fused_graph(kind, clip):
    """Losses, states and weights of 5 streams whose states are carried, by Adam."""
    config = TrainingConfig(batch_size=5, epsilon=1e-3, clip_norm=clip)
    model = MODELS[kind](ModelConfig(model=kind, hidden_size=6), S, S, V)
    each = [model.updater(config, 0, mx.cpu()), Updater(model, config, 1, mx.cpu())]
    assert isinstance(each[0], ByHandUpdater)
    each[1].set_weights(each[0].weights)
    for updater in each:
        for update, batch in enumerate(updater.feeds(TEXT.arrays, STREAMS), 1):
            updater.update(batch, update, 0.01)
    assert each[0].loss_sum == pytest.approx(each[1].loss_sum, rel=1e-5)
    for found, expected in ((each[0].weights, each[1].weights), (each[0].states, each[1].states)):
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("kind", ["rnn-numpy", "lstm-numpy"])
def test_what_is_learned_by_hand_goes_on_where_it_was_saved(kind):
    model = MODELS[kind](ModelConfig(model=kind, hidden_size=6), S, S, V)
    straight, first, second = (model.updater(TrainingConfig(batch_size=5), seed, mx.cpu()) for seed in (0, 0, 1))

    def learn(updater, begin, end):
        for update, batch in enumerate(updater.feeds(TEXT.arrays, STREAMS[begin:end]), begin + 1):
            updater.update(batch, update, 0.01)

    learn(straight, 0, 4)
    learn(first, 0, 2)
    given = first.weights
    kept = {name: array.copy() for name, array in given.items()}
    second.set_weights(given)
    second.set_moments({name: array.copy() for name, array in first.moments.items()})
    second.set_states({name: array.copy() for name, array in first.states.items()})
    learn(first, 2, 4)
    learn(second, 2, 4)
    assert all((given[name] == kept[name]).all() for name in kept)  # neither moves what it gave or was given
    for name, array in straight.weights.items():
        assert (array == second.weights[name]).all() and (array == first.weights[name]).all()


def test_what_cannot_be_learned_by_hand():
    for options in ({"embedding": 3}, {"dropout": 0.5}):
        model = MODELS["rnn-numpy"](ModelConfig(model="rnn-numpy", hidden_size=6, **options), S, S, V)
        with pytest.raises(UsageError, match=f"{next(iter(options))}: .*must be 0 for rnn-numpy"):
            model.updater(TrainingConfig(), 0, mx.cpu())
    model = MODELS["lstm-numpy"](ModelConfig(model="lstm-numpy", hidden_size=6, identity=True), S, S, V)
    with pytest.raises(UsageError, match=r"identity: .*false for lstm-numpy"):
        model.updater(TrainingConfig(), 0, mx.cpu())
    with pytest.raises(UsageError, match=r"optimizer: .*adam for lstm-numpy"):
        model.updater(TrainingConfig(optimizer="sgd"), 0, mx.cpu())
    with pytest.raises(UsageError, match=r"weight_decay: .*0 for lstm-numpy"):
        model.updater(TrainingConfig(weight_decay=0.1), 0, mx.cpu())
