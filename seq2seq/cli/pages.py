"""The pages and result files that a command writes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seq2seq import UsageError
from seq2seq.errors import DataError
from seq2seq.files import lock, write_named


def read_page(path: Path, mark: str | None = None) -> str:
    """The text of a page that will be updated.

    Raises `DataError` if it cannot be read, and `UsageError` if it is not UTF-8 or lacks the mark of `fill`.
    """
    try:
        page = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if mark is not None and not _parts(page, mark)[-1]:
        raise UsageError(f"{path}: has no lines <!-- {mark} --> and <!-- end -->, between which results are written")
    return page


def results_beside(page: Path) -> Path:
    """The file with the results that a page shows."""
    return page.parent / f"{page.stem}.json"


def read_results(path: Path) -> dict[str, Any]:
    """The results of earlier runs, by name. Raises `UsageError` if the file contains something else."""
    results = read_result(path) if path.exists() else {}
    if not all(isinstance(each, dict) for each in results.values()):
        raise UsageError(f"{path}: holds no results in JSON")
    return results


def read_result(path: Path) -> dict[str, Any]:
    """The result of one run. Raises `UsageError` if the file contains something else."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise UsageError(f"{path}: holds no results in JSON")
    return result


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write results, so that at every moment the file is complete."""
    write_named(path, (json.dumps(values, indent=1) + "\n").encode())


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let one process at a time write the pages in a folder, if its file system has locks."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def shows_results(path: Path) -> Iterator[None]:
    """Raise `UsageError` if earlier results lack a value that is shown, or have it in another form."""
    try:
        yield
    except UsageError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: holds results of another form: {type(error).__name__}: {error}") from None


def fill(page: str, mark: str, content: str) -> str:
    """The page with this content between `<!-- mark -->` and `<!-- end -->`, if it has these marks."""
    before, after = _parts(page, mark)
    return f"{before}{content}{after}" if after else page


def _parts(page: str, mark: str) -> tuple[str, str]:
    """What comes before and after the content of a mark, with the mark; nothing comes after without it."""
    before, begin, rest = page.partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    return before + begin, end + after
