"""The run folder: everything about one training run, in files that are whole at every moment.

| file | what |
|---|---|
| `config.json` | options, seed, versions |
| `metrics.csv` | a row an epoch |
| `best.safetensors`, `last.safetensors` | weights by parameter name |
| `optimizer.safetensors` | what a resumed training needs: weights, moments and, as JSON, where it was |
| `evaluation.json` | the last evaluation |
| `rates.json`, `rates.csv`, `rates.png` | the learning rate that a range test found, and what it was found from |
| `pairs.jsonl.gz`, `text.txt.gz` | the pairs or the text, of a task whose options alone do not make them |

The folder is made under another name and renamed, and so is every file, after it was flushed to disk. Nothing that
is read is unpickled or run as code.
"""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import json
import os
import platform
import shutil
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Union

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from seq2seq.config import Config
from seq2seq.errors import RunError, quoted, short
from seq2seq.tasks import TASKS, Task

FORMAT = 1
CONFIG, METRICS, EVALUATION, OPTIMIZER = "config.json", "metrics.csv", "evaluation.json", "optimizer.safetensors"
FOUND, RATES, RATES_PLOT = "rates.json", "rates.csv", "rates.png"
WEIGHTS = {"best": "best.safetensors", "last": "last.safetensors"}
PathLike = Union[str, "os.PathLike[str]"]


