"""The pages and result files that a command writes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seq2seq import UsageError


def read_page(path: Path) -> str:
    """The text of a page that will be updated. Raises `UsageError` if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8") from None


def results_beside(page: Path) -> Path:
    """The file with the results that a page shows."""
    return page.parent / f"{page.stem}.json"


def read_results(path: Path) -> dict[str, Any]:
    """The results of earlier runs, by name. Raises `UsageError` if the file contains something else."""
    try:
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (ValueError, RecursionError):
        results = None
    if not isinstance(results, dict) or not all(isinstance(each, dict) for each in results.values()):
        raise UsageError(f"{path}: holds no results in JSON")
    return results


@contextlib.contextmanager
def shows_results(path: Path) -> Iterator[None]:
    """Raise `UsageError` if earlier results lack a value that is shown, or have it in another form."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: holds results of another form: {type(error).__name__}: {error}") from None


def fill(page: str, mark: str, content: str) -> str:
    """The page with this content between `<!-- mark -->` and `<!-- end -->`, if it has these marks."""
    before, begin, rest = page.partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    return f"{before}{begin}{content}{end}{after}" if end else page
