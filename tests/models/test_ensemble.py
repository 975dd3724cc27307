import numpy as np
import pytest

from seq2seq import UsageError
from seq2seq.config import ModelConfig
from seq2seq.decoding import make_predictor
from seq2seq.models import AttentionModel, RepeatModel, TransducerModel
from seq2seq.models.ensemble import ensemble_of, joined
from seq2seq.mx import mx
from tests.decoding.test_search import PAD, S, T, V, all_answers
from tests.models.symbols import draw, loss_of

CASES = {
    "attention": [
        (AttentionModel, {"hidden_size": 5, "layers": 2}),
        (AttentionModel, {"hidden_size": 7, "layers": 1, "position_bias": True, "cell": "rnn"}),
        (AttentionModel, {"hidden_size": 2, "layers": 1, "bidirectional": False}),
    ],
    "parallel": [
        (RepeatModel, {"hidden_size": 5, "layers": 1}),
        (TransducerModel, {"hidden_size": 3, "layers": 2}),
        (TransducerModel, {"hidden_size": 1, "cell": "rnn", "bidirectional": False}),  # which looks characters up
    ],
}


def members(case):
    """The networks of a case with weights that are larger than in a fresh network."""
    length = S if case == "attention" else T
    models = [model(ModelConfig(**options), length, T, V, PAD) for model, options in CASES[case]]
    weights = []
    for seed, model in enumerate(models):
        drawn = draw(loss_of(model), seed, source=(length, 1), target=(T, 1))
        weights.append({name: 2 * array for name, array in drawn.items()})
    return models, weights


def log_probabilities(model, weights, sources, targets):
    """Of each character of the vocabulary at each step, given these targets, shape (N, T, V)."""
    symbol = model.log_probabilities(mx.sym.var("source"), mx.sym.var("target"))
    arrays = {"source": sources.T, "target": targets.T, **weights}
    held = {name: mx.nd.array(arrays[name]) for name in symbol.list_arguments()}
    return symbol.bind(mx.cpu(), held).forward()[0].asnumpy().transpose(1, 0, 2)


def averaged(models, weights, sources, targets):
    """The same of the ensemble, in NumPy."""
    mean = np.mean([log_probabilities(*each, sources, targets) for each in zip(models, weights)], axis=0)
    return mean - np.log(np.exp(mean).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("case", CASES)
def test_it_predicts_the_geometric_mean_of_the_probabilities(case):
    models, weights = members(case)
    rng = np.random.default_rng(0)
    sources = rng.integers(V, size=(6, models[0].source_length))
    targets = rng.integers(V, size=(6, T))
    found = log_probabilities(ensemble_of(models), joined(weights), sources, targets)
    np.testing.assert_allclose(found, averaged(models, weights, sources, targets), atol=1e-5)


def test_all_characters_at_once_are_the_most_probable_of_the_average():
    models, weights = members("parallel")
    sources = np.random.default_rng(1).integers(1, V, size=(9, T))
    answers = make_predictor(ensemble_of(models), 4, mx.cpu(), joined(weights)).answer(sources, sources)
    mean = averaged(models, weights, sources, sources)
    written = models[0].learned(sources, mean.argmax(axis=2))
    assert (answers.ids == np.where(written, mean.argmax(axis=2), PAD)).all()
    np.testing.assert_allclose(answers.confidence, np.exp((mean.max(axis=2) * written).sum(axis=1)), rtol=1e-4)


@pytest.mark.parametrize("beam", [1, V * V])
def test_a_search_chooses_each_character_from_the_average(beam):
    models, weights = members("attention")
    sources = np.random.default_rng(2).integers(V, size=(5, S))
    predictor = make_predictor(ensemble_of(models).resized(S, T), 2, mx.cpu(), joined(weights), beam)
    best = predictor.search(sources)
    for source, ids, score in zip(sources, best.ids[:, 0], best.scores[:, 0]):
        answers = all_answers()
        mean = averaged(models, weights, np.repeat(source[None], len(answers), axis=0), answers)
        picked = np.take_along_axis(mean, answers[:, :, None], axis=2)[:, :, 0]
        picked[:, 1:] *= answers[:, :-1] != PAD
        scores = picked.sum(axis=1)
        [row] = np.flatnonzero((answers == ids).all(axis=1))
        assert score == pytest.approx(scores[row], abs=1e-4)
        assert beam == 1 or scores[row] == scores.max()
    scored = predictor.answer(sources, best.ids[:, 0])
    np.testing.assert_allclose(scored.nats, -best.scores[:, 0], atol=1e-4)


def test_networks_that_write_in_different_ways_are_refused():
    models = [RepeatModel(ModelConfig(), S, T, V, PAD), AttentionModel(ModelConfig(), S, T, V, PAD)]
    with pytest.raises(UsageError, match="some of its models write one character at a time, and others all at once"):
        ensemble_of(models)
