"""The training loop. Nothing in it knows what the arrays mean.

Resuming needs little saved state, because everything random is a function of the seed and a counter: the order of the
rows depends on the number of the epoch, and the dropout masks on the number of the update.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from seq2seq.engine.best import Best
from seq2seq.engine.callbacks import Callback, Start, Step
from seq2seq.engine.network import Network
from seq2seq.engine.options import TrainingConfig
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.engine.samplers import Batch, Sampler
from seq2seq.engine.schedules import learning_rate
from seq2seq.engine.shards import make_updater
from seq2seq.engine.signals import signals_ask
from seq2seq.engine.state import State
from seq2seq.engine.test_module import TestModule
from seq2seq.engine.updater import BaseUpdater, Wish
from seq2seq.engine.validators import Validator
from seq2seq.errors import RunError, Seq2SeqError, TrainingInterrupted
from seq2seq.mx import Device, alone, give_way, mx
from seq2seq.typing import Array

ADVICE = "try a lower learning_rate"
SAVE_SECONDS = 10.0  # between two saves; a killed process loses at most this much work
# MXNet's random state cannot be saved, so with dropout it is seeded again at each epoch and after this many updates
RESEED_UPDATES = 16


@dataclass
class Snapshot:
    """Everything that is needed to resume a training.

    Attributes
    ----------
    weights, best_weights, moments, states : dict of str to ndarray
    loss_sum : float
        Summed loss of the current epoch.
    state : State
    history : list of dict
        One row per completed epoch.
    """

    weights: dict[str, Array]
    best_weights: dict[str, Array]
    moments: dict[str, Array]
    states: dict[str, Array]
    loss_sum: float
    state: State
    history: list[dict[str, Any]] = field(default_factory=list)


class Store(Protocol):
    """Saves and loads snapshots."""

    def save(self, snapshot: Snapshot) -> None:
        """Save a snapshot in place of the last one."""

    def load(self, like: Snapshot, steps_per_epoch: int) -> Snapshot:
        """Load the last snapshot.

        Parameters
        ----------
        like : Snapshot
            The arrays must have the names and shapes of this snapshot's.
        steps_per_epoch : int
            See `State.from_json`.

        Raises
        ------
        RunError
            If it cannot be read or does not match.
        """


class Trainer:
    """Trains a network.

    Parameters
    ----------
    network : Network
    sampler : Sampler
        Provides the training batches.
    config : TrainingConfig
    seed : int
        Determines the initial weights, the order of the rows and the dropout masks.
    device : mxnet.Context
    validators : sequence of Validator
        Called after each epoch.
    best_by : sequence of (str, str)
        The values that choose the best epoch if `config.best_by` is `auto`: see `Best`.
    samples : callable, optional
        From the trainer to the lines that are shown every `show_every` epochs.
    callbacks : sequence of Callback
    store : Store, optional
        Saves snapshots; by default nothing is written.
    updater : BaseUpdater, optional
        Updates the weights; by default that of `make_updater`, which uses MXNet.
    ranks : Ranks, optional
        The processes that train together. Each has the same trainer, except that the first alone has callbacks and
        samples, and alone calls validators that are not `shared`. The store of the others is one that loads what the
        first has saved.

    Attributes
    ----------
    state : State
    history : list of dict
        The rows of `metrics.csv`, one per epoch.
    best_weights : dict of str to ndarray
        The weights of the best epoch.
    module : TestModule
        Inference graphs on the current weights.
    """

    @alone
    def __init__(
        self,
        network: Network,
        sampler: Sampler,
        config: TrainingConfig,
        *,
        seed: int = 0,
        device: Device = None,
        validators: Sequence[Validator] = (),
        best_by: Sequence[tuple[str, str]] = (),
        samples: Callable[[Trainer], list[str]] | None = None,
        callbacks: Sequence[Callback] = (),
        store: Store | None = None,
        updater: BaseUpdater | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.network = network
        self.sampler = sampler
        self.config = config
        self.seed = seed
        self.validators = list(validators)
        self.best = Best(tuple(best_by)) if config.best_by == "auto" else Best.parse(config.best_by)
        self.best.require_measured([name for validator in self.validators for name in validator.names])
        self.samples = samples
        self.callbacks = list(callbacks)
        self.store = store
        self.state = State()
        self.history: list[dict[str, Any]] = []
        self._asked = False  # a signal asked to stop
        self._ended = False  # a callback called `stop`
        self._terms = 0  # loss terms of the epoch so far
        self._saved_at = self._clock = 0.0
        self._ranks = ranks
        self._updater = updater or make_updater(network, config, seed, device or mx.cpu(), ranks)
        self.module = TestModule(self._updater.parameters, ranks)
        self.best_weights = self.weights

    @property
    @alone
    def weights(self) -> dict[str, Array]:
        """The current weights, by parameter name. Waits for the device."""
        return self._updater.weights

    @alone
    def set_weights(self, weights: dict[str, Array]) -> None:
        """Start from given weights, in place of initial ones. Call it before `fit`."""
        self._updater.set_weights(weights)
        self.best_weights = self.weights

    @property
    def steps_per_epoch(self) -> int:
        """Number of updates per epoch."""
        return self.sampler.batches

    @property
    def mean_loss(self) -> float:
        """Mean loss per term of the epoch so far. Waits for the device."""
        return self._updater.loss_sum / max(1, self._terms)

    def stop(self) -> None:
        """End the training after the current epoch, as if patience had run out."""
        self._ended = True

    # The loop -----------------------------------------------------------------------------------------------------

    @alone
    def fit(self) -> list[dict[str, Any]]:
        """Train until the last epoch, or until patience runs out.

        Returns
        -------
        list of dict
            One row per epoch.

        Raises
        ------
        TrainingInterrupted
            After SIGINT or SIGTERM; the current step was finished and everything saved.
        Seq2SeqError
            If the loss is no longer finite. The last snapshot is kept.
        """
        state = self.state
        done = state.epoch * self.sampler.rows
        if state.step:  # else the plan of the epoch need not be made twice
            done += sum(len(batch.rows) for batch in self._plan()[: state.step])
        try:
            with signals_ask(self._ask):
                start = Start(self.config.epochs, self.sampler.rows, done, self)
                for callback in self.callbacks:
                    callback.on_start(start)
                self._saved_at = self._clock = time.monotonic()
                while not self._over:
                    self._train_epoch()
                self.save()
        finally:
            for callback in self.callbacks:
                callback.on_end()
        return self.history

    def _ask(self) -> bool:
        """Stop after the current step. Returns whether this has been requested before."""
        before = self._asked
        self._asked = True
        return before

    @property
    def _over(self) -> bool:
        state = self.state
        out_of_patience = 0 < self.config.patience <= state.epoch - state.best_epoch
        return self._ended or out_of_patience or state.epoch >= self.config.epochs

    def _plan(self) -> Sequence[Batch]:
        """The batches of the current epoch."""
        return self.sampler.epoch(np.random.default_rng((self.seed, 1, self.state.epoch)))

    def _train_epoch(self) -> None:
        state = self.state
        plan = self._plan()
        started = time.monotonic()
        done = skipped = sum(len(batch.rows) for batch in plan[: state.step])
        self._terms = sum(batch.terms for batch in plan[: state.step])
        if state.step == 0:
            self._updater.set_states()

        for feed in self._updater.feeds(self.sampler.arrays, plan[state.step :]):
            self._step(feed)
            done += feed.rows
            self._terms += feed.terms
            for callback in self.callbacks:
                callback.on_step(Step(state.updates, done, self))
            if state.step < self.steps_per_epoch:  # after the last step the epoch is completed first
                self._stop_or_save()

        loss = self.mean_loss
        if not math.isfinite(loss):
            raise Seq2SeqError(f"training diverged: the loss is {loss} in epoch {state.epoch + 1}; {ADVICE}")
        seconds = time.monotonic() - started
        self._end_epoch(loss, (done - skipped) / seconds)
        self._stop_or_save()

    def _step(self, feed: Any) -> None:
        """Make one update; before it, other threads get a turn unless they would draw from the same random state."""
        state = self.state
        reseed = self.network.random and (state.step == 0 or state.updates % RESEED_UPDATES == 0)
        if reseed or not self.network.random:
            give_way()
        if reseed:
            self._updater.seed((self.seed * 1_000_003 + state.updates) % 2**31)
        state.step += 1
        state.updates += 1
        self._updater.update(feed, state.updates, self._rate())

    def _rate(self) -> float:
        """The learning rate of the current update."""
        return learning_rate(self.config, self.state.updates, self.config.epochs * self.steps_per_epoch)

    def _end_epoch(self, loss: float, samples_per_second: float) -> None:
        state = self.state
        self._updater.publish()
        own = self._validate()
        values = self._ranks.once(lambda: own, f"validation of epoch {state.epoch + 1}")
        state.epoch += 1
        state.step = 0
        self._updater.loss_sum = 0.0
        new = self.best.chosen(values)
        if self.best.improves(new, state.best):
            state.best_epoch = state.epoch
            state.best = new
            self.best_weights = self.weights
        self._tick()
        row = {
            "epoch": state.epoch,
            "step": state.updates,
            "learning_rate": self._rate(),
            "train_loss": loss,
            **values,
            "samples_per_second": round(samples_per_second, 1),
            "seconds": round(state.seconds, 3),
        }
        self.history.append(row)
        for callback in self.callbacks:
            callback.on_epoch(dict(row))  # its own: what it changes stays its own
        every = self.config.show_every
        if self.samples and every and (state.epoch % every == 0 or state.epoch == self.config.epochs):
            lines = self.samples(self)
            for callback in self.callbacks:
                callback.on_samples(lines)

        self._ended = self._ranks.once(lambda: self._ended, f"end of epoch {state.epoch}")

    def _validate(self) -> dict[str, float]:
        values: dict[str, float] = {}
        for validator in self.validators:
            if validator.shared or self._ranks.first:
                values.update(validator.validate(self.module))
        return values

    # Stopping, saving, resuming -----------------------------------------------------------------------------------

    def _stop_or_save(self) -> None:
        if self.network.random and self.state.step and self.state.updates % RESEED_UPDATES:
            return  # the dropout masks of the next updates could not be drawn again
        wish = Wish.NOTHING
        if self._asked:
            wish = Wish.STOP
        elif time.monotonic() - self._saved_at >= SAVE_SECONDS:
            wish = Wish.SAVE
        wish = self._updater.agree(wish)
        if wish > Wish.NOTHING:
            self.save()
        if wish == Wish.STOP:
            raise TrainingInterrupted(f"stopped in epoch {self.state.epoch + 1} after {self.state.updates} updates")

    def _tick(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._clock = now

    @property
    def snapshot(self) -> Snapshot:
        """The current weights, moments, states and progress. Waits for the device."""
        updater = self._updater
        return Snapshot(
            weights=updater.weights,
            best_weights=self.best_weights,
            moments=updater.moments,
            states=updater.states,
            loss_sum=updater.loss_sum,
            state=self.state,
            history=self.history,
        )

    @alone
    def save(self) -> None:
        """Save a snapshot in the store, if there is one.

        Raises
        ------
        Seq2SeqError
            If the weights or the loss are not finite.
        """
        if self.store is None:
            return
        if self._saved_at:
            self._tick()
        snapshot = self.snapshot
        arrays = (snapshot.weights, snapshot.best_weights, snapshot.moments, snapshot.states)
        finite = all(np.isfinite(array).all() for each in arrays for array in each.values())
        if not (finite and math.isfinite(snapshot.loss_sum)):
            raise Seq2SeqError(f"training diverged in epoch {self.state.epoch + 1}; {ADVICE}")
        for callback in self.callbacks:
            callback.on_save(self)
        self.store.save(snapshot)
        self._saved_at = time.monotonic()

    @alone
    def restore(self) -> None:
        """Restore the snapshot in the store. Call it before `fit`.

        Raises
        ------
        RunError
            If the snapshot cannot be read or does not match.
        """
        assert self.store is not None
        snapshot = self.store.load(self.snapshot, self.steps_per_epoch)
        best = snapshot.state.best
        if best is not None:
            if not set(self.best.names) <= set(best):
                raise RunError(f"the state that was saved has chosen its best epoch by {', '.join(best)}")
            snapshot.state.best = self.best.chosen(best)  # earlier versions saved more than what decides
        self.state = snapshot.state
        self.history = snapshot.history
        self.best_weights = snapshot.best_weights
        self._updater.set_weights(snapshot.weights)
        self._updater.set_moments(snapshot.moments)
        self._updater.set_states(snapshot.states)
        self._updater.loss_sum = snapshot.loss_sum
