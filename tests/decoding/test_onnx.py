"""Answers from an export are those of the run."""

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from seq2seq import Ensemble, RunError, Solver, SourceError, UsageError, train

ROOT = Path(__file__).parent.parent.parent
SOURCES = {
    "solved": ["1+1", "9+8", "0+3"],
    "attentive": ["1+2+3", "3+3", "0+1"],
    "stepping": ["1+2-3", "3-3-3", "1+1+1-2+3-1"],
}


@pytest.fixture(params=SOURCES)
def both(request, exported):
    """A run, its export as a Solver, and some sources."""
    run = request.getfixturevalue(request.param)
    return run, Solver(exported(request.param)), SOURCES[request.param]


def require_same(found, expected):
    assert [answer.text for answer in found] == [answer.text for answer in expected]
    assert [answer.unlike_training for answer in found] == [answer.unlike_training for answer in expected]
    # Of one call within 1e-5; a working multiplies the confidences of several.
    np.testing.assert_allclose([a.confidence for a in found], [a.confidence for a in expected], atol=3e-5)


def test_answers_steps_and_marks_are_those_of_the_run(both):
    run, found, sources = both
    assert (run.engine, found.engine) == ("mxnet", "onnx")
    require_same(found.answer(sources), run.answer(sources))
    assert found(sources[0]) == run(sources[0])
    assert [*map(found.work, sources)] == [*map(run.work, sources)]
    assert [*map(found.calls, sources)] == [*map(run.calls, sources)]
    for source in ("", "1+x"):
        problems = [each.tried([source])[0] for each in (found, run)]
        assert isinstance(problems[0], SourceError) and str(problems[0]) == str(problems[1])


def test_many_sources_are_answered_in_batches(both):
    run, found, sources = both
    many = sources * 500
    require_same(found.unmarked(many), run.unmarked(many))


def test_a_search_finds_the_same(attentive, exported):
    found = Solver(exported("attentive"), beam=4)
    wide = Solver(attentive.run.path, beam=4, engine="mxnet")
    for source in SOURCES["attentive"]:
        require_same(found.n_best(source, 5), attentive.n_best(source, 5))
    require_same(found.answer(SOURCES["attentive"]), wide.answer(SOURCES["attentive"]))


def test_what_a_model_cannot_do_it_cannot_do_either(exported):
    found = Solver(exported("solved"))
    with pytest.raises(UsageError, match="writes all characters at once: it has one answer"):
        found.n_best("1+1", 2)
    for ask in (found.embeddings, lambda: found.explain("1+1"), lambda: found.plot("1+1", "plot.png")):
        with pytest.raises(UsageError, match="needs the engine mxnet and a run folder"):
            ask()


def test_a_text_is_continued_as_by_the_run(reading, exported):
    found = Solver(exported("reading"))
    require_same(found.expected("the cat and a"), reading.expected("the cat and a"))
    for options in ({"temperature": 0}, {"seed": 3, "top_k": 4}):
        written = ["".join(each.continued("the ", 60, **options)) for each in (found, reading)]
        assert written[0] == written[1]
    with pytest.raises(RunError, match=r"text\.txt\.gz: the text it was trained on is not there"):
        found.evaluate()


def test_threads_answer_without_waiting_for_each_other(exported, monkeypatch):
    """No lock is taken: one would be that of MXNet, which is refused here."""
    monkeypatch.setattr("seq2seq.mx._Alone.__enter__", lambda self: pytest.fail("the lock of MXNet is taken"))
    found = Solver(exported("attentive"))
    sources = SOURCES["attentive"] * 30
    expected = found(sources)
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(found, sources)] == expected


def test_a_run_that_holds_an_export_answers_with_either(run_copy, exported):
    shutil.copytree(exported("solved"), run_copy.path / "onnx")
    engines = {engine: Solver(run_copy.path, engine=engine) for engine in ("auto", "mxnet", "onnx")}
    assert {name: solver.engine for name, solver in engines.items()} == {
        "auto": "mxnet", "mxnet": "mxnet", "onnx": "onnx"
    }  # fmt: skip
    assert len({solver("7+8") for solver in engines.values()}) == 1


