"""From options to a trained run folder: the parts put together."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from seq2seq.applications import Application, application_of
from seq2seq.applications.learning import VALIDATION, make_sampler, make_trainer
from seq2seq.config import PARTS, PRESETS, Config, require_rebuilt
from seq2seq.dataset import Dataset, Examples, build_dataset
from seq2seq.engine.callbacks import Callback
from seq2seq.engine.range_test import RangeTest, range_test
from seq2seq.errors import RunError, Seq2SeqError, SourceError, UsageError, quoted, require
from seq2seq.folders import Hold, make, take
from seq2seq.memory import require_memory_to_train
from seq2seq.models import make_codec, make_model
from seq2seq.mx import pick_device
from seq2seq.options import fitted, lacking
from seq2seq.places import PathLike
from seq2seq.plots import plot_rates
from seq2seq.progress import Progress, progress_for_stderr
from seq2seq.runs import FILES, RATES_PLOT, Run, require_keepable
from seq2seq.solver import Solver
from seq2seq.tasks import TASKS, Pairs, Task
from seq2seq.tasks.pairs import PairsTask
from seq2seq.vocabulary import Codec


def train(
    task: Task | Iterable[tuple[str, str]] | None = None,
    run_dir: PathLike | None = None,
    *,
    preset: str | Config | None = None,
    find_rate: bool = False,
    resume: bool = False,
    device: str = "auto",
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    validation_sets: Mapping[str, Pairs | Iterable[tuple[str, str]]] | None = None,
    **options: Any,
) -> Solver:
    """Train a model and keep everything in a run folder.

    Parameters
    ----------
    task : Task, or iterable of (str, str), optional
        What to learn: a task, or the pairs themselves, (source, target), in their order, or if they are a set, which
        has none, sorted; by default the preset's task.
    run_dir : path, optional
        The folder to make, or an empty one to fill; by default one named for the task and the time, under `runs/`.
    preset : str or Config, optional
        `default`, `notebook` or a recipe's `config`: where options that are not given come from. Without it they are
        chosen from the data, as `seq2seq/applications/` says, but for `Arithmetic` and `Addition`.
    find_rate : bool
        Whether to find the `learning_rate` by a range test, as `seq2seq/engine/range_test.py` says, before training
        begins. A run that is resumed keeps the one it found.
    resume : bool
        Continue the run in `run_dir` (by default the newest under `runs/`) with the options it was made with. Where
        there is no run yet, begin one. Of the options, only `epochs` may differ from those it was made with.
    device : str
        `auto`, `cpu`, `gpu` or `gpu:N`.
    progress : bool
        Whether to show progress on stderr.
    callbacks : sequence of Callback
        Your own, told of each step and epoch after those that show progress and write `metrics.csv`.
    validation_sets : dict of str to Pairs or iterable of (str, str), optional
        Further pairs to validate by after each epoch, such as `{"long": task.sample(...)}`, no longer than those that
        are trained on. Their values are columns of `metrics.csv` that begin with the name: `long_exact_match`, which
        `best_by` may choose by. Nobody checks that they were not trained on.
    **options
        Any option of `DataConfig`, `ModelConfig` and `TrainingConfig`, and `seed`.

    Returns
    -------
    Solver
        With the best weights; of a text a `Writer`, which is one.

    Raises
    ------
    UsageError
        If an option is unknown or not allowed, or the data cannot be learned from. Nothing has been written then.
    RunError
        If the folder already holds a run (and `resume` is not set), holds something else, is damaged, cannot be made
        or written into, or another process is making it or training into it.
    DeviceError
        If the device is not there or cannot be used.
    TrainingInterrupted
        After SIGINT or SIGTERM, when everything has been kept. A `KeyboardInterrupt`.
    """
    if isinstance(task, Iterable) and not isinstance(task, str):
        task = PairsTask.of(task)
    good = isinstance(callbacks, Sequence) and all(isinstance(each, Callback) for each in callbacks)
    require(good, "callbacks", callbacks, "a list of Callback objects")
    good = validation_sets is None or isinstance(validation_sets, Mapping)
    require(good, "validation_sets", validation_sets, "a dict of pairs by name")
    shown = progress_for_stderr() if progress else Progress()
    base = _base(task, preset, options)
    config = base.with_options(**options)
    if find_rate and "learning_rate" in options:
        raise UsageError("find_rate: not with learning_rate: both say what the rate is")
    for learned in (config.task, *(extra.task for extra in config.extra)):
        require_rebuilt(learned)
    require_keepable(config.task)
    with _hold(run_dir, config.task, resume) as hold:
        if not hold.locked:
            shown.on_note(f"{hold.path}: on a file system without locks; train into it with one process at a time")
        run = Run(hold.path)
        resumed = run.exists
        if resumed and not resume:
            raise RunError(f"{run.shown}: already holds a run; resume it, or choose another folder")
        if resumed:
            chosen = set(options) | ({"task"} if task is not None else set())
            if preset is not None:
                chosen |= set(_flat(config)) - {"seed", "epochs", *lacking(config)}
            if find_rate:
                if not run.found_rate:
                    raise UsageError(f"find_rate: {run.shown} was made without it; a resumed run keeps its options")
                chosen.discard("learning_rate")
            config = _resumed(run, config, chosen)
        else:
            config = fitted(config, {**_set_in(preset, options), **options})

        application = application_of(config.task)
        context = pick_device(device)
        codec = make_codec(config.task, config.data, config.model)
        require_memory_to_train(config, codec, application.how_many_at_most(config.task, config.data))
        dataset = build_dataset(config.task, config.data, config.seed, codec, config.extra, shown.on_note)
        for line in _notes(config, dataset, preset):
            shown.on_note(line)
        model = make_model(config.task, config.model, codec)
        sampler = make_sampler(model, codec, dataset.train, config.training.batch_size)
        test = None
        if find_rate and not resumed:
            test = range_test(
                model, sampler, config.training, config.seed, context, shown.on_note,
                model.updater(config.training, config.seed, context),
            )  # fmt: skip
            rate, instead_of = test.suggestion, config.training.learning_rate
            shown.on_note(f"learning_rate {rate:g}, found by the range test, in place of {instead_of:g}")
            config = config.with_options(learning_rate=rate)
        sets = _validation_sets(application, config.task, codec, validation_sets or {})
        trainer = make_trainer(
            model,
            codec,
            dataset,
            config.training,
            seed=config.seed,
            device=context,
            run=run,
            callbacks=[shown, *callbacks],
            sampler=sampler,
            validation_sets=sets,
        )
        outline = config.task.make_outline(lambda: dataset.sources)
        if not resumed:
            if test is not None:
                _keep(test, run, shown)
            trainer.save()
            run.write_config(config, dataset.fingerprint, outline)  # the last: from here on the folder is a run
        run.check_fingerprint(dataset.fingerprint, outline)
        trainer.restore()
        epochs, done = config.training.epochs, trainer.state.epoch
        require(epochs >= done, "epochs", epochs, f"at least {done}, which {run.shown} has done")
        run.write_config(config, dataset.fingerprint, outline)
        trainer.fit()
    return application.opens(run.path, device=device, task=_unregistered(config.task))


def _validation_sets(
    application: Application[Any], task: Task, codec: Codec, given: Mapping[str, Pairs | Iterable[tuple[str, str]]]
) -> dict[str, Examples]:
    """Pairs of someone's own as examples, by name. Raises `UsageError`."""
    sets = {}
    for name, pairs in given.items():
        good = isinstance(name, str) and re.fullmatch("[a-z][a-z0-9_]*", name) and name not in ("train", VALIDATION)
        require(bool(good), "validation_sets", name, f"names in small letters, digits and _, not train or {VALIDATION}")
        try:
            sets[name] = application.examples(task, pairs, codec)
        except (UsageError, SourceError) as error:
            raise UsageError(f"validation_sets {name}: {error}") from None
    return sets


