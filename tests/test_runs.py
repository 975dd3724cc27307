import gzip
import json
import os
import shutil

import numpy as np
import pytest

from seq2seq import Config, RunError, Solver, train
from seq2seq.runs import COLUMNS, Run
from seq2seq.tasks.files import read_pairs


def test_a_run_is_complete_in_itself(solved, run_copy):
    names = {entry.name for entry in run_copy.path.iterdir()}
    assert names >= {"config.json", "metrics.csv", "best.safetensors", "last.safetensors", "optimizer.safetensors"}
    assert not any(name.startswith(".") or name.endswith(".tmp") for name in names)
    questions = ["1+2", "9+9"]
    assert Solver(run_copy.path)(questions) == solved(questions)


def test_what_is_written_is_read_back(tmp_path):
    run = Run(tmp_path)
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros((0,), np.float32)}
    run.write_arrays("best.safetensors", arrays, {"epoch": 3})
    read, state = run.read_arrays("best.safetensors")
    assert state == {"epoch": 3} and all((read[name] == arrays[name]).all() for name in arrays)
    rows = [{**dict.fromkeys(COLUMNS, 0.5), "epoch": 1, "train_loss": 0.1 + 0.2, "seconds": 1e-05}]
    run.write_metrics(rows)
    assert run.read_metrics() == rows
    run.write_metrics([])
    assert run.read_metrics() == []
    run.write_config(Config(seed=4), "digest")
    assert run.read_config() == Config(seed=4)
    run.check_fingerprint("digest")
    with pytest.raises(RunError, match="no longer make the data"):
        run.check_fingerprint("other")


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    run = Run(tmp_path)
    run.write_evaluation({"n": 1})

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"evaluation\.json: cannot be written: No space left on device"):
        run.write_evaluation({"n": 2})
    assert json.loads((tmp_path / "evaluation.json").read_text()) == {"n": 1}


@pytest.mark.parametrize(
    "name", ["config.json", "best.safetensors", "last.safetensors", "optimizer.safetensors", "metrics.csv"]
)
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "noise", "folder"])
def test_a_damaged_file_is_named_in_one_line_and_nothing_is_overwritten(run_copy, name, damage):
    path = run_copy.path / name
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"empty": b"", "truncated": content[: len(content) // 3], "noise": b"\xff\x00" * 99}[damage])
    before = {entry.name: entry.read_bytes() for entry in run_copy.path.iterdir() if entry.is_file()}

    def use():
        if name in ("best.safetensors", "last.safetensors"):
            return Solver(run_copy.path, weights=name.split(".")[0])
        if name == "config.json":
            return Solver(run_copy.path)
        return train(run_dir=run_copy.path, resume=True, progress=False, epochs=125)

    with pytest.raises(RunError) as caught:
        use()
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    assert before == {entry.name: entry.read_bytes() for entry in run_copy.path.iterdir() if entry.is_file()}


def test_foreign_files_are_refused(run_copy, solved):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3, np.float32)}, run_copy.path / "best.safetensors")
    with pytest.raises(RunError, match=r"best\.safetensors: was not written by this library"):
        Solver(run_copy.path)
    run_copy.write_arrays("best.safetensors", {"x": np.zeros(3, np.float32)}, {})
    with pytest.raises(RunError, match=r"best\.safetensors: holds the weights of another model"):
        Solver(run_copy.path)
    arrays, state = solved.run.read_arrays("best.safetensors")
    run_copy.write_arrays("best.safetensors", {name: array[:-1] for name, array in arrays.items()}, state)
    with pytest.raises(RunError, match=r"best\.safetensors: holds the weights of another model"):
        Solver(run_copy.path)
    run_copy.write_arrays("optimizer.safetensors", arrays, state)
    with pytest.raises(RunError, match=r"optimizer\.safetensors: holds the arrays of another model"):
        train(run_dir=run_copy.path, resume=True, progress=False)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"format": 99}, "not the configuration of a run of this version"),
        ({"task": {"name": "chess"}}, "its task 'chess' is not installed here; if it is your own: Solver"),
        ({"model": {"hidden_size": -3}}, "is damaged: hidden_size: got -3"),
        ({"model": {"colour": 3}}, "is damaged: .*colour"),
        ({"training": None}, "is damaged: "),
    ],
)
def test_a_config_that_is_not_ours(run_copy, change, message):
    path = run_copy.path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match=message):
        Solver(run_copy.path)


def test_the_held_out_set_is_checked_against_the_run(run_copy):
    path = run_copy.path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "seed": 5}))
    with pytest.raises(RunError, match="what was held out is not known"):
        Solver(run_copy.path).evaluate()