def test_a_copy_in_another_process_has_the_same_engine(run_copy, exported):
    shutil.copytree(exported("solved"), run_copy.path / "onnx")
    again = pickle.loads(pickle.dumps(Solver(run_copy.path, engine="onnx")))
    assert (again.engine, again("2+2")) == ("onnx", Solver(run_copy.path)("2+2"))


@pytest.mark.parametrize("options, message", [
    ({"engine": "tvm"}, "engine: got 'tvm', but it must be one of auto, mxnet, onnx"),
    ({"device": "gpu"}, "device: got 'gpu', but it must be auto or cpu with the engine onnx"),
    ({"weights": "last"}, "weights: got 'last', but it must be best with the engine onnx"),
])  # fmt: skip
def test_options_that_do_not_go_with_an_export(exported, options, message):
    with pytest.raises(UsageError, match=message):
        Solver(exported("solved"), **options)


def test_an_engine_without_its_files_is_refused(solved, exported):
    with pytest.raises(UsageError, match=r"engine: got 'onnx', but .*sums has no export; make one with seq2seq export"):
        Solver(solved.run.path, engine="onnx")
    none = "^run: .*solved is an export, which answers by onnx alone; name the run that it was made from$"
    for ask in (partial(Solver, exported("solved"), engine="mxnet"), partial(Solver, [exported("solved")] * 2)):
        with pytest.raises(UsageError, match=none):
            ask()
    with pytest.raises(UsageError, match=r"^start_from: .*solved answers by onnx: an export cannot be trained on"):
        train(solved.task, start_from=exported("solved"), progress=False)
    with pytest.raises(UsageError, match="engine: got 'onnx', but it must be auto or mxnet with an ensemble"):
        Ensemble([solved.run.path], engine="onnx")


@pytest.mark.parametrize("name, content, message", [
    ("model.onnx", b"", r"model\.onnx: is damaged: it does not have the hash that export\.json says"),
    ("config.json", None, r"holds no run \(there is no config\.json\)"),
    ("config.json", b"\n", r"config\.json: is damaged: it does not have the hash that export\.json says"),
    ("export.json", b'{"format": 1}', r"export\.json: is damaged: it lacks 'seq2seq'"),
    ("export.json", None, r"export\.json: is missing, and without it the graphs cannot be used"),
    ("export.json", b"{}", r"export\.json: is not an export of this version \(format 1\)"),
    ("export.json", b"{", r"export\.json: is damaged: not JSON"),
])  # fmt: skip
def test_a_damaged_export_is_named(exported, tmp_path, name, content, message):
    shutil.copytree(exported("solved"), tmp_path / "copy")
    file = tmp_path / "copy" / name
    before = file.read_bytes()
    file.unlink()
    if content is not None:
        file.write_bytes(before + content if name == "config.json" else content)
    with pytest.raises(RunError, match=message):
        Solver(tmp_path / "copy")("1+1")


@pytest.fixture
def edited(exported, tmp_path):
    """A function that changes a key of an export's properties, or removes it, and returns the folder."""

    def edit(key, value=...):
        shutil.copytree(exported("stepping"), tmp_path / "copy")
        properties = json.loads((tmp_path / "copy" / "export.json").read_text(encoding="utf-8"))
        del properties[key]
        if value is not ...:
            properties[key] = value
        (tmp_path / "copy" / "export.json").write_text(json.dumps(properties), encoding="utf-8")
        return tmp_path / "copy"

    return edit


