"""The training loop, over MXNet's `Module`. Nothing in it knows about arithmetic.

What an interrupted training needs to go on is small, because everything random is a function of the seed and of a
count: the order of the examples of the epoch, and the dropout masks of the number of updates.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from seq2seq.config import TrainingConfig
from seq2seq.dataset import Examples
from seq2seq.decoding import Reader, Shared, WidthsPredictor, fitting, make_predictor, write
from seq2seq.engine import make_updater
from seq2seq.engine.optimizers import learning_rate
from seq2seq.engine.samplers import make_batching
from seq2seq.errors import RunError, Seq2SeqError, TrainingInterrupted, is_number, is_whole
from seq2seq.models import CharacterModel, Model
from seq2seq.mx import alone, give_way, mx
from seq2seq.progress import Progress
from seq2seq.runs import METRICS, OPTIMIZER, WEIGHTS, Run
from seq2seq.vocabulary import Codec

VALIDATION_BATCH = 512
ADVICE = "try a lower learning_rate"
SHOWN = 10  # held-out questions in one show, ...
SHOWN_CHARACTERS = 200  # ... or characters written
REFRESH_SECONDS = 0.25  # between two readings of the loss; each waits for the engine
SAVE_SECONDS = 10.0  # between two saves; at most so much work is lost when the process is killed
# MXNet's random state cannot be saved, so with dropout it is set anew each epoch and every so many updates
RESEED_UPDATES = 16


@dataclass
class State:
    """Where a training is: with the arrays beside it, all that a resumed one needs."""

    epoch: int = 0  # epochs completed
    step: int = 0  # steps done of the epoch under way
    updates: int = 0  # steps done in all
    seconds: float = 0.0  # spent training
    best_epoch: int = 0
    best_exact_match: float = -1.0
    best_loss: float = math.inf

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "best_loss": str(self.best_loss)}  # infinite at first, which JSON does not know

    @classmethod
    def from_json(cls, values: dict[str, Any], steps_per_epoch: int) -> State:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        state = cls(**{**values, "best_loss": float(values["best_loss"])})
        counts = (state.epoch, state.step, state.updates, state.best_epoch)
        good = (
            all(is_whole(count, 0) for count in counts)
            and state.step < steps_per_epoch
            and state.updates == state.epoch * steps_per_epoch + state.step
            and state.best_epoch <= state.epoch
            and is_number(state.seconds)
            and is_number(state.best_exact_match)
            and state.to_json() == values
        )
        if not good:
            raise ValueError("no state of a training")
        return state

    def improves(self, exact_match: float, loss: float, by_loss: bool = False) -> bool:
        if by_loss:
            return loss < self.best_loss
        return (exact_match, -loss) > (self.best_exact_match, -self.best_loss)


class Trainer:
    """Learns a model's weights from examples.

    Parameters
    ----------
    model : Model
    codec : Codec
        Turns arrays back into strings, to show questions and answers.
    config : TrainingConfig
    train, validation : Examples
        What to learn from, and what to choose the best weights by.
    seed : int
        Decides the first weights, the order of the examples and the dropout.
    device : mxnet.Context
    run : Run, optional
        Where to keep everything; without it, nothing is written.
    progress : Progress, optional
        Told of every step and epoch; silent by default.

    Attributes
    ----------
    state : State
    history : list of dict
        The rows of `metrics.csv`.
    best_weights : dict of str to ndarray
        The weights of the epoch with the highest exact match on the validation examples, the lower loss deciding; of a
        text's model, by the loss alone.
    """

    @alone
    def __init__(
        self,
        model: Model,
        codec: Codec,
        config: TrainingConfig,
        train: Examples,
        validation: Examples,
        *,
        seed: int = 0,
        device: Any = None,
        run: Run | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.model = model
        self.codec = codec
        self.config = config
        self.train = train
        self.validation = validation
        self.seed = seed
        self.device = device or mx.cpu()
        self.run = run
        self.progress = progress or Progress()
        self.state = State()
        self.history: list[dict[str, Any]] = []
        self._stop = False
        self._saved_at = self._clock = 0.0

        self._batching = make_batching(train, codec, config.batch_size, model.in_order)
        self.steps_per_epoch = self._batching.count
        self._updater = make_updater(model, config, seed, self.device)
        size = fitting(model, min(len(validation), VALIDATION_BATCH), scored=True)
        widths = np.unique(codec.source_widths(validation.sources)).tolist()
        shared: Shared = {}
        predictors = {
            width: make_predictor(model.resized(width, codec.target_length), size, self.device, shared=shared)
            for width in widths[::-1]  # the widest first: its working memory holds the others
        }
        self._predictor = WidthsPredictor(predictors, codec)
        self.best_weights = self.weights

    @property
    @alone
    def weights(self) -> dict[str, np.ndarray]:
        """The weights of the moment, by parameter name."""
        return self._updater.weights

    # The loop -----------------------------------------------------------------------------------------------------

    @alone
    def fit(self) -> list[dict[str, Any]]:
        """Train until the last epoch, or until patience runs out.

        Returns
        -------
        list of dict
            A row an epoch.

        Raises
        ------
        TrainingInterrupted
            After SIGINT or SIGTERM: the step under way was finished and everything was written to the run folder.
        Seq2SeqError
            If the loss is no longer a number. What was saved before stays.
        """
        done = self.state.epoch * len(self.train) + self.state.step * self.config.batch_size
        with self._signals_stop(), self.progress:
            self.progress.start(self.config.epochs, len(self.train), done)
            self._saved_at = self._clock = time.monotonic()
            while self.state.epoch < self.config.epochs and not self._out_of_patience():
                self._train_epoch()
            self.save()
        return self.history

    def _out_of_patience(self) -> bool:
        return 0 < self.config.patience <= self.state.epoch - self.state.best_epoch

    def _train_epoch(self) -> None:
        state = self.state
        plan = self._batching.epoch(np.random.default_rng((self.seed, 1, state.epoch)))
        started, done = time.monotonic(), sum(len(batch.rows) for batch in plan[: state.step])
        characters = sum(batch.characters for batch in plan[: state.step])
        next_refresh, skipped = started + REFRESH_SECONDS, done
        if state.step == 0:
            self._updater.set_states()

        for batch in self._updater.batches(self.train, plan[state.step :]):
            self._step(batch)
            done += batch.size
            characters += batch.characters
            if time.monotonic() >= next_refresh:
                self.progress.advance(done, self._updater.mean_loss(characters))
                next_refresh = time.monotonic() + REFRESH_SECONDS
            if state.step < self.steps_per_epoch:  # else the epoch's end below comes first
                self._stop_or_save()

        loss = self._updater.mean_loss(characters)
        if not math.isfinite(loss):
            raise Seq2SeqError(f"training diverged: the loss is {loss} in epoch {state.epoch + 1}; {ADVICE}")
        seconds = time.monotonic() - started
        self._end_epoch(loss, (done - skipped) / seconds)
        self._stop_or_save()

    def _step(self, batch: Any) -> None:
        """One update, before which other threads may have their turn, unless they would draw of the same masks."""
        state = self.state
        reseed = self.model.random and (state.step == 0 or state.updates % RESEED_UPDATES == 0)
        if reseed or not self.model.random:
            give_way()
        if reseed:
            self._updater.seed((self.seed * 1_000_003 + state.updates) % 2**31)
        state.step += 1
        state.updates += 1
        self._updater.update(batch, state.updates, self._rate())

    def _rate(self) -> float:
        """The learning rate of the update under way."""
        return learning_rate(self.config, self.state.updates, self.config.epochs * self.steps_per_epoch)

    def _end_epoch(self, loss: float, samples_per_second: float) -> None:
        state = self.state
        weights = self.weights
        self._predictor.set_weights(weights)
        answers = self._predictor.answer(self.validation.sources, self.validation.targets)
        right = answers.ids == self.validation.targets
        exact = right.all(axis=1) if self.model.answers else right
        exact_match, validation_loss = float(exact.mean()), answers.loss
        state.epoch, state.step = state.epoch + 1, 0
        self._updater.loss_sum[:] = 0
        if state.improves(exact_match, validation_loss, by_loss=not self.model.answers):
            state.best_epoch, state.best_exact_match, state.best_loss = state.epoch, exact_match, validation_loss
            self.best_weights = weights
        self._tick()
        row = {
            "epoch": state.epoch,
            "step": state.updates,
            "learning_rate": self._rate(),
            "train_loss": loss,
            "validation_loss": validation_loss,
            "validation_exact_match": exact_match,
            "samples_per_second": round(samples_per_second, 1),
            "seconds": round(state.seconds, 3),
        }
        if not self.model.answers:
            row["validation_bits"] = validation_loss / math.log(2)
        self.history.append(row)
        self.progress.end_epoch(row)
        if self.config.show_every and (state.epoch % self.config.show_every == 0 or state.epoch == self.config.epochs):
            if isinstance(self.model, CharacterModel):
                self.progress.show(self._written(self.model, weights))
            else:
                self.progress.show(self._questions(answers.ids[:SHOWN], exact[:SHOWN]))

    def _written(self, model: CharacterModel, weights: dict[str, np.ndarray]) -> list[str]:
        """The lines of what the model makes of the first characters of the validation text."""
        prefix, rng = self.validation.sources[0], np.random.default_rng((self.seed, 4, self.state.epoch))
        drawn = write(Reader(model, self.device, weights), prefix, 1.0, 0, rng)
        ids = np.array([*prefix, *islice(drawn, SHOWN_CHARACTERS)])
        return self.codec.decode_sources(ids[None])[0].split("\n")

    def _questions(self, ids: np.ndarray, exact: np.ndarray) -> list[str]:
        """The first validation questions with the model's answers, ✓ or ✗, and the right answer where it differs."""
        sources = self.codec.decode_sources(self.validation.sources[: len(ids)])
        targets = self.codec.decode_targets(self.validation.targets[: len(ids)])
        width = max(map(len, sources))
        return [
            f"{source:>{width}} -> {answer} " + ("✓" if right else f"✗ ({target})")
            for source, answer, target, right in zip(sources, self.codec.decode_targets(ids), targets, exact)
        ]

    # Stopping, saving, going on -----------------------------------------------------------------------------------

    @contextmanager
    def _signals_stop(self) -> Iterator[None]:
        """SIGINT and SIGTERM ask the loop to stop after a step; a second one does what it did before this loop.

        One that is ignored, as SIGINT is in what a script starts with `&`, stays ignored.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask(number: int, frame: Any) -> None:
            if self._stop:
                put_back()
                signal.raise_signal(number)
            self._stop = True

        def put_back() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
        for number in before:
            signal.signal(number, ask)
        try:
            yield
        finally:
            put_back()

    def _stop_or_save(self) -> None:
        if self.model.random and self.state.step and self.state.updates % RESEED_UPDATES:
            return  # the masks that follow could not be drawn again
        if self._stop:
            self.save()
            raise TrainingInterrupted(f"stopped in epoch {self.state.epoch + 1} after {self.state.updates} updates")
        if time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self.save()

    def _tick(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._clock = now

    @alone
    def save(self) -> None:
        """Write weights, metrics and state to the run folder. The state is last: it says what the others hold."""
        run = self.run
        if run is None:
            return
        if self._saved_at:
            self._tick()
        weights = self.weights
        arrays = {f"weight.{name}": array for name, array in weights.items()}
        arrays.update({f"best.{name}": array for name, array in self.best_weights.items()})
        arrays.update(self._updater.moments)
        arrays.update({f"state.{name}": array for name, array in self._updater.states.items()})
        arrays["nats"] = np.array([self._updater.mean_loss(1)], np.float32)
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise Seq2SeqError(f"training diverged in epoch {self.state.epoch + 1}; {ADVICE}")
        best = {"epoch": self.state.best_epoch, "validation_exact_match": self.state.best_exact_match}
        run.write_arrays(WEIGHTS["best"], self.best_weights, best)
        run.write_arrays(WEIGHTS["last"], weights, {"epoch": self.state.epoch, "step": self.state.updates})
        run.write_metrics(self.history)
        run.write_arrays(OPTIMIZER, arrays, self.state.to_json())
        self._saved_at = time.monotonic()

    @alone
    def restore(self) -> None:
        """Go back to where the run folder's state was saved. To be called before `fit`.

        Raises
        ------
        RunError
            If a file is missing, damaged, or of another model.
        """
        assert self.run is not None
        weights = {name: array.shape for name, array in self.weights.items()}
        expected = {f"{prefix}.{name}": shape for prefix in ("weight", "best") for name, shape in weights.items()}
        expected.update({name: moment.shape for name, moment in self._updater.moments.items()})
        states = {name: array.shape for name, array in self._updater.states.items()}
        expected.update({f"state.{name}": shape for name, shape in states.items()})
        expected["nats"] = (1,)
        arrays, state = self.run.read_arrays(OPTIMIZER, sum(map(math.prod, expected.values())))
        if "loss_sum" in arrays:  # of an earlier version, whose losses were means over T
            arrays["nats"] = arrays.pop("loss_sum") * np.float32(self.model.target_length)
        if {name: array.shape for name, array in arrays.items()} != expected:
            raise RunError(f"{self.run.shown}/{OPTIMIZER}: holds the arrays of another model")
        try:
            self.state = State.from_json(state, self.steps_per_epoch)
        except (KeyError, TypeError, ValueError):
            raise RunError(f"{self.run.shown}/{OPTIMIZER}: was not written by this library") from None
        self.history = self.run.read_metrics()[: self.state.epoch]
        if len(self.history) != self.state.epoch:
            raise RunError(f"{self.run.shown}/{METRICS}: lacks epochs that {OPTIMIZER} has done")
        if any(("validation_bits" in row) == self.model.answers for row in self.history):
            raise RunError(f"{self.run.shown}/{METRICS}: is that of another model")

        self._updater.set_weights({name: arrays[f"weight.{name}"] for name in weights})
        self.best_weights = {name: arrays[f"best.{name}"] for name in weights}
        self._updater.set_moments(arrays)
        self._updater.set_states({name: arrays[f"state.{name}"] for name in states})
        self._updater.loss_sum[:] = arrays["nats"]
