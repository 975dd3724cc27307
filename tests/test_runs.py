import gzip
import json
import os
import shutil
import socket

import numpy as np
import pytest

from seq2seq import Config, RunError, Solver, UsageError, train
from seq2seq.runs import COLUMNS, FILES, Run
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
            "is damaged: the data kept with it are not those that it was made with",
        ),
    ],
)
def test_pairs_that_were_lost_or_changed(pairs_run, change, message):
    path = pairs_run.path / "pairs.jsonl.gz"
    content = change(path.read_bytes())
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(RunError, match=message):
        pairs_run.read_config()


@pytest.mark.parametrize(
    "name", ["config.json", "best.safetensors", "last.safetensors", "optimizer.safetensors", "metrics.csv"]
)
@pytest.mark.parametrize("kind", ["link", "device", "FIFO", "socket"])
def test_what_is_no_ordinary_file_is_refused(run_copy, tmp_path, name, kind):
    path = run_copy.path / name
    shutil.move(path, tmp_path / "outside")
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path))
    else:
        {
            "link": lambda: path.symlink_to(tmp_path / "outside"), "device": lambda: path.symlink_to("/dev/zero"),
            "FIFO": lambda: os.mkfifo(path),
        }[kind]()  # fmt: skip
    before = (tmp_path / "outside").read_bytes()
    with pytest.raises(RunError, match=rf"{name}: (is a link, )?(is )?not an ordinary file|cannot be read") as caught:
        if name == "last.safetensors":
            Solver(run_copy.path, weights="last")
        elif name == "best.safetensors":
            Solver(run_copy.path)
        else:
            train(run_dir=run_copy.path, resume=True, progress=False)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "outside").read_bytes() == before


def test_nothing_is_written_outside_of_the_folder(run_copy, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in FILES:
        (run_copy.path / f"{name}.tmp").symlink_to(victim)
    (run_copy.path / "evaluation.json").unlink(missing_ok=True)
    (run_copy.path / "evaluation.json").symlink_to(victim)
    os.mkfifo(run_copy.path / f".config.json.{'0' * 16}.tmp")
    train(run_dir=run_copy.path, resume=True, progress=False, epochs=51).evaluate(samples=10)
    assert victim.read_text() == "mine"
    assert not (run_copy.path / "evaluation.json").is_symlink()
    assert set(os.listdir(run_copy.path)) <= FILES  # and those links are gone


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda text: text.replace('"seed": 0', '"seed": NaN'), "is damaged: not JSON: NaN is not a number"),
        (lambda text: text.replace('"seed": 0', '"seed": 1e999'), "is damaged: not JSON: 1e999 is not a number"),
        (lambda text: text.replace('"seed": 0', f'"seed": {"9" * 5000}'), "is damaged: not JSON: a number is too long"),
        (lambda text: text.replace('"seed": 0', '"seed": 0, "seed": 1'), "is damaged: not JSON: a name comes twice"),
        (lambda text: text + " " * 2**24, "is damaged: it has more than 16777216 bytes"),
        (lambda text: text.replace('"addition"', f'"{"x" * 10**5}"'), r"its task 'x+\.\.\.' is not installed here"),
    ],
)
def test_a_config_that_no_run_has(run_copy, change, message):
    path = run_copy.path / "config.json"
    path.write_text(change(path.read_text().replace('"arithmetic"', '"addition"')))
    with pytest.raises(RunError, match=message) as caught:
        run_copy.read_config()
    assert len(str(caught.value)) < 1000


COUNTS = ("epoch", "step", "updates", "best_epoch")


@pytest.mark.parametrize(
    "damage",
    [
        *({name: value} for name in COUNTS for value in (-1, 1.5, True, "1", None, 10**39, [])),
        {"updates": 3}, {"step": 10**6}, {"seconds": "long"}, {"best_exact_match": None}, {"best_loss": 0.1},
    ],
)  # fmt: skip
def test_a_state_that_no_training_has(run_copy, damage):
    arrays, state = run_copy.read_arrays("optimizer.safetensors")
    run_copy.write_arrays("optimizer.safetensors", arrays, {**state, **damage})
    with pytest.raises(RunError, match=r"optimizer\.safetensors: was not written by this library"):
        train(run_dir=run_copy.path, resume=True, progress=False)


def test_a_step_that_no_epoch_has(run_copy):
    arrays, state = run_copy.read_arrays("optimizer.safetensors")
    steps = state["updates"] // state["epoch"]
    damage = {"epoch": state["epoch"] - 1, "best_epoch": 1, "step": steps}  # the end of an epoch, as no state has it
    run_copy.write_arrays("optimizer.safetensors", arrays, {**state, **damage})
    with pytest.raises(RunError, match=r"optimizer\.safetensors: was not written by this library"):
        train(run_dir=run_copy.path, resume=True, progress=False)


def with_header(content, change):
    """The content of a safetensors file with another header."""
    length = int.from_bytes(content[:8], "little")
    header = change(content[8 : 8 + length].decode()).encode()
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda content: with_header(content, lambda text: "[" * 10_000), "is damaged: it is nested too deep"),
        (
            lambda content: with_header(
                content, lambda text: text.replace('"seq2seq":"', '"seq2seq":"' + "[" * 10_000)
            ),
            "is damaged: it is nested too deep",
        ),
        (lambda content: with_header(content, lambda text: text.replace("F32", "I32", 1)), "are not of 32-bit floats"),
        (lambda content: with_header(content, lambda text: text.replace("F32", "X99", 1)), "are not of 32-bit floats"),
        (lambda content: with_header(content, lambda text: "{}"), "was not written by this library"),
        (lambda content: b"\xff" * 8 + content[8:], "is damaged: "),
        (lambda content: content[:-4] + b"\0\0\xc0\x7f", "holds values that are not finite"),
        (lambda content: content[:-4] + b"\0\0\x80\xff", "holds values that are not finite"),
        (lambda content: content + b"\0", "is damaged: "),
    ],
)
@pytest.mark.parametrize("name", ["best.safetensors", "optimizer.safetensors"])
def test_arrays_that_are_damaged(run_copy, name, change, message):
    path = run_copy.path / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(RunError, match=f"{name}: .*{message}"):
        if name == "best.safetensors":
            Solver(run_copy.path)
        else:
            train(run_dir=run_copy.path, resume=True, progress=False)


