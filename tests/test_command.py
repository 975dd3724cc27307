"""The command `seq2seq`, as `python -m seq2seq`: what it has that the scripts have not."""

import os
import re
import subprocess
import sys

import pytest

from seq2seq import __version__
from seq2seq.cli import COMMANDS
from seq2seq.recipes import recipe_names
from tests.test_scripts import RECIPE, ROOT, TINY, call

ANYWHERE = {**os.environ, "PYTHONPATH": str(ROOT)}


def words(*arguments, python=(sys.executable, "-m", "seq2seq")):
    return [*python, *map(str, arguments)]


def seq2seq(*arguments, python=(sys.executable, "-m", "seq2seq"), **options):
    options = {"capture_output": True, "text": True, "timeout": 200, "env": ANYWHERE, **options}
    return subprocess.run(words(*arguments, python=python), **options)


def test_its_help_names_the_commands():
    result = seq2seq("--help")
    assert result.returncode == 0 and not result.stderr
    for name, about in COMMANDS.items():
        assert re.search(rf"^ +{name} +{about}$", result.stdout, re.M)
    assert seq2seq("--version").stdout == f"seq2seq {__version__}\n"


@pytest.mark.parametrize("arguments, absent", [
    (["--help"], {"numpy", "mxnet", "seq2seq.config", *(f"seq2seq.cli.{name}" for name in COMMANDS)}),
    (["--version"], {"numpy", "mxnet", "seq2seq.config", *(f"seq2seq.cli.{name}" for name in COMMANDS)}),
    (["solve", "--help"], {"mxnet", *(f"seq2seq.cli.{name}" for name in COMMANDS if name != "solve")}),
    (["train", "--help"], {"mxnet"}),
    (["search", "--help"], {"mxnet", "optuna"}),
    (["tasks"], {"mxnet"}),
])  # fmt: skip
def test_it_loads_what_a_command_needs_alone(arguments, absent):
    result = seq2seq(*arguments, python=(sys.executable, "-X", "importtime", "-m", "seq2seq"))
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "seq2seq.cli.main" in loaded and not loaded & absent


