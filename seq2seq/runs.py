"""The run folder: everything about one training run, in files that are complete at every moment.

A packed run (`packing.py`) is read in the same way: its files are the members of an archive, and the path `a.zip` is in
place of the folder's.

| file | contents |
|---|---|
| `config.json` | options, seed, versions, and the properties of the data that answering needs |
| `metrics.csv` | one row per epoch |
| `progress.json` | while it is trained, how far it is within its epoch |
| `events.out.tfevents.*` | the values of each epoch for TensorBoard, if asked for: see `tensorboard.py` |
| `best.safetensors`, `last.safetensors` | weights by parameter name |
| `optimizer.safetensors` | the state for resuming: weights, moments and, as JSON, the progress |
| `evaluation.json` | the last evaluation |
| `recipe.json` | the result of a recipe, for the table of `seq2seq recipes` |
| `rates.json`, `rates.csv`, `rates.png` | the learning rate that a range test found, and the results of the test |
| `known.u64` | hashes of the questions that the run was trained on from whose weights this one started |
| `pairs.jsonl.gz`, `text.txt.gz`, `table.csv.gz` | the data of a task that its options alone do not define |
| `extra-1.pairs.jsonl.gz` and so on | the same for the tasks of `extra`, such as sources that are mixed in |

A folder is a run once it has a `config.json`, which is written after the other first files: see `folders.py`. Every
file is written under another name, flushed to disk and renamed: see `files.py`. Only ordinary files are read, up to a
size that a run may have, and nothing that is read is unpickled or run as code.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import platform
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq.archives import exists, read
from seq2seq.config import Config
from seq2seq.errors import RunError, UsageError, is_number, quoted, require, short
from seq2seq.files import LONGEST_NUMBER, clear_temporaries, parse_json, shown, unpack, write
from seq2seq.folders import CONFIG, EXPORT, begun, is_held
from seq2seq.places import PathLike, Place
from seq2seq.tasks import TASKS, Task
from seq2seq.tasks.kept import MOST_KEPT
from seq2seq.tasks.measure import Outline
from seq2seq.tensors import from_tensors, to_tensors
from seq2seq.typing import Array

FORMAT = 1
METRICS = "metrics.csv"
PROGRESS = "progress.json"
PROGRESS_VALUES = {"epoch", "epochs", "examples", "examples_per_epoch", "loss", "seconds_left"}
EVALUATION = "evaluation.json"
OPTIMIZER = "optimizer.safetensors"
RESULT = "recipe.json"
FOUND = "rates.json"
RATES = "rates.csv"
RATES_PLOT = "rates.png"
KNOWN = "known.u64"
OUTLINE = "data_outline"  # a key in the configuration
LEFT_OUT = "left_out"  # the same of a packed run: names of files that were not packed
WEIGHTS = {"best": "best.safetensors", "last": "last.safetensors"}
ENGINES = ("auto", "mxnet", "onnx")  # what answers: see `decoding/onnx.py`
FILES = {
    CONFIG, METRICS, PROGRESS, EVALUATION, OPTIMIZER, RESULT, FOUND, RATES, RATES_PLOT, KNOWN, *WEIGHTS.values(),
}  # fmt: skip
# Maximum sizes of files that are read, in bytes.
MOST_CONFIG = 2**24
MOST_METRICS = 2**26
MOST_HEADER = 2**20  # the header of a file of arrays
MOST_VALUES = 2**29  # maximum number of values in all arrays of a file, whatever the configuration says
# The columns that every `metrics.csv` has, in addition to those of the application and of further validators.
COLUMNS = (
    "epoch", "step", "learning_rate", "train_loss", "validation_loss", "samples_per_second", "seconds",
)  # fmt: skip


class Run:
    """A run folder, or a packed run.

    Parameters
    ----------
    path : path
        The folder; it need not exist yet. Or the file of a packed run. A relative path is relative to the current
        working directory.

    Raises
    ------
    UsageError
        If it is not a path.
    """

    def __init__(self, path: PathLike) -> None:
        good = isinstance(path, (str, os.PathLike)) and isinstance(os.fspath(path), str) and os.fspath(path) != ""
        require(good and "\0" not in os.fspath(path), "run", path, "the path of a folder")
        self._place = Place(path)

    @property
    def path(self) -> Path:
        """The folder as given, or as an absolute path if the process has changed its working directory."""
        return self._place.path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def newest(cls, folder: PathLike = "runs") -> Run:
        """The run that was trained last.

        Parameters
        ----------
        folder : path
            The folder that holds the runs.

        Raises
        ------
        RunError
            If there is no run in the folder.
        """
        trained = {}
        for run in runs_in(folder):
            try:
                state = os.lstat(run.path / OPTIMIZER)
            except OSError:
                continue
            if stat.S_ISREG(state.st_mode):
                trained[run] = state.st_mtime
        if not trained:
            raise RunError(f"{shown(folder)}: holds no run; train one, or name its folder")
        return max(trained, key=trained.__getitem__)

    @property
    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return os.path.lexists(self.path / CONFIG)

    @property
    def has_metrics(self) -> bool:
        """Whether an epoch has ended."""
        return self.has(METRICS)

    @property
    def is_packed(self) -> bool:
        """Whether it is a file, which can only be read."""
        return self.path.is_file()

    @property
    def found_rate(self) -> bool:
        """Whether a range test found the learning rate of the run."""
        return self.has(FOUND)

    @property
    def shown(self) -> str:
        """The path for messages."""
        return shown(self.path)

    def _named(self, name: str) -> str:
        """The path of a file for messages."""
        return shown(self.path / name)

    # Writing ------------------------------------------------------------------------------------------------------

    def _write(self, name: str, content: bytes) -> None:
        if self.is_packed:
            raise RunError(f"{self.shown}: is a packed run, which is never changed")
        try:
            write(self.path / name, content)
        except OSError as error:
            raise RunError(f"{self._named(name)}: cannot be written: {error.strerror}") from None

    def write_config(self, config: Config, fingerprint: str, outline: Outline | None = None) -> None:
        """Write the configuration, and before it, if not yet written, the pairs or the text that its tasks keep.

        Parameters
        ----------
        config : Config
        fingerprint : str
            A digest of the data set.
        outline : Outline, optional
            The properties of the data that answering needs.

        Raises
        ------
        RunError
            If a file cannot be written.
        """
        for name, task in config.keeping.items():
            parts = None if os.path.lexists(self.path / name) else task.keep_parts()
            if parts is not None:
                self._write(name, _packed(parts))
        versions = {name: metadata.version(name) for name in ("numpy", "safetensors")}
        versions["mxnet"] = sys.modules["mxnet"].__version__  # a distribution for GPUs has another name
        values = {
            "format": FORMAT,
            **config.to_json(),
            "data_fingerprint": fingerprint,
            OUTLINE: outline and outline.to_json(),
            "versions": {"python": platform.python_version(), "seq2seq": _own_version(), **versions},
        }
        self._write(CONFIG, json_bytes(values))
        begun(self.path)

    def write_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Write `metrics.csv`: one row per epoch."""
        self._write(METRICS, _csv(rows))

    def write_progress(self, values: Mapping[str, float | None]) -> None:
        """Write how far a training is within its epoch: `PROGRESS_VALUES`, of which the loss may be None."""
        self._write(PROGRESS, json_bytes(values))

    def remove_progress(self) -> None:
        """Remove what `write_progress` wrote, also for a training that was killed."""
        with suppress(OSError):
            os.unlink(self.path / PROGRESS)

    def write_rates(self, rows: list[dict[str, Any]], decision: Mapping[str, Any]) -> None:
        """Write the results of a range test, one row per update, and the decision made from them."""
        self._write(RATES, _csv(rows))
        self._write(FOUND, json_bytes(decision))

    def write_arrays(self, name: str, arrays: Mapping[str, Array], state: Mapping[str, Any]) -> None:
        """Write arrays by name, with a state of plain values for JSON, to a safetensors file."""
        self._write(name, to_tensors(arrays, state))

    def write_known(self, hashes: Array) -> None:
        """Write the hashes of the questions that another run was trained on: see `Dataset.known`."""
        self._write(KNOWN, _bytes_of(hashes))

    def write_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        """Write an evaluation. If several processes write at the same time, the file is that of the last one."""
        self._write(EVALUATION, json_bytes(evaluation))
        clear_temporaries(self.path, FILES)

    # Reading ------------------------------------------------------------------------------------------------------

    def _read(self, name: str, most: int) -> bytes:
        try:
            return read(self.path / name, most)
        except FileNotFoundError:
            if name == CONFIG and self.has(EXPORT) and not self.has("model.onnx"):
                raise RunError(f"{self.shown}: is an export for MXNet's own programs; ask its run") from None
            if name == CONFIG:
                raise RunError(f"{self.shown}: holds no run (there is no {CONFIG})") from None
            raise RunError(f"{self._named(name)}: is missing") from None
        except NotADirectoryError:
            raise RunError(f"{self.shown}: is not a folder, so not a run") from None
        except OSError as error:
            raise RunError(f"{self._named(name)}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RunError(f"{self._named(name)}: {error}") from None

    def read_json(self, name: str) -> Any:
        """Read a file of JSON. Raises `RunError` if it is missing or damaged."""
        try:
            return parse_json(self._read(name, MOST_CONFIG))
        except ValueError as error:
            raise RunError(f"{self._named(name)}: is damaged: not JSON: {error}") from None

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return exists(self.path / name)

    def content(self, name: str) -> bytes:
        """A file as it is. Raises `RunError` if it is missing, or larger than any file of a run."""
        return self._read(name, MOST_HEADER + 4 * MOST_VALUES)

    def config_values(self) -> dict[str, Any]:
        """The content of `config.json`. Raises `RunError` if it is not that of a run of this version."""
        values = self.read_json(CONFIG)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise RunError(
                f"{self._named(CONFIG)}: is not the configuration of a run of this version (format {FORMAT})"
            )
        return values

    def _read_kept(self, name: str) -> str | None:
        if not self.has(name):
            self.require_data()
            return None
        try:
            return unpack(self._read(name, MOST_KEPT), MOST_KEPT).decode()
        except ValueError as error:
            raise RunError(f"{self._named(name)}: is damaged: {error}") from None

    def task_class(self, task: Task | None = None) -> type[Task]:
        """The class of the run's task; see `read_config` for the parameter and the errors."""
        return self._task_class(self.config_values(), task)

    def _task_class(self, values: dict[str, Any], task: Task | None) -> type[Task]:
        require(task is None or isinstance(task, Task), "task", task, "a Task")
        path = self._named(CONFIG)
        name = values["task"].get("name") if isinstance(values.get("task"), dict) else None
        if task is not None:
            if task.name != name:
                raise RunError(f"{path}: its task is {quoted(name)}, and not {task.name!r}")
            return type(task)
        if isinstance(name, str) and name not in TASKS:
            raise RunError(
                f"{path}: its task {short(name)} is not installed here; if it is your own: Solver(run, task=...)"
            )
        with _damage_named(path):
            return TASKS[values["task"]["name"]]

    def read_config(self, task: Task | None = None, outlined: bool = False) -> Config:
        """Read the configuration of the run.

        Parameters
        ----------
        task : Task, optional
            The task of the run, if its name is not in `TASKS` or its data are too large for the run to keep.
        outlined : bool
            Whether to read the task's pairs or text only when they are needed, if the run has an outline of them.

        Returns
        -------
        Config

        Raises
        ------
        RunError
            If the folder holds no run, is damaged, or is a run of another task.
        """
        values = self.config_values()
        task_class = self._task_class(values, task)
        path = self._named(CONFIG)
        with _damage_named(path):
            kept = (outlined or (task is not None and task.unkept)) and values.get(OUTLINE) is not None
            outline = task_class.read_outline(values[OUTLINE]) if kept else None
            config = Config.from_json(values, task_class, self._read_kept, outline)
        if task is not None and config.task.options() != task.options():
            raise RunError(f"{path}: was made with {quoted(config.task, 200)}, and not {quoted(task, 200)}")
        if task is None or not task.unkept:
            return config
        if values["task"].get("digest") != task.kept_digest:
            raise RunError(f"{path}: was made with other data than {quoted(task, 200)} has")
        return config if self.has(task.kept_as) else replace(config, task=task)  # earlier versions kept more

    def check_fingerprint(self, fingerprint: str, outline: Outline | None = None) -> None:
        """Check that a data set is the one on which the run was trained.

        Parameters
        ----------
        fingerprint : str
            The digest of the data set.
        outline : Outline, optional
            The properties of the data set.

        Raises
        ------
        RunError
            If one of them differs from the configuration.
        """
        values = self.config_values()
        if values.get("data_fingerprint") != fingerprint:
            raise RunError(
                f"{self._named(CONFIG)}: its options no longer make the data that the run was trained on, "
                "so what was held out is not known; was the file edited, or NumPy changed, or does the task draw from "
                "more than its rng?"
            )
        if outline is not None and values.get(OUTLINE) not in (None, outline.to_json()):
            raise RunError(f"{self._named(CONFIG)}: its {OUTLINE} does not match its data; was the file edited?")

    def require_data(self) -> None:
        """Raise `RunError` if it was packed without its data."""
        if self.config_values().get(LEFT_OUT):
            raise RunError(f"{self.shown}: was packed without its data; seq2seq pack --with-data packs them too")

    def read_known(self, digest: str) -> Array:
        """Read what `write_known` wrote. Raises `RunError` if its digest is another."""
        content = self._read(KNOWN, MOST_KEPT)
        if len(content) % 8 or hashlib.sha256(content).hexdigest()[:16] != digest:
            raise RunError(f"{self._named(KNOWN)}: is damaged: it does not have the digest that {CONFIG} says")
        return np.frombuffer(content, "<u8").astype(np.uint64)

    def read_metrics(self) -> list[dict[str, Any]]:
        """Read the rows of `metrics.csv`, with values as numbers. Raises `RunError` if the file is damaged."""
        try:
            rows = list(csv.reader(io.StringIO(self._read(METRICS, MOST_METRICS).decode("ascii")), strict=True))
            header = rows.pop(0) if rows else []
            if rows and not _is_header(header):
                raise ValueError("its columns are not those of a training")
            numbers = [_numbers(header, row) for row in rows if len(row) == len(header)]
            if [row["epoch"] for row in numbers] != list(range(1, len(rows) + 1)):
                raise ValueError("its rows are not one per epoch")
        except (csv.Error, ValueError) as error:
            raise RunError(f"{self._named(METRICS)}: is damaged: {error}") from None
        return numbers

    def read_progress(self) -> dict[str, float | None] | None:
        """Read how far a training is within its epoch, or None if that is not known.

        Raises
        ------
        RunError
            If the file is damaged, or was removed meanwhile.
        """
        if not self.has(PROGRESS):
            return None
        values = self.read_json(PROGRESS)
        good = isinstance(values, dict) and set(values) == PROGRESS_VALUES
        if not (good and all(is_number(value) or (value is None and name == "loss") for name, value in values.items())):
            raise RunError(f"{self._named(PROGRESS)}: is damaged: not the progress of a training")
        return values

    def read_evaluation(self) -> dict[str, Any] | None:
        """Read the last evaluation, or None if there is none. Raises `RunError` if the file is damaged."""
        if not self.has(EVALUATION):
            return None
        values = self.read_json(EVALUATION)
        if not isinstance(values, dict):
            raise RunError(f"{self._named(EVALUATION)}: is damaged: not an object")
        return values

    @property
    def is_live(self) -> bool:
        """Whether a process is training the run: it holds the folder."""
        return is_held(self.path)

    def read_arrays(self, name: str, most: int = MOST_VALUES) -> tuple[dict[str, Array], dict[str, Any]]:
        """Read a file of arrays.

        Parameters
        ----------
        name : str
            Name of the file.
        most : int
            Maximum number of values in all arrays together.

        Returns
        -------
        arrays : dict of str to ndarray
        state : dict

        Raises
        ------
        RunError
            If the file is missing, too large or damaged.
        """
        content = self._read(name, MOST_HEADER + 4 * min(most, MOST_VALUES))
        try:
            return from_tensors(content)
        except ValueError as error:
            raise RunError(f"{self._named(name)}: {error}") from None


@contextmanager
def _damage_named(path: str) -> Iterator[None]:
    """Turn errors about values of the wrong form into a `RunError` that names the file."""
    try:
        yield
    except KeyError as error:
        raise RunError(f"{path}: is damaged: it lacks {error}") from None
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise RunError(f"{path}: is damaged: {error}") from None


def require_keepable(task: Task) -> None:
    """Raise `UsageError` if a task's pairs or text are larger than a run can keep, and it cannot do without them."""
    size = task.kept_size
    if size > MOST_KEPT and not task.unkept:
        raise UsageError(f"{task.name}: has {size} bytes of text, but a run can keep at most {MOST_KEPT}")


def _packed(parts: Iterable[str]) -> bytes:
    """A text in parts as the content of a gzip file."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for part in parts:
            file.write(part.encode())
    return packed.getvalue()


def digest_of(hashes: Array) -> str:
    """A digest of the content of `known.u64`."""
    return hashlib.sha256(_bytes_of(hashes)).hexdigest()[:16]


def _bytes_of(hashes: Array) -> bytes:
    return hashes.astype("<u8").tobytes()


def runs_in(folder: PathLike) -> list[Run]:
    """The runs in a folder, in any order; none if it cannot be read."""
    return [run for run in map(Run, _visible_in(Path(folder))) if run.exists]


def _visible_in(folder: Path) -> list[Path]:
    """The entries of a folder that are not hidden."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []


def is_column(name: str) -> bool:
    """Whether `metrics.csv` can have a column of this name."""
    return re.fullmatch("[a-z][a-z0-9_]{0,99}", name) is not None


def _is_header(names: list[str]) -> bool:
    """Whether these are valid columns of `metrics.csv`: unique names, with all of `COLUMNS`."""
    return all(map(is_column, names)) and set(COLUMNS) <= set(names) and len(set(names)) == len(names)


def _numbers(header: list[str], row: list[str]) -> dict[str, float]:
    """A row as a dict; values that were not measured in that epoch are left out."""
    return {name: _number(text) for name, text in zip(header, row) if text or name in COLUMNS}


def _number(text: str) -> float:
    """Parse a number of `metrics.csv`. Raises `ValueError`."""
    if not re.fullmatch(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)", text, re.ASCII) or len(text) > LONGEST_NUMBER:
        raise ValueError(f"{short(text)} is not a number")
    return int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else float(text)


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    if rows:
        names = list(dict.fromkeys(name for row in rows for name in row))  # epochs may have different values
        writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


def json_bytes(values: Mapping[str, Any]) -> bytes:
    """The content of a file in JSON."""
    try:
        return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8
        return (json.dumps(values, indent=2) + "\n").encode()


def _own_version() -> str:
    from seq2seq import __version__

    return __version__
