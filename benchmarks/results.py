"""Measured results, saved after each measurement, so that a benchmark that was stopped can continue."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

UNFINISHED = "unfinished"


class Results:
    """Results by section and key, in a JSON file.

    Parameters
    ----------
    path : Path
        The file. Results that it contains are not measured again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def forget(self, sections: list[str]) -> None:
        """Discard the results of these sections."""
        for section in sections:
            self.values.pop(section, None)
            for key in [key for key in self.values.get(UNFINISHED, {}) if key.startswith(f"{section}: ")]:
                del self.values[UNFINISHED][key]

    def measure(self, section: str, key: str, function: Callable[[], dict[str, Any]]) -> None:
        """Save the result of the function, unless it is in the file already."""
        known = self.values.setdefault(section, {})
        if key in known:
            return
        started = time.monotonic()
        known[key] = function()
        self.values.get(UNFINISHED, {}).pop(f"{section}: {key}", None)
        self._save()
        print(f"{section}: {key} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

    def once(self, section: str, key: str, step: str, function: Callable[[], Any]) -> Any:
        """The saved result of a step of a measurement that is not finished, or that of the function, which is saved."""
        known = self.values.setdefault(UNFINISHED, {}).setdefault(f"{section}: {key}", {})
        if step not in known:
            known[step] = function()
            self._save()
        return known[step]

    def _save(self) -> None:
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.values, indent=1) + "\n")
        os.replace(temporary, self.path)
