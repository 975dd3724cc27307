"""A run as one file: what is in it, what is left out, and that it answers like its run."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from seq2seq import (
    Arithmetic,
    PairsTask,
    RunError,
    Solver,
    UsageError,
    export,
    pack,
    train,
)
from seq2seq.archives import archive
from tests.conftest import KEEPING, PAIRS
from tests.tasks.own import Double
from tests.test_scripts import call

TINY = {"epochs": 1, "hidden_size": 4, "progress": False}


def members(file):
    """The files of a pack, by name."""
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_pack_answers_like_its_run_and_is_not_changed(solved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    packed = pack(solved.run.path)
    assert (str(packed.path), packed.left_out) == ("sums.zip", ())
    content = packed.path.read_bytes()
    sources = [f"{a}+{b}" for a in range(10) for b in range(10)]
    opened = Solver("sums.zip")
    assert opened.answer(sources) == solved.answer(sources)
    assert repr(opened) == "Solver('sums.zip')" and opened.run.read_metrics() == solved.run.read_metrics()
    with pytest.warns(
        UserWarning, match=r"the evaluation is not saved: sums.zip: is a packed run, which is never chang"
    ):
        assert opened.evaluate(100) == solved.evaluate(100)
    assert opened.samples() == solved.samples()
    assert packed.path.read_bytes() == content and os.listdir() == ["sums.zip"]


def test_the_same_run_makes_the_same_bytes(solved, tmp_path, monkeypatch):
    first = pack(solved.run.path, tmp_path / "a.zip").path
    shutil.copytree(solved.run.path, tmp_path / "copy")
    for path in (tmp_path / "copy").iterdir():
        os.utime(path, (1, 1))
    os.mkdir(tmp_path / "b")
    second = pack(tmp_path / "copy", tmp_path / "b" / "a.zip").path
    assert first.read_bytes() == second.read_bytes()
    third = pack(first, tmp_path / "c.zip").path  # also from a pack
    (tmp_path / "copy").rename(tmp_path / "v1.2")
    monkeypatch.chdir(tmp_path)
    assert str(pack(tmp_path / "v1.2").path) == "v1.2.zip"
    names = {"README.md": b""}  # which names the file
    assert {**members(third), **names} == {**members(first), **names}


def test_it_has_what_answering_needs(solved, tmp_path):
    files = members(pack(solved.run.path, tmp_path / "a.zip").path)
    for name in ("config.json", "metrics.csv", "best.safetensors"):
        assert files.pop(name) == (solved.run.path / name).read_bytes()
    files.pop("evaluation.json", None)  # if it was scored
    assert [*files] == ["README.md"]
    assert "last.safetensors" in os.listdir(solved.run.path)


@pytest.mark.parametrize("name", KEEPING)
def test_data_are_left_out_and_need_not_be_there_to_answer(keeping, tmp_path, name):
    run = keeping(name)
    packed = pack(run, tmp_path / "a.zip")
    [kept] = [each for each in os.listdir(run) if each.endswith(".gz")]
    assert packed.left_out[0] == kept and kept not in members(packed.path)
    opened, own = Solver(packed.path), Solver(run)
    asked = [own.example, opened.example]
    assert opened.answer(asked) == own.answer(asked)
    assert opened.codec == own.codec
    uses = [opened.evaluate]
    if name in ("ratings", "table"):
        assert opened.overview() == own.overview()
    else:
        uses.append(opened.embeddings)  # those of the characters that the data have
    for use in uses:
        with pytest.raises(RunError, match=r"a.zip: was packed without its data; seq2seq pack --with-data packs them"):
            use()


@pytest.mark.parametrize("name", KEEPING)
def test_with_the_data_it_can_be_scored(keeping, tmp_path, name):
    run = keeping(name)
    packed = pack(run, tmp_path / "a.zip", with_data=True)
    assert packed.left_out == ()
    files = members(packed.path)
    files.pop("README.md")
    assert all(content == (run / each).read_bytes() for each, content in files.items())
    with pytest.warns(UserWarning, match="is not saved"):
        assert Solver(packed.path).evaluate() == Solver(run).evaluate()
    without = pack(packed.path, tmp_path / "b.zip")
    assert members(without.path)["config.json"] == members(pack(run, tmp_path / "c.zip").path)["config.json"]
    with pytest.raises(RunError, match=r"b.zip: was packed without its data"):
        pack(without.path, tmp_path / "d.zip", with_data=True)
    again = pack(without.path, tmp_path / "e.zip")
    assert again.left_out == () and members(again.path)["config.json"] == members(without.path)["config.json"]


@pytest.mark.parametrize("name", ["pairs", "words", "text"])
def test_no_source_or_target_is_in_a_pack_without_data(keeping, tmp_path, name):
    """They are looked for in all files but the weights: each source or target, or of the text each piece of 12."""
    run = keeping(name)
    text = gzip.decompress(next(run.glob("*.gz")).read_bytes()).decode()
    if name == "text":
        quotes = {text[at : at + 12] for at in range(len(text) - 12)}
    else:
        quotes = {string for line in text.splitlines() for string in json.loads(line)}
    assert any(quote in (run / "config.json").read_text() for quote in quotes)  # the example
    for file, content in members(pack(run, tmp_path / "a.zip").path).items():
        if file != "best.safetensors":
            assert not [quote for quote in quotes if quote in content.decode()], file


def test_the_wrong_answers_are_left_out_with_the_data_alone(keeping, solved, tmp_path):
    assert json.loads((keeping("pairs") / "evaluation.json").read_text())["mistakes"]
    packed = pack(keeping("pairs"), tmp_path / "a.zip")
    assert packed.left_out == ("pairs.jsonl.gz", "wrong answers")
    evaluation = json.loads(members(packed.path)["evaluation.json"])
    assert "mistakes" not in evaluation and evaluation["held_out"]["n"] > 0
    shutil.copytree(solved.run.path, tmp_path / "sums")
    evaluation["mistakes"] = [{"source": "3+4", "target": "7", "answer": "8", "confidence": 0.5}]
    (tmp_path / "sums" / "evaluation.json").write_text(json.dumps(evaluation))
    files = members(pack(tmp_path / "sums", tmp_path / "b.zip").path)
    assert json.loads(files["evaluation.json"]) == evaluation and b"3+4 -> 7, answered '8' (50%)" in files["README.md"]


def test_folders_of_files_are_left_out(tmp_path):
    file = tmp_path / "private-folder" / "words.tsv"
    file.parent.mkdir()
    file.write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS))
    run = train(PairsTask(str(file)), tmp_path / "run", mix=[(str(file), 0.25)], **TINY).run.path
    packed = pack(run, tmp_path / "a.zip")
    assert packed.left_out == ("pairs.jsonl.gz", "extra-1.pairs.jsonl.gz")
    assert not [name for name, content in members(packed.path).items() if b"private-folder" in content]
    values = json.loads(members(packed.path)["config.json"])
    assert [values["task"]["path"], values["extra"][0]["task"]["path"]] == ["words.tsv", "words.tsv"]
    assert isinstance(Solver(packed.path)("ακα"), str)
    assert b"private-folder" in members(pack(run, tmp_path / "b.zip", with_data=True).path)["config.json"]


def test_what_another_run_was_trained_on_is_left_out_with_the_data(keeping, tmp_path):
    run = train(KEEPING["pairs"], tmp_path / "run", start_from=keeping("pairs"), epochs=1, progress=False).run.path
    packed = pack(run, tmp_path / "a.zip")
    assert packed.left_out == ("pairs.jsonl.gz", "known.u64")
    assert Solver([packed.path, pack(keeping("pairs"), tmp_path / "b.zip").path])(["ακα"])  # they read no data
    with pytest.warns(UserWarning, match="is not saved"):
        Solver(pack(run, tmp_path / "c.zip", with_data=True).path).evaluate()


def test_a_run_of_a_task_of_your_own_is_packed_open(tmp_path):
    solver = train(Double(), tmp_path / "run", **TINY)
    with pytest.raises(RunError, match="its task 'double' is not installed here"):
        pack(solver.run.path, tmp_path / "a.zip")
    packed = pack(solver, tmp_path / "a.zip")
    assert Solver(packed.path, task=Double()).answer(["12"]) == solver.answer(["12"])


def test_an_export_in_the_run_is_packed(attentive, keeping, tmp_path):
    pytest.importorskip("onnx", reason="pip install 'mxseq2seq[onnx]'")
    pytest.importorskip("onnxruntime", reason="pip install 'mxseq2seq[onnx]'")
    run = tmp_path / "run"
    shutil.copytree(attentive.run.path, run)
    export(run, onnx=run / "onnx")
    opened = Solver(pack(run, tmp_path / "a.zip").path, engine="onnx")
    assert opened.engine == "onnx" and opened(["1+2", "3+3+1"]) == attentive(["1+2", "3+3+1"])
    assert opened.n_best("1+2", 2)[0].text == attentive("1+2")
    assert os.listdir(tmp_path) == ["run", "a.zip"] or os.listdir(tmp_path) == ["a.zip", "run"]
    copy = tmp_path / "pairs"
    shutil.copytree(keeping("pairs"), copy)
    export(copy, onnx=copy / "onnx")
    left_out = pack(copy, tmp_path / "b.zip").left_out
    assert "onnx/export.json" in left_out and "onnx/model.onnx" in left_out  # it quotes three questions


def test_a_pack_can_be_exported_and_started_from(solved, tmp_path):
    pytest.importorskip("onnx", reason="pip install 'mxseq2seq[onnx]'")
    pytest.importorskip("onnxruntime", reason="pip install 'mxseq2seq[onnx]'")
    file = pack(solved.run.path, tmp_path / "a.zip").path
    export(file, onnx=tmp_path / "exported")
    assert Solver(tmp_path / "exported")("3+4") == "7"
    task = Arithmetic("+", terms=2, operands=(0, 9))
    started = train(task, tmp_path / "run", start_from=file, epochs=1, progress=False)
    assert started.config.start is not None and started("3+4") == "7"


def test_a_file_is_replaced_only_if_this_is_asked(solved, tmp_path):
    file = tmp_path / "a.zip"
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"file: got .*, but it must be a new file, unless overwrite \(--overwrite\)"):
        pack(solved.run.path, file)
    assert file.read_text() == "mine"
    pack(solved.run.path, file, overwrite=True)
    assert Solver(file)("3+4") == "7" and os.listdir(tmp_path) == ["a.zip"]


def test_a_run_that_cannot_be_packed_is_named(run_copy, keeping, exported, tmp_path):
    with pytest.raises(RunError, match="none: holds no run"):
        pack(tmp_path / "none", tmp_path / "a.zip")
    with pytest.raises(RunError, match=r"nowhere/a.zip: cannot be written: No such file or directory"):
        pack(run_copy.path, tmp_path / "nowhere" / "a.zip")
    with pytest.raises(UsageError, match="license: got 'MIT', but it must be a name such as mit"):
        pack(run_copy.path, tmp_path / "a.zip", license="MIT")
    with pytest.raises(UsageError, match=r"^run: .*solved is an export; name the run that it was made from$"):
        pack(exported("solved"), tmp_path / "a.zip")
    (tmp_path / "FIFO").mkdir()
    with pytest.raises(RunError, match=r"FIFO: cannot be written: it is not an ordinary file"):
        pack(run_copy.path, tmp_path / "FIFO", overwrite=True)
    with pytest.raises(UsageError, match="is not one run, which can be packed"):
        pack(Solver([run_copy.path, run_copy.path]), tmp_path / "a.zip")
    (run_copy.path / "best.safetensors").write_bytes(b"noise")
    with pytest.raises(RunError, match=r"best.safetensors: "):
        pack(run_copy.path, tmp_path / "a.zip")
    (run_copy.path / "best.safetensors").unlink()
    with pytest.raises(RunError, match=r"best.safetensors: is missing"):
        pack(run_copy.path, tmp_path / "a.zip")
    early = tmp_path / "early"
    shutil.copytree(keeping("pairs"), early)
    values = json.loads((early / "config.json").read_text())
    (early / "config.json").write_text(json.dumps({**values, "data_outline": None}))
    with pytest.raises(
        UsageError, match=r"with_data: .*early was made by an earlier version, and cannot answer without"
    ):
        pack(early, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
    assert Solver(pack(early, tmp_path / "a.zip", with_data=True).path)("ακα") == Solver(early)("ακα")


def test_a_pack_is_not_trained_on(solved, tmp_path):
    file = pack(solved.run.path, tmp_path / "a.zip").path
    with pytest.raises(RunError, match=r"a.zip: cannot be made a run folder: Not a directory"):
        train(run_dir=file, resume=True, progress=False)
    with pytest.raises(RunError, match=r"a.zip/last.safetensors: is missing"):
        Solver(file, weights="last")


def test_a_damaged_file_in_a_pack_is_named(solved, tmp_path):
    files = members(pack(solved.run.path, tmp_path / "a.zip").path)
    for name, content, why in [
        ("config.json", b"{", "a.zip/config.json: is damaged: not JSON"),
        ("best.safetensors", b"noise", "a.zip/best.safetensors: "),
        ("metrics.csv", b"a\n1\n", "a.zip/metrics.csv: is damaged"),
    ]:
        (tmp_path / "a.zip").write_bytes(archive({**files, name: content}))
        with pytest.raises(RunError, match=why):
            Solver(tmp_path / "a.zip").run.read_metrics()


# The command ------------------------------------------------------------------------------------------------------


def command(*arguments, cwd):
    words = [sys.executable, "-m", "seq2seq", *map(str, arguments)]
    path = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=200, env=environment)


def test_the_command_says_what_is_left_out_and_why(keeping, tmp_path):
    result = command("pack", keeping("pairs"), cwd=tmp_path)
    size = (tmp_path / "pairs.zip").stat().st_size
    assert (result.returncode, result.stdout) == (0, f"wrote pairs.zip, {size:,} bytes\n")
    assert result.stderr == (
        "seq2seq pack: left out, since they may be private: pairs.jsonl.gz, wrong answers; --with-data packs them too\n"
    )
    again = command("pack", keeping("pairs"), cwd=tmp_path)
    assert again.returncode == 2 and again.stderr.startswith("seq2seq pack: file: got 'pairs.zip', but")
    more = command("pack", keeping("pairs"), "--with-data", "b.zip", "--license", "mit", cwd=tmp_path)
    assert (more.returncode, more.stderr) == (0, "")
    assert command("pack", keeping("pairs"), "--overwrite", "b.zip", cwd=tmp_path).returncode == 0
    empty = command("pack", "", "c.zip", cwd=tmp_path)  # as from a variable of the shell that is not set
    assert empty.returncode == 2 and empty.stderr.startswith("seq2seq pack: run: got '', but")


def test_commands_open_a_pack_like_a_run(solved, tmp_path):
    os.mkdir(tmp_path / "away")
    file = pack(solved.run.path, tmp_path / "a.zip").path
    file.chmod(0o444)
    (tmp_path / "away").chmod(0o555)
    answered = call("solve", "--run", file, "--json", "3+4", cwd=tmp_path / "away")
    assert (answered.returncode, json.loads(answered.stdout)["answer"]) == (0, "7")
    scored = call("evaluate", "--run", file, "--samples", "20", cwd=tmp_path / "away")
    assert scored.stdout.splitlines()[2:] == solved.application.report(solved.evaluate(20))
    assert (
        scored.stderr == f"evaluate.py: the evaluation is not saved: {file}: is a packed run, which is never changed\n"
    )
    assert os.listdir(tmp_path / "away") == []
    (tmp_path / "away").chmod(0o755)
