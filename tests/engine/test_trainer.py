import gc
import math
import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest

from seq2seq import (
    Arithmetic,
    DataConfig,
    ModelConfig,
    Seq2SeqError,
    Text,
    TrainingConfig,
    TrainingInterrupted,
)
from seq2seq.applications.learning import AnswerValidator, make_trainer
from seq2seq.dataset import Examples, build_dataset
from seq2seq.decoding import make_predictor
from seq2seq.engine import trainer as training_module
from seq2seq.engine.best import Best
from seq2seq.engine.optimizers import Adam
from seq2seq.engine.schedules import learning_rate
from seq2seq.engine.test_module import TestModule
from seq2seq.models import AttentionModel, make_codec, make_model
from seq2seq.mx import mx
from seq2seq.progress import Lines, Progress
from seq2seq.runs import Run
from seq2seq.vocabulary import Codec
from seq2seq.workers import _worker
from tests.conftest import some_text

UPDATER = "seq2seq.engine.updater"
MODEL = ModelConfig(hidden_size=6, layers=2)
CONFIG = TrainingConfig(epochs=3, batch_size=16, warmup_steps=5, show_every=0)
DATA = build_dataset(Arithmetic("+", terms=2), DataConfig(), 0)  # 80 to train on: 5 steps of 16


def trainer(config=CONFIG, model=MODEL, data=DATA, seed=0, **options):
    network = make_model(Arithmetic(), model, data.codec)
    return made(network, config, data, seed=seed, **options)


def made(network, config, data, *, seed=0, run=None, progress=None):
    callbacks = [progress] if progress else []
    return make_trainer(network, data.codec, data, config, seed=seed, run=run, callbacks=callbacks)


def answered(learner, examples):
    """The answers to some examples with the weights of the moment."""
    validator = AnswerValidator(learner.network, DATA.codec, examples, mx.cpu())
    validator.validate(learner.module)
    return validator.answers


def same(first, second):
    return first.keys() == second.keys() and all((first[name] == second[name]).all() for name in first)


def replace(config, **changes):
    return type(config)(**{**vars(config), **changes})


def spoil(learner):
    """Put a number that is none among the weights."""
    weights = learner.weights
    weights["output_bias"] = np.full_like(weights["output_bias"], math.nan)
    learner._updater.set_weights(weights)


@pytest.fixture(params=["one worker", "two workers"])
def workers(request, monkeypatch):
    """Whatever the size and the machine."""
    number = 1 if request.param == "one worker" else 2
    monkeypatch.setattr(f"{UPDATER}.workers_of", lambda device: tuple(_worker(mx.cpu(i)) for i in range(number)))
    monkeypatch.setattr(f"{UPDATER}.WORTH_SHARING", 0)
    return number


class StopAfter(Progress):
    """Sends this process a signal at the given update."""

    def __init__(self, updates, number=signal.SIGINT):
        self.updates, self.number = updates, number

    def watch(self, trainer):
        step = trainer._step

        def counted(batch):
            step(batch)
            if trainer.state.updates == self.updates:
                os.kill(os.getpid(), self.number)

        trainer._step = counted
        return trainer


def test_learning_lowers_the_loss_and_the_loss_is_the_mean_over_all_examples():
    learner = trainer(replace(CONFIG, epochs=20, learning_rate=0.01))
    rows = learner.fit()
    assert [row["epoch"] for row in rows] == list(range(1, 21))
    assert rows[-1]["train_loss"] < 0.8 * rows[0]["train_loss"]
    assert rows[-1]["step"] == 100


