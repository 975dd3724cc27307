"""A sample of the campaign; `python -m tests.campaign` runs all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("campaign")


@pytest.mark.parametrize("kind, count", [("mutation", 25), ("command", 30), ("file", 6), ("kill", 8), ("archive", 8)])
def test_what_goes_wrong_ends_in_one_line(cache, tmp_path, kind, count):
    # In a process of its own, which has never used MXNet: it forks.
    campaign = [sys.executable, "-m", "tests.campaign", kind, "--count", str(count)]
    result = subprocess.run(
        [*campaign, "--cache", cache, "--keep", tmp_path / "kept"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_damaged_pack_answers_or_is_refused(cache):
    opening = [sys.executable, "-m", "tests.campaign.opening", "--count", "100", "--cache", cache]
    result = subprocess.run(opening, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("100 archives: ")
