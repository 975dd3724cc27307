"""The loss is nats a learned character, for every model and wherever it is told."""

from dataclasses import replace

import numpy as np
import pytest

from seq2seq import Addition, Arithmetic, DataConfig, ModelConfig, PairsTask, TrainingConfig
from seq2seq.applications.learning import make_sampler
from seq2seq.dataset import build_dataset
from seq2seq.engine.network import variables
from seq2seq.engine.updater import Updater
from seq2seq.models import make_codec, make_model
from seq2seq.mx import mx
from seq2seq.tasks.stepwise import in_place
from tests.engine.test_trainer import made
from tests.models.symbols import evaluate, gradients

MODEL = ModelConfig(hidden_size=6, layers=1)
SHORT = [(f"{a}{b}{c}", a) for a in "abcdefg" for b in "abcdefg" for c in "abcdef"]
UNEVEN = PairsTask.of([*SHORT, ("abcabc", "ab" * 30), ("cbacba", "ba" * 30)])
CASES = {
    "repeat": (UNEVEN, False),
    "repeat backwards": (UNEVEN, True),
    "attention": (UNEVEN, True),
    "transducer": (UNEVEN, False),
    "transducer in place": (Arithmetic("+", terms=3, operands=(0, 4), steps="call"), False),
    "repeat in place": (Arithmetic("+", terms=3, operands=(0, 4), steps="call"), True),
    "aligned": (Addition((1, 2)), True),
}


def case(name):
    task, reverse = CASES[name]
    config, model = DataConfig(reverse_target=reverse), replace(MODEL, model=name.split()[0])
    codec = make_codec(task, config, model)
    return task, build_dataset(task, config, 0, codec), make_model(task, model, codec)


def nats_by_hand(name, data, model, examples, weights):
    """The sum of the negative log-probabilities of all characters, with the end of each answer, and their number."""
    [task, _] = CASES[name]
    symbol = model.log_probabilities(mx.sym.var("source"), mx.sym.var("target"))
    inputs = {"source": examples.sources.T, "target": examples.targets.T}
    found = evaluate(symbol, weights, **{n: array for n, array in inputs.items() if n in symbol.list_arguments()})
    total = count = 0
    for row, (source, target) in enumerate(zip(examples.sources, examples.targets)):
        written = np.flatnonzero(target != model.pad)
        places = range(written[0], written[-1] + 1)
        if in_place(task):
            under = np.flatnonzero(source != model.pad)
            places = under if not data.codec.reverse_target else len(target) - 1 - under
        elif data.codec.reverse_target or name == "attention":
            places = range(min(written[-1] + 2, len(target)))
        else:
            places = range(max(written[0] - 1, 0), len(target))
        for place in places:
            total -= found[place, row, target[place]]
            count += 1
    return total, count


@pytest.mark.parametrize("name", CASES)
def test_training_and_validation_are_told_in_nats_a_learned_character(name):
    _, data, model = case(name)
    config = TrainingConfig(epochs=1, batch_size=7, learning_rate=1e-12, warmup_steps=0, show_every=0)
    trainer = made(model, config, data)
    weights = trainer.weights
    [row] = trainer.fit()
    for part, told in ((data.train, row["train_loss"]), (data.validation, row["validation_loss"])):
        total, count = nats_by_hand(name, data, model, part, weights)
        assert told == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_an_update_follows_the_mean_gradient_of_a_learned_character(name):
    _, data, model = case(name)
    config = TrainingConfig(batch_size=4, optimizer="sgd", momentum=0.0, clip_norm=0.0)
    updater = Updater(model, config, 0, mx.cpu())
    weights = updater.weights
    [first, *_] = make_sampler(model, data.codec, data.train, config).epoch(np.random.default_rng(0))
    [feed] = updater.feeds(data.train.arrays, [first])
    updater.update(feed, 1, 0.1)
    examples = data.train.take(first.rows)
    _, count = nats_by_hand(name, data, model, examples, weights)
    inputs = {"source": examples.sources.T, "target": examples.targets.T}
    loss, _ = model.loss(variables(inputs), {})
    for key, summed in gradients(loss, weights, **inputs).items():
        np.testing.assert_allclose(updater.weights[key], weights[key] - 0.1 * summed / count, atol=1e-6, err_msg=key)


def test_two_long_targets_among_many_short_ones_do_not_hide_the_loss():
    """Of first weights, a character is told about as well as by guessing: nats near the logarithm of the alphabet."""
    _, data, model = case("attention")
    everything = build_dataset(UNEVEN, DataConfig(validation=0.4, test=1), 0, data.codec)
    config = TrainingConfig(epochs=1, batch_size=300, learning_rate=1e-12, show_every=0)
    [row] = made(model, config, everything).fit()
    assert abs(row["train_loss"] - np.log(len(data.codec.vocabulary))) < 0.2
