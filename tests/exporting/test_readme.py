"""The programs in the README of an export print one of its examples. None reaches the network."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq import PairsTask, export, train
from tests.conftest import SMALL

RUNS = ("solved", "attentive", "stepping", "reading")
HEADERS = "-I/usr/include/onnxruntime"  # of Debian's package libonnxruntime-dev


def program(folder, language):
    """The program in a language, which is short."""
    [found] = re.findall(f"```{language}\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.S)
    lines = [line for line in found.splitlines() if line.strip() and not line.startswith("#include")]
    assert len(lines) <= 20
    return found


def require_example(result, folder):
    """Require that a program has printed an example of the export: an answer and its confidence."""
    assert (result.returncode, result.stderr) == (0, "")
    answer, confidence = result.stdout.removesuffix("\n").rsplit(" ", 1)
    example = json.loads((folder / "export.json").read_text(encoding="utf-8"))["examples"][0]
    assert answer == example["answer"]
    assert float(confidence) == pytest.approx(example["confidence"], abs=1e-5)


def run(words, folder):
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", RUNS)
def test_the_python(name, exported):
    folder = exported(name)
    require_example(run([sys.executable, "-c", program(folder, "python")], folder), folder)


@pytest.fixture(scope="module")
def node_modules():
    """The folder in which npm has installed ONNX Runtime."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("there is no Node")
    folder = Path(subprocess.run(["npm", "root", "--global"], capture_output=True, text=True).stdout.strip())
    if not (folder / "onnxruntime-node").is_dir():
        pytest.skip("npm install --global --ignore-scripts onnxruntime-node")
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_the_javascript(name, exported, node_modules, tmp_path):
    folder = tmp_path / name
    shutil.copytree(exported(name), folder)
    (folder / "node_modules").symlink_to(node_modules)
    (folder / "ask.mjs").write_text(program(folder, "js"), encoding="utf-8")
    require_example(run(["node", "ask.mjs"], folder), folder)


def test_symbols_of_several_characters_written_from_the_end(node_modules, tmp_path):
    pairs = [(" ".join(word), " ".join(f"{each}{each}" for each in word)) for word in ("ab", "bc", "cab", "b", "ca")]
    task = PairsTask.of(pairs, source_symbols="words", target_symbols="words")
    options = {**SMALL, "epochs": 60, "learning_rate": 0.02, "reverse_target": True, "split": "none"}
    folder = tmp_path / "exported"
    export(train(task, tmp_path / "run", progress=False, **options), onnx=folder)
    properties = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert properties["reverse_target"] and " " in properties["examples"][0]["answer"]
    require_example(run([sys.executable, "-c", program(folder, "python")], folder), folder)
    (folder / "node_modules").symlink_to(node_modules)
    (folder / "ask.mjs").write_text(program(folder, "js"), encoding="utf-8")
    require_example(run(["node", "ask.mjs"], folder), folder)


@pytest.mark.parametrize("name", ["solved", "attentive", "stepping"])
def test_the_cpp(name, exported, tmp_path):
    folder = exported(name)
    code = program(folder, "cpp")
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    file = tmp_path / "ask.cpp"
    file.write_text(code, encoding="utf-8")
    if run(["g++", HEADERS, "-E", file, "-o", os.devnull], tmp_path).returncode:
        pytest.skip("there are no headers of ONNX Runtime: apt-get install libonnxruntime-dev, in Debian 13 and later")
    built = run(["g++", "-std=c++17", HEADERS, file, "-lonnxruntime", "-o", tmp_path / "ask"], tmp_path)
    assert built.returncode == 0, built.stderr
    properties = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    require_example(run([tmp_path / "ask", *properties["examples"][0]["source"]], folder), folder)
