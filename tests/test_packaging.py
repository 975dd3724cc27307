"""The package as `pip install` leaves it, and the command `seq2seq` from a folder that has nothing in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from seq2seq import __version__
from seq2seq.recipes import recipe_names

ROOT = Path(__file__).parent.parent
SOURCE = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
SMALL = ["--epochs", "1", "--hidden-size", "8", "--examples", "300", "--validation", "20", "--test", "20"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package alone installed in it. What it depends on is that of the Python that runs the tests."""
    pytest.importorskip("setuptools", minversion="77", reason="an earlier setuptools does not know SPDX licences")
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    shutil.copytree(ROOT / "seq2seq", source / "seq2seq", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SOURCE:
        shutil.copy(ROOT / name, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder]
    words = [sys.executable, "-m", "pip", "install", *options, source]
    result = subprocess.run(words, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture
def command(installed, tmp_path):
    """Calls a line of a shell in an empty folder, where the command `seq2seq` is found."""
    path = os.pathsep.join([str(installed / "bin"), os.environ["PATH"]])
    options = {"cwd": tmp_path, "env": {**os.environ, "PATH": path, "PYTHONPATH": str(installed)}}

    def call(line):
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=200, **options)

    return call


def test_the_command_is_installed(command, tmp_path):
    assert command("seq2seq --version").stdout == f"seq2seq {__version__}\n"
    assert command("seq2seq tasks").stdout.startswith("arithmetic: ")
    assert len(command("seq2seq recipes").stdout.splitlines()) == len(recipe_names())
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_installed(installed):
    page = {file.name for file in (installed / "seq2seq" / "web" / "page").iterdir()}
    assert page == {file.name for file in (ROOT / "seq2seq" / "web" / "page").iterdir()}
    assert {"index.html", "page.js", "page.css"} <= page


def test_a_recipe_is_trained_asked_and_scored_from_an_empty_folder(command, installed):
    result = command(f"seq2seq train --recipe cipher --run-dir run {' '.join(SMALL)}")  # which learns from a file
    assert result.returncode == 0, result.stderr
    [tried] = [line for line in result.stdout.splitlines() if line.startswith("try: seq2seq solve --run run ")]
    assert command(tried.removeprefix("try: ")).returncode == 0
    solved = command("seq2seq solve --run run --json hello 'no word'")
    assert solved.returncode == 2 and solved.stderr.startswith("seq2seq solve: argument 2: 'no word': ")
    assert [[*json.loads(line)] for line in solved.stdout.splitlines()] == [
        ["source", "answer", "confidence", "unlike_training"], ["source", "error"]
    ]  # fmt: skip
    assert command("seq2seq evaluate --run run").stdout.startswith("run: PairsTask(")
    result = command("seq2seq train --resume --run-dir run --epochs 2")
    assert result.returncode == 0, result.stderr
    # Not on the PATH, it is called by where it is.
    result = command(f"PATH=/usr/bin:/bin {installed}/bin/seq2seq train --resume --run-dir run --epochs 3")
    assert f"\ntry: {installed}/bin/seq2seq solve --run run " in result.stdout


def test_what_is_wrong_is_one_line(command, tmp_path):
    for line, status, message in [
        ("seq2seq learn", 2, "seq2seq: argument COMMAND: invalid choice: 'learn'"),
        ("seq2seq train --recipe chess", 2, "seq2seq train: recipe: got 'chess', but it must be a path to a .toml"),
        ("seq2seq solve XIV", 1, "seq2seq solve: runs: holds no run; train one, or name its folder"),
    ]:
        result = command(line)
        assert (result.returncode, result.stdout) == (status, "") and list(tmp_path.iterdir()) == []
        assert result.stderr.startswith(message) and result.stderr.count("\n") == 1


def metadata(installed):
    [file] = installed.glob("mxseq2seq-*.dist-info/METADATA")
    return file.read_text(encoding="utf-8").splitlines()


def test_the_metadata_name_the_distribution_and_its_licence(installed):
    lines = metadata(installed)
    assert {"Name: mxseq2seq", f"Version: {__version__}", "License-Expression: Apache-2.0"} <= set(lines)
    assert not any(line.startswith("Classifier: License") for line in lines)
    assert [*installed.glob("mxseq2seq-*.dist-info/licenses/LICENSE")]


@pytest.mark.parametrize(
    "system, machine, python, has_mxnet",
    [
        ("Linux", "x86_64", "3.9", True),
        ("Linux", "aarch64", "3.12", True),
        ("Darwin", "x86_64", "3.11", True),
        ("Darwin", "arm64", "3.11", False),
        ("Windows", "AMD64", "3.12", False),
        ("Linux", "x86_64", "3.13", False),
    ],
)
def test_mxnet_is_installed_where_it_runs(installed, system, machine, python, has_mxnet):
    requirements = [Requirement(line[15:]) for line in metadata(installed) if line.startswith("Requires-Dist: ")]
    here = {"platform_system": system, "platform_machine": machine, "python_version": python, "extra": ""}
    needed = [each for each in requirements if each.marker is None or each.marker.evaluate(here)]
    assert ("mxnet" in [each.name for each in needed]) == has_mxnet
    [numpy] = [each for each in needed if each.name == "numpy"]
    assert not has_mxnet or "2.0" not in numpy.specifier
