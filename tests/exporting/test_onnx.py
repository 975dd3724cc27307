"""The folder of an export: what is in it, and when it is not written."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from seq2seq import Ensemble, PairsTask, Ratings, Seq2SeqError, Solver, UsageError, export, train
from seq2seq.exporting import answering, layers
from seq2seq.exporting import onnx as onnx_folder
from seq2seq.exporting.folder import new_folder
from seq2seq.exporting.pairs import Attention
from seq2seq.models import ParallelModel
from tests import tables
from tests.conftest import SMALL

ROOT = Path(__file__).parent.parent.parent
RUNS = ("solved", "attentive", "stepping", "reading")


def properties(folder):
    return json.loads((folder / "export.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RUNS)
def test_the_files_their_hashes_and_the_metadata_of_the_graphs(name, exported, request):
    folder = exported(name)
    run = request.getfixturevalue(name)
    found = properties(folder)
    files = found.pop("files")
    graphs = {"model.onnx"} | ({"beam.onnx", "encoder.onnx", "decoder.onnx"} if name == "attentive" else set())
    assert {*files, "README.md", "export.json"} == {path.name for path in folder.iterdir()} == {
        *graphs, "config.json", "README.md", "export.json"
    }  # fmt: skip
    for file, digest in files.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    for graph in graphs:
        model = onnx.load(folder / graph)
        assert (model.ir_version, [each.version for each in model.opset_import]) == (8, [18])
        [held] = [each.value for each in model.metadata_props if each.key == "seq2seq"]
        assert json.loads(held) == found
        names = [node.name for node in model.graph.node]
        assert len({*names} - {""}) == len(names)  # an old ONNX Runtime gives the same name to two without
        assert {node.domain for node in model.graph.node} == {""}  # no operator that only some runtimes have
    assert "".join(found["characters"]) == run.codec.characters.removesuffix(" ").replace("\ue000", " ")
    assert (found["characters"][found["pad"]], found["start"]) == ("", len(found["characters"]))
    assert len(found["examples"]) == 3
    if not run.task.stepwise:
        for example in found["examples"]:
            [answer] = run.unmarked([example["source"]])
            expected = (example["answer"], pytest.approx(example["confidence"]))
            assert (answer.text, answer.confidence) == expected or run.task.final(example["answer"]) == answer.text


def test_the_working_of_a_task_that_works_in_steps(stepping, exported):
    working = properties(exported("stepping"))["working"]
    assert working["answer"] == stepping(working["source"]) == working["asked"][-1][1]
    assert [question for question, _ in working["asked"]] == stepping.calls(working["source"])
    assert properties(exported("attentive"))["working"] is None


def test_the_rule_of_a_task_that_works_in_steps_and_a_program_that_follows_it(stepping, exported):
    rule = properties(exported("stepping"))["rule"]
    assert rule == {
        "kind": "head", "operators": "+-", "parentheses": False, "by_digit": False, "terms": 2, "largest": "3"
    }  # fmt: skip
    [program] = re.findall("```py\n(.*?)```", (exported("stepping") / "README.md").read_text(encoding="utf-8"), re.S)
    names: dict = {}
    exec(program, names)
    exported_run = Solver(exported("stepping"))
    for source in ("1+2-3", "3-3-3", "1+1+1-2+3-1"):
        found = names["work"](source, lambda question: exported_run._answer([question])[0].text, rule)
        assert found == stepping(source)
    assert properties(exported("attentive"))["rule"] is None


def test_symbols_of_several_characters(tmp_path):
    pairs = [(" ".join(letters), " ".join(f"{each}{each}" for each in letters)) for letters in ("ab", "bc", "cab", "b")]
    solver = train(
        PairsTask.of(pairs, source_symbols="words", target_symbols="words"), tmp_path / "run", progress=False, **SMALL
    )
    export(solver, onnx=tmp_path / "exported")
    assert properties(tmp_path / "exported")["characters"] == [*"abc", "aa", "bb", "cc", ""]
    assert Solver(tmp_path / "exported")(["a b", "c"]) == solver(["a b", "c"])


def test_the_sources_that_are_compared_are_distinct_and_as_the_model_reads_them(attentive, stepping):
    for run, longest in ((attentive, len("1+2+3")), (stepping, len("-3-3"))):
        sources = onnx_folder._sources(run)
        assert len({*sources}) == len(sources) > 30
        assert max(map(len, sources)) == longest


def test_graphs_that_answer_differently_are_not_left_behind(attentive, tmp_path, monkeypatch):
    cell = layers.CELLS["lstm"]
    monkeypatch.setitem(layers.CELLS, "lstm", cell._replace(gates=(0, 1, 2, 3)))
    with pytest.raises(Seq2SeqError, match=r"^export: nothing is written: to '.*' ONNX Runtime answers .* and MXNet"):
        export(attentive, onnx=tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("graph, message", [
    ("_beam", "ONNX Runtime answers .* and MXNet"), ("_decoder", "the parts of a search answer .*, and MXNet"),
])  # fmt: skip
def test_a_search_that_answers_differently_is_not_left_behind(attentive, tmp_path, monkeypatch, graph, message):
    make = getattr(answering, graph)

    def wrong(network, *codec):
        weights = {**network._weights, "output_bias": network._weights["output_bias"][::-1] * 9}
        return make(Attention(network.model, weights), *codec)

    monkeypatch.setattr(answering, graph, wrong)
    with pytest.raises(Seq2SeqError, match=rf"^export: nothing is written: to '.*' {message}"):
        export(attentive, onnx=tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_refused(solved, attentive, exported, tmp_path, monkeypatch):
    class Own(ParallelModel):
        def logits(self, source):
            return source

    rated = train(Ratings(given=tables.ratings(100)[0]), tmp_path / "rated", progress=False, epochs=1)
    for run, folder, message in [
        (solved, exported("solved"), r"^onnx: got '.*solved', but it must be a folder that does not exist yet$"),
        (Ensemble([solved.run.path] * 2), tmp_path / "new", "^run: .*: runs that answer together .* export one of"),
        (exported("solved"), tmp_path / "new", "^run: .*solved is an export, which answers by onnx alone; name"),
        (Solver(exported("solved")), tmp_path / "new", "^run: .*: is not one run folder, which can be exported$"),
        (rated, tmp_path / "new", "^run: .*: estimates values; only models that read strings can be exported$"),
    ]:
        with pytest.raises(Seq2SeqError, match=message):
            export(run, onnx=folder)
    monkeypatch.setattr("seq2seq.opened.make_model", lambda task, config, codec: Own.of(config, codec))
    with pytest.raises(UsageError, match=r"^onnx: the class Own has no graph in ONNX$"):
        export(attentive, onnx=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_number_of_sources_that_are_compared_is_returned(tmp_path):
    pairs = [(a + b, b + a) for a in "abcd" for b in "efg"]
    options = {"epochs": 1, "hidden_size": 4, "validation": 2, "test": 2, "progress": False}
    solver = train(PairsTask.of(pairs), tmp_path / "run", **options)
    assert export(solver, onnx=tmp_path / "exported") == len({*onnx_folder._sources(solver)}) <= len(pairs)
    assert export(solver, mxnet=tmp_path / "checkpoint") == 0


def test_a_folder_that_another_process_has_made_meanwhile_is_named(tmp_path):
    refused = pytest.raises(UsageError, match=r"^onnx: got '.*new', but it must be a folder that does not exist yet$")
    with refused, new_folder("onnx", tmp_path / "new") as made:
        (made / "file").write_text("mine")
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "file").write_text("another's")
    assert os.listdir(tmp_path) == ["new"] and (tmp_path / "new" / "file").read_text() == "another's"


@pytest.mark.parametrize("option", ["onnx", "mxnet"])
def test_the_folder_is_looked_at_before_the_run(option, tmp_path):
    """No time is lost to opening a run, or to loading MXNet."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    new = "a folder that does not exist yet"
    for folder, allowed in {
        tmp_path: new, tmp_path / "file": new, tmp_path / "link": new, "": new, "a\0b": "the path of a folder",
        3: "the path of a folder", tmp_path / "file" / "new": "in a folder, and .*file is not one",
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=rf"^{option}: got .*, but it must be {allowed}$"):
            export(tmp_path / "no run", **{option: folder})


def test_a_package_that_is_missing_is_named(solved, tmp_path):
    code = f"""
import sys
sys.modules["onnx"] = None
from seq2seq import Seq2SeqError, export
try:
    export({str(solved.run.path)!r}, onnx="exported")
except Seq2SeqError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("export: needs the package onnx (") and "mxseq2seq[onnx]" in result.stdout


def test_the_command(run_copy, tmp_path):
    words = [sys.executable, "-m", "seq2seq"]
    given = {"cwd": tmp_path, "env": {"PYTHONPATH": str(ROOT), "PATH": ""}, "capture_output": True, "text": True}
    result = subprocess.run([*words, "export", "copy", "--onnx", "copy/onnx"], timeout=120, **given)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(
        "wrote copy/onnx, whose answers to 86 sources are those of the run\ntry: seq2seq so"
    )
    result = subprocess.run([*words, "solve", "--run", "copy", "--engine", "onnx", "2+3"], timeout=120, **given)
    assert (result.returncode, result.stdout) == (0, "5\n")
    result = subprocess.run([*words, "export", "copy", "--onnx", "copy/onnx"], timeout=120, **given)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == ("seq2seq export: onnx: got 'copy/onnx', but it must be a folder that does not exist yet\n")
