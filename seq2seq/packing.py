"""Packs a run into one file, to hand on: see `archives.py` for its form.

Without the data, a pack holds what answering needs: the weights, the options, and the outline of the data, which has
symbols and lengths, or the names of users, items and categories. Pairs, texts and tables are left out, and so is
whatever would quote from them: an example of a source, the wrong answers of the evaluation, the hashes of questions
that another run was trained on, and an export, which has examples.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from seq2seq.archives import NAMES, archive
from seq2seq.card import CARD, model_card
from seq2seq.config import Config, kept_name
from seq2seq.decoding.onnx import HELD
from seq2seq.decoding.properties import ONNX, read_properties
from seq2seq.errors import RunError, UsageError, require
from seq2seq.files import write_named
from seq2seq.folders import CONFIG, EXPORT
from seq2seq.places import PathLike
from seq2seq.runs import EVALUATION, KNOWN, LEFT_OUT, METRICS, OUTLINE, WEIGHTS, Run, json_bytes
from seq2seq.tasks import Task

if TYPE_CHECKING:
    from seq2seq.solver import Solver

MADE_UP = 8  # symbols of an example for a run of a text, as many as every model reads


@dataclass(frozen=True)
class Packed:
    """A file that was packed.

    Attributes
    ----------
    path : Path
    left_out : tuple of str
        What was left out because it may be private.
    """

    path: Path
    left_out: tuple[str, ...]


def pack(
    run: PathLike | Solver,
    file: PathLike | None = None,
    *,
    with_data: bool = False,
    license: str | None = None,
    overwrite: bool = False,
) -> Packed:
    """Pack a run into one file, which `Solver` opens, and which is never changed.

    The file has the best weights, the configuration, the metrics and the last evaluation of the run, and a model card.
    Packing the same run again gives the same bytes. Training cannot be continued from it: that needs the run folder.

    Parameters
    ----------
    run : path or Solver
        A run folder, or an open run, for example one whose task is your own.
    file : path, optional
        The file to write; by default it has the name of the run and `.zip`, in the current folder.
    with_data : bool
        Whether to pack the pairs, the text or the table that the run keeps too, and everything else of the run as it
        is. They may be private. A run can be scored on its held-out examples only with them.
    license : str, optional
        The licence for the head of the card, as the Hugging Face Hub names it, such as `mit` or `cc-by-4.0`; by default
        `unknown`.
    overwrite : bool
        Whether to replace a file that exists.

    Returns
    -------
    Packed

    Raises
    ------
    UsageError
        If the file exists, or the run cannot answer without its data.
    RunError
        If there is no run, or it is damaged, or the file cannot be written.
    """
    opened, config = _opened(run)
    path = Path(f"{os.path.basename(os.path.abspath(opened.path)).removesuffix('.zip')}.zip" if file is None else file)
    if not overwrite:
        require(not os.path.lexists(path), "file", str(path), "a new file, unless overwrite (--overwrite) is given")
    if with_data:
        opened.require_data()
    opened.read_arrays(WEIGHTS["best"])  # raises an error if they are damaged
    contents = {WEIGHTS["best"]: opened.content(WEIGHTS["best"]), CONFIG: opened.content(CONFIG)}
    contents.update({name: opened.content(name) for name in (METRICS, EVALUATION) if opened.has(name)})
    evaluation = opened.read_evaluation()
    example = config.task.example_source
    data = [*filter(opened.has, [*config.keeping, KNOWN]), *_exported(opened)]
    left_out: list[str] = []
    if with_data or not config.keeping:
        contents.update({name: opened.content(name) for name in data})
    else:
        left_out += data
        values = _without_data(opened, config, data)
        contents[CONFIG] = json_bytes(values)
        example = values[OUTLINE].get("example", example)
        if evaluation is not None and evaluation.pop("mistakes", None):
            left_out.append("wrong answers")
            contents[EVALUATION] = json_bytes(evaluation)
    epochs = opened.read_metrics() if opened.has_metrics else []
    contents[CARD] = model_card(path.name, config, evaluation, epochs, example, license).encode()
    _write(path, contents, opened.shown)
    return Packed(path, tuple(left_out))


def _write(path: Path, contents: dict[str, bytes], run: str) -> None:
    """Write the file. Raises `RunError`."""
    try:
        packed = archive(contents)
    except ValueError as error:
        raise RunError(f"{run}: cannot be packed: {error}") from None
    write_named(path, packed)


def _opened(run: PathLike | Solver) -> tuple[Run, Config]:
    """A run and its configuration."""
    from seq2seq.opened import OpenedRun

    if not isinstance(run, OpenedRun):
        found = Run(run)
        if found.has(EXPORT):
            raise UsageError(f"run: {found.shown} is an export; name the run that it was made from")
        return found, found.read_config(outlined=True)
    if len(run.runs) > 1:
        raise UsageError(f"run: {run.shown}: is not one run, which can be packed")
    return run.run, run.config


def _exported(run: Run) -> list[str]:
    """The files of the export that a run holds."""
    about = f"{HELD}/{EXPORT}"
    if not run.has(about):
        return []
    named = read_properties(Run(run.path / HELD), ONNX)["files"]
    return [about, *filter(NAMES.fullmatch, [f"{HELD}/{each}" for each in named])]


def _without_data(run: Run, config: Config, left_out: list[str]) -> dict[str, Any]:
    """The content of `config.json` without the folders of files, and with an example that is no source of the data."""
    values = run.config_values()
    if left_out:  # else it was packed without them before
        values[LEFT_OUT] = left_out
    outline = values.get(OUTLINE)
    if outline is None:
        raise UsageError(f"with_data: {run.shown} was made by an earlier version, and cannot answer without its data")
    tasks = [config.task, *(extra.task for extra in config.extra)]
    for place, task in enumerate(tasks):
        options = values["extra"][place - 1]["task"] if place else values["task"]
        if kept_name(task.kept_as, place) in config.keeping and isinstance(options.get("path"), str):
            options["path"] = PurePath(options["path"]).name
    if "example" in outline:
        outline["example"] = _made_up(config.task, outline)
    return values


def _made_up(task: Task, outline: dict[str, Any]) -> str:
    """A source that is hardly in the data: a symbol again and again, which is not a space."""
    sources = outline["sources"]
    known = sources["symbols"] if sources else task.symbols
    symbols = sorted(each for each in known if each.isprintable() and each.strip()) or [*known]
    return task.source_separator.join([symbols[-1]] * (sources["shortest"] if sources else MADE_UP))
