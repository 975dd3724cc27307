import math

import numpy as np
import pytest

from seq2seq import Seq2SeqError
from seq2seq.engine import range_test as rates
from seq2seq.engine.optimizers import Adam
from seq2seq.engine.range_test import RangeTest, range_test
from seq2seq.engine.updater import Updater
from seq2seq.mx import mx
from tests.engine.test_trainer import CONFIG, DATA, MODEL, answered, reader, replace
from tests.engine.test_trainer import trainer as make_trainer


def measured(config=CONFIG, model=MODEL, seed=0, note=None):
    """The range test of what `make_trainer` trains."""
    learner = make_trainer(config, model)
    return range_test(learner.network, learner.sampler, config, seed, mx.cpu(), note or (lambda line: None))


class Told(Updater):
    """Says other losses than it has."""

    @property
    def loss_sum(self):
        return next(self.losses) * 1e6

    @loss_sum.setter
    def loss_sum(self, value):
        pass

    def feeds(self, arrays, batches):
        for feed in super().feeds(arrays, batches):
            yield feed._replace(terms=10**6)


def of(*smoothed):
    """A range test of rates 0.00123456, 0.0123456 and so on with these smoothed losses."""
    return RangeTest([0.00123456 * 10**place for place in range(len(smoothed))], list(smoothed), list(smoothed))


@pytest.mark.parametrize(
    "smoothed, suggestion",
    [
        ((3, 3, 2, 1.19, 1.05, 1, 5), 1.2),  # of a fall from 3 to 1, less than a tenth is left at 1.19
        ((3, 3, 2, 1.21, 1.05, 1, 5), 12.0),
        ((3, 1.1, 3, 2, 1.15, 1.05, 1), 12.0),  # what does not last is no fall
        ((2, 3, 1, 5, 1.01), 0.12),
        ((2, 1), 0.012),
    ],
)
def test_the_rate_suggested_is_that_at_which_little_of_the_fall_is_left(smoothed, suggestion):
    assert of(*smoothed).suggestion == suggestion


@pytest.mark.parametrize("smoothed", [(1,), (1, 2, 5), (1, 1, 1)])
def test_a_loss_that_never_falls_suggests_nothing(smoothed):
    with pytest.raises(
        Seq2SeqError, match="find_rate: the loss did not fall from rate 1e-05 on; choose a learning_rate"
    ):
        _ = of(*smoothed).suggestion


def test_each_update_has_a_rate_so_many_times_higher_than_the_last(monkeypatch):
    given, real = [], Adam.update

    def update(self, rate, number, scale):
        given.append((rate, number))
        real(self, rate, number, scale)

    monkeypatch.setattr(Adam, "update", update)
    monkeypatch.setattr(rates, "WORSE", math.inf)
    test = measured()
    assert given == [(rate, number) for number, rate in enumerate(test.rates, 1)] and len(given) == 300
    assert test.rates[0] == pytest.approx(1e-5) and test.rates[-1] == pytest.approx(10)
    ratios = np.divide(test.rates[1:], test.rates[:-1])
    np.testing.assert_allclose(ratios, 10 ** (6 / 299))


def test_losses_are_those_of_the_batches_and_smoothed_evenly(monkeypatch):
    monkeypatch.setattr(rates, "UPDATES", 5)  # an epoch, at a rate that moves nothing
    monkeypatch.setattr(rates, "LOWEST", 1e-12)
    monkeypatch.setattr(rates, "HIGHEST", 1e-12)
    test, learner = measured(), make_trainer()
    answers = answered(learner, DATA.train)
    order = np.random.default_rng((0, 1, 0)).permutation(80)  # the training's own
    nats, characters = (part[order].reshape(5, 16).sum(axis=1) for part in (answers.nats, answers.characters))
    assert test.losses == pytest.approx((nats / characters).tolist(), abs=1e-5)
    first, second, third = test.losses[:3]
    expected = [first, (0.9 * first + second) / 1.9, (0.81 * first + 0.9 * second + third) / 2.71]
    assert test.smoothed[:3] == pytest.approx(expected)


@pytest.mark.parametrize(
    "given, kept",
    [
        ([3.0, 2.0, math.nan], [3.0, 2.0]),
        ([1.0, 1.0, 11.0, 1.0], [1.0, 1.0, 11.0]),  # smoothed: 1, 1 and 4.69
        ([1.0, 1.0, 9.0, 10.0, 1.0], [1.0, 1.0, 9.0, 10.0]),  # smoothed: 1, 1, 3.95 and 5.71
    ],
)
def test_it_ends_when_the_loss_has_risen_far_or_is_no_number(monkeypatch, given, kept):
    losses = iter(given)
    monkeypatch.setattr(rates, "Updater", Told)
    monkeypatch.setattr(Told, "losses", losses, raising=False)
    assert measured().losses == kept


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_seed_decides_it(monkeypatch, dropout):
    monkeypatch.setattr(rates, "UPDATES", 20)
    model = replace(MODEL, dropout=dropout)
    assert measured(model=model, seed=1) == measured(model=model, seed=1) != measured(model=model, seed=2)


def test_it_tells_how_far_it_is():
    lines = []
    test = measured(note=lines.append)
    assert lines[0] == f"range test 50/300: learning rate 9.6e-05, loss {test.smoothed[49]:.4f}"
    assert len(lines) == len(test.rates) // 50


def test_a_text_is_read_in_its_order(monkeypatch):
    monkeypatch.setattr(rates, "UPDATES", 100)
    learner = reader(replace(MODEL, model="rnn-stateful"), replace(CONFIG, batch_size=7))
    assert learner.steps_per_epoch < 40  # several epochs
    test = range_test(learner.network, learner.sampler, learner.config, 0, mx.cpu())
    assert len(test.rates) > 40 and min(test.smoothed) < 0.9 * test.smoothed[0]
