"""Validation that several processes share, here as threads."""

import threading

import numpy as np
import pytest

from seq2seq import ModelConfig, TrainingConfig
from seq2seq.applications import learning, rows_learning
from seq2seq.applications.learning import AnswerValidator
from seq2seq.applications.ratings import RatingsApplication
from seq2seq.applications.rows_learning import RowsValidator
from seq2seq.dataset import Examples
from seq2seq.decoding import MxnetPredictor
from seq2seq.decoding.rows import RowsPredictor
from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.engine.samplers import Bucketed
from seq2seq.engine.test_module import TestModule
from seq2seq.engine.trainer import Trainer
from seq2seq.engine.updater import Updater
from seq2seq.engine.validators import LossValidator, Validator
from seq2seq.models import AttentionModel, LstmModel
from seq2seq.models.ratings import DotModel
from seq2seq.mx import mx
from seq2seq.rows import Rows
from seq2seq.vocabulary import Codec

RNG = np.random.default_rng(0)
CODEC = Codec(" ab", 24, 6, reverse_target=False, pad_end=True)
LENGTHS = [3, 24, 9, 8, 17, 1, 16, 20, 2, 5, 6, 7, 4]
WORDS = Examples(
    CODEC.encode_sources(["ab" * (n // 2) + "a" * (n % 2) for n in LENGTHS]),
    CODEC.encode_targets(["ab"[: 1 + n % 2] for n in LENGTHS]),
)
TEXT = Examples(RNG.integers(3, size=(9, 5), dtype=np.uint8), RNG.integers(3, size=(9, 5), dtype=np.uint8))
RATINGS = RatingsEncoding(("a", "b", "c"), ("x", "y"), 1.0, 5.0, 4.0, trained=24)
ROWS = Rows(RATINGS.arrays(list("abcabca"), list("xyxyxyy"), np.array([1.0, 2, 3, 4, 5, 4, 2])), np.arange(7))


def answers():
    model = AttentionModel(ModelConfig(hidden_size=5, layers=1), 24, 6, 3)
    return model, AnswerValidator(model, CODEC, WORDS, mx.cpu())


def text():
    model = LstmModel(ModelConfig(hidden_size=5, layers=1, embedding=2), 5, 5, 3)
    return model, AnswerValidator(model, Codec(" ab", 5, 5, False), TEXT, mx.cpu())


def ratings():
    model = DotModel(ModelConfig(embedding=2), RATINGS)
    return model, RowsValidator(RatingsApplication(), model, ROWS, mx.cpu())


def loss():
    model = DotModel(ModelConfig(embedding=2), RATINGS)
    return model, LossValidator(model, ROWS.arrays, batch_size=2)


class Team:
    """What the processes share."""

    def __init__(self, count):
        self.count = count
        self.barrier = threading.Barrier(count, timeout=60)
        self.sent = [None] * count


class Member(Ranks):
    def __init__(self, number, team):
        self.number = number
        self.count = team.count
        self._team = team

    def gather(self, rows, what):
        self._team.sent[self.number] = rows[self.share(len(rows))].copy()
        self._team.barrier.wait()
        rows[:] = np.concatenate(self._team.sent)
        self._team.barrier.wait()

    def broadcast(self, content, what):
        raise NotImplementedError


def validated(make, ranks, found):
    model, validator = make()
    updater = Updater(model, TrainingConfig(batch_size=4, warmup_steps=0), 1, mx.cpu())
    found[ranks.number] = validator.validate(TestModule(updater.parameters, ranks))


def together(make, count):
    """The values in each of so many processes."""
    team = Team(count)
    found = {}
    threads = [threading.Thread(target=validated, args=(make, Member(i, team), found)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[number] for number in range(count)]


@pytest.fixture
def counted(monkeypatch):
    """The numbers of rows that were answered at once."""
    monkeypatch.setattr(learning, "BATCH_SIZE", 2)
    monkeypatch.setattr(rows_learning, "BLOCK", 2)
    counts = []
    forward, predict = MxnetPredictor._forward, RowsPredictor.predict

    def counting_forward(self, sources, targets=None):
        counts.append(len(sources))
        return forward(self, sources, targets)

    def counting_predict(self, arrays):
        counts.append(len(next(iter(arrays.values()))))
        return predict(self, arrays)

    monkeypatch.setattr(MxnetPredictor, "_forward", counting_forward)
    monkeypatch.setattr(RowsPredictor, "predict", counting_predict)
    return counts


@pytest.mark.parametrize("make", [answers, text, ratings, loss])
@pytest.mark.parametrize("count", [2, 3, 12])
def test_the_values_are_the_same_to_the_bit(counted, make, count):
    alone = {}
    validated(make, ALONE, alone)
    assert together(make, count) == [alone[0]] * count


@pytest.mark.parametrize(("make", "most"), [(answers, 8), (text, 10), (ratings, 4)])
def test_each_process_answers_its_part(counted, make, most):
    validated(make, ALONE, {})
    whole = sum(counted)
    counted.clear()
    together(make, 2)
    assert sum(counted) == whole and max(counted) <= most


class Unshared(Validator):
    names = ("validation_zeros",)

    def validate(self, module):
        return {"validation_zeros": 0.0}


class Second(Member):
    def __init__(self):
        super().__init__(1, Team(2))


@pytest.mark.parametrize(("ranks", "values"), [(ALONE, {"validation_zeros": 0.0}), (Second(), {})])
def test_the_first_process_alone_calls_a_validator_that_is_not_shared(ranks, values):
    model, _ = ratings()
    config = TrainingConfig(batch_size=4, shards=2)
    trainer = Trainer(model, Bucketed(model, ROWS.arrays, 4), config, validators=[Unshared()], ranks=ranks)
    assert trainer._validate() == values


def test_the_bytes_of_numbers_that_are_not_numbers_arrive():
    team = Team(2)
    arrays = [np.arange(6, dtype=np.int64).reshape(3, 2), np.array([np.nan, -0.0, 1e300])]
    pieces = [np.array([2]), np.array([0, 1])]
    sent = []
    for number in range(2):
        own = [np.zeros_like(array) for array in arrays]
        for array, whole in zip(own, arrays):
            array[pieces[number]] = whole[pieces[number]]
        sent.append(own)
    members = [Member(number, team) for number in range(2)]
    threads = [threading.Thread(target=member.complete, args=(sent[i], pieces, "")) for i, member in enumerate(members)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in sent:
        assert [each.tobytes() for each in own] == [each.tobytes() for each in arrays]
