"""The engine knows no strings: here it learns ratings, by matrix factorisation (Koren, Bell and Volinsky 2009)."""

import numpy as np
import pytest

from seq2seq import TrainingConfig
from seq2seq.engine.network import Input, Network
from seq2seq.engine.samplers import Bucketed, Mixed
from seq2seq.engine.trainer import Trainer
from seq2seq.engine.validators import LossValidator
from seq2seq.mx import mx

USERS, ITEMS, FACTORS, NOISE = 200, 100, 3, 0.5


class Factorisation(Network):
    """A rating is a product of what a user likes and what an item is, and a bias of each."""

    @property
    def inputs(self):
        return {"user": Input(()), "item": Input(()), "rating": Input(())}

    def loss(self, inputs, states):
        def looked_up(name, count, size):
            return mx.sym.Embedding(inputs[name], input_dim=count, output_dim=size, name=f"{name}_{size}")

        users, items = looked_up("user", USERS, FACTORS), looked_up("item", ITEMS, FACTORS)
        biases = looked_up("user", USERS, 1) + looked_up("item", ITEMS, 1)
        predicted = mx.sym.sum(users * items, axis=1) + mx.sym.reshape(biases, shape=(-1,))
        return mx.sym.make_loss(mx.sym.sum(mx.sym.square(predicted - inputs["rating"]))), {}


def ratings(n, seed):
    fixed = np.random.default_rng(0)
    likes, traits = fixed.normal(size=(USERS, FACTORS)), fixed.normal(size=(ITEMS, FACTORS))
    biases, others = fixed.normal(size=USERS), fixed.normal(size=ITEMS)
    rng = np.random.default_rng(seed)
    user, item = rng.integers(USERS, size=n), rng.integers(ITEMS, size=n)
    rating = (likes[user] * traits[item]).sum(axis=1) + biases[user] + others[item] + rng.normal(0, NOISE, n)
    return {"user": user.astype(np.int32), "item": item.astype(np.int32), "rating": rating.astype(np.float32)}


def learned(sampler_of, **options):
    network, held_out = Factorisation(), ratings(5_000, seed=2)
    config = TrainingConfig(epochs=20, batch_size=512, learning_rate=0.03, show_every=0, **options)
    validator = LossValidator(network, held_out)
    return Trainer(network, sampler_of(network), config, validators=[validator], best_by=[("validation_loss", "min")])


def test_ratings_are_learned_to_within_the_noise():
    rows = learned(lambda network: Bucketed(network, ratings(60_000, seed=1), 512)).fit()
    assert min(row["validation_loss"] for row in rows) ** 0.5 == pytest.approx(NOISE, rel=0.05)


def test_two_sources_are_mixed_by_given_shares():
    sources = [ratings(40_000, seed=1), ratings(5_000, seed=3)]
    trainer = learned(lambda network: Mixed(network, sources, [0.75, 0.25], 512))
    rows = trainer.fit()
    assert rows[-1]["validation_loss"] < rows[0]["validation_loss"] / 2
    assert rows[-1]["step"] == 20 * -(-40_000 // 384) and trainer.sampler.counts == [384, 128]
