from itertools import product

import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.decoding import SearchPredictor
from seq2seq.engine import test_module
from seq2seq.models import AttentionModel
from seq2seq.mx import mx
from seq2seq.workers import _worker
from tests import reference
from tests.models.symbols import draw, loss_of

S, T, V, PAD = 4, 3, 4, 2
CONFIG = ModelConfig(model="attention", hidden_size=5, layers=2)
MODEL = AttentionModel(CONFIG, S, T, V, PAD)
LOSS = loss_of(MODEL)


def weights_of(seed):
    """Larger than in a fresh model, so that answers differ from source to source."""
    return {name: 2 * array for name, array in draw(LOSS, seed, source=(S, 1), target=(T, 1)).items()}


@pytest.fixture(params=[1, 2])
def workers(request, monkeypatch):
    monkeypatch.setattr(test_module, "workers_of", lambda device: [_worker(mx.cpu(i)) for i in range(request.param)])


def forced(weights, sources, targets):
    """Log-probabilities (N, T, V) given these targets."""
    return reference.attention(weights, sources, targets, V, CONFIG.hidden_size, CONFIG.layers, True, PAD)[0]


def all_answers():
    """Every answer of at most T characters, filled up with padding: shape (answers, T)."""
    rows = [row for row in product(range(V), repeat=T) if all(b == PAD for a, b in zip(row, row[1:]) if a == PAD)]
    return np.array(rows)


def scores_of_all(weights, source):
    answers = all_answers()
    log_probabilities = forced(weights, np.repeat(source[None], len(answers), axis=0), answers)
    picked = np.take_along_axis(log_probabilities, answers[:, :, None], axis=2)[:, :, 0]
    picked[:, 1:] *= answers[:, :-1] != PAD
    return answers, picked.sum(axis=1)


@pytest.mark.parametrize("n", [0, 1, 4, 9, 19])
def test_greedy_takes_the_most_probable_character_at_each_step(workers, n):
    sources, weights = np.random.default_rng(n).integers(V, size=(n, S)), weights_of(1)
    answers = SearchPredictor(MODEL, 4, mx.cpu(), weights).answer(sources)
    said = np.full((n, T), PAD)
    confidence = np.ones(n)
    for place in range(T if n else 0):
        row = forced(weights, sources, said)[:, place]
        on = (said[:, place - 1] != PAD) | (place == 0)
        said[:, place] = np.where(on, row.argmax(axis=1), PAD)
        confidence *= np.where(on, np.exp(row.max(axis=1)), 1)
    assert (answers.ids == said).all()
    np.testing.assert_allclose(answers.confidence, confidence, rtol=1e-4)
    assert answers.nats is None


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_the_best_answers_there_are(workers, seed):
    sources, weights = np.random.default_rng(seed).integers(V, size=(7, S)), weights_of(seed)
    beam = V**T  # more than there are: it loses nothing, and what cannot be scores far below
    best = SearchPredictor(MODEL, 3, mx.cpu(), weights, beam=V * V).search(sources)
    assert best.ids.shape == (7, V * V, T) and beam > V * V
    for source, ids, scores in zip(sources, best.ids, best.scores):
        answers, exact = scores_of_all(weights, source)
        order = np.argsort(-exact)[:5]
        np.testing.assert_allclose(scores[:5], exact[order], atol=1e-4)
        assert (ids[0] == answers[order[0]]).all()


def test_a_wider_beam_is_never_worse_and_is_in_order():
    sources, weights = np.random.default_rng(0).integers(V, size=(20, S)), weights_of(3)
    scores = [SearchPredictor(MODEL, 8, mx.cpu(), weights, beam).search(sources).scores for beam in (1, 2, 4)]
    for narrow, wide in zip(scores, scores[1:]):
        assert (wide[:, 0] >= narrow[:, 0] - 1e-5).mean() > 0.9
        assert (np.diff(wide, axis=1) <= 1e-6).all()


def test_the_loss_is_that_of_the_targets_up_to_their_end(workers):
    rng, weights = np.random.default_rng(0), weights_of(0)
    sources, targets = rng.integers(V, size=(11, S)), all_answers()[rng.integers(len(all_answers()), size=11)]
    scored = SearchPredictor(MODEL, 4, mx.cpu(), weights).answer(sources, targets)
    assert (scored.characters == np.minimum((targets != PAD).sum(axis=1) + 1, T)).all()
    for source, target, nats in zip(sources, targets, scored.nats):
        answers, exact = scores_of_all(weights, source)
        [row] = np.flatnonzero((answers == target).all(axis=1))
        assert nats == pytest.approx(-exact[row], abs=1e-5)


def test_a_long_search_stops_when_all_have_ended(monkeypatch):
    """Made so that padding is always the most probable character."""
    model = AttentionModel(CONFIG, S, 100, V, PAD)
    weights = weights_of(0)
    weights["output_bias"] = np.where(np.arange(V) == PAD, 50.0, 0)
    predictor = SearchPredictor(model, 2, mx.cpu(), weights)
    steps = []
    for part in predictor._parts:
        forward = part._step.forward
        monkeypatch.setattr(
            part._step, "forward", lambda is_train, on=forward: steps.append(1) or on(is_train=is_train)
        )
    assert (predictor.answer(np.zeros((2, S), int)).ids == PAD).all()
    assert len(steps) == 8