def _keep(test: RangeTest, run: Run, shown: Progress) -> None:
    """Write what came of a range test, and a picture of it if there is something to draw it with."""
    run.write_rates(test.rows, test.decision)
    try:
        plot_rates(test, run.path / RATES_PLOT)
    except Seq2SeqError as error:
        shown.on_note(f"{RATES_PLOT}: {error}")


def _base(task: Task | None, preset: str | Config | None, options: dict[str, Any]) -> Config:
    """Where options that are not given come from, with the task in it."""
    require(task is None or isinstance(task, Task), "task", task, "a Task, such as Arithmetic(), or pairs of strings")
    if preset is None and task is not None and task.preset is None:
        return application_of(task).choose(task, options)
    if not isinstance(preset, Config):
        require(preset is None or preset in list(PRESETS), "preset", preset, f"one of {', '.join(PRESETS)}")
        preset = PRESETS[preset or "default"]
    return preset if task in (None, preset.task) else replace(preset, task=task, extra=())


def _unregistered(task: Task | None) -> Task | None:
    """A task that its name alone does not find again."""
    return None if task is None or task.name in TASKS else task


def _notes(config: Config, dataset: Dataset, preset: str | Config | None) -> Iterator[str]:
    """What is to be told before training begins."""
    if preset is None and config.task.preset is None:
        examples = sum(map(len, (dataset.train, dataset.validation, dataset.test)))
        yield application_of(config.task).describe(config, examples)
    yield from config.task.notes
    if config.task.preset is None and (unseen := dataset.unseen):
        more = f" and {len(unseen) - 10} more" if len(unseen) > 10 else ""
        yield f"in held-out examples alone, and never trained on: {', '.join(map(repr, unseen[:10]))}{more}"


