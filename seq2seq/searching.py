"""Searches for better options: trials with other values, each an ordinary run, judged on validation alone.

Optuna (Akiba et al. 2019) proposes the values, by the tree-structured Parzen estimator (Bergstra et al. 2011) once it
has seen ten trials. The first trial has the given options, so that the result is not worse than these. A trial whose
epoch is worse than the median of the other trials at that epoch is ended. The journal of the study is a file in its
folder, beside the runs of the trials: a search can be interrupted and continued, and several processes can share it.

No trial is scored on test examples: the recipe that is written at the end is the first to be.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seq2seq.applications import application_of
from seq2seq.config import PARTS, Config
from seq2seq.engine.best import Best
from seq2seq.engine.callbacks import Callback, Start
from seq2seq.errors import RunError, Seq2SeqError, TrainingInterrupted, UsageError, quoted
from seq2seq.experiment import configured, train
from seq2seq.files import shown, write
from seq2seq.options import model_name
from seq2seq.places import PathLike
from seq2seq.progress import Progress, progress_for_stderr
from seq2seq.recipes.writing import recipe_text, require_in_recipe
from seq2seq.search_space import space
from seq2seq.tasks import Task
from seq2seq.tasks.pairs import PairsTask
from seq2seq.values import whole

JOURNAL = "journal.log"
RECIPE = "best.toml"
STUDY = "search"  # its name in the journal
STARTUP_TRIALS = 5  # trials that are never ended early, since there are too few to compare with
MOST = 10_000  # trials


def search(
    task: Task | Sequence[tuple[str, str]] | None = None,
    run_dir: PathLike | None = None,
    *,
    trials: int = 20,
    preset: str | Config | None = None,
    device: str = "auto",
    progress: bool = True,
    **options: Any,
) -> Path:
    """Search for the learning rate, hidden size, layers, dropout, weight decay and batch size of an experiment.

    Only options that the model has are searched, and of these only those that are not given.

    Parameters
    ----------
    task, preset, device, progress, **options
        As for `train`.
    run_dir : path, optional
        The folder of the search; by default `runs/search-` and the name of the task. A folder that holds the same
        search is continued.
    trials : int
        Number of trials, with those that the folder already has.

    Returns
    -------
    Path
        The recipe of the best trial, `best.toml` in the folder.

    Raises
    ------
    UsageError
        If an option is not allowed, or a recipe cannot name the task.
    RunError
        If the folder holds another search, or cannot be used.
    Seq2SeqError
        If Optuna is not installed, or no trial succeeded.
    TrainingInterrupted
        After SIGINT or SIGTERM. A trial that was interrupted is continued by the next search in the folder.
    """
    trials = whole("trials", trials, 1, MOST)
    optuna = _import_optuna()
    if task is not None and not isinstance(task, Task):
        task = PairsTask.of(task)
    config = configured(task, preset, options)
    require_in_recipe(config.task)
    folder = Path(f"runs/search-{config.task.name}" if run_dir is None else run_dir)
    say = progress_for_stderr() if progress else Progress()
    study = Study(optuna, folder, config, frozenset(options), device, progress)
    while study.done < trials:
        say.on_note(study.run_trial(trials))
    return study.write_recipe()


class Study:
    """The trials of a search in a folder.

    Parameters
    ----------
    optuna : module
    folder : Path
    config : Config
        The options of the first trial.
    fixed : frozenset of str
        Options that are the same in all trials.
    device, progress
        As for `train`.

    Raises
    ------
    RunError
        If the folder holds another search, or cannot be used.
    """

    def __init__(
        self, optuna: Any, folder: Path, config: Config, fixed: frozenset[str], device: str, progress: bool
    ) -> None:
        self._optuna = optuna
        self._folder = folder
        self._config = config
        self._device = device
        self._progress = progress
        self._space = space(config, fixed)
        by = config.training.best_by
        self._rule = Best(application_of(config.task).best_by) if by == "auto" else Best.parse(by)
        [(self._value, direction), *_] = self._rule.order
        states = optuna.trial.TrialState
        self._finished = (states.COMPLETE, states.PRUNED, states.FAIL)
        try:
            os.makedirs(folder, exist_ok=True)
            storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL)))
            self._study = optuna.create_study(
                storage=storage,
                study_name=STUDY,
                load_if_exists=True,
                direction="maximize" if direction == "max" else "minimize",
                pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, n_warmup_steps=config.training.epochs // 4),
            )
        except OSError as error:
            raise RunError(f"{shown(folder)}: cannot hold a search: {error.strerror}") from None
        except (ValueError, KeyError) as error:
            raise RunError(f"{shown(folder / JOURNAL)}: is damaged: {error}") from None
        options = {**config.to_json(), "searched": sorted(self._space)}
        begun = self._study.user_attrs.get("options")
        if begun is None:
            self._study.set_user_attr("options", options)
            self._study.enqueue_trial({name: value for name, (value, _) in self._space.items()}, skip_if_exists=True)
        elif begun != json.loads(json.dumps(options)):
            differs = _difference(begun, options)
            raise RunError(f"{shown(folder)}: holds a search with other options ({differs}); choose another folder")

    @property
    def done(self) -> int:
        """Number of trials that have ended."""
        return len([trial for trial in self._trials() if "interrupted" not in trial.user_attrs])

    def _trials(self) -> list[Any]:
        found: list[Any] = self._study.get_trials(deepcopy=False, states=self._finished)
        return found

    def run_trial(self, trials: int) -> str:
        """Train the run of one trial, and return a line about it.

        Parameters
        ----------
        trials : int
            Number of trials, for the line.

        Raises
        ------
        UsageError
            If the first trial is refused.
        RunError
            If the run cannot be written.
        TrainingInterrupted
            After SIGINT or SIGTERM.
        """
        states = self._optuna.trial.TrialState
        trial = self._study.ask()
        # A seed for each trial, so that processes that share a search never try the same values.
        self._study.sampler = self._optuna.samplers.TPESampler(
            seed=(self._config.seed * 1_000_003 + trial.number) % 2**32, constant_liar=True
        )
        values = {name: suggest(trial) for name, (_, suggest) in self._space.items()}
        folder = trial.user_attrs.get("folder", f"trial-{trial.number:04d}")
        trial.set_user_attr("folder", folder)
        report = _Report(trial, self._value)
        text = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        line = f"trial {trial.number + 1} of {trials}: {text}"
        try:
            train(
                run_dir=self._folder / folder,
                preset=self._config.with_options(**values),
                resume=True,
                device=self._device,
                progress=self._progress,
                callbacks=[report],
            )
        except TrainingInterrupted:
            trial.set_user_attr("interrupted", True)
            self._study.tell(trial, state=states.FAIL)
            self._study.enqueue_trial(values, user_attrs={"folder": folder})
            raise
        except RunError:
            raise
        except Seq2SeqError as error:
            self._study.tell(trial, state=states.FAIL)
            if trial.number == 0 and isinstance(error, UsageError):
                raise
            return f"{line}: failed: {error}"
        if report.pruned:
            self._study.tell(trial, state=states.PRUNED)
            return f"{line}: ended after epoch {report.epochs}, below the median"
        trial.set_user_attr("best", report.best)
        self._study.tell(trial, report.best[self._value])
        return f"{line}: {_named(report.best)}"

    def write_recipe(self) -> Path:
        """Write the recipe of the best trial.

        Returns
        -------
        Path

        Raises
        ------
        Seq2SeqError
            If no trial succeeded.
        RunError
            If it cannot be written.
        """
        complete = [trial for trial in self._trials() if "best" in trial.user_attrs]
        if not complete:
            raise Seq2SeqError(f"{shown(self._folder)}: no trial of the search succeeded")
        best = complete[0]
        for trial in complete[1:]:
            if self._rule.improves(trial.user_attrs["best"], best.user_attrs["best"]):
                best = trial
        config = self._config.with_options(**best.params)
        model = replace(config.model, model=model_name(config.task, config.model.model))
        # The same split for any seed, so that no test example was trained on or chosen by in a trial.
        config = replace(config, model=model).with_options(data_seed=config.data_seed)
        about = f"{config.task.name}: the best of {self.done} trials on validation, {_named(best.user_attrs['best'])}"
        path = self._folder / RECIPE
        try:
            write(path, recipe_text(config, about, f"what the split by {config.data.split} holds out").encode())
        except OSError as error:
            raise RunError(f"{shown(path)}: cannot be written: {error.strerror}") from None
        return path


class _Report(Callback):
    """Reports each epoch of a trial, and ends the training if the pruner says so.

    Parameters
    ----------
    trial : optuna.Trial
    value : str
        Name of the validation value by which trials are compared.

    Attributes
    ----------
    pruned : bool
    epochs : int
        Number of epochs.
    """

    def __init__(self, trial: Any, value: str) -> None:
        self._trial = trial
        self._value = value
        self.pruned = False
        self.epochs = 0

    def on_start(self, start: Start) -> None:
        self._trainer = start.trainer
        self._last = start.epochs
        for row in start.trainer.history:  # of a trial that was interrupted
            self._trial.report(row[self._value], row["epoch"])
        self.epochs = len(start.trainer.history)

    def on_epoch(self, row: dict[str, Any]) -> None:
        self.epochs = row["epoch"]
        self._trial.report(row[self._value], row["epoch"])
        if row["epoch"] < self._last and self._trial.should_prune():
            self.pruned = True
            self._trainer.stop()

    @property
    def best(self) -> dict[str, float]:
        """The values of the best epoch."""
        return dict(self._trainer.state.best or {})


def _import_optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise Seq2SeqError("a search needs Optuna, which is not installed: pip install 'mxseq2seq[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


def _named(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())


def _difference(begun: dict[str, Any], options: dict[str, Any]) -> str:
    """The name and values of an option in which two searches differ."""
    for part in (*PARTS, None):
        was, now = (each if part is None else each[part] for each in (begun, json.loads(json.dumps(options))))
        for name in now:
            if was.get(name) != now[name]:
                return f"{name} {quoted(was.get(name))}, not {quoted(now[name])}"
    return "other values"
