"""Runs an experiment, from options to a trained run folder."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from seq2seq.applications import Application, application_of
from seq2seq.applications.learning import VALIDATION, make_trainer
from seq2seq.compiled.library import prepare
from seq2seq.config import PARTS, PRESETS, Config, require_rebuilt
from seq2seq.dataset import Dataset, Examples, build_dataset
from seq2seq.engine.callbacks import Callback
from seq2seq.engine.range_test import RangeTest, range_test
from seq2seq.engine.ranks import ALONE, Ranks
from seq2seq.errors import RunError, Seq2SeqError, SourceError, UsageError, quoted, require
from seq2seq.folders import Hold, make, take
from seq2seq.mixing import mixtures
from seq2seq.models import make_model
from seq2seq.mx import pick_device
from seq2seq.options import fitted, lacking
from seq2seq.places import PathLike
from seq2seq.plots import plot_rates
from seq2seq.progress import Progress, progress_for_stderr
from seq2seq.runs import FILES, RATES_PLOT, Run, is_column, require_keepable
from seq2seq.solver import Solver
from seq2seq.starting import StartingPoint
from seq2seq.tasks import TASKS, Pairs, Task
from seq2seq.tasks.blocks import noting
from seq2seq.tasks.pairs import PairsTask
from seq2seq.vocabulary import Codec


def train(
    task: Task | Iterable[tuple[str, str]] | None = None,
    run_dir: PathLike | None = None,
    *,
    preset: str | Config | None = None,
    find_rate: bool = False,
    resume: bool = False,
    start_from: PathLike | Solver | None = None,
    device: str = "auto",
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    validation_sets: Mapping[str, Pairs | Iterable[tuple[str, str]]] | None = None,
    mix: Sequence[tuple[Task | PathLike, float]] = (),
    ranks: Ranks = ALONE,
    **options: Any,
) -> Any:
    """Train a model and save everything in a run folder.

    Parameters
    ----------
    task : Task, or iterable of (str, str), optional
        The task to learn, or pairs of source and target; by default the preset's task. Pairs are used in their order;
        a set, which has no order, is sorted.
    run_dir : path, optional
        A new or empty folder for the run; by default a folder under `runs/` named after the task and the time.
    preset : str or Config, optional
        Options that are not given are taken from it: `default`, `notebook` or the `config` of a recipe. Without a
        preset they are chosen from the data (see `seq2seq/applications/`); for `Arithmetic` and `Addition` the preset
        is then `default`.
    find_rate : bool
        Whether to find the `learning_rate` by a range test before training (see `seq2seq/engine/range_test.py`). A
        resumed run keeps the rate that it found.
    resume : bool
        Continue the run in `run_dir` (by default the newest under `runs/`) with its own options; only `epochs` may be
        given another value. If there is no run yet, a new one is started.
    device : str
        `auto`, `cpu`, `gpu` or `gpu:N`.
    progress : bool
        Whether to show progress on stderr.
    callbacks : sequence of Callback
        Your own callbacks, called after those that show progress and write `metrics.csv`.
    validation_sets : dict of str to Pairs or iterable of (str, str), optional
        Further pairs to validate on after each epoch, such as `{"long": task.sample(...)}`, no longer than the training
        examples. Their values are columns of `metrics.csv` with the name as a prefix, such as `long_exact_match`, and
        can be used in `best_by`. It is not checked that they are not trained on.
    mix : sequence of (Task or path, float)
        Further sources to train on, each with the fraction of every batch that comes from it, such as
        `[("more.tsv", 0.25)]`. A path is a file like the task's own or, for a task without a file, a file of pairs. An
        epoch is one pass over the task's own examples. Held-out questions are left out of the others.
    ranks : Ranks, optional
        The processes that train together, such as `with seq2seq.mpi.ranks_of_job() as ranks:`. All of them call this
        function with the same arguments, and `run_dir` is a folder that all of them can read. The first one alone
        writes into it, shows progress and has callbacks. The option `shards` must be at least their number.
    **options
        Any option of `DataConfig`, `ModelConfig` and `TrainingConfig`, and `seed`.

    Returns
    -------
    Solver
        With the best weights. For a text it is a `Writer`, a subclass.

    Raises
    ------
    UsageError
        If an option is unknown or not allowed, or the data cannot be learned from. Nothing is written in this case.
    RunError
        If the folder already holds a run (and `resume` is not set), holds other files, is damaged, cannot be made or
        written into, or another process is making it or training into it.
    DeviceError
        If the device does not exist or cannot be used.
    TrainingInterrupted
        After SIGINT or SIGTERM, when everything has been saved. It is a `KeyboardInterrupt`.
    """
    if isinstance(task, Iterable) and not isinstance(task, str):
        task = PairsTask.of(task)
    good = isinstance(callbacks, Sequence) and all(isinstance(each, Callback) for each in callbacks)
    require(good, "callbacks", callbacks, "a list of Callback objects")
    good = validation_sets is None or isinstance(validation_sets, Mapping)
    require(good, "validation_sets", validation_sets, "a dict of pairs by name")
    shown = progress_for_stderr() if progress and ranks.first else Progress()
    with noting(shown.on_note), ranks.together("options"):
        start = None if start_from is None else StartingPoint(start_from, device)
        base = _base(task, preset, options, start)
        config = (base.with_options(examples_per_epoch=None) if mix else base).with_options(**options)
        config = replace(config, extra=(*config.extra, *mixtures(config.task, mix)))
        if find_rate and "learning_rate" in options:
            raise UsageError("find_rate: not allowed with learning_rate: both set the rate")
        for extra in config.extra:
            require(not extra.task.unkept, extra.option, extra.shown, "data that a run can keep: they are too large")
        for learned in (config.task, *(extra.task for extra in config.extra)):
            require_rebuilt(learned)
            require_keepable(learned)
        context = pick_device(device)
    holding = _hold(run_dir, config, resume) if ranks.first else nullcontext()
    with noting(shown.on_note), holding as hold:
        if hold and not hold.locked:
            shown.on_note(f"{hold.path}: on a file system without locks; train into it with one process at a time")
        run = Run(ranks.once(lambda: str(hold.path) if hold else "", "run folder"))
        if ranks.first:
            run.remove_progress()
        resumed = ranks.once(lambda: run.exists, "run folder")
        if resumed and not resume:
            raise RunError(f"{run.shown}: already holds a run; resume it, or choose another folder")
        with ranks.together("data"):
            if resumed:
                chosen = set(options) | ({"task"} if task is not None else set()) | ({"extra"} if mix else set())
                if preset is not None:
                    chosen |= set(_flat(config)) - {"seed", "epochs", *lacking(config)}
                if find_rate:
                    if not run.found_rate:
                        raise UsageError(f"find_rate: {run.shown} was made without it; a resumed run keeps its options")
                    chosen.discard("learning_rate")
                config = _resumed(run, config, chosen, start)
            else:
                config = _fitted(config, preset, options)
                if start is not None:
                    start.require_same_network(config)
            ranks.own(config.training.shards)  # refuses too few
            application = application_of(config.task)
            codec = application.make_codec(config)
            application.require_memory(config, codec)
            if config.training.lstm == "compiled":
                prepare(context, shown.on_note)
            dataset = build_dataset(config.task, config.data, config.data_seed, codec, config.extra, shown.on_note)
            for line in _notes(config, dataset, preset):
                shown.on_note(line)
            model = make_model(config.task, config.model, codec)
            weights = None
            if start is not None and not resumed:
                application.require_startable()
                dataset = dataset.knowing(start.known(codec, config.task, dataset.key))
                config = replace(config, start=start.record(dataset.known))
                weights = start.weights(model, codec, config, context)
                for line in start.notes(codec, dataset, config.task):
                    shown.on_note(line)
            sampler = application.make_sampler(model, codec, dataset, config.training)
            outline = dataset.outline(config.task)
        ranks.require_same("data", [dataset.fingerprint, outline.to_json()])
        ranks.require_same("options", [config.to_json(), find_rate])
        test: RangeTest | None = None
        if find_rate and not resumed:
            if ranks.first:
                test = range_test(
                    model, sampler, config.training, config.seed, context, shown.on_note,
                    model.updater(config.training, config.seed, context), weights,
                )  # fmt: skip
            rate = ranks.once(lambda: test.suggestion if test else 0.0, "range test")
            instead_of = config.training.learning_rate
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
            ranks=ranks,
        )
        if not resumed:
            if weights is not None:
                trainer.set_weights(weights)
            trainer.save()
        if ranks.first:
            if not resumed:
                if test:
                    _keep(test, run, shown)
                if dataset.known is not None:
                    run.write_known(dataset.known)
                run.write_config(config, dataset.fingerprint, outline)  # written last, since it makes the folder a run
            run.check_fingerprint(dataset.fingerprint, outline)
        trainer.restore()
        epochs = config.training.epochs
        done = trainer.state.epoch
        require(epochs >= done, "epochs", epochs, f"at least {done}, which {run.shown} has done")
        if ranks.first:
            run.write_config(config, dataset.fingerprint, outline)
        trainer.fit()
        ranks.once(lambda: None, "last save")  # then all can open the run
    return application.opens(run.path, device=device, task=_needed(config.task))


def _validation_sets(
    application: Application[Any], task: Task, codec: Codec, given: Mapping[str, Pairs | Iterable[tuple[str, str]]]
) -> dict[str, Examples]:
    """Encode the given validation pairs as examples, by name. Raises `UsageError`."""
    sets = {}
    for name, pairs in given.items():
        columns = [f"{name}_{each}" for each in application.measured]
        good = isinstance(name, str) and all(map(is_column, columns)) and name not in ("train", VALIDATION)
        allowed = f"names that begin with a letter, of few small letters, digits and _, not train or {VALIDATION}"
        require(good, "validation_sets", name, allowed)
        try:
            sets[name] = application.examples(task, pairs, codec)
        except (UsageError, SourceError) as error:
            raise UsageError(f"validation_sets {name}: {error}") from None
    return sets


def _keep(test: RangeTest, run: Run, shown: Progress) -> None:
    """Save the result of a range test, and a plot of it if matplotlib is installed."""
    run.write_rates(test.rows, test.decision)
    try:
        plot_rates(test, run.path / RATES_PLOT)
    except Seq2SeqError as error:
        shown.on_note(f"{RATES_PLOT}: {error}")


def _base(
    task: Task | None, preset: str | Config | None, options: dict[str, Any], start: StartingPoint | None
) -> Config:
    """The configuration that has the values of options that are not given, for this task."""
    require(task is None or isinstance(task, Task), "task", task, "a Task, such as Arithmetic(), or pairs of strings")
    if preset is None and start is not None:
        return start.config if task is None else start.with_network(_base(task, preset, options, None))
    if preset is None and task is not None and task.preset is None:
        return application_of(task).choose(task, options)
    if not isinstance(preset, Config):
        require(preset is None or preset in list(PRESETS), "preset", preset, f"one of {', '.join(PRESETS)}")
        preset = PRESETS[preset or "default"]
    if task in (None, preset.task):
        return preset
    # The extra examples are for the preset's own task, and so is how many of all examples an epoch reads.
    return replace(preset, task=task, extra=(), training=replace(preset.training, examples_per_epoch=None))


def configured(task: Task | None, preset: str | Config | None, options: Mapping[str, Any]) -> Config:
    """The configuration of a new run.

    Parameters
    ----------
    task, preset, options
        As for `train`.

    Raises
    ------
    UsageError
        If an option is unknown or not allowed.
    """
    config = _base(task, preset, dict(options), None).with_options(**options)
    return _fitted(config, preset, options)


def _fitted(config: Config, preset: str | Config | None, options: Mapping[str, Any]) -> Config:
    """A configuration without what its model does not have, and without the start of the run that it is from."""
    return replace(fitted(config, {**_set_in(preset, options), **options}), start=None)


def _needed(task: Task) -> Task | None:
    """The task if a run alone does not give it: it cannot be found by its name, or the run does not keep its data."""
    return task if task.unkept or task.name not in TASKS else None


def _notes(config: Config, dataset: Dataset, preset: str | Config | None) -> Iterator[str]:
    """Lines of information to show before training begins."""
    if preset is None and config.task.preset is None:
        examples = sum(map(len, (dataset.train, dataset.validation, dataset.test)))
        yield application_of(config.task).describe(config, examples)
    yield from config.task.notes
    mixed = (extra.task for extra in config.extra if extra.share)
    for task, portion in zip(mixed, dataset.mixed):
        part = f"{len(portion.examples)} examples of {task.name}, {portion.share:.0%} of every batch"
        yield f"mixed in: {part}; left out: {portion.left_out}"
    if config.task.preset is None and (unseen := dataset.unseen):
        more = f" and {len(unseen) - 10} more" if len(unseen) > 10 else ""
        yield f"only in held-out examples, and never trained on: {', '.join(map(repr, unseen[:10]))}{more}"


def _hold(run_dir: PathLike | None, config: Config, resume: bool) -> Hold:
    """Hold the folder of a new run, or of a run to continue. Raises `UsageError` or `RunError`."""
    names = FILES | {config.task.kept_as, *config.keeping}
    if run_dir is None and resume:
        with suppress(RunError):  # if there is no run yet, a new one is started
            run_dir = Run.newest().path
    if run_dir is None:
        return make(default_run_dirs(config.task), names)
    named = run_dir != "" and Run(run_dir).path.name not in ("", "..")
    require(named, "run_dir", str(run_dir), "a folder with a name")
    return take(Run(run_dir).path, names)


def default_run_dirs(task: Task) -> Iterator[Path]:
    """Names of folders under `runs/`, after the task and the time; the first that does not exist yet is used."""
    stamp = f"{task.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (stamp if number == 1 else f"{stamp}-{number}" for number in itertools.count(1))
    return map(Path("runs").joinpath, names)


def _set_in(preset: str | Config | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options in which a configuration differs from the defaults; none if another model is given."""
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