@pytest.mark.parametrize("key, value", [
    ("files", []), ("files", {}), ("files", {"model.onnx": 3}), ("characters", "0123"), ("characters", [1]),
    ("widths", [5, 3]), ("widths", [0]), ("widths", [True]), ("any_length", 1), ("source_length", 1.5), ("rule", 3),
    ("examples", [{"source": "1+1"}]), ("examples", {}), ("states", None), ("working", "1+1"), ("pad", -1),
    ("target_separator", None), ("model", 2),
])  # fmt: skip
def test_a_key_of_the_wrong_form_is_named(edited, key, value):
    with pytest.raises(RunError, match=rf"export\.json: is damaged: its '{key}' is .*, and not [a-z0-9 ]+$"):
        Solver(edited(key, value))


@pytest.mark.parametrize("key", ["characters", "pad", "start", "widths", "states", "examples", "working", "files"])
def test_a_key_that_is_missing_is_named(edited, key):
    with pytest.raises(RunError, match=rf"export\.json: is damaged: it lacks '{key}'$"):
        Solver(edited(key))


@pytest.mark.parametrize("key, value", [("pad", 0), ("pad", 99), ("start", 5)])
def test_ids_that_are_not_those_of_the_characters_are_refused(edited, key, value):
    with pytest.raises(RunError, match=r"its 'pad' or 'start' does not belong to its 'characters'$"):
        Solver(edited(key, value))


@pytest.mark.parametrize("key, value", [
    ("widths", [4]), ("rule", None), ("reverse_target", True), ("examples", []), ("source_separator", ",")
])  # fmt: skip
def test_a_value_that_is_not_that_of_the_graph_is_named(edited, key, value):
    with pytest.raises(RunError, match=rf"export\.json: is damaged: its '{key}' is not that in model\.onnx$"):
        Solver(edited(key, value))("1+1")


def test_a_graph_without_metadata_is_named(edited, exported, tmp_path):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(exported("stepping") / "model.onnx")
    graph.metadata_props.clear()
    content = graph.SerializeToString()
    folder = edited("files", {"model.onnx": hashlib.sha256(content).hexdigest()})
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.onnx: is damaged: it has no metadata of an export$"):
        Solver(folder)("1+1")


def test_a_graph_that_onnx_runtime_cannot_use_is_named(exported, tmp_path):
    shutil.copytree(exported("solved"), tmp_path / "copy")
    properties = json.loads((tmp_path / "copy" / "export.json").read_text(encoding="utf-8"))
    properties["files"]["model.onnx"] = hashlib.sha256(b"no graph").hexdigest()
    (tmp_path / "copy" / "model.onnx").write_bytes(b"no graph")
    (tmp_path / "copy" / "export.json").write_text(json.dumps(properties), encoding="utf-8")
    with pytest.raises(RunError, match=r"model\.onnx: cannot be used by ONNX Runtime 1\..*: .*"):
        Solver(tmp_path / "copy")("1+1")


WITHOUT = """
import os, runpy, sys
del os.fork, os.register_at_fork, os.O_NOFOLLOW, os.O_NONBLOCK  # as on Windows
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("mxnet", "onnx", "fcntl", "resource"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
runpy.run_module("seq2seq", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("name, arguments", [
    ("solved", ["--json", "1+2"]), ("attentive", ["--json", "--best", "2", "1+2"]), ("stepping", ["--steps", "1+2-3"]),
    ("reading", ["--continue", "the "]),
])  # fmt: skip
def test_the_command_answers_without_mxnet(name, arguments, exported, request):
    run = request.getfixturevalue(name)
    words = [sys.executable, "-c", WITHOUT, "solve", "--run", exported(name), *arguments]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    if arguments[0] == "--json":
        found = json.loads(result.stdout)
        [expected] = run.answer(["1+2"])
        assert (found["answer"], found["confidence"]) == (expected.text, pytest.approx(expected.confidence, abs=1e-5))
    elif arguments[0] == "--steps":
        assert result.stdout == " -> ".join(["1+2-3", *run.work("1+2-3")]) + "\n"
    else:
        assert result.stdout == "the " + "".join(run.continued("the ")) + "\n"
