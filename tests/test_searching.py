"""Searches for better options, with Optuna."""

import os
import signal
import subprocess
import sys

import pytest

from seq2seq import Arithmetic, Copy, RunError, Seq2SeqError, Solver, TrainingInterrupted, UsageError, train
from seq2seq.config import Config, Extra
from seq2seq.engine.callbacks import Callback
from seq2seq.recipes import load_recipe
from seq2seq.recipes.writing import recipe_text
from seq2seq.runs import Run
from seq2seq.search_space import space
from seq2seq.searching import JOURNAL, search
from seq2seq.tasks import TASKS
from seq2seq.tasks.pairs import PairsTask
from tests.conftest import SMALL
from tests.tasks.own import Greeting
from tests.test_scripts import command

TASK = Copy("abc", length=(1, 4))
FIXED = {"epochs": 3, "batch_size": 16, "show_every": 0, "validation": 20, "test": 20, "hidden_size": 8}


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna", reason="pip install 'mxseq2seq[search]'")


def small(folder, trials, **options):
    return search(TASK, run_dir=folder, trials=trials, progress=False, **{**FIXED, **options})


def trials_of(optuna, folder):
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL)))
    return optuna.load_study(study_name="search", storage=storage).trials


def test_the_recipe_of_the_best_trial_is_written_and_no_test_example_was_looked_at(optuna, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("evaluated")

    with monkeypatch.context() as patched:
        patched.setattr("seq2seq.solver.Solver.evaluate", refuse)
        patched.setattr("seq2seq.evaluation.evaluate", refuse)
        path = small(tmp_path / "study", 4, patience=2)
    runs = sorted(path.parent.glob("trial-*"))
    assert [run.name for run in runs] == ["trial-0000", "trial-0001", "trial-0002", "trial-0003"]
    assert not [*path.parent.glob("*/evaluation.json")]
    best = {}
    for run in runs:
        config = Run(run).read_config()
        assert config.seed == 0 and config.model.hidden_size == 8 and config.training.batch_size == 16
        state = Run(run).read_arrays("best.safetensors")[1]
        best[(state["validation_exact_match"], -state["validation_loss"])] = config
    chosen = best[max(best)]
    recipe = load_recipe(path)
    assert recipe.config == chosen.with_options(data_seed=0)
    assert recipe.about.startswith("copy: the best of 4 trials on validation, validation_exact_match ")
    first = Run(runs[0]).read_config()
    assert first.training.learning_rate == 0.004 and first.model.dropout == 0  # those that were not searched
    assert len({Run(run).read_config().training.learning_rate for run in runs}) == 4
    assert Solver(runs[1]).config.task == TASK  # an ordinary run


def test_a_search_goes_on_in_its_folder(optuna, tmp_path):
    first = small(tmp_path / "study", 2)
    small(tmp_path / "study", 2)
    assert len(trials_of(optuna, tmp_path / "study")) == 2
    assert small(tmp_path / "study", 3) == first
    assert len(trials_of(optuna, tmp_path / "study")) == 3
    whole = small(tmp_path / "whole", 3)
    assert load_recipe(first).config == load_recipe(whole).config  # the same values whether interrupted or not
    with pytest.raises(RunError, match=r"holds a search with other options \(epochs 3, not 4\); choose another"):
        small(tmp_path / "study", 4, epochs=4)
    with pytest.raises(RunError, match="holds a search with other options"):
        small(tmp_path / "study", 4, dropout=0.0)


def test_a_trial_that_was_interrupted_is_continued(optuna, tmp_path, monkeypatch):
    class Interrupt(Callback):
        def on_epoch(self, row):
            if row["epoch"] == 2:
                os.kill(os.getpid(), signal.SIGTERM)

    def interrupted(*arguments, callbacks=(), **options):
        return train(*arguments, callbacks=[*callbacks, Interrupt()], **options)

    with monkeypatch.context() as patched:
        patched.setattr("seq2seq.searching.train", interrupted)
        with pytest.raises(TrainingInterrupted):
            small(tmp_path / "study", 1)
    assert len(Run(tmp_path / "study" / "trial-0000").read_metrics()) == 2
    small(tmp_path / "study", 1)
    assert [path.name for path in sorted((tmp_path / "study").glob("trial-*"))] == ["trial-0000"]
    assert len(Run(tmp_path / "study" / "trial-0000").read_metrics()) == 3
    [stopped, finished] = trials_of(optuna, tmp_path / "study")
    assert stopped.params == finished.params and list(finished.intermediate_values) == [1, 2, 3]


def test_trials_below_the_median_are_ended(optuna, tmp_path, monkeypatch):
    monkeypatch.setattr(optuna.pruners.MedianPruner, "prune", lambda self, study, trial: trial.number == 1)
    path = small(tmp_path / "study", 3)
    assert [len(Run(run).read_metrics()) for run in sorted(path.parent.glob("trial-*"))] == [3, 1, 3]
    states = [trial.state.name for trial in trials_of(optuna, path.parent)]
    assert states == ["COMPLETE", "PRUNED", "COMPLETE"]


def test_a_trial_that_fails_is_not_the_end(optuna, tmp_path, monkeypatch):
    def failing(*arguments, run_dir, **options):
        if run_dir.name == "trial-0001":
            raise Seq2SeqError("training diverged")
        return train(*arguments, run_dir=run_dir, **options)

    monkeypatch.setattr("seq2seq.searching.train", failing)
    path = small(tmp_path / "study", 2)
    assert load_recipe(path).config.training.learning_rate == 0.004
    monkeypatch.setattr("seq2seq.searching.train", lambda **options: (_ for _ in ()).throw(Seq2SeqError("diverged")))
    with pytest.raises(Seq2SeqError, match="no trial of the search succeeded"):
        small(tmp_path / "other", 2)


def test_two_processes_share_a_search(optuna, tmp_path):
    arguments = command(
        "search", "--task", "copy", "--task.letters", "abc", "--task.length", "1-4", "--trials", 4,
        "--run-dir", "study",
        *[word for name, value in FIXED.items() for word in (f"--{name.replace('_', '-')}", value)],
    )  # fmt: skip
    processes = [
        subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    done = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], done
    rates = [trial.params["learning_rate"] for trial in trials_of(optuna, tmp_path / "study")]
    assert len(rates) in (4, 5) and len(set(rates)) == len(rates)
    assert done[0][0].splitlines()[-1].startswith("train it: ") and "--recipe study/best.toml" in done[0][0]
    assert all(each.startswith("trial ") for each in done[0][1].splitlines() if "trial" in each)


def test_only_options_of_the_model_that_are_not_given_are_searched():
    options = {"learning_rate", "hidden_size", "layers", "dropout", "weight_decay", "batch_size"}
    assert set(space(Config(task=TASK), frozenset())) == options
    assert set(space(Config(task=TASK), frozenset({"layers", "epochs"}))) == options - {"layers"}
    text = Config(task=TASKS["text"](path="a.txt")).with_options(model="rnn-numpy")
    assert set(space(text, frozenset())) == options - {"layers", "dropout"}


def test_searches_that_are_refused(optuna, tmp_path):
    with pytest.raises(UsageError, match="trials: got 0, but it must be a whole number from 1"):
        small(tmp_path / "study", 0)
    with pytest.raises(UsageError, match="position_bias: got True, but it must be left out with the model repeat"):
        small(tmp_path / "study", 1, model="repeat", position_bias=True)
    with pytest.raises(UsageError, match=r"task: got .*, but it must be one with its data in a file"):
        search([("a", "b"), ("b", "c"), ("c", "d")], tmp_path / "study")
    with pytest.raises(UsageError, match="task: got 'greeting', but it must be an installed task"):
        search(Greeting(), tmp_path / "study")
    assert not (tmp_path / "study").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file: cannot hold a search: File exists"):
        small(tmp_path / "file", 1)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / JOURNAL).write_text("{}\n{}\n")
    with pytest.raises(RunError, match=r"damaged/journal\.log: is damaged"):
        small(tmp_path / "damaged", 1)