def test_without_a_command_it_shows_its_help():
    result = seq2seq()
    assert (result.returncode, result.stdout, result.stderr) == (2, "", seq2seq("--help").stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_calls_it_by_its_name(command):
    result = seq2seq(command, "--help")
    assert result.returncode == 0 and result.stdout.startswith(f"usage: seq2seq {command} [-h]")
    assert "scripts/" not in result.stdout
    assert command == "tasks" or f"\nexamples:\n  seq2seq {command}" in result.stdout


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["answer"], 2, "seq2seq: argument COMMAND: invalid choice: 'answer' (choose from "),
        (["-x"], 2, "seq2seq: unrecognized arguments: -x"),
        (["train", "--epochs", "0"], 2, "seq2seq train: epochs: got 0, but it must be a whole number from 1"),
        (["evaluate", "--run", "none"], 1, "seq2seq evaluate: none: holds no run (there is no config.json)"),
        (["tasks", "more"], 2, "seq2seq tasks: unrecognized arguments: more"),
        (["recipes", "train"], 2, "seq2seq recipes: unrecognized arguments: train"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_command(arguments, status, message, tmp_path):
    result = seq2seq(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (status, "") and not list(tmp_path.iterdir())
    assert result.stderr.startswith(message) and result.stderr.count("\n") == 1


def test_a_source_that_cannot_be_read_is_named_by_the_command(solved):
    result = seq2seq("solve", "--run", solved.run.path, "3+4", "3x4")
    assert (result.returncode, result.stdout) == (2, "7\n\n")
    assert result.stderr.startswith("seq2seq solve: argument 2: '3x4': 'x' is not among the characters")


def test_tasks_are_those_of_train():
    assert seq2seq("tasks").stdout == call("train", "--list-tasks").stdout != ""


def test_the_command_that_train_prints_works_where_it_is_printed(tmp_path):
    result = seq2seq("train", *TINY, "--epochs", 1, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    tried = result.stdout.partition("try: ")[2]
    assert " -m seq2seq solve --run runs/arithmetic-" in tried
    answered = subprocess.run(
        tried, shell=True, capture_output=True, text=True, timeout=200, cwd=tmp_path, env=ANYWHERE
    )
    assert (answered.returncode, answered.stderr, answered.stdout.count("\n")) == (0, "", 1)


# Streams and Ctrl-C ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["solve", "--help"], ["tasks"]])
def test_a_full_stdout_is_one_line(arguments):
    with open("/dev/full", "w") as full:
        result = seq2seq(*arguments, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    name = "seq2seq" if arguments[0] == "--help" else f"seq2seq {arguments[0]}"
    assert (result.returncode, result.stderr) == (1, f"{name}: [Errno 28] No space left on device\n")


def test_messages_do_not_go_among_the_answers_where_stderr_is_closed(solved):
    line = '"$@" 2>&- <<END\n3+4\n3x4\n5+6\nEND'
    result = seq2seq("solve", "--run", solved.run.path, python=("sh", "-c", line, "", sys.executable, "-m", "seq2seq"))
    assert (result.returncode, result.stdout, result.stderr) == (2, "7\n\n11\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_while_a_command_is_loaded_is_one_line(command):
    code = """
import os, runpy, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            os.kill(os.getpid(), 2)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("seq2seq", run_name="__main__", alter_sys=True)
"""
    result = seq2seq(command, python=(sys.executable, "-c", code))
    assert (result.returncode, result.stdout, result.stderr) == (130, "", f"seq2seq {command}: interrupted\n")


def test_ctrl_c_at_work_is_one_line(tmp_path):
    code = """
import os, runpy
import seq2seq.experiment
seq2seq.experiment.build_dataset = lambda *arguments: os.kill(os.getpid(), 2)
runpy.run_module("seq2seq", run_name="__main__", alter_sys=True)
"""
    result = seq2seq("train", *TINY, "--run-dir", tmp_path / "run", python=(sys.executable, "-c", code))
    assert (result.returncode, result.stderr) == (130, "seq2seq train: interrupted\n")
    assert list(tmp_path.iterdir()) == []


# Recipes --------------------------------------------------------------------------------------------------------------


def test_recipes_are_listed_with_what_they_show(tmp_path):
    result = seq2seq("recipes", cwd=tmp_path)
    assert result.returncode == 0 and not result.stderr and list(tmp_path.iterdir()) == []
    assert [line.split(maxsplit=1)[0] for line in result.stdout.splitlines()] == recipe_names()
    [line] = [line for line in result.stdout.splitlines() if line.startswith("cipher ")]
    assert re.fullmatch("cipher +Two thousand random words in the cipher rot13, .*", line)
    result = seq2seq("recipes", "--seeds", 2)
    assert (result.returncode, result.stderr) == (2, "seq2seq recipes: --seeds: goes with --train\n")


def test_recipes_are_trained_where_the_user_is(tmp_path):
    (tmp_path / "sums.toml").write_text(RECIPE)
    result = seq2seq("recipes", "--recipes", ".", "--train", "--seeds", 1, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "wrote results.md\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "results.md", "runs", "sums.toml"]
    assert "\n    seq2seq recipes --train\n" in (tmp_path / "results.md").read_text()
    result = seq2seq("recipes", "--recipes", ".", "--train", "--gather", cwd=tmp_path)
    said = "seq2seq recipes: --gather: not with --train, since it trains nothing\n"
    assert (result.returncode, result.stderr) == (2, said)


# Without MXNet --------------------------------------------------------------------------------------------------------

WITHOUT = """
import os, runpy, sys
del os.fork, os.register_at_fork  # as on Windows
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in ("mxnet", "fcntl", "resource"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
runpy.run_module("seq2seq", run_name="__main__", alter_sys=True)
"""
ABSENT = r"MXNet 1\.9\.1, which training and answering need, is not installed; it has wheels for Linux x86-64, .*\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["tasks"], ["recipes"], ["train", "--help"], ["train", "--list-tasks"]]
)
def test_what_needs_no_mxnet_works_without_it(arguments):
    result = seq2seq(*arguments, python=(sys.executable, "-c", WITHOUT))
    assert (result.returncode, result.stderr) == (0, "") and result.stdout == seq2seq(*arguments).stdout != ""


def test_what_needs_mxnet_says_so_in_one_line(solved, tmp_path):
    run = ["--run", solved.run.path]
    for arguments in (["train", *TINY], ["solve", *run, "1+1"], ["evaluate", *run], ["explain", *run, "1+1"]):
        result = seq2seq(*arguments, python=(sys.executable, "-c", WITHOUT), cwd=tmp_path)
        assert (result.returncode, result.stdout) == (1, "")
        assert re.fullmatch(f"seq2seq {arguments[0]}: {ABSENT}", result.stderr), result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["train", "--recipe", ""], ["train", "--task="], ["train", "--run-dir", ""], ["solve", "--run", "", "1"],
     ["evaluate", "--plot="], ["recipes", "--train", "--only", ""]],
)  # fmt: skip
def test_an_empty_name_is_not_a_name_that_is_not_given(arguments):
    result = seq2seq(*arguments)
    assert result.returncode == 2 and re.fullmatch(
        r"seq2seq \w+: argument --[a-z-]+: must not be empty\n", result.stderr
    )


def test_two_dashes_are_no_choice():
    result = seq2seq("train", "--preset=--")
    assert result.returncode == 2 and "argument --preset: invalid choice: '--'" in result.stderr