def _resumed(run: Run, config: Config, chosen: set[str], start: StartingPoint | None) -> Config:
    """The run's own options, with the given `epochs`. Raises `UsageError` if another given option differs."""
    kept = run.read_config(_needed(config.task) if "task" in chosen else None)
    if start is not None and (kept.start is None or kept.start.weights != start.record(None).weights):
        raise UsageError(f"start_from: {run.shown} started from other weights than {start.shown} has")
    was = _flat(kept)
    asked = _flat(config)
    for name in sorted(chosen - {"epochs"}):
        if was[name] != asked[name]:
            if name == "task":
                _require_same_files("task", [was[name]], [asked[name]], run)
            elif name == "extra":
                old, new = ([each["task"] for each in part] for part in (was[name], asked[name]))
                _require_same_files("mix", old, new, run)
            raise UsageError(f"{name}: {run.shown} was made with {quoted(was[name])}; a resumed run keeps its options")
    return kept.with_options(epochs=config.training.epochs) if "epochs" in chosen else kept


def _require_same_files(option: str, was: list[Any], asked: list[Any], run: Run) -> None:
    """Raise `UsageError` if a task has the options that it had in a run, and another content of its file."""
    for old, new in zip(was, asked):
        if old != new and new.get("path") and {**old, "digest": None} == {**new, "digest": None}:
            raise UsageError(
                f"{option}: {new['path']} has changed since {run.shown} began; give the file as it was, or if the run "
                f"keeps its own copy, leave out {option}"
            )