def test_without_optuna_a_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(Seq2SeqError, match=r"^a search needs Optuna, .*: pip install 'mxseq2seq\[search\]'$"):
        small(tmp_path / "study", 1)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(task=Arithmetic("+-", operands=(0, 99), steps="call"), extra=(Extra(Arithmetic("+", terms=2), 5),)),
        Config(task=TASK, extra=(Extra(Copy("abc", length=(1, 3)), share=0.25),)),
        Config(task=Copy('a"\\\x7fé')).with_options(weight_decay=1e-8, validation=3, best_by="validation_loss:min"),
        Config(task=TASK).with_options(**{**SMALL, "model": "transducer", "data_seed": 4}),
    ],
)
def test_a_recipe_that_is_written_is_the_experiment(config, tmp_path):
    path = tmp_path / "written.toml"
    path.write_text(recipe_text(config, 'About "it"', "nothing"), encoding="utf-8")
    recipe = load_recipe(path)
    assert recipe.config == config and recipe.about == 'About "it"'


def test_a_recipe_names_the_file_of_its_task_wherever_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.tsv").write_text("a\tb\nb\tc\nc\td\n")
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "written.toml"
    path.write_text(recipe_text(Config(task=PairsTask("pairs.tsv")), "", ""))
    monkeypatch.chdir("/")
    assert load_recipe(path).config.task.rows == {"a": ("b",), "b": ("c",), "c": ("d",)}
