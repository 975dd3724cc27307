import numpy as np

from seq2seq.mx import mx
from tests.engine.test_trainer import CONFIG, DATA, answered, replace, same, trainer


def test_validation_reads_the_arrays_that_training_changes():
    """No copy of the weights, which could be of another moment: changing the one changes what the other says."""
    learner = trainer(replace(CONFIG, epochs=1))
    learner.fit()
    [(worker, arrays)] = learner._updater.parameters.items()
    bound = learner.module.common(worker).parameters
    assert bound.keys() == arrays.keys() == learner.weights.keys()
    before = answered(learner, DATA.validation).loss
    learner._updater._replicas[0].weights[:] = 0
    assert all(not array.asnumpy().any() for array in bound.values())
    assert answered(learner, DATA.validation).loss != before


def test_validation_moves_no_weights_to_the_host(monkeypatch):
    learner = trainer(replace(CONFIG, epochs=2, best_by="validation_loss:max"))
    learner.fit()
    size = learner._updater._flat.size
    read = []
    real = mx.nd.NDArray.asnumpy
    monkeypatch.setattr(mx.nd.NDArray, "asnumpy", lambda self: read.append(self.size) or real(self))
    for validator in learner.validators:
        validator.validate(learner.module)
    assert read and max(read) < size


def test_a_module_has_the_workers_of_the_training(monkeypatch):
    learner = trainer()
    assert list(learner._updater.parameters) == learner.module.workers(mx.cpu())


def test_validation_does_not_change_the_training():
    with_it, without = trainer(), trainer()
    without.validators.clear()
    without.best = type(without.best)(())
    for learner in (with_it, without):
        learner.fit()
    assert same(with_it.weights, without.weights)
    assert np.isfinite(with_it.history[-1]["validation_loss"])
