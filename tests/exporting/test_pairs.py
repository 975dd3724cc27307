"""Graphs of the models of pairs give the answers of MXNet, with random weights."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from seq2seq import Arithmetic, DataConfig, ModelConfig, Reverse
from seq2seq.decoding import make_predictor
from seq2seq.decoding.onnx import OnnxPredictor
from seq2seq.exporting.answering import graphs_of_pairs
from seq2seq.models import make_codec, make_model
from seq2seq.mx import mx
from tests.models.symbols import draw, loss_of

MIRRORED = Reverse(length=(1, 20))  # its rule holds at any length
WORKED = Arithmetic("+", terms=(2, 5), operands=(0, 99), steps="answer")
IN_PLACE = Arithmetic("+*", terms=3, operands=(0, 9), steps="call")
NOISE = 5e-5  # random weights this large amplify rounding at every step; a trained run has less


def made(task, model, reverse=False, **options):
    """The codec of a task and the network, with weights larger than in a fresh network."""
    config = ModelConfig(model=model, hidden_size=7, **options)
    codec = make_codec(task, DataConfig(reverse_target=reverse), config)
    network = make_model(task, config, codec)
    shapes = {"source": (network.source_length, 1), "target": (network.target_length, 1)}
    drawn = draw(loss_of(network), seed=1, **shapes)
    return codec, network, {name: np.float32(2 * array) for name, array in drawn.items()}


def session(graph):
    return onnxruntime.InferenceSession(graph.model({}), providers=["CPUExecutionProvider"])


def by_mxnet(task, codec, network, weights, source):
    fitting = codec.fitting(source)
    model = make_model(task, network.config, fitting)
    answers = make_predictor(model, 1, mx.cpu(), weights).answer(fitting.encode_sources([source]))
    return codec.decode_targets(answers.ids)[0], answers.confidence[0]


def by_onnx(codec, answering, source):
    ids = codec.vocabulary.encode([source], len(source)).astype(np.int64)
    ids, score = answering.run(["ids", "score"], {"source": ids})
    return codec.decode_targets(ids)[0], np.exp(score[0])


def random_strings(codec, lengths):
    rng = np.random.default_rng(0)
    return ["".join(rng.choice([*codec.characters.strip()], length)) for length in lengths]


def require_same(task, codec, network, weights, sources):
    answering = session(graphs_of_pairs(network, codec, weights)["model"])
    seen = set()
    for source in sources:
        expected, confidence = by_mxnet(task, codec, network, weights, source)
        found, probability = by_onnx(codec, answering, source)
        assert (found, probability) == (expected, pytest.approx(confidence, abs=NOISE)), source
        seen.add(found)
    assert len(seen) > 1


@pytest.mark.parametrize("options", [
    {"layers": 1}, {"layers": 2, "position_bias": True}, {"layers": 2, "bidirectional": False}, {"cell": "rnn"},
    {"cell": "rnn", "layers": 1, "bidirectional": False, "position_bias": True}, {"layers": 1, "reverse": True},
])  # fmt: skip
@pytest.mark.parametrize("task, longest", [(WORKED, 14), (MIRRORED, 40)])
def test_attention(task, longest, options):
    made_ = made(task, "attention", **options)
    require_same(task, *made_, random_strings(made_[0], range(1, longest + 1)))


@pytest.mark.parametrize("options", [
    {"layers": 1}, {"layers": 2, "bidirectional": False}, {"cell": "rnn"}, {"cell": "rnn", "layers": 1},
    {"layers": 1, "reverse": True},
])  # fmt: skip
@pytest.mark.parametrize("model, task, longest", [
    ("repeat", MIRRORED, 20), ("repeat", IN_PLACE, 5), ("transducer", MIRRORED, 40), ("transducer", IN_PLACE, 30),
])  # fmt: skip
def test_models_that_write_all_characters_at_once(model, task, longest, options):
    if model == "transducer" and task.stepwise:
        options = {**options, "reverse": False}
    made_ = made(task, model, **options)
    require_same(task, *made_, random_strings(made_[0], range(1, longest + 1)))


@pytest.mark.parametrize("options", [{"layers": 1}, {"layers": 2, "bidirectional": False}, {"cell": "rnn"}])
@pytest.mark.parametrize("operators", ["+-", "+*"])
def test_aligned(operators, options):
    task = Arithmetic(operators, terms=2, operands=(0, 999))
    codec, network, weights = made(task, "aligned", **options)
    rng = np.random.default_rng(0)
    numbers = [10 ** rng.uniform(0, 12, 2) for _ in range(40)]
    sources = [f"{int(a)}{rng.choice([*operators])}{int(b)}" for a, b in numbers]
    require_same(task, codec, network, weights, sources)


def test_a_batch_is_padded_on_the_left():
    codec, network, weights = made(WORKED, "attention", position_bias=True)
    answering = session(graphs_of_pairs(network, codec, weights)["model"])
    sources = random_strings(codec, [9, 10])  # of one width
    together = answering.run(["ids"], {"source": codec.vocabulary.encode(sources, 10).astype(np.int64)})[0]
    assert codec.decode_targets(together) == [by_onnx(codec, answering, source)[0] for source in sources]


def test_a_source_that_is_too_long_has_no_answer():
    codec, network, weights = made(WORKED, "attention")
    answering = session(graphs_of_pairs(network, codec, weights)["model"])
    with pytest.raises(Exception, match="out of data bounds"):
        by_onnx(codec, answering, random_strings(codec, [15])[0])


def test_parts_of_a_search_are_the_steps_of_the_answer():
    codec, network, weights = made(MIRRORED, "attention", position_bias=True, layers=2)
    graphs = graphs_of_pairs(network, codec, weights)
    [source] = random_strings(codec, [9])
    ids = codec.vocabulary.encode([source], len(source)).astype(np.int64)
    expected = session(graphs["model"]).run(None, {"source": ids})[0][0]
    encoder, decoder = session(graphs["encoder"]), session(graphs["decoder"])
    values = dict(zip((each.name for each in encoder.get_outputs()), encoder.run(None, {"source": ids})))
    [length] = values.pop("target_length")
    previous = np.array([len(codec.characters)])
    written = []
    for _ in range(length):
        names = [each.name for each in decoder.get_outputs()]
        found = dict(zip(names, decoder.run(None, {"previous": previous, **values})))
        previous = found["log_probabilities"].argmax(axis=1)
        written.append(int(previous[0]))
        values.update({name: found[f"{name}_after"] for name in network.state_names})
        if previous[0] == codec.vocabulary.pad:
            break
    assert written == expected.tolist()


@pytest.mark.parametrize("options", [
    {"layers": 1, "position_bias": True}, {"layers": 2, "bidirectional": False}, {"cell": "rnn", "layers": 1},
])  # fmt: skip
def test_a_beam_search_is_that_of_mxnet(options):
    """The same answers in the same order, to 200 sources of one to 15 characters."""
    codec, network, weights = made(MIRRORED, "attention", **options)
    if network.config.cell == "rnn":  # rounding would change the order of answers that are almost as good
        weights = {name: array / 2 for name, array in weights.items()}
    graphs = SimpleNamespace(searches=True, beam=session(graphs_of_pairs(network, codec, weights)["beam"]))
    sources = random_strings(codec, np.random.default_rng(0).integers(1, 16, 200))
    fitting = {source: codec.fitting(source) for source in sources}
    for narrow in {*fitting.values()}:
        model = make_model(MIRRORED, network.config, narrow)
        ids = narrow.encode_sources([source for source in sources if fitting[source] == narrow])
        expected = make_predictor(model, 50, mx.cpu(), weights, beam=5).search(ids)
        found = OnnxPredictor(graphs, model, narrow, 30, beam=5).search(ids)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-4)
    assert len(np.unique(found.ids.reshape(-1, found.ids.shape[2]), axis=0)) > len(ids)


@pytest.mark.parametrize("beam", [1, 2, 8])
def test_a_beam_of_any_width(beam):
    codec, network, weights = made(WORKED, "attention")
    graphs = graphs_of_pairs(network, codec, weights)
    ids = codec.vocabulary.encode(random_strings(codec, [9] * 20), 9).astype(np.int64)
    found, scores = session(graphs["beam"]).run(["ids", "score"], {"source": ids, "beam": np.array([beam])})
    assert found.shape[:2] == scores.shape == (20, beam)
    assert (np.diff(scores, axis=1) <= 0).all()
    greedy, score = session(graphs["model"]).run(["ids", "score"], {"source": ids})
    if beam == 1:
        np.testing.assert_array_equal(found[:, 0], greedy)
        np.testing.assert_allclose(scores[:, 0], score, rtol=1e-5)
    else:
        assert scores[:, 0].mean() > score.mean()


@pytest.mark.parametrize("model, task", [
    ("repeat", MIRRORED), ("transducer", IN_PLACE), ("aligned", Arithmetic("+", terms=2, operands=(0, 999))),
])  # fmt: skip
def test_models_that_write_all_characters_at_once_have_no_search(model, task):
    codec, network, weights = made(task, model)
    assert [*graphs_of_pairs(network, codec, weights)] == ["model"]
    assert not make_predictor(network, 1, mx.cpu(), weights).searches