def _hold(run_dir: PathLike | None, task: Task, resume: bool) -> Hold:
    """The folder of a run to begin or to go on with, held. Raises `UsageError` or `RunError`."""
    names = FILES | {task.kept_as}
    if run_dir is None and resume:
        with suppress(RunError):  # where there is no run yet, one is begun
            run_dir = Run.newest().path
    if run_dir is None:
        return make(default_run_dirs(task), names)
    path = Run(run_dir).path
    require(path.name not in ("", ".."), "run_dir", str(run_dir), "a folder with a name")
    return take(path, names)


def default_run_dirs(task: Task) -> Iterator[Path]:
    """Folders under `runs/` named for the task and the time, to take the first that is not there yet."""
    stamp = f"{task.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (stamp if number == 1 else f"{stamp}-{number}" for number in itertools.count(1))
    return map(Path("runs").joinpath, names)


def _set_in(preset: str | Config | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a configuration was given, as far as its values tell; of another model they say nothing."""
    if not isinstance(preset, Config) or "model" in options:
        return {}
    parts = [getattr(preset, part) for part in PARTS]
    return {
        field.name: value
        for part in parts
        for field in fields(part)
        if (value := getattr(part, field.name)) != field.default
    }


def _flat(config: Config) -> dict[str, Any]:
    """Options by name, the task as one of them."""
    values = config.to_json()
    flat = {name: value for part in PARTS for name, value in asdict(getattr(config, part)).items()}
    return {**{name: values[name] for name in ("task", "extra", "seed")}, **flat}


def _resumed(run: Run, config: Config, chosen: set[str]) -> Config:
    """The run's own options, with the epochs that were chosen. Raises `UsageError` if another choice differs."""
    kept = run.read_config(_unregistered(config.task) if "task" in chosen else None)
    was, asked = _flat(kept), _flat(config)
    for name in sorted(chosen - {"epochs"}):
        if was[name] != asked[name]:
            raise UsageError(f"{name}: {run.shown} was made with {quoted(was[name])}; a resumed run keeps its options")
    return kept.with_options(epochs=config.training.epochs) if "epochs" in chosen else kept