@pytest.mark.parametrize("batch_size", [7, 16, 33, 80, 500])
def test_the_last_incomplete_batch_is_neither_dropped_nor_counted_twice(workers, batch_size):
    # At a vanishing learning rate the loss of an epoch is that of the first weights over each example once.
    learner = trainer(replace(CONFIG, epochs=1, batch_size=batch_size, learning_rate=1e-12))
    answers = answered(learner, DATA.train)
    [row] = learner.fit()
    assert row["train_loss"] == pytest.approx(answers.loss, abs=1e-5)
    assert row["step"] == -(-80 // batch_size)


def test_an_incomplete_batch_moves_the_weights_as_its_examples_alone_do():
    small = Examples(DATA.train.sources[:5], DATA.train.targets[:5])
    data = type(DATA)(DATA.codec, DATA.key, small, DATA.validation, DATA.test)
    alone, padded = trainer(replace(CONFIG, batch_size=5), data=data), trainer(CONFIG, data=data)
    alone.fit()
    padded.fit()
    assert same(alone.weights, padded.weights)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_same_seed_gives_the_same_weights(workers, dropout):
    model = replace(MODEL, dropout=dropout)
    learners = [trainer(model=model, seed=seed) for seed in (1, 1, 2)]
    for learner in learners:
        learner.fit()
    first, again, other = (learner.weights for learner in learners)
    assert same(first, again) and not same(first, other)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("updates", [1, 5, 7, 14])
def test_stopped_and_resumed_is_never_stopped_bit_for_bit(tmp_path, workers, optimizer, dropout, updates):
    config, model = replace(CONFIG, epochs=12, optimizer=optimizer), replace(MODEL, dropout=dropout)
    whole = trainer(config, model)
    whole.fit()

    run = Run(tmp_path)
    stopper = StopAfter(updates)
    with pytest.raises(TrainingInterrupted, match=f"after {updates if not dropout else ''}"):
        stopper.watch(trainer(config, model, run=run, progress=stopper)).fit()
    resumed = trainer(config, model, run=run)
    resumed.restore()
    assert updates <= resumed.state.updates < updates + 16
    resumed.fit()

    assert same(whole.weights, resumed.weights)
    assert same(whole.best_weights, resumed.best_weights)
    varying = ("seconds", "samples_per_second")
    assert [{k: v for k, v in row.items() if k not in varying} for row in resumed.history] == [
        {k: v for k, v in row.items() if k not in varying} for row in whole.history
    ]
    assert same(run.read_arrays("last.safetensors")[0], whole.weights)
    assert same(run.read_arrays("best.safetensors")[0], whole.best_weights)


def test_sigterm_stops_it_too_and_handlers_are_put_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    stopper = StopAfter(2, signal.SIGTERM)
    with pytest.raises(TrainingInterrupted):
        stopper.watch(trainer(run=Run(tmp_path), progress=stopper)).fit()
    assert signal.getsignal(signal.SIGTERM) is before


def test_training_in_a_thread_that_cannot_have_handlers():
    learner = trainer()
    thread = threading.Thread(target=learner.fit)
    thread.start()
    thread.join()
    assert len(learner.history) == 3


def test_long_epochs_are_saved_within(tmp_path, monkeypatch):
    monkeypatch.setattr(training_module, "SAVE_SECONDS", 0.0)
    saved = []
    learner = trainer(replace(CONFIG, epochs=1), run=Run(tmp_path))
    monkeypatch.setattr(learner, "save", lambda: saved.append(learner.state.updates))
    learner.fit()
    assert saved == [1, 2, 3, 4, 5, 5]


def test_the_best_weights_are_those_of_the_best_epoch(tmp_path):
    learner = trainer(replace(CONFIG, epochs=30, learning_rate=0.05), run=Run(tmp_path))
    rows = learner.fit()
    best = max(rows, key=lambda row: (row["validation_exact_match"], -row["validation_loss"]))
    arrays, state = Run(tmp_path).read_arrays("best.safetensors")
    chosen = {name: best[name] for name in ("validation_exact_match", "validation_loss")}
    assert state == {"epoch": best["epoch"], **chosen}
    learner._updater.set_weights(arrays)
    answers = answered(learner, DATA.validation)
    assert answers.loss == pytest.approx(best["validation_loss"], abs=1e-6)


def test_patience_stops_early():
    learner = trainer(replace(CONFIG, epochs=50, patience=3, learning_rate=1e-12))
    assert len(learner.fit()) < 50
    assert learner.state.epoch - learner.state.best_epoch == 3


def test_a_loss_that_is_no_number_stops_and_says_so(tmp_path):
    run = Run(tmp_path)
    learner = trainer(run=run)
    learner.save()
    saved = run.read_arrays("last.safetensors")[0]
    spoil(learner)
    with pytest.raises(Seq2SeqError, match=r"training diverged: the loss is nan in epoch 1; try a lower learning_rate"):
        learner.fit()
    assert same(run.read_arrays("last.safetensors")[0], saved)


def test_clipping_acts_in_training():
    free, cut = trainer(replace(CONFIG, optimizer="sgd", clip_norm=0.0)), trainer(replace(CONFIG, optimizer="sgd"))
    tight = trainer(replace(CONFIG, optimizer="sgd", clip_norm=1e-6))
    first = tight.weights
    for learner in (free, cut, tight):
        learner.fit()
    assert max(abs(first[name] - tight.weights[name]).max() for name in first) < 1e-5
    assert max(abs(first[name] - free.weights[name]).max() for name in first) > 1e-3


def test_ten_questions_are_shown_every_few_epochs():
    shown = []

    class Shown(Progress):
        def on_samples(self, lines):
            shown.append(lines)

    learner = trainer(replace(CONFIG, epochs=5, show_every=2), progress=Shown())
    learner.fit()
    assert [len(lines) for lines in shown] == [10, 10, 10]  # after epochs 2 and 4, and the last
    right = {source: target for source, target in zip(
        DATA.codec.decode_sources(DATA.validation.sources), DATA.codec.decode_targets(DATA.validation.targets)
    )}  # fmt: skip
    for line in shown[-1]:
        source, answer = line.split(" -> ")
        assert answer.endswith("✓") or answer.endswith(f"✗ ({right[source.strip()]})")
        assert answer.endswith("✓") == (answer.split()[0] == right[source.strip()])


def test_nothing_waits_for_the_engine_within_an_epoch(monkeypatch):
    waits = []
    real = mx.nd.NDArray.asnumpy
    monkeypatch.setattr(mx.nd.NDArray, "asnumpy", lambda self: waits.append(time.monotonic()) or real(self))
    learner = trainer(replace(CONFIG, epochs=1))
    waits.clear()
    steps = []
    step = learner._step
    learner._step = lambda batch: (step(batch), steps.append(len(waits)))
    learner.fit()
    assert steps == [0] * 5


@pytest.mark.parametrize("updates, stops", [(3, 16), (16, 16), (20, 32), (40, 40), (45, 48)])
def test_with_dropout_an_epoch_is_stopped_and_resumed_within(tmp_path, workers, updates, stops):
    config, model = replace(CONFIG, epochs=2, batch_size=2), replace(MODEL, dropout=0.3)  # 40 steps an epoch
    whole = trainer(config, model)
    whole.fit()
    run, stopper = Run(tmp_path), StopAfter(updates)
    with pytest.raises(TrainingInterrupted):
        stopper.watch(trainer(config, model, run=run, progress=stopper)).fit()
    resumed = trainer(config, model, run=run)
    resumed.restore()
    assert (resumed.state.updates, resumed.state.step) == (stops, stops % 40)
    resumed.fit()
    assert same(whole.weights, resumed.weights)


def test_dropout_is_a_function_of_the_seed_and_the_update(monkeypatch):
    def masks(seed):
        seeds = []
        learner = trainer(replace(CONFIG, batch_size=2), replace(MODEL, dropout=0.3), seed=seed)
        monkeypatch.setattr(mx.random, "seed", seeds.append)
        learner.fit()
        monkeypatch.undo()
        return seeds

    first, second = masks(1), masks(2)
    assert len(first) == len(set(first)) == 9  # before updates 0, 16, 32, 40 (a new epoch), 48, 64, 80, 96 and 112
    assert not set(first) & set(second)


def test_restoring_brings_back_the_best_weights_and_the_time(tmp_path):
    run, stopper = Run(tmp_path), StopAfter(7)
    stopped = stopper.watch(trainer(run=run, progress=stopper))
    with pytest.raises(TrainingInterrupted):
        stopped.fit()
    assert not same(stopped.best_weights, stopped.weights)
    resumed = trainer(run=run)
    resumed.restore()
    assert same(resumed.best_weights, stopped.best_weights) and same(resumed.weights, stopped.weights)
    assert resumed.state == stopped.state and resumed.state.seconds > 0
    seconds = [row["seconds"] for row in resumed.fit()]
    assert seconds == sorted(seconds) and seconds[1] >= round(stopped.state.seconds, 3)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("writes", range(9))
def test_killed_between_any_two_writes_it_goes_on_from_a_whole_state(tmp_path, monkeypatch, writes):
    whole = trainer()
    whole.fit()
    run = Run(tmp_path)
    learner = trainer(run=run)
    learner.save()
    monkeypatch.setattr(training_module, "SAVE_SECONDS", 0.0)
    left, write = 4 * 4 + writes, run._write  # four saves of four files, and so many files more

    def counted(name, content):
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        write(name, content)

    monkeypatch.setattr(run, "_write", counted)
    with pytest.raises(Killed):
        learner.fit()
    monkeypatch.undo()
    resumed = trainer(run=run)
    resumed.restore()
    assert resumed.state.updates == 4 + writes // 4
    resumed.fit()
    assert same(resumed.weights, whole.weights) and same(resumed.best_weights, whole.best_weights)
    assert [row["epoch"] for row in run.read_metrics()] == [1, 2, 3]


def test_a_second_signal_stops_at_once():
    learner = trainer()

    def twice(batch):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    learner._step = twice
    with pytest.raises(KeyboardInterrupt) as caught:
        learner.fit()
    assert not isinstance(caught.value, TrainingInterrupted)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_ignored_stays_ignored(monkeypatch, number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        stopper = StopAfter(2, number)
        assert len(stopper.watch(trainer(progress=stopper)).fit()) == CONFIG.epochs
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_a_second_signal_does_what_it_did_before_training():
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    learner = trainer()

    def twice(batch):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    learner._step = twice
    try:
        with pytest.raises(TrainingInterrupted):
            learner.fit()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


def test_progress_is_told_where_it_is(tmp_path, monkeypatch):
    told = []

    class Told(Progress):
        def on_start(self, start):
            told.append(("start", *start[:3]))

        def on_step(self, step):
            told.append((step.rows, step.loss))

    run, stopper = Run(tmp_path), StopAfter(7)
    with pytest.raises(TrainingInterrupted):
        stopper.watch(trainer(replace(CONFIG, learning_rate=1e-12), run=run, progress=stopper)).fit()
    resumed = trainer(replace(CONFIG, learning_rate=1e-12), run=run, progress=Told())
    resumed.restore()
    rows = resumed.fit()
    assert told[0] == ("start", 3, 80, 80 + 2 * 16)
    assert [examples for examples, _ in told[1:]] == [48, 64, 80, 16, 32, 48, 64, 80]
    assert told[3][1] == pytest.approx(rows[1]["train_loss"], abs=1e-6)
    assert all(loss == pytest.approx(rows[1]["train_loss"], rel=0.1) for _, loss in told[1:])


def test_samples_a_second_are_those_of_this_sitting(tmp_path, monkeypatch):
    run, stopper = Run(tmp_path), StopAfter(4)  # 64 of 80 examples
    with pytest.raises(TrainingInterrupted):
        stopper.watch(trainer(replace(CONFIG, epochs=1), run=run, progress=stopper)).fit()
    resumed = trainer(replace(CONFIG, epochs=1), run=run)
    resumed.restore()
    clock = iter(range(1000))
    monkeypatch.setattr(training_module.time, "monotonic", lambda: float(next(clock)))
    started = []
    step = resumed._step
    resumed._step = lambda batch: (started.append(batch.rows), step(batch))
    [row] = resumed.fit()
    assert started == [16]
    assert row["samples_per_second"] <= 16  # 16 examples in some whole seconds of the clock above


def test_epsilon_and_momentum_reach_the_optimizer():
    for plain, other in (({}, {"epsilon": 0.5}), ({"optimizer": "sgd"}, {"optimizer": "sgd", "momentum": 0.25})):
        learners = [trainer(replace(CONFIG, **changes)) for changes in (plain, other)]
        for learner in learners:
            learner.fit()
        assert not same(learners[0].weights, learners[1].weights)


def test_the_rate_falls_over_all_epochs_and_is_written_down():
    learner = trainer(replace(CONFIG, epochs=4, learning_rate=1.0, warmup_steps=5, schedule="cosine"))
    rows = learner.fit()
    rates = [learning_rate(learner.config, update, 20) for update in (5, 10, 15, 20)]
    assert [row["learning_rate"] for row in rows] == rates


def test_what_a_training_holds_is_free_when_it_is_dropped():
    """Graphs and arrays take much memory: they do not wait for the garbage collector to find a cycle."""
    progress = Lines()
    learner = trainer(replace(CONFIG, epochs=1, show_every=1), progress=progress)
    learner.fit()
    gone = [weakref.ref(learner), weakref.ref(learner.validators[0])]
    gc.disable()
    try:
        del learner
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()


def test_shows_at_no_epoch_when_not_asked():
    shown = []

    class Shown(Progress):
        def on_samples(self, lines):
            shown.append(lines)

    trainer(replace(CONFIG, show_every=0), progress=Shown()).fit()
    assert shown == []


def test_the_lower_loss_decides_between_equal_exact_matches():
    best = Best((("match", "max"), ("loss", "min")))

    def improves(match, loss):
        return best.improves({"match": match, "loss": loss}, {"match": 0.5, "loss": 1.0})

    assert improves(0.5, 0.9) and improves(0.6, 2.0)
    assert not improves(0.5, 1.0) and not improves(0.5, 1.1) and not improves(0.4, 0.1)


def test_the_seed_decides_the_first_weights():
    assert same(trainer(seed=1).weights, trainer(seed=1).weights)
    assert not same(trainer(seed=1).weights, trainer(seed=2).weights)


def test_every_epoch_says_how_long_it_has_been():
    seconds = [row["seconds"] for row in trainer().fit()]  # without a run: no save counts the time
    assert seconds[0] > 0 and seconds == sorted(seconds)


def test_every_update_has_its_number_and_its_rate(monkeypatch):
    given, real = [], Adam.update

    def update(self, rate, number, scale):
        given.append((rate, number))
        real(self, rate, number, scale)

    monkeypatch.setattr(Adam, "update", update)
    learner = trainer(replace(CONFIG, epochs=2))
    learner.fit()
    assert given == [(learning_rate(learner.config, number, 10), number) for number in range(1, 11)]


def test_dropout_acts_in_training():
    # At a vanishing learning rate the loss of an epoch would be that of the first weights, but for the dropout.
    learner = trainer(replace(CONFIG, epochs=1, learning_rate=1e-12), replace(MODEL, dropout=0.5))
    answers = answered(learner, DATA.train)
    [row] = learner.fit()
    assert abs(row["train_loss"] - answers.loss) > 1e-3


def test_progress_does_not_pass_the_end_of_an_epoch(monkeypatch):
    told = []

    class Told(Progress):
        def on_step(self, step):
            told.append(step.rows)

    trainer(replace(CONFIG, epochs=1, batch_size=33), progress=Told()).fit()
    assert told == [33, 66, 80]


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    run = Run(tmp_path)
    learner = trainer(run=run)
    learner.save()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    spoil(learner)
    with pytest.raises(Seq2SeqError, match="training diverged in epoch 1"):
        learner.save()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_moments_that_are_no_numbers_are_not_saved(tmp_path, monkeypatch):
    learner = trainer(run=Run(tmp_path))
    moments = {name: np.full_like(moment, np.inf) for name, moment in learner._updater.moments.items()}
    learner._updater.set_moments(moments)
    with pytest.raises(Seq2SeqError, match="training diverged in epoch 1"):
        learner.save()
    assert list(tmp_path.iterdir()) == []


# Texts ----------------------------------------------------------------------------------------------------------------

TEXT = Text(given=some_text(200), length=4)
IN_ORDER = DataConfig(split="position")


def reader(model, config, **options):
    codec = make_codec(TEXT, IN_ORDER, model)
    data = build_dataset(TEXT, IN_ORDER, 0, codec)
    return made(make_model(TEXT, model, codec), config, data, **options)


@pytest.mark.parametrize(
    "name, options",
    [
        ("rnn-stateful", {}),
        ("lstm", {}),
        ("gru", {"dropout": 0.3}),
        ("gru", {"embedding": 4, "normalise": "batch"}),
        ("rnn-numpy", {}),
        ("lstm-numpy", {}),
    ],
)
@pytest.mark.parametrize("updates", [1, 20])
def test_a_text_read_in_its_order_goes_on_bit_for_bit(tmp_path, workers, name, options, updates):
    model = replace(MODEL, model=name, **options)
    config = replace(CONFIG, epochs=3, batch_size=5)
    whole = reader(model, config)
    assert whole.steps_per_epoch > 20
    whole.fit()
    run, stopper = Run(tmp_path), StopAfter(updates)
    with pytest.raises(TrainingInterrupted):
        stopper.watch(reader(model, config, run=run, progress=stopper)).fit()
    resumed = reader(model, config, run=run)
    resumed.restore()
    assert 0 < resumed.state.step == resumed.state.updates and resumed._updater.states["hidden"].any()
    resumed.fit()
    assert same(whole.weights, resumed.weights) and same(whole.best_weights, resumed.best_weights)
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]


def test_every_epoch_begins_with_no_memory():
    learner = reader(replace(MODEL, model="rnn-stateful"), replace(CONFIG, epochs=2, batch_size=5))
    begun = []
    feeds = learner._updater.feeds

    def watched(*given):
        begun.append(learner._updater.states["hidden"].any())
        return feeds(*given)

    learner._updater.feeds = watched
    learner.fit()
    assert begun == [False, False] and learner._updater.states["hidden"].any()


def test_validation_reads_full_batches_and_ends_where_the_targets_do(monkeypatch):
    from seq2seq.applications import learning

    bound = []

    def bind(model, batch_size, *rest, **options):
        bound.append((model.source_length, model.target_length, batch_size))
        return make_predictor(model, batch_size, *rest, **options)

    monkeypatch.setattr(learning, "make_predictor", bind)
    monkeypatch.setattr(learning, "BATCH_SIZE", 8)
    codec = Codec(" ab", 20, 20, reverse_target=False, pad_end=True)
    pairs = [("a" * (1 + i), "b" * (1 + i % 6)) for i in range(19)]
    sources, targets = zip(*pairs)
    examples = Examples(codec.encode_sources(sources), codec.encode_targets(targets))
    model = AttentionModel(ModelConfig(hidden_size=4), 20, 20, 3)
    validator = AnswerValidator(model, codec, examples, mx.cpu())
    found = validator.validate(TestModule())
    assert bound == [(20, 7, 5), (10, 7, 5)]  # 9 and 10 sources; six characters and the end
    assert set(found) == {"validation_loss", "validation_exact_match"}
    assert len(validator.samples({}, 0, 1)) == 10