def test_the_newest_run_is_found(run_copy, tmp_path):
    shutil.copytree(run_copy.path, tmp_path / "older")
    os.utime(tmp_path / "older" / "optimizer.safetensors", (1, 1))
    assert Run.newest(tmp_path).path == run_copy.path
    with pytest.raises(RunError, match="holds no run"):
        Run.newest(tmp_path / "nowhere")


def test_half_made_runs_are_not_the_newest(run_copy, tmp_path):
    shutil.copytree(run_copy.path, tmp_path / ".new.123")  # left by a process that was killed while it made it
    shutil.copytree(run_copy.path, tmp_path / "no-config")
    (tmp_path / "no-config" / "config.json").unlink()
    os.utime(run_copy.path / "optimizer.safetensors", (1, 1))
    assert Run.newest(tmp_path).path == run_copy.path


@pytest.mark.parametrize("text", ["[" * 100_000, "{", ""])
def test_a_config_that_is_no_json(run_copy, text):
    (run_copy.path / "config.json").write_text(text)
    with pytest.raises(RunError, match=r"config\.json: is damaged: not JSON"):
        Solver(run_copy.path)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"config"'])
def test_json_that_is_no_config(run_copy, text):
    (run_copy.path / "config.json").write_text(text)
    with pytest.raises(RunError, match="not the configuration of a run of this version"):
        Solver(run_copy.path)


@pytest.mark.parametrize("key", ["task", "data", "model", "training", "seed"])
def test_a_config_that_lacks_something(run_copy, key):
    path = run_copy.path / "config.json"
    values = json.loads(path.read_text())
    del values[key]
    path.write_text(json.dumps(values))
    with pytest.raises(RunError, match=f"config.json: is damaged: it lacks '{key}'"):
        Solver(run_copy.path)


@pytest.mark.parametrize("damage", [{"best_loss": None}, {"best_loss": "x"}, {"epoch": "many"}, {"colour": 3}])
def test_a_state_that_is_not_ours(run_copy, damage):
    arrays, state = run_copy.read_arrays("optimizer.safetensors")
    run_copy.write_arrays("optimizer.safetensors", arrays, {**state, **damage})
    with pytest.raises(RunError, match=r"optimizer\.safetensors: was not written by this library"):
        train(run_dir=run_copy.path, resume=True, progress=False)


def test_arrays_of_another_shape_are_refused(run_copy):
    arrays, state = run_copy.read_arrays("optimizer.safetensors")
    for name in ("weight.output_bias", "best.output_bias", "moment1.output_bias", "nats"):
        run_copy.write_arrays("optimizer.safetensors", {**arrays, name: np.zeros(99, np.float32)}, state)
        with pytest.raises(RunError, match=r"optimizer\.safetensors: holds the arrays of another model"):
            train(run_dir=run_copy.path, resume=True, progress=False)


def test_a_state_that_lacks_something(run_copy):
    arrays, state = run_copy.read_arrays("optimizer.safetensors")
    del state["step"]
    run_copy.write_arrays("optimizer.safetensors", arrays, state)
    with pytest.raises(RunError, match=r"optimizer\.safetensors: was not written by this library"):
        train(run_dir=run_copy.path, resume=True, progress=False)


@pytest.mark.parametrize("change", [("epoch,", "epok,"), ("\n2,", "\n7,"), ("\n3,", "\n3"), ("\n4,", "\nx,")])
def test_metrics_that_are_not_ours(run_copy, change):
    path = run_copy.path / "metrics.csv"
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(RunError, match=r"metrics\.csv: is damaged"):
        run_copy.read_metrics()


@pytest.fixture
def pairs_run(tmp_path):
    pairs = [(letter, letter * 2) for letter in "abcdef"]
    return train(pairs, tmp_path / "run", epochs=1, hidden_size=4, progress=False).run


def test_pairs_are_kept_as_lines_that_can_be_read_again(pairs_run):
    path = str(pairs_run.path / "pairs.jsonl.gz")
    assert [(row.source, row.target) for row in read_pairs(path)] == [(letter, letter * 2) for letter in "abcdef"]
    assert not list(pairs_run.path.glob("*.tmp"))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda content: None, "is damaged: the pairs it was trained on are not there"),
        (lambda content: content[:-5], "pairs.jsonl.gz: is damaged: "),
        (lambda content: b"pairs", "pairs.jsonl.gz: is damaged: "),
        (lambda content: gzip.compress(b"\xff"), "pairs.jsonl.gz: is damaged: "),
        (
            lambda content: gzip.compress(b'["a", "b"]\n'),
            "is damaged: what is kept beside it is not what it was made with",
        ),
    ],
)
def test_pairs_that_were_lost_or_changed(pairs_run, change, message):
    path = pairs_run.path / "pairs.jsonl.gz"
    content = change(path.read_bytes())
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(RunError, match=message):
        pairs_run.read_config()
