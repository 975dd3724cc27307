"""Rows of text from files, which may be gzipped. Every error names the file and, if there is one, the line.

| suffix | a row |
|---|---|
| `.tsv`, `.txt` | source, tab, target; quotes have no special meaning |
| `.csv` | as spreadsheets write it: separated by commas, with quotes around cells that contain a comma or a quote |
| `.jsonl` | `{"source": ..., "target": ...}`, or `[source, target]` |

Each may be followed by `.gz`. Text is UTF-8. A byte order mark and empty lines are skipped, and so is a header: a first
row with `source` and `target`, in upper or lower case, with or without spaces around them.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from seq2seq.errors import DataError, Seq2SeqError, UsageError, require, short
from seq2seq.files import once
from seq2seq.tasks.arrays import Row
from seq2seq.tasks.blocks import BLOCK, opened

Rows = Callable[[str], Iterator[tuple[int, Any]]]  # from a path to the number and cells of each row
LINES = 2**12  # between two looks at how far a reading is
COMMON = (".tsv", ".csv", ".jsonl")  # suffixes of files of pairs that every task reads


def read_lines(path: str) -> Iterator[tuple[int, str]]:
    """The number and text of each line. Raises `UsageError` if it is not text, `DataError` if it cannot be read."""
    with opened(path, f"reading {path}") as (file, look):
        for number, line in enumerate(file, 1):
            if number % LINES == 0:
                look()
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise UsageError(f"{path}:{number}: is not UTF-8") from None
            if "\0" in text:
                raise UsageError(f"{path}:{number}: has a zero byte, so this is not a file of text")
            yield number, text.rstrip("\n").rstrip("\r")


def read_pairs(path: str) -> Iterator[Row]:
    """The pairs of a file. Raises `UsageError` or `DataError`."""
    for place, (number, cells) in enumerate(_reader(READERS, path, path)(path)):
        if place == 0 and is_header(cells):
            continue
        if not isinstance(cells, list) or len(cells) != 2:
            columns = len(cells) if isinstance(cells, list) else 1
            many = "1 column" if columns == 1 else f"{columns} columns"
            raise UsageError(f"{path}:{number}: has {many}, but a row is a source and a target")
        yield Row(number, *cells)


def files_in(path: str, suffixes: Collection[str]) -> list[str]:
    """The file itself, or of a folder its files with one of these suffixes, sorted by name.

    Hidden files, other files and folders in the folder are not read.

    Raises
    ------
    UsageError
        If the folder has no such file.
    DataError
        If it cannot be read.
    """
    folder = Path(path)
    if not (suffixes and folder.is_dir()):
        return [path]
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    found = [str(folder / name) for name in names if Path(name.removesuffix(".gz")).suffix in suffixes]
    require(bool(found), "path", path, f"a file, or a folder with files that end in {', '.join(suffixes)}")
    return found


def hold_more_than(most: int, paths: Iterable[str]) -> bool:
    """Whether files that can be read again hold more than `most` bytes together, those that are packed unpacked."""
    size = 0
    with suppress(OSError, Seq2SeqError):  # it is said where they are read
        for path in paths:
            if not os.path.isfile(path):
                return False
            if not path.endswith(".gz"):
                size += os.path.getsize(path)
                continue
            with opened(path, f"measuring {path}") as (file, look):
                while size <= most and (content := file.read(BLOCK)):
                    size += len(content)
                    look()
    return size > most


def table_rows(shown: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """The line number and the cells of each row of a table, the header first.

    Parameters
    ----------
    shown, path : str
        The path for messages, and the path to read.

    Raises
    ------
    UsageError, DataError
        If it is not a table, or cannot be read.
    """
    return _reader(TABLES, shown, path)(path)


def _reader(readers: Mapping[str, Rows], shown: str, path: str) -> Rows:
    """What reads the rows of a file with such a name. Raises `UsageError`, or `DataError` if it is missing."""
    suffix = Path(path.removesuffix(".gz")).suffix
    if suffix in readers:
        return readers[suffix]
    if path and not suffix and not Path(path).exists():
        raise DataError(f"{shown}: does not exist")
    raise UsageError(
        f"path: got {short(shown, 200)}, but it must end in one of {', '.join(readers)}, each perhaps with .gz"
    )


def is_header(cells: Any) -> bool:
    """Whether this row is a header."""
    return isinstance(cells, list) and [str(cell).strip().lower() for cell in cells] == ["source", "target"]


def _tsv(path: str) -> Iterator[tuple[int, Any]]:
    return ((number, line.split("\t")) for number, line in read_lines(path) if line)


def _csv(path: str) -> Iterator[tuple[int, Any]]:
    reader = csv.reader((line + "\n" for _, line in read_lines(path)), strict=True)
    before = 0
    try:
        for row in reader:
            if row:
                yield before + 1, row
            before = reader.line_num  # a row with line ends inside quotes spans several lines
    except csv.Error as error:
        raise UsageError(f"{path}:{before + 1}: is not CSV: {error}") from None


def _jsonl(path: str) -> Iterator[tuple[int, Any]]:
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=once(partial(_twice, f"{path}:{number}")))
        except UsageError:
            raise
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}:{number}: is not JSON: {error}") from None
        if isinstance(value, dict):
            for side in ("source", "target"):
                if side not in value:
                    raise UsageError(f"{path}:{number}: has no {side!r}")
            value = [value["source"], value["target"]]
        yield number, value


def _twice(place: str, name: str) -> UsageError:
    return UsageError(f"{place}: has {short(name)} twice")


READERS = {".tsv": _tsv, ".txt": _tsv, ".csv": _csv, ".jsonl": _jsonl}
TABLES = {suffix: READERS[suffix] for suffix in (".csv", ".tsv")}
