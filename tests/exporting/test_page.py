"""The folder of a static page, and where its runtime comes from; `tests/web/test_static_page.py` opens it."""

import hashlib
import subprocess
import sys
import tarfile

import pytest

from seq2seq import Addition, Calculator, Seq2SeqError, UsageError, export, train
from seq2seq.decoding.onnx import OnnxPredictor
from seq2seq.exporting import runtime
from seq2seq.exporting.runtime import cache, runtime_files
from tests.test_scripts import ROOT

CONTENT = {"ort.wasm.bundle.min.mjs": b"a loader", "ort-wasm-simd-threaded.wasm": b"a program"}


@pytest.fixture
def small_runtime(monkeypatch, tmp_path):
    """Two small files in place of the large ones, and an empty cache."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(runtime, "FILES", hashes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "dist"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def npm(monkeypatch, tmp_path, small_runtime):
    """An npm in front of the path that packs the small files, and notes that it was called."""
    package = tmp_path / "package.tgz"
    with tarfile.open(package, "w:gz") as archive:
        archive.add(small_runtime, "package/dist")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npm").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\ncp {package} . && exit $FAILS\n')
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("FAILS", "0")
    return tmp_path / "called"


def test_a_run_is_shown_with_the_runtime_of_a_folder(solved, small_runtime, tmp_path):
    export(solved, page=tmp_path / "page", runtime=small_runtime)
    for name, content in CONTENT.items():
        assert (tmp_path / "page" / "runtime" / name).read_bytes() == content
    with pytest.raises(UsageError, match=r"page: got .* a folder that does not exist yet"):
        export(solved, page=tmp_path / "page", runtime=small_runtime)


def test_it_has_no_graph_of_a_search_and_none_is_compared(attentive, small_runtime, tmp_path, monkeypatch):
    monkeypatch.setattr(OnnxPredictor, "search", None)
    assert export(attentive, page=tmp_path / "page", runtime=small_runtime) > 30
    assert not (tmp_path / "page" / "beam.onnx").exists()


def test_the_runtime_is_fetched_once(npm):
    assert runtime_files() == runtime_files() == CONTENT
    [called] = npm.read_text().splitlines()
    assert called.startswith("pack ") and called.endswith("onnxruntime-web@1.30.0")
    assert sorted(path.name for path in cache().iterdir()) == sorted(CONTENT)


def test_files_with_another_hash_are_refused(small_runtime, npm, monkeypatch):
    (small_runtime / "ort-wasm-simd-threaded.wasm").write_bytes(b"another program")
    with pytest.raises(Seq2SeqError, match=r"ort-wasm-simd-threaded.wasm is not that of onnxruntime-web@1.30.0"):
        runtime_files(small_runtime)
    monkeypatch.setitem(runtime.FILES, "ort.wasm.bundle.min.mjs", "0" * 64)
    with pytest.raises(Seq2SeqError, match=r"ort.wasm.bundle.min.mjs is not that of onnxruntime-web@1.30.0"):
        runtime_files()
    assert not cache().exists()


def test_without_npm_or_a_network_it_says_what_to_do(small_runtime, npm, monkeypatch, tmp_path):
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(Seq2SeqError, match=r"npm cannot fetch .*: status 1; put .* name it with --runtime"):
        runtime_files()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Seq2SeqError, match=r"npm is not installed, .* name it with --runtime"):
        runtime_files()
    with pytest.raises(Seq2SeqError, match=r"runtime: .*nowhere.* cannot be read: No such file"):
        runtime_files(tmp_path / "nowhere")


def test_runs_that_a_page_cannot_answer_are_refused(reading, small_runtime, tmp_path):
    with pytest.raises(UsageError, match=r"page: .*: a static page answers sources, and this run goes on with a text"):
        export(reading, page=tmp_path / "page", runtime=small_runtime)
    options = {"progress": False, "epochs": 1, "examples": 200, "validation": 10, "test": 10, "hidden_size": 4}
    for task in (Calculator(), Addition()):  # by its steps, and by how it reads a source
        run = train(task, tmp_path / task.name, **options)
        with pytest.raises(UsageError, match=f"page: .*: the task {task.name} has code of its own"):
            export(run, page=tmp_path / "page", runtime=small_runtime)
    assert not (tmp_path / "page").exists()


def test_the_command_names_what_is_missing(tmp_path):
    for arguments, message in [
        (["runs/a"], "--onnx, --mxnet or --page: name a folder"),
        (["runs/a", "--onnx", "x", "--runtime", "y"], "--runtime: goes with --page"),
    ]:
        words = [sys.executable, "-m", "seq2seq", "export", *arguments]
        result = subprocess.run(words, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert result.returncode == 2 and result.stderr.splitlines()[-1] == f"seq2seq export: {message}"
