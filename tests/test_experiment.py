import errno
import json
import os
import shutil
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from seq2seq import Arithmetic, DeviceError, PairsTask, RunError, Seq2SeqError, Solver, Text, UsageError, train
from seq2seq.config import PRESETS
from seq2seq.engine.optimizers import Adam
from seq2seq.folders import take
from seq2seq.mx import mx
from seq2seq.runs import FILES
from tests.conftest import some_text
from tests.tasks.own import Double, Greeting


def test_train_gives_a_solver_and_a_run_folder(small, tmp_path):
    solver = train(run_dir=tmp_path / "run", **small)
    assert isinstance(solver, Solver)
    assert solver.config.training.epochs == 3 and solver.task == small["task"]
    assert len(solver.run.read_metrics()) == 3


def test_the_default_folder_is_named_for_the_task(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solver = train(**small)
    assert solver.run.path.parent.name == "runs" and solver.run.path.name.startswith("arithmetic-20")


def test_a_preset_and_options_over_it(tmp_path):
    options = {"epochs": 1, "examples": 64, "progress": False}
    config = train(preset="notebook", run_dir=tmp_path / "run", **options).config
    assert (config.training.epochs, config.data.examples) == (1, 64)
    assert (config.model.hidden_size, config.data.split) == (32, "none")


def test_a_folder_with_a_run_is_refused_and_left_alone(small, tmp_path):
    train(run_dir=tmp_path / "run", **small)
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(RunError, match="run: already holds a run; resume it, or choose another folder"):
        train(run_dir=tmp_path / "run", **small)
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_resuming_begins_a_run_that_is_not_there(small, tmp_path):
    assert len(train(run_dir=tmp_path / "run", resume=True, **small).run.read_metrics()) == 3


def test_a_finished_run_can_be_given_more_epochs_and_nothing_else(small, tmp_path):
    solver = train(run_dir=tmp_path / "run", **small)
    rows = solver.run.read_metrics()
    longer = train(run_dir=tmp_path / "run", resume=True, **{**small, "epochs": 5})
    assert longer.config.training.epochs == 5
    assert longer.run.read_metrics()[:3] == rows and len(longer.run.read_metrics()) == 5
    for other in ({"hidden_size": 9}, {"seed": 1}, {"task": Arithmetic()}, {"preset": "notebook"}):
        with pytest.raises(UsageError, match=r"was made with .*; a resumed run keeps its options"):
            train(run_dir=tmp_path / "run", resume=True, progress=False, **other)


def test_the_data_must_be_those_it_was_trained_on(small, tmp_path):
    solver = train(run_dir=tmp_path / "run", **small)
    solver.run.write_config(solver.config, "another digest")
    with pytest.raises(RunError, match="no longer make the data"):
        train(run_dir=tmp_path / "run", resume=True, progress=False)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"epoch": 3}, UsageError, "unknown option 'epoch'"),
        ({"epochs": 0}, UsageError, "epochs: got 0"),
        ({"preset": "best"}, UsageError, "preset: got 'best', but it must be one of default, notebook"),
        ({"device": "gpu:9"}, DeviceError, "device gpu:9"),
        ({"examples": 10**9}, UsageError, "examples: got 1000000000, but it must be at most 100"),
        ({"seed": "x"}, UsageError, "seed: got 'x'"),
        ({"task": "sums"}, UsageError, "task: got 'sums', but it must be a Task"),
    ],
)
def test_wrong_options_leave_no_folder(small, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        train(run_dir=tmp_path / "run", **{**small, **options})
    assert not (tmp_path / "run").exists()


def test_the_newest_run_is_resumed_by_default(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solver = train(**small)
    monkeypatch.setattr("seq2seq.experiment.default_run_dirs", lambda task: iter([tmp_path / "another"]))
    assert train(resume=True, progress=False).run.path == solver.run.path


def test_where_there_is_nothing_to_resume_a_training_begins(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begun = train(**small, resume=True).run
    assert begun.path.parent == Path("runs") and len(begun.read_metrics()) == small["epochs"]
    assert train(**small, resume=True).run.path == begun.path


def test_a_moved_run_goes_on_where_it_was(small, tmp_path):
    rows = train(run_dir=tmp_path / "run", **small).run.read_metrics()
    shutil.move(tmp_path / "run", tmp_path / "moved")
    moved = train(run_dir=tmp_path / "moved", resume=True, progress=False, epochs=4).run
    assert moved.path == tmp_path / "moved" and not (tmp_path / "run").exists()
    assert moved.read_metrics()[:3] == rows and len(moved.read_metrics()) == 4


def test_a_run_that_is_being_trained_is_left_alone(small, tmp_path):
    run = train(run_dir=tmp_path / "run", **small).run
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    with take(run.path, FILES), pytest.raises(RunError, match="another process is training into this run"):
        train(run_dir=run.path, resume=True, progress=False, epochs=5)
    assert {path: path.read_bytes() for path in run.path.iterdir()} == before


def test_a_preset_named_again_keeps_the_runs_seed(tmp_path):
    options = {"preset": "notebook", "run_dir": tmp_path / "run", "epochs": 1, "progress": False}
    train(seed=3, **options)
    assert train(resume=True, **options).config.seed == 3


def test_resuming_does_not_begin_in_a_folder_of_other_things(small, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"is not a run .* but holds thesis\.tex"):
        train(run_dir=tmp_path / "mine", resume=True, **small)


def test_the_device_is_the_solvers_too(small, tmp_path, monkeypatch):
    asked = []
    for module in ("experiment", "opened"):
        monkeypatch.setattr(f"seq2seq.{module}.pick_device", lambda device: asked.append(device) or mx.cpu())
    train(run_dir=tmp_path / "run", device="cpu", **small)
    assert asked == ["cpu", "cpu"]


def test_a_preset_named_again_adds_no_epochs(tmp_path):
    train(preset="notebook", run_dir=tmp_path / "run", progress=False, epochs=1)
    again = train(preset="notebook", run_dir=tmp_path / "run", progress=False, resume=True)
    assert again.config.training.epochs == 1


def test_fewer_epochs_than_are_done_are_refused(small, tmp_path):
    run = train(run_dir=tmp_path / "run", **small).run
    with pytest.raises(UsageError, match=r"epochs: got 2, but it must be at least 3, which .*run has done"):
        train(run_dir=run.path, resume=True, progress=False, epochs=2)
    assert run.read_config().training.epochs == 3


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_folders_without_a_name(small, name):
    with pytest.raises(UsageError, match=r"run_dir: got .* but it must be a folder with a name"):
        train(run_dir=name, **small)


def test_two_runs_in_one_second_have_folders_of_their_own(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("seq2seq.experiment.time.strftime", lambda pattern: "now")
    names = [train(**small).run.path.name for _ in range(3)]
    assert names == ["arithmetic-now", "arithmetic-now-2", "arithmetic-now-3"]


@pytest.fixture
def no_data(monkeypatch):
    """What sees to it that no data are built."""
    monkeypatch.setattr("seq2seq.experiment.build_dataset", lambda *arguments: pytest.fail("built the data"))


def test_a_folder_that_cannot_be_used_is_named_before_data_are_built(small, run_copy, tmp_path, no_data, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file: cannot be made a run folder: Not a directory"):
        train(run_dir=tmp_path / "file", **small)
    with pytest.raises(RunError, match="copy: already holds a run"):
        train(run_dir=run_copy.path, **small)
    with take(run_copy.path, FILES), pytest.raises(RunError, match="another process is training into this run"):
        train(run_dir=run_copy.path, resume=True, progress=False)
    monkeypatch.setattr("seq2seq.folders.os.access", lambda *arguments: False)
    with pytest.raises(RunError, match="copy: cannot be written into"):
        train(run_dir=run_copy.path, resume=True, progress=False)


def test_what_fails_before_the_run_is_begun_leaves_nothing(small, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    for name in ("a/b/run", "empty"):
        with pytest.raises(UsageError, match="examples: got 101"):
            train(run_dir=tmp_path / name, examples=101, **small)
    monkeypatch.setattr("seq2seq.experiment.Run.write_config", Mock(side_effect=RunError("disk full")))
    for name in ("a/b/run", "empty"):
        with pytest.raises(RunError, match="disk full"):
            train(run_dir=tmp_path / name, find_rate=True, **small)
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "empty"]


def test_resuming_begins_where_there_is_no_run_yet(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = train(resume=True, **small).run
    assert first.path.parent.name == "runs"
    assert train(resume=True, progress=False).run.path == first.path


def test_without_locks_it_goes_on_and_says_so(small, tmp_path, monkeypatch, capsys):
    no_locks = OSError(errno.EOPNOTSUPP, "Operation not supported")
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=no_locks))
    train(run_dir=tmp_path / "run", **{**small, "progress": True})
    assert "run: on a file system without locks; train into it with one process at a time" in capsys.readouterr().err
    assert set(os.listdir(tmp_path / "run")) <= FILES


def test_a_file_whose_name_is_no_utf_8_is_learned_from(tmp_path):
    path = tmp_path / "\udcff.tsv"
    path.write_text("".join(f"{n}\t{n}\n" for n in range(30)))
    run = train(PairsTask(str(path)), tmp_path / "run", progress=False, **TINY).run
    assert run.read_config().task.path == str(path)


def test_more_than_a_run_can_keep_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq.runs.MOST_KEPT", 100)
    with pytest.raises(UsageError, match="pairs: has 134 bytes of text, but a run can keep at most 100"):
        train([(f"{n:02}", "x") for n in range(10)] + [("long", "y")], tmp_path / "run", progress=False, **TINY)
    assert not (tmp_path / "run").exists()


# Finding the rate --------------------------------------------------------------------------------------------------


@pytest.fixture
def no_test(monkeypatch):
    """What sees to it that from here on there are no range tests."""

    def forbid():
        monkeypatch.setattr("seq2seq.experiment.range_test", lambda *arguments: pytest.fail("tested again"))

    return forbid


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_training_at_a_rate_that_was_found_is_training_at_that_rate(small, tmp_path, dropout):
    found = train(run_dir=tmp_path / "found", find_rate=True, dropout=dropout, **small)
    rate = found.config.training.learning_rate
    assert rate not in (0.004, 0.006)
    given = train(run_dir=tmp_path / "given", learning_rate=rate, dropout=dropout, **small)
    assert found.config == given.config
    first, second = (solver.run.read_arrays("optimizer.safetensors")[0] for solver in (found, given))
    assert all((first[name] == second[name]).all() for name in first)
    names = ("train_loss", "validation_loss", "learning_rate")
    first, second = ([[row[name] for name in names] for row in solver.run.read_metrics()] for solver in (found, given))
    assert first == second


def test_the_run_keeps_what_was_decided_and_from_what(small, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    solver = train(run_dir=tmp_path / "run", find_rate=True, **{**small, "progress": True})
    rate = solver.config.training.learning_rate
    before = PRESETS["default"].training.learning_rate
    assert f"learning_rate {rate:g}, found by the range test, in place of {before:g}\n" in capsys.readouterr().err
    decision = json.loads((tmp_path / "run" / "rates.json").read_text())
    assert decision["learning_rate"] == rate and "10% of the smoothed loss's fall" in decision["rule"]
    header, *rows = (tmp_path / "run" / "rates.csv").read_text().splitlines()
    assert header == "learning_rate,train_loss,smoothed_loss" and len(rows) == decision["updates"] > 100
    assert f"{rate:.2g}" in {f"{float(row.split(',')[0]):.2g}" for row in rows}
    assert (tmp_path / "run" / "rates.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_no_picture_and_all_else(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    run = train(run_dir=tmp_path / "run", find_rate=True, **{**small, "progress": True}).run
    assert "rates.png: plots need matplotlib: pip install 'mxseq2seq[plot]'\n" in capsys.readouterr().err
    assert (run.path / "rates.csv").exists() and not (run.path / "rates.png").exists()
    assert len(run.read_metrics()) == 3


def test_a_run_that_found_its_rate_keeps_it_when_resumed(small, tmp_path, no_test):
    options = {**small, "run_dir": tmp_path / "run", "resume": True}
    first = train(find_rate=True, preset="default", **options)
    no_test()
    for more in ({}, {"find_rate": True}, {"find_rate": True, "preset": "default"}):
        longer = train(**{**options, "epochs": 5}, **more)
        assert longer.config.training.learning_rate == first.config.training.learning_rate
    assert len(longer.run.read_metrics()) == 5
    with pytest.raises(UsageError, match=r"learning_rate: .* was made with .*; a resumed run keeps its options"):
        train(learning_rate=0.123, **options)


def test_a_run_whose_rate_was_given_finds_none_when_resumed(small, tmp_path, no_test):
    train(run_dir=tmp_path / "run", **small)
    before = files(tmp_path / "run")
    no_test()
    with pytest.raises(UsageError, match=r"find_rate: .*run was made without it; a resumed run keeps its options"):
        train(run_dir=tmp_path / "run", resume=True, find_rate=True, **small)
    assert files(tmp_path / "run") == before


def test_a_rate_is_found_or_given(small, tmp_path):
    with pytest.raises(UsageError, match="find_rate: not allowed with learning_rate: both set the rate"):
        train(run_dir=tmp_path / "run", find_rate=True, learning_rate=0.01, **small)
    assert not (tmp_path / "run").exists()


def test_interrupted_in_its_range_test_a_run_begins_again(small, tmp_path, monkeypatch):
    real, updates = Adam.update, []

    def update(*arguments):
        updates.append(arguments)
        if len(updates) == 77:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(Adam, "update", update)
    options = {**small, "find_rate": True, "resume": True}
    with pytest.raises(KeyboardInterrupt):
        train(run_dir=tmp_path / "run", **options)
    assert list(tmp_path.iterdir()) == []
    again, never = (train(run_dir=tmp_path / name, **options) for name in ("run", "never"))
    assert files(again.run.path)["rates.csv"] == files(never.run.path)["rates.csv"]
    assert again.config == never.config


# Tasks of any kind ------------------------------------------------------------------------------------------------

TINY = {"epochs": 1, "hidden_size": 4, "batch_size": 16, "show_every": 0}
CAPITALS = [(f"the capital of {name}", f"{name} town") for name in "abcdefghijklmnopqrst"]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", [list, iter, dict])
def test_pairs_are_trained_on_and_kept(tmp_path, kind):
    solver = train(kind(CAPITALS), tmp_path / "run", progress=False, **TINY)
    assert solver.task.count == 20 and solver.config.data.examples == 20
    assert isinstance(solver("the capital of a"), str)
    shutil.move(tmp_path / "run", tmp_path / "moved")
    moved = Solver(tmp_path / "moved")
    assert moved.task.given == tuple(CAPITALS) and moved.config == solver.config
    assert moved.evaluate().held_out.n == 2 and moved.evaluate().overlap == 0
    assert moved(["the capital of b"]) == solver(["the capital of b"])


def test_a_file_is_not_needed_after_training(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{source}\t{target}\n" for source, target in CAPITALS))
    solver = train(PairsTask(str(path)), tmp_path / "run", progress=False, **TINY)
    answer = solver("the capital of a")
    path.unlink()
    again = Solver(tmp_path / "run")
    assert again("the capital of a") == answer and again.evaluate().held_out.n == 2
    assert len(train(resume=True, run_dir=tmp_path / "run", progress=False, epochs=2).run.read_metrics()) == 2


def test_a_text_is_kept_and_another_does_not_resume_its_run(tmp_path):
    path = tmp_path / "text"
    path.write_text(some_text())
    held_out = train(Text(str(path)), tmp_path / "run", progress=False, **TINY).evaluate().held_out
    path.unlink()
    shutil.move(tmp_path / "run", tmp_path / "moved")
    again = Solver(tmp_path / "moved")
    assert again.task.text == some_text() and again.evaluate().held_out == held_out
    assert len(train(resume=True, run_dir=tmp_path / "moved", progress=False, epochs=2).run.read_metrics()) == 2
    with pytest.raises(UsageError, match=r"task: .* was made with .*; a resumed run keeps its options"):
        train(Text(given=some_text() + "."), tmp_path / "moved", progress=False, resume=True)


def test_a_file_that_has_changed_does_not_resume_its_run(tmp_path):
    path = tmp_path / "pairs.tsv"
    more = tmp_path / "more.tsv"
    lines = [f"{source}\t{target}\n" for source, target in CAPITALS]
    path.write_text("".join(lines))
    more.write_text("".join(lines[:6]))
    train(PairsTask(str(path)), tmp_path / "run", progress=False, mix=[(str(more), 0.5)], **TINY)
    more.write_text("".join(lines[:5]))
    with pytest.raises(UsageError, match=r"^mix: .*more.tsv has changed since .*; give the file as it was, or"):
        train(PairsTask(str(path)), tmp_path / "run", progress=False, mix=[(str(more), 0.5)], resume=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(UsageError, match=r"^task: .*pairs.tsv has changed since .*; give the file as it was, or if"):
        train(PairsTask(str(path)), tmp_path / "run", progress=False, resume=True)
    assert len(train(None, tmp_path / "run", progress=False, resume=True, epochs=2).run.read_metrics()) == 2


def test_other_pairs_do_not_resume_a_run(tmp_path):
    train(CAPITALS, tmp_path / "run", progress=False, **TINY)
    before = files(tmp_path / "run")
    with pytest.raises(UsageError, match=r"task: .* was made with .*; a resumed run keeps its options"):
        train(CAPITALS[:-1], tmp_path / "run", progress=False, resume=True)
    assert files(tmp_path / "run") == before
    assert len(train(CAPITALS, tmp_path / "run", progress=False, resume=True, epochs=2).run.read_metrics()) == 2


@pytest.mark.parametrize(
    "task, message",
    [
        ([], "pairs: there are none"),
        ([("a", "b"), ("a", "c")], "pair 2: has another target for its source than pair 1 has"),
        ([("a", "b"), ("c", 3)], "pair 2: got"),
        ([("a", "b")], "pairs: has 1 pairs, but three are the least"),
        (7, "task: got 7, but it must be a Task, such as Arithmetic"),
        (PairsTask("nowhere.tsv"), "nowhere.tsv: cannot be read"),
    ],
)
def test_data_that_cannot_be_learned_touch_no_run(small, tmp_path, task, message):
    train(run_dir=tmp_path / "run", **small)
    before = files(tmp_path / "run")
    for resume in (False, True):
        for name in ("run", "new"):
            for preset in (None, "default"):
                if preset is None or "the least" not in message:
                    with pytest.raises(Seq2SeqError, match=f"^{message}"):
                        train(task, tmp_path / name, resume=resume, preset=preset, progress=False)
    assert files(tmp_path / "run") == before and not (tmp_path / "new").exists()


def test_a_task_of_ones_own(tmp_path):
    solver = train(Double(), tmp_path / "run", progress=False, **TINY)
    again = Solver(tmp_path / "run", task=Double())
    assert again(["7", "77"]) == solver(["7", "77"]) and again.evaluate().held_out.n == 10
    assert len(train(Double(), tmp_path / "run", resume=True, progress=False, epochs=2).run.read_metrics()) == 2
    with pytest.raises(
        RunError, match=r"its task 'double' is not installed here; if it is your own: Solver\(run, task="
    ):
        Solver(tmp_path / "run")
    with pytest.raises(RunError, match="its task is 'double', and not 'greeting'"):
        Solver(tmp_path / "run", task=Greeting())
    with pytest.raises(RunError, match=r"was made with Double\(most=99\), and not Double\(most=9\)"):
        Solver(tmp_path / "run", task=Double(9))
    with pytest.raises(UsageError, match="task: got 'double', but it must be a Task"):
        Solver(tmp_path / "run", task="double")
    with pytest.raises(RunError, match=r"was made with Double\(most=99\), and not Double\(most=9\)"):
        train(Double(9), tmp_path / "run", resume=True, progress=False)


@pytest.mark.parametrize("name", ["copy", "Double", "", "a/b", 3, None])
def test_names_that_a_task_cannot_have(tmp_path, name):
    task = type("Mine", (Double,), {"name": name})()
    with pytest.raises(UsageError, match="name of Mine: "):
        train(task, tmp_path / "run", progress=False, **TINY)


def test_a_task_that_its_options_do_not_make_again_is_refused_before_training(tmp_path):
    class Adder(Double):
        def __init__(self, more):
            object.__setattr__(self, "most", 9)

        name = "adder"

    class Odd(Double):
        name = "odd"

        def options(self):
            return {"most": {1, 2}}

    class Other(Double):
        name = "other"

        def options(self):
            return {"most": self.most + 1}

    for task, message in [
        (Adder(1), "unexpected keyword argument 'most'"),
        (Odd(), "Object of type set is not JSON serializable"),
        (Other(), "other options"),
    ]:
        with pytest.raises(UsageError, match=f"options of {type(task).__name__}: do not make it again: .*{message}"):
            train(task, tmp_path / "run", progress=False, **TINY)
    assert not (tmp_path / "run").exists()


def test_what_was_chosen_and_what_is_odd_is_told_before_training(tmp_path, capsys):
    signs = [chr(0x4E00 + i) for i in range(30)]
    solver = train([(sign, "x") for sign in [*signs, signs[0]]], tmp_path / "run", **{**TINY, "test": 10})
    chosen, again, unseen, *epochs = capsys.readouterr().err.splitlines()
    assert chosen.startswith("30 examples of pairs, ") and "validation 3, test 10" in chosen and "epochs 1" in chosen
    assert again == "pairs: 1 row came twice and is used once"
    held_out = [solver.codec.decode_sources(part.sources) for part in (solver.dataset.validation, solver.dataset.test)]
    named = sorted(held_out[0] + held_out[1])[:10]
    assert unseen == f"only in held-out examples, and never trained on: {str(named)[1:-1]} and 3 more"
    assert epochs[0].startswith("epoch 1/1")
    train(Arithmetic("+", terms=2), tmp_path / "sums", **TINY)
    assert capsys.readouterr().err.startswith("epoch 1/1")


def test_what_a_texts_model_writes_is_shown(tmp_path, capsys):
    train(Text(given=some_text()), tmp_path / "run", epochs=2, show_every=2, hidden_size=4)
    told = capsys.readouterr().err.splitlines()
    [place] = [place for place, line in enumerate(told) if line.startswith("epoch 2/2")]
    shown = "\n".join(line[4:] for line in told[place + 1 :])
    codec = Solver(tmp_path / "run").dataset.codec
    prefix = codec.decode_sources(Solver(tmp_path / "run").dataset.validation.sources[:1])[0]
    assert shown.startswith(prefix) and len(shown) == len(prefix) + 200
