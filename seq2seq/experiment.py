"""From options to a trained run folder: the parts put together."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from seq2seq.config import PARTS, PRESETS, Config
from seq2seq.dataset import build_dataset
from seq2seq.errors import UsageError, require
from seq2seq.models import make_codec, make_model
from seq2seq.mx import pick_device
from seq2seq.progress import Progress, progress_for_stderr
from seq2seq.runs import PathLike, Run
from seq2seq.solver import Solver
from seq2seq.tasks import Task
from seq2seq.training import Trainer


def train(
    task: Task | None = None,
    run_dir: PathLike | None = None,
    *,
    preset: str | Config | None = None,
    resume: bool = False,
    device: str = "auto",
    progress: bool = True,
    **options: Any,
) -> Solver:
    """Train a model and keep everything in a run folder.

    Parameters
    ----------
    task : Task, optional
        What to learn; by default the preset's.
    run_dir : path, optional
        The folder to make; by default one named for the task and the time, under `runs/`.
    preset : str or Config, optional
        `default`, `notebook` or a recipe's `config`: where options that are not given come from.
    resume : bool
        Continue the run in `run_dir` (by default the newest under `runs/`) with the options it was made with. Where
        there is no run yet, begin it. Of the options, only `epochs` may differ from those it was made with.
    device : str
        `auto`, `cpu`, `gpu` or `gpu:N`.
    progress : bool
        Whether to show progress on stderr.
    **options
        Any option of `DataConfig`, `ModelConfig` and `TrainingConfig`, and `seed`.

    Returns
    -------
    Solver
        With the best weights.

    Raises
    ------
    UsageError
        If an option is unknown or not allowed.
    RunError
        If the folder already holds a run (and `resume` is not set), holds something else, or is damaged.
    DeviceError
        If the device is not there or cannot be used.
    TrainingInterrupted
        After SIGINT or SIGTERM, when everything has been kept. A `KeyboardInterrupt`.
    """
    if isinstance(preset, Config):
        base = preset
    else:
        require(preset is None or preset in list(PRESETS), "preset", preset, f"one of {', '.join(PRESETS)}")
        base = PRESETS[preset or "default"]
    config = (base if task in (None, base.task) else replace(base, task=task, extra=())).with_options(**options)
    if run_dir is None:
        run_dir = Run.newest().path if resume else default_run_dir(config.task)
    require(Path(run_dir).name not in ("", ".."), "run_dir", str(run_dir), "a folder with a name")
    run = Run(run_dir)
    resumed = resume and run.exists
    if resumed:
        chosen = set(options) | ({"task"} if task is not None else set())
        if preset is not None:
            chosen |= set(_flat(config)) - {"seed", "epochs"}
        config = _resumed(run, config, chosen)
    else:
        run.require_free()

    context = pick_device(device)
    codec = make_codec(config.task, config.data, config.model)
    dataset = build_dataset(config.task, config.data, config.seed, codec, config.extra)
    trainer = Trainer(
        make_model(config.task, config.model, codec),
        codec,
        config.training,
        dataset.train,
        dataset.validation,
        seed=config.seed,
        device=context,
        run=run,
        progress=progress_for_stderr() if progress else Progress(),
    )
    if not resumed:
        with run.creating() as begun:
            begun.write_config(config, dataset.fingerprint)
            trainer.save(begun)
    with run.lock():
        run.check_fingerprint(dataset.fingerprint)
        trainer.restore()
        epochs, done = config.training.epochs, trainer.state.epoch
        require(epochs >= done, "epochs", epochs, f"at least {done}, which {run.path} has done")
        run.write_config(config, dataset.fingerprint)
        trainer.fit()
    return Solver(run.path, device=device)


def default_run_dir(task: Task) -> Path:
    """A folder under `runs/`, not there yet, named for the task and the time."""
    stamp = f"{task.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (stamp if number == 1 else f"{stamp}-{number}" for number in itertools.count(1))
    return next(path for path in map(Path("runs").joinpath, names) if not path.exists())


def _flat(config: Config) -> dict[str, Any]:
    """Options by name, the task as one of them."""
    values = config.to_json()
    flat = {name: value for part in PARTS for name, value in values[part].items()}
    return {**{name: values[name] for name in ("task", "extra", "seed")}, **flat}


def _resumed(run: Run, config: Config, chosen: set[str]) -> Config:
    """The run's own options, with the epochs that were chosen. Raises `UsageError` if another choice differs."""
    kept = run.read_config()
    was, asked = _flat(kept), _flat(config)
    for name in sorted(chosen - {"epochs"}):
        if was[name] != asked[name]:
            raise UsageError(f"{name}: {run.path} was made with {was[name]!r}; a resumed run keeps its options")
    return kept.with_options(epochs=config.training.epochs) if "epochs" in chosen else kept
