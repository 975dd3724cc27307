import math

import pytest

from seq2seq import TrainingConfig, UsageError
from seq2seq.engine.best import Best
from tests.engine.test_trainer import CONFIG, replace, trainer


def test_a_later_value_decides_between_equals():
    best = Best((("match", "max"), ("loss", "min")))

    def improves(match, loss):
        return best.improves({"match": match, "loss": loss}, {"match": 0.5, "loss": 1.0})

    assert improves(0.5, 0.9) and improves(0.6, 2.0)
    assert not improves(0.5, 1.0) and not improves(0.5, 1.1) and not improves(0.4, 0.1)
    assert best.improves({"match": 0.0, "loss": 9.0}, None)
    assert not best.improves({"match": 0.9, "loss": math.nan}, None)


def test_without_an_order_the_last_epoch_is_the_best():
    assert Best(()).improves({}, {})


def test_the_configuration_says_what_chooses():
    assert Best.parse("a:min, b:max").order == (("a", "min"), ("b", "max"))
    learner = trainer(replace(CONFIG, epochs=12, learning_rate=0.05, best_by="validation_loss:min"))
    rows = learner.fit()
    assert learner.state.best_epoch == min(rows, key=lambda row: row["validation_loss"])["epoch"]
    assert learner.state.best == {"validation_loss": rows[learner.state.best_epoch - 1]["validation_loss"]}
    worst = trainer(replace(CONFIG, epochs=12, learning_rate=0.05, best_by="validation_loss:max"))
    assert worst.fit()[worst.state.best_epoch - 1]["validation_loss"] == max(row["validation_loss"] for row in rows)


@pytest.mark.parametrize("text", ["loss", "loss:least", ":min", "a:min,", ""])
def test_what_chooses_must_have_a_name_and_a_direction(text):
    with pytest.raises(UsageError, match=r"best_by: got .* the name of a validation value and :max or :min"):
        TrainingConfig(best_by=text)


def test_a_value_that_nobody_measures_is_refused():
    with pytest.raises(UsageError, match="best_by: got 'accuracy', but it must be one of validation_loss, validation_"):
        trainer(replace(CONFIG, best_by="accuracy:max"))