class Run:
    """One run folder.

    Parameters
    ----------
    path : path
        The folder; it need not exist yet.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def newest(cls, folder: PathLike = "runs") -> Run:
        """The run in `folder` that was trained last. Raises `RunError` if there is none."""
        states = sorted(Path(folder).glob(f"[!.]*/{OPTIMIZER}"), key=lambda path: path.stat().st_mtime)
        runs = [cls(path.parent) for path in states if cls(path.parent).exists]
        if not runs:
            raise RunError(f"{folder}: holds no run; train one, or name its folder")
        return runs[-1]

    @property
    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return (self.path / CONFIG).is_file()

    @property
    def found_rate(self) -> bool:
        """Whether its learning rate was found by a range test."""
        return (self.path / FOUND).is_file()

    def require_free(self) -> None:
        """Raise `RunError` if the folder holds a run, or anything else."""
        if self.exists:
            raise RunError(f"{self.path}: already holds a run; resume it, or choose another folder")
        try:
            names = sorted(entry.name for entry in self.path.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(f"{self.path}: cannot be made a run folder: {error.strerror}") from None
        if names:
            raise RunError(
                f"{self.path}: is no run (there is no {CONFIG}), but holds {names[0]}; choose another folder"
            )

    @contextmanager
    def creating(self) -> Iterator[Run]:
        """A run folder of another name to write the first files into; it becomes this one, whole, at the end."""
        begun = Run(self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}"))
        try:
            begun.path.mkdir(parents=True)
            yield begun
            os.rename(begun.path, self.path)
        except OSError as error:
            raise RunError(f"{self.path}: cannot be made a run folder: {error.strerror}") from None
        finally:
            shutil.rmtree(begun.path, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training into the folder, until this one ends, however it ends."""
        try:
            handle = os.open(self.path, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise RunError(f"{self.path}: another process is training into this run") from None
        except OSError as error:
            raise RunError(f"{self.path}: cannot be locked: {error.strerror}") from None
        try:
            yield
        finally:
            os.close(handle)

    # Writing ------------------------------------------------------------------------------------------------------

    def _write(self, name: str, content: bytes) -> None:
        temporary, final = self.path / f"{name}.tmp", self.path / name
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, final)
        except OSError as error:
            raise RunError(f"{final}: cannot be written: {error.strerror}") from None

    def write_config(self, config: Config, fingerprint: str) -> None:
        """Write the options, with a digest of the data set that they make; before them, once, what the task keeps."""
        kept, name = config.task.keep(), config.task.kept_as
        if kept is not None and not (self.path / name).exists():
            self._write(name, gzip.compress(kept.encode(), mtime=0))
        versions = {name: metadata.version(name) for name in ("numpy", "safetensors")}
        values = {
            "format": FORMAT,
            **config.to_json(),
            "data_fingerprint": fingerprint,
            "versions": {"python": platform.python_version(), "seq2seq": _own_version(), "mxnet": "1.9.1", **versions},
        }
        self._write(CONFIG, _json(values))

    def write_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Write a row an epoch."""
        self._write(METRICS, _csv(rows))

    def write_rates(self, rows: list[dict[str, Any]], decision: Mapping[str, Any]) -> None:
        """Write a row for each update of a range test, and what was decided from them."""
        self._write(RATES, _csv(rows))
        self._write(FOUND, _json(decision))

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Write arrays by name, and beside them a state in values that JSON can hold."""
        self._write(name, to_safetensors(dict(arrays), metadata={"seq2seq": json.dumps(state)}))

    def write_evaluation(self, evaluation: Mapping[str, Any]) -> None:
        self._write(EVALUATION, _json(evaluation))

    # Reading ------------------------------------------------------------------------------------------------------

    def _read(self, name: str) -> str:
        path = self.path / name
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            if name == CONFIG:
                raise RunError(f"{self.path}: holds no run (there is no {CONFIG})") from None
            raise RunError(f"{path}: is missing") from None
        except UnicodeDecodeError:
            raise RunError(f"{path}: is damaged: not text") from None
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from None

    def _config_values(self) -> dict[str, Any]:
        try:
            values = json.loads(self._read(CONFIG))
        except (ValueError, RecursionError):
            raise RunError(f"{self.path / CONFIG}: is damaged: not JSON") from None
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise RunError(f"{self.path / CONFIG}: is not the configuration of a run of this version (format {FORMAT})")
        return values

    def _read_kept(self, name: str) -> str | None:
        path = self.path / name
        try:
            return gzip.decompress(path.read_bytes()).decode()
        except FileNotFoundError:
            return None
        except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise RunError(f"{path}: is damaged: {error}") from None
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from None

    def read_config(self, task: Task | None = None) -> Config:
        """The options the run was made with.

        Parameters
        ----------
        task : Task, optional
            The task of the run, where it is one that has no name in `TASKS`.
        """
        values = self._config_values()
        path = self.path / CONFIG
        name = values["task"].get("name") if isinstance(values.get("task"), dict) else None
        if task is None and isinstance(name, str) and name not in TASKS:
            raise RunError(
                f"{path}: its task {short(name)} is not installed here; if it is your own: Solver(run, task=...)"
            )
        if task is not None and task.name != name:
            raise RunError(f"{path}: its task is {quoted(name)}, and not {task.name!r}")
        try:
            task_class = TASKS[values["task"]["name"]] if task is None else type(task)
            config = Config.from_json(values, task_class, self._read_kept(task_class.kept_as))
        except KeyError as error:
            raise RunError(f"{path}: is damaged: it lacks {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path}: is damaged: {error}") from None
        if task is not None and config.task.options() != task.options():
            raise RunError(f"{path}: was made with {quoted(config.task, 200)}, and not {quoted(task, 200)}")
        return config

    def check_fingerprint(self, fingerprint: str) -> None:
        """Raise `RunError` unless the data set made now is the one the run was trained on."""
        if self._config_values().get("data_fingerprint") != fingerprint:
            raise RunError(
                f"{self.path / CONFIG}: its options no longer make the data that the run was trained on, "
                "so what was held out is not known; was the file edited, or NumPy changed?"
            )

    def read_metrics(self) -> list[dict[str, Any]]:
        """The rows of `metrics.csv`, values as numbers."""
        rows = csv.DictReader(io.StringIO(self._read(METRICS)))
        try:
            numbers = [{name: _number(value) for name, value in row.items()} for row in rows]
            if [row["epoch"] for row in numbers] != list(range(1, len(numbers) + 1)):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise RunError(f"{self.path / METRICS}: is damaged") from None
        return numbers

    def read_arrays(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Arrays by name, and the state beside them."""
        path = self.path / name
        try:
            with safe_open(path, framework="np") as file:
                state = json.loads((file.metadata() or {}).get("seq2seq", "null"))
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (it is no mapping)
        except FileNotFoundError:
            raise RunError(f"{path}: is missing") from None
        except (SafetensorError, ValueError) as error:
            raise RunError(f"{path}: is damaged: {error}") from None
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None
        if not isinstance(state, dict):
            raise RunError(f"{path}: was not written by this library")
        return arrays, state


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def _own_version() -> str:
    from seq2seq import __version__

    return __version__