def test_a_file_of_arrays_is_not_read_if_it_is_too_long_for_the_model(run_copy):
    for name in ("best.safetensors", "optimizer.safetensors"):
        os.truncate(run_copy.path / name, 2**22)
    with pytest.raises(RunError, match=r"best\.safetensors: is damaged: it has more than"):
        Solver(run_copy.path)
    with pytest.raises(RunError, match=r"optimizer\.safetensors: is damaged: it has more than"):
        train(run_dir=run_copy.path, resume=True, progress=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n1,", "\n\u0661,", 1),
        lambda text: text.replace("seconds", "minutes", 1),
        lambda text: text.replace("epoch,step", "epoch,epoch", 1),
        lambda text: "\n".join(line.rpartition(",")[0] for line in text.split("\n")),
        lambda text: "\n".join(line and line + ",1" for line in text.split("\n")),
        lambda text: text.replace("\n1,", f"\n{'1' * 200_000},", 1),
        lambda text: text.replace("\n1,", f"\n{'1' * 100},", 1),
        lambda text: text.replace("\n2,", "\nnan,", 1),
        lambda text: text.replace("\n2,", '\n"2,', 1),
        lambda text: text.replace("\n2,", "\n1,", 1),
        lambda text: text.replace("\n2,", "\n2_0,", 1),
        lambda text: text + "\0",
        lambda text: text + "\n",
    ],
)
def test_metrics_that_no_training_has(run_copy, change):
    path = run_copy.path / "metrics.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(RunError, match=r"metrics\.csv: is damaged: ") as caught:
        train(run_dir=run_copy.path, resume=True, progress=False, epochs=51)
    assert len(str(caught.value)) < 500


def test_a_best_epoch_that_was_chosen_by_nothing_is_refused(run_copy):
    arrays, state = run_copy.read_arrays("optimizer.safetensors")
    for best in ({}, {"accuracy": 0.5}):
        run_copy.write_arrays("optimizer.safetensors", arrays, {**state, "best": best})
        with pytest.raises(RunError, match="the state that was saved has chosen its best epoch by"):
            train(run_dir=run_copy.path, resume=True, progress=False, epochs=51)


def test_epochs_that_have_measured_other_values_stand_beside_each_other(run_copy):
    rows = run_copy.read_metrics()
    mixed = [{**rows[0], "few_loss": 1.0}, {**rows[1], "more_loss": 2.0}, *rows[2:]]
    run_copy.write_metrics(mixed)
    assert run_copy.read_metrics() == mixed
    train(run_dir=run_copy.path, resume=True, progress=False, epochs=51)
    assert [row.get("more_loss") for row in run_copy.read_metrics()] == [None, 2.0, *[None] * 49]


def test_a_bomb_is_not_unpacked(pairs_run):
    (pairs_run.path / "pairs.jsonl.gz").write_bytes(gzip.compress(bytes(2**29), 1))
    with pytest.raises(RunError, match=r"pairs\.jsonl\.gz: is damaged: holds more than 268435456 bytes"):
        pairs_run.read_config()


def test_runs_that_a_stranger_made_are_not_the_newest(run_copy, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for name in ("fifo", "linked"):
        shutil.copytree(run_copy.path, tmp_path / name)
        (tmp_path / name / "optimizer.safetensors").unlink()
    os.mkfifo(tmp_path / "fifo" / "optimizer.safetensors")
    (tmp_path / "linked" / "optimizer.safetensors").symlink_to(run_copy.path / "optimizer.safetensors")
    assert Run.newest(tmp_path).path == run_copy.path


def test_a_run_that_cannot_be_written_into_is_evaluated_all_the_same(run_copy, monkeypatch):
    def read_only(path, *more, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("seq2seq.files.os.open", read_only)
    with pytest.raises(RunError, match="cannot be written"):
        run_copy.write_evaluation({})
    monkeypatch.undo()
    solver = Solver(run_copy.path)
    monkeypatch.setattr("seq2seq.files._temporary", read_only)
    with pytest.warns(UserWarning, match=r"the evaluation is not saved: .*evaluation\.json: cannot be written: Permi"):
        assert solver.evaluate(samples=10).held_out.n == 10


def test_an_evaluation_clears_what_one_that_was_killed_left(run_copy):
    for name in ("evaluation.json.tmp", f".evaluation.json.{'0' * 16}.tmp"):
        (run_copy.path / name).touch()
    run_copy.write_evaluation({"n": 1})
    assert set(os.listdir(run_copy.path)) <= FILES


@pytest.mark.parametrize("name", ["a\nb", "\udcff", "ü\x1b[31m"])
def test_folders_with_odd_names(small, tmp_path, name):
    assert train(run_dir=tmp_path / name, **small).run.exists
    (tmp_path / name / "best.safetensors").write_bytes(b"x")
    with pytest.raises(RunError) as caught:
        Solver(tmp_path / name)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


@pytest.mark.parametrize("path", [3, b"run", None, "a\0b", ""])
def test_what_is_no_path_of_a_folder(path):
    with pytest.raises(UsageError, match=r"run: got .* but it must be the path of a folder"):
        Run(path)
