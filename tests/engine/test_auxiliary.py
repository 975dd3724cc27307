"""Auxiliary states, which graphs change by themselves: the running means and variances of batch normalisation."""

import numpy as np
import pytest

from seq2seq import TrainingConfig
from seq2seq.engine.network import Input, Network
from seq2seq.engine.samplers import Batch
from seq2seq.engine.test_module import TestModule
from seq2seq.engine.updater import Updater
from seq2seq.engine.validators import LossValidator
from seq2seq.mx import mx
from seq2seq.workers import _worker

UPDATER = "seq2seq.engine.updater"
MOMENTUM = 0.9
EPSILON = 1e-3
VALUES = np.random.default_rng(0).normal(2, 3, 30).astype(np.float32)
ARRAYS = {"value": VALUES}
BATCHES = [Batch(np.arange(start, min(start + 10, 21)), {}, min(10, 21 - start)) for start in (0, 10, 20)]


class Normalised(Network):
    """The squares of numbers that are normalised over the batch."""

    @property
    def inputs(self):
        return {"value": Input(())}

    def loss(self, inputs, states):
        column = mx.sym.reshape(inputs["value"], shape=(-1, 1))
        normal = mx.sym.BatchNorm(column, momentum=MOMENTUM, eps=EPSILON, fix_gamma=False, name="normal")
        return mx.sym.make_loss(mx.sym.sum(mx.sym.square(normal - 1))), {}


def updater_of(monkeypatch, workers):
    devices = tuple(_worker(mx.cpu(index)) for index in range(workers))
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: devices)
    monkeypatch.setattr(f"{UPDATER}.WORTH_SHARING", 0)
    return Updater(Normalised(), TrainingConfig(batch_size=10), 0, mx.cpu())


def running(weights):
    return [float(weights[f"normal_moving_{name}"][0]) for name in ("mean", "var")]


def moved(before, parts):
    """The running mean and variance after a batch: of each worker's part, and then the mean of these."""
    batch = [np.mean([statistic(part) for part in parts]) for statistic in (np.mean, np.var)]
    return [MOMENTUM * old + (1 - MOMENTUM) * new for old, new in zip(before, batch)]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_worker_has_the_mean_of_what_all_have_seen(monkeypatch, workers):
    updater = updater_of(monkeypatch, workers)
    expected = running(updater.weights)
    assert expected == [0, 1]
    for update, feed in enumerate(updater.feeds(ARRAYS, BATCHES), 1):
        updater.update(feed, update, 0.01)
        rows = VALUES[BATCHES[update - 1].rows]  # the last batch has a single row: none for the second worker
        expected = moved(expected, np.array_split(rows, min(workers, len(rows))))
        assert running(updater.weights) == pytest.approx(expected, rel=1e-5)
        for parameters in updater.parameters.values():
            assert running({name: array.asnumpy() for name, array in parameters.items()}) == running(updater.weights)


@pytest.mark.parametrize("workers", [1, 2])
def test_weights_that_are_set_continue_to_the_bit(monkeypatch, workers):
    whole, second = (updater_of(monkeypatch, workers) for _ in range(2))
    feeds = whole.feeds(ARRAYS, BATCHES)
    whole.update(next(feeds), 1, 0.01)
    second.set_weights(whole.weights)
    second.set_moments(whole.moments)
    for update, (feed, again) in enumerate(zip(feeds, second.feeds(ARRAYS, BATCHES[1:])), 2):
        whole.update(feed, update, 0.01)
        second.update(again, update, 0.01)
    assert running(whole.weights) == running(second.weights) != [0, 1]
    assert all((array == second.weights[name]).all() for name, array in whole.weights.items())


def test_validation_reads_the_running_values(monkeypatch):
    updater = updater_of(monkeypatch, 1)
    for update, feed in enumerate(updater.feeds(ARRAYS, BATCHES), 1):
        updater.update(feed, update, 0.01)
    weights = updater.weights
    mean, variance = running(weights)
    normal = (VALUES - mean) / np.sqrt(variance + EPSILON) * weights["normal_gamma"] + weights["normal_beta"]
    found = LossValidator(Normalised(), ARRAYS).validate(TestModule(updater.parameters))
    assert found["validation_loss"] == pytest.approx(np.mean((normal - 1) ** 2), rel=1e-5)
    assert running(updater.weights) == [mean, variance]
