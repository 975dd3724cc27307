"""The commands as a person or a program calls them."""

import gzip
import json
import os
import pty
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seq2seq import Addition, Arithmetic, Solver
from seq2seq.recipes import load_recipe
from seq2seq.runs import Run
from seq2seq.tasks.registry import BUILT_IN, TASKS
from tests.conftest import some_text

ROOT = Path(__file__).parent.parent
TASK = ["--task.operators", "+", "--task.terms", 2, "--task.operands", "0-9"]
TINY = [*TASK, "--hidden-size", 8, "--layers", 1, "--batch-size", 16]
BEFORE = """
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.path[:0] = [os.getcwd(), os.path.dirname(sys.argv[0])]
"""


def command(script, *arguments, python=(sys.executable,)):
    return [*python, str(ROOT / "scripts" / f"{script}.py"), *map(str, arguments)]


def call(script, *arguments, **options):
    return subprocess.run(command(script, *arguments), capture_output=True, timeout=200, **{"text": True, **options})


@pytest.mark.parametrize("script", ["train", "search", "evaluate", "solve", "explain", "recipes", "steps"])
def test_help(script):
    result = call(script, "--help")
    assert result.returncode == 0 and not result.stderr
    for option in ("--seed", "--device", "examples:"):
        assert option in result.stdout


def test_help_of_train_has_every_option_with_its_default():
    text = " ".join(call("train", "--help").stdout.split())
    for option in (
        "--task.operands N[-N] smallest and largest number, as 1-10 (default: 1-10)",
        "--task.operators TEXT any of + - * / % (default: +*)",
        "--epochs N passes over the training examples (default: 100)",
        "--bidirectional, --no-bidirectional read the source in both directions (default: yes)",
    ):
        assert option in text


def test_train_then_evaluate_then_solve(tmp_path):
    result = call("train", *TINY, "--epochs", 2, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    out = result.stdout.splitlines()
    assert re.fullmatch(r"held-out exact match: [01]\.\d{4} \(\d+ of 10 right\)", out[-3])
    assert out[-2] == "of the held-out examples, 0.0% had been trained on"
    run_dir = re.fullmatch(r"try: \S+ \S+/scripts/solve.py --run (runs/arithmetic-\S+) \d\+\d", out[-1])[1]
    assert "epoch 2/2: loss" in result.stderr and "\r" not in result.stderr

    result = call("evaluate", "--json", cwd=tmp_path)
    assert result.returncode == 0 and not result.stderr
    values = json.loads(result.stdout)
    assert list(values) == [
        "run", "task", "held_out", "train_distribution", "by_operator", "by_length", "mistakes"
    ]  # fmt: skip
    assert (values["run"], values["task"]) == (run_dir, "arithmetic")
    for part in ("held_out", "train_distribution"):
        assert {"n", "exact_match", "character_accuracy"} <= set(values[part])
    assert f"({round(values['held_out']['exact_match'] * 10)} of 10 right)" in out[-3]

    text = call("evaluate", "--run", run_dir, "--samples", 5, cwd=tmp_path).stdout
    assert re.search(r"^held out +5 ", text, re.M) and "worst mistakes" in text

    answers = call("solve", "3+4", "9+9", cwd=tmp_path)
    assert answers.stdout.splitlines() == Solver(tmp_path / run_dir)(["3+4", "9+9"])
    assert answers.returncode == 0 and not answers.stderr


def test_a_gpu_that_is_not_there(tmp_path):
    result = call("train", *TINY, "--device", "gpu:7", "--run-dir", tmp_path / "run")
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"train\.py: device gpu:7: .*\n", result.stderr)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--epochs", "x"], "train.py: argument --epochs: invalid int value: 'x'"),
        (["--epochs", "0"], "train.py: epochs: got 0, but it must be a whole number from 1"),
        (["--task.operands", "1-x"], "train.py: argument --task.operands: got '1-x', but it must be a whole number"),
        (["--task.operators", "^"], "train.py: operators: got '^', but it must be one or more of + - * / %"),
        (["--test", "much"], "train.py: argument --test: got 'much', but it must be a fraction such as 0.1"),
        (["--preset", "mine"], "train.py: argument --preset: invalid choice: 'mine'"),
        (["--hidden", "3"], "train.py: unrecognized arguments: --hidden 3"),
        (["--device", "tpu"], "train.py: device: got 'tpu'"),
        (["--seed", "-1"], "train.py: seed: got -1"),
        (["--find-rate", "--learning-rate", "0.01"], "train.py: find_rate: not allowed with learning_rate"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, message, tmp_path):
    result = call("train", *arguments, cwd=tmp_path)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith(message) and result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_failures_are_one_line_and_status_1(tmp_path, solved):
    for script, arguments, message in [
        ("evaluate", [], "evaluate.py: runs: holds no run; train one, or name its folder"),
        ("solve", ["--run", "nowhere", "1+1"], "solve.py: nowhere: holds no run (there is no config.json)"),
        ("train", ["--run-dir", solved.run.path], f"train.py: {solved.run.path}: already holds a run; resume it"),
    ]:
        result = call(script, *arguments, cwd=tmp_path)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr.startswith(message) and result.stderr.count("\n") == 1
    result = call("evaluate", "--run", solved.run.path, "--samples", 0)
    assert (result.returncode, result.stderr) == (
        2, "evaluate.py: samples: got 0, but it must be a whole number from 1\n"
    )  # fmt: skip


def test_an_option_that_a_resumed_run_does_not_have(solved):
    result = call("train", "--run-dir", solved.run.path, "--resume", "--hidden-size", 99)
    assert result.returncode == 2
    assert result.stderr.endswith("was made with 32; a resumed run keeps its options\n")


# solve.py ----------------------------------------------------------------------------------------------------------


def test_bad_lines_are_named_and_leave_an_empty_line(solved):
    text = b"3+4\n\n9+9\nx\n1+\n\xff\xfe\n12345+1\n0+0"
    result = call("solve", "--run", solved.run.path, input=text, text=False)
    assert result.stdout == b"7\n\n18\n\n\n\n\n0\n"
    assert result.returncode == 2
    lines = result.stderr.decode().splitlines()
    assert [line.split(": ")[1] for line in lines] == ["line 2", "line 4", "line 5", "line 6", "line 7"]
    assert lines[0] == "solve.py: line 2: the source is empty"
    assert lines[1] == "solve.py: line 4: 'x': 'x' is not among the characters '0123456789+ '"
    assert lines[4] == "solve.py: line 7: '12345+1' has 7 characters, but this run reads 3"


def test_bad_arguments_are_named(solved):
    result = call("solve", "--run", solved.run.path, "1+1", "", "2+2")
    assert (result.stdout, result.returncode) == ("2\n\n4\n", 2)
    assert result.stderr == "solve.py: argument 2: the source is empty\n"


def test_no_input_is_no_answer(solved):
    result = call("solve", "--run", solved.run.path, stdin=subprocess.DEVNULL)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


def test_answers_come_while_the_questions_still_do(solved):
    process = subprocess.Popen(
        command("solve", "--run", solved.run.path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    for question, answer in (b"3+4\n", b"7\n"), (b"9+9\n", b"18\n"):
        process.stdin.write(question)
        assert process.stdout.readline() == answer
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()


def test_a_reader_that_goes_away(solved):
    process = subprocess.Popen(
        command("solve", "--run", solved.run.path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    try:
        process.stdin.write(b"3+4\n" * 100_000)
        process.stdin.close()
    except BrokenPipeError:
        pass
    assert process.wait(60) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_prompt_at_a_terminal(solved):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("solve", "--run", solved.run.path), stdin=slave, stdout=slave, stderr=slave, close_fds=True,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(slave)
    unread = b""

    def until(text):
        """Read on to just behind the text; what was read is returned."""
        nonlocal unread
        while text not in unread:
            unread += os.read(master, 1000)
        end = unread.index(text) + len(text)
        seen, unread = unread[:end], unread[end:]
        return seen

    until(b"> ")
    os.write(master, b"3+4\n")
    assert b"7    (" in until(b"% sure)")
    until(b"> ")
    os.write(master, b"3+x\n")
    until(b"'x' is not among")
    until(b"> ")
    os.write(master, b"\x1b[A")  # the last line comes back from history
    until(b"3+x")
    os.write(master, b"\x7f9\n")
    until(b"12    (")
    until(b"> ")
    os.write(master, b"\x04")
    assert process.wait(30) == 0
    os.close(master)


def test_lines_are_numbered_through_blocks_and_batches(solved):
    """Lines that blocks of 65536 bytes cut in two, more than a batch of them, and a bad one far down."""
    lines = [f"{i % 10}{' ' * (i % 7)}+{i % 3}" for i in range(30_000)]
    lines[1500] = lines[25_000] = "x"
    result = call("solve", "--run", solved.run.path, input="\n".join(lines))
    answers = result.stdout.split("\n")
    assert len(answers) == 30_001 and answers[-1] == ""
    assert [i for i, answer in enumerate(answers[:-1]) if answer == ""] == [1500, 25_000]
    assert all(answer == str(i % 10 + i % 3) for i, answer in enumerate(answers[:-1]) if answer)
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["line 1501", "line 25001"]
    assert result.returncode == 2


def test_a_long_stream_in_flat_memory(solved):
    code = BEFORE + (  # not ru_maxrss: a process begins with that of its parent
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0], file=sys.stderr)"
    )

    def peak(text):
        arguments = command("solve", "--run", solved.run.path, python=(sys.executable, "-c", code))
        result = subprocess.run(arguments, input=text, capture_output=True, timeout=200, cwd=ROOT)
        return int(result.stderr.split()[-2]) / 1024, result.stdout

    line = b"3+4" + b" " * 500 + b"\n"
    low, _ = peak(line * 2_000)
    high, answers = peak(line * 100_000)
    assert answers == b"7\n" * 100_000
    assert high < low + 20  # megabytes
    endless, answers = peak(b"9" * 60_000_000 + b"\n3+4\n")
    assert answers == b"\n7\n"
    assert endless < low + 30


def test_options_of_train_reach_the_run(tmp_path):
    run = tmp_path / "run"
    result = call(
        "train", "--preset", "notebook", "--task.operators", "+-", "--task.operands", 5, "--examples", 64,
        "--epochs", 1,
        "--validation", 7, "--test", "0.25", "--seed", 3, "--bidirectional", "--reverse-target", "--run-dir", run,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    config = Solver(run).config
    assert config.task == Arithmetic("+-", terms=3, operands=(5, 5), mixed=False)
    assert (config.data.examples, config.data.validation, config.data.test, config.seed) == (64, 7, 0.25, 3)
    assert (config.model.hidden_size, config.model.bidirectional, config.data.reverse_target) == (32, True, True)
    result = call("train", "--run-dir", run, "--resume", "--epochs", 2)  # the seed was not given: it is the run's
    assert result.returncode == 0, result.stderr
    result = call(
        "train", *TINY, "--no-bidirectional", "--no-reverse-target", "--epochs", 1, "--run-dir", tmp_path / "no"
    )
    config = Solver(tmp_path / "no").config
    assert (config.model.bidirectional, config.data.reverse_target) == (False, False)


def test_a_rate_is_found_for_any_task(tmp_path):
    run = tmp_path / "run"
    options = ["--schedule", "restarts", "--cycles", 2, "--epochs", 3, "--hidden-size", 8, "--run-dir", run]
    result = call("train", "--task", "sort", "--examples", 200, "--find-rate", *options)
    assert result.returncode == 0, result.stderr
    training = Solver(run).config.training
    assert json.loads((run / "rates.json").read_text())["learning_rate"] == training.learning_rate
    assert f"learning_rate {training.learning_rate:g}, found by the range test, in place of 0.004\n" in result.stderr
    assert (training.schedule, training.cycles) == ("restarts", 2)
    falling, highest, fallen = (row["learning_rate"] for row in Run(run).read_metrics())
    assert falling < highest > fallen


def test_evaluate_draws_and_samples_by_seed(solved, tmp_path):
    pytest.importorskip("matplotlib")
    run = tmp_path / "run"
    shutil.copytree(solved.run.path, run)
    result = call("evaluate", "--run", run, "--samples", 20, "--seed", 7, "--plot", tmp_path / "run.png")
    assert result.returncode == 0 and not result.stderr
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((run / "evaluation.json").read_text())["seed"] == 7
    text = call("evaluate", "--run", run).stdout
    assert re.search(r"^held out +50 ", text, re.M) and re.search(
        rf"^trained on +{len(solved.dataset.train)} ", text, re.M
    )


def test_a_full_disk_is_one_line(solved):
    with open("/dev/full", "w") as full:
        arguments = command("solve", "--run", solved.run.path, "3+4")
        result = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=200)
    assert (result.returncode, result.stderr) == (1, "solve.py: [Errno 28] No space left on device\n")


def test_ctrl_c_before_training_is_one_line(tmp_path):
    code = BEFORE + (
        "import seq2seq.experiment\n"
        "def interrupted(*arguments): raise KeyboardInterrupt\n"
        "seq2seq.experiment.build_dataset = interrupted\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    arguments = command("train", *TINY, "--run-dir", tmp_path / "run", python=(sys.executable, "-c", code))
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=200, cwd=ROOT)
    assert (result.returncode, result.stderr) == (130, "train.py: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_of_an_endless_line_is_not_answered(solved):
    text = b"1+" + b" " * (1 << 20) + b"9" + b" " * (1 << 21) + b"2\n3+4\r\n"
    result = call("solve", "--run", solved.run.path, input=text, text=False)
    assert result.stdout == b"\n7\n" and result.returncode == 2
    assert result.stderr.startswith(b"solve.py: line 1: ") and result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments, redirection", [(["3+4"], ">&-"), ([], "<&-")])
def test_closed_streams(solved, arguments, redirection):
    words = map(shlex.quote, command("solve", "--run", solved.run.path, *arguments))
    result = subprocess.run([" ".join([*words, redirection])], shell=True, capture_output=True, text=True, timeout=200)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


# Interrupted and killed ---------------------------------------------------------------------------------------------

EAGER = f"""{BEFORE}
import seq2seq.engine.trainer
seq2seq.engine.trainer.SAVE_SECONDS = 0.0
runpy.run_path(sys.argv[0], run_name="__main__")
"""
LONGER = [*TINY, "--epochs", 600, "--dropout", 0.1, "--show-every", 100]


def start(*arguments):
    return subprocess.Popen(
        command("train", *arguments, python=(sys.executable, "-c", EAGER)), cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(tmp_path):
    run = Run(tmp_path / "run")
    process = start(*LONGER, "--run-dir", run.path)
    deadline = time.monotonic() + 60
    while not run.exists or not run.read_metrics():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""
    assert re.search(
        r"stopped in epoch \d+ after \d+ updates; continue with: \S+ \S+/train.py --run-dir \S+ --resume\n$", err
    )
    assert "Traceback" not in err
    assert 0 < len(run.read_metrics()) < 600


def test_killed_at_ten_random_moments_it_ends_with_the_weights_of_a_run_never_killed(tmp_path):
    whole = call("train", *LONGER, "--run-dir", tmp_path / "whole")
    assert whole.returncode == 0
    run, rng, kills = Run(tmp_path / "killed"), random.Random(1), 0
    while kills < 10:
        process = start(*LONGER, "--run-dir", run.path, "--resume")
        deadline = time.monotonic() + 60
        before = (run.path / "optimizer.safetensors").stat().st_mtime if run.exists else 0
        # Moments spread over start-up and training: half of them only after something more has been saved.
        if kills % 2:
            while not (run.exists and (run.path / "optimizer.safetensors").stat().st_mtime > before):
                assert process.poll() is None and time.monotonic() < deadline, process.communicate()
                time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.4 if kills % 2 else 2.0))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL  # it had not come to its end
        kills += 1
        if run.exists:
            assert len(Solver(run.path)(["3+4"])) == 1
    last = call("train", *LONGER, "--run-dir", run.path, "--resume")
    assert last.returncode == 0, last.stderr
    for name in ("best", "last"):
        ours, _ = run.read_arrays(f"{name}.safetensors")
        theirs, _ = Run(tmp_path / "whole").read_arrays(f"{name}.safetensors")
        assert all((ours[key] == theirs[key]).all() for key in theirs)
    assert len(run.read_metrics()) == 600


def test_scripts_run_from_a_plain_checkout(tmp_path):
    shutil.copytree(ROOT / "seq2seq", tmp_path / "seq2seq", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    result = subprocess.run(
        [sys.executable, "scripts/train.py", "--help"], cwd=tmp_path, capture_output=True, text=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_operators_and_parentheses_reach_the_run(tmp_path):
    result = call(
        "train", "--task.operators", "+-*/%", "--task.parentheses", "--task.steps", "none", "--task.operands", "1-4",
        "--epochs", 1, "--hidden-size", 4, "--layers", 1, "--run-dir", tmp_path / "run",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    solver = Solver(tmp_path / "run")
    assert solver.task == Arithmetic("+-*/%", operands=(1, 4), parentheses=True) and solver.config.seed == 0
    assert solver.evaluate().overlap == 0
    result = call("solve", "--run", tmp_path / "run", "(3-4)%2", "(3-4", "3^4")
    assert len(result.stdout.splitlines()) == 3 and "each parenthesis needs its other half" in result.stderr


def test_another_task_has_its_own_options(tmp_path):
    text = " ".join(call("train", "--task", "addition", "--help").stdout.split())
    assert "--task.digits" in text and "--task.terms" not in text
    result = call(
        "train", "--task", "addition", "--task.digits", 1, "--model", "aligned", "--epochs", 1, "--hidden-size", 4,
        "--run-dir", "run", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert Run(tmp_path / "run").read_config().task == Addition((1, 1))
    result = call("train", "--task", "addition", "--task.terms", 3)
    assert (result.returncode, result.stdout) == (2, "") and "--task.terms" in result.stderr


RECIPE = """
about = "Sums"
excludes = "the sum itself"
task = {name = "addition", digits = [1, 1]}
model = {model = "aligned", hidden_size = 8, layers = 1}
training = {epochs = 2, show_every = 0}
[[trial]]
name = "two digits"
examples = 20
task = {digits = [2, 2]}
"""


def test_a_recipe_is_trained_and_scored_in_its_trials(tmp_path):
    (tmp_path / "mine.toml").write_text(RECIPE)
    result = call("train", "--recipe", "mine.toml", "--epochs", 1, "--run-dir", "run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.search(r"^two digits: [01]\.\d{4} of 20, \d+ s$", result.stdout, re.M)
    config = Run(tmp_path / "run").read_config()
    assert config.task == Addition((1, 1)) and config.model.hidden_size == 8 and config.training.epochs == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--recipe", "nowhere"], "recipe: got 'nowhere', but it must be a path to a .toml file, or one of "),
        (["--recipe", "a.toml", "--preset", "notebook"], "--recipe: not with --preset"),
    ],
)
def test_recipes_that_are_refused(arguments, message):
    result = call("train", *arguments)
    assert result.returncode == 2 and message in result.stderr and result.stderr.count("\n") == 1


def test_all_recipes_make_a_table_and_what_is_done_is_kept(tmp_path):
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "sums.toml").write_text(RECIPE)
    options = ["--recipes", folder, "--runs", tmp_path / "runs", "--page", tmp_path / "page.md"]
    readme = tmp_path / "readme.md"
    readme.write_text("Before.\n<!-- written by scripts/recipes.py -->\nold\n<!-- end -->\nAfter.\n")
    options += ["--readme", readme]
    result = call("recipes", *options, "--seeds", 2)
    assert result.returncode == 0, result.stderr
    results = json.loads((tmp_path / "page.json").read_text())["sums"]["seeds"]
    page = (tmp_path / "page.md").read_text()
    held_out = [results[seed]["held_out"]["exact_match"] for seed in "01"]
    trials = [results[seed]["trials"]["two digits"] for seed in "01"]
    for name, values in (("held out (10)", held_out), ("two digits (20)", trials)):
        assert f"| {name} | {sum(values) / 2:.4f} ({min(values):.4f} to {max(values):.4f}) |" in page
    weights, _ = Run(next((tmp_path / "runs").iterdir())).read_arrays("best.safetensors")
    assert f"| 2 | {sum(array.size for array in weights.values()):,} |" in page
    assert "- **sums**: Sums. Held out: the sum itself." in page

    before, table, after = re.split("<!-- .* -->\n", readme.read_text())
    assert (before, after) == ("Before.\n", "After.\n") and table in page and "old" not in table

    shutil.rmtree(tmp_path / "runs")
    assert call("recipes", *options, "--seeds", 2).returncode == 0
    assert not (tmp_path / "runs").exists() and (tmp_path / "page.md").read_text() == page
    kept = json.loads((tmp_path / "page.json").read_text())
    for seed, rate in (("0", 0.25), ("1", 0.5)):
        kept["sums"]["seeds"][seed]["held_out"]["word_error_rate"] = rate
    (tmp_path / "page.json").write_text(json.dumps(kept))
    assert call("recipes", *options, "--seeds", 2).returncode == 0
    assert "|  | word error rate (10) | 0.3750 (0.2500 to 0.5000) |" in (tmp_path / "page.md").read_text()
    (folder / "sums.toml").write_text(RECIPE.replace("epochs = 2", "epochs = 1"))
    assert call("recipes", *options, "--seeds", 1).returncode == 0
    assert list(json.loads((tmp_path / "page.json").read_text())["sums"]["seeds"]) == ["0"]
    assert call("recipes", *options, "--seeds", 1, "--seed", 4).returncode == 0
    assert list(json.loads((tmp_path / "page.json").read_text())["sums"]["seeds"]) == ["0", "4"]
    assert "device: got 'abacus'" in call("recipes", *options, "--seed", 5, "--device", "abacus").stderr
    result = call("recipes", *options, "--only", "products")
    assert (result.returncode, result.stderr) == (2, "recipes.py: --only: no recipe products\n")

    (folder / "lost.toml").write_text('task = {name = "pairs"}')  # of no file
    result = call("recipes", *options, "--seeds", 1)
    assert result.returncode == 1 and re.match("lost: left out: path: got ''.*\nsums, seed 0: ", result.stderr)
    assert "lost" not in (tmp_path / "page.md").read_text()


def test_working_and_best_answers_are_printed(stepping, attentive, solved):
    result = call("solve", "--run", stepping.run.path, "--steps", "3 + 2-1", "3")
    assert (result.returncode, result.stdout) == (0, "3+2-1 -> 5-1 -> 4\n3 -> 3\n")
    result = call("solve", "--run", attentive.run.path, "--best", 2, "2+1")
    assert re.fullmatch(r"3 \(\d+\.\d%\), \S+ \(\d+\.\d%\)\n", result.stdout)
    result = call("solve", "--run", solved.run.path, "--best", 2, "2+1")
    assert result.returncode == 2 and "n_best: the model of" in result.stderr
    assert call("solve", "--steps", "--best", 2, "2+1").returncode == 2


def test_explanations_are_printed_and_drawn(attentive, tmp_path):
    pytest.importorskip("matplotlib")
    options = ["--run", attentive.run.path]
    result = call("explain", *options, "3+2+1", "--plot", tmp_path / "a.png", "--embeddings", tmp_path / "b.png")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "3+2+1 -> 5+1=6" and re.match(r" +1 +'5' +\d+\.\d%  '\S' \d+\.\d%", lines[2])
    for name in ("a.png", "b.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    for arguments, message in [
        ([], "SOURCE: give one"),
        (["--order", "1,2"], "--order: goes with --embeddings where a run answers with strings"),
        (["1+1", "2+2", "--plot", "a.png"], "--plot: draws one"),
        (["--embeddings", "a.png", "--dimensions", 4], "--dimensions: invalid choice: 4"),
        (["--neighbours", "x"], "symbol: got 'x', but it must be one of '+ 0 1 2 3 4 5 6 7 8 9 ='"),
    ]:  # fmt: skip
        result = call("explain", *options, *arguments)
        assert result.returncode == 2 and message in result.stderr
    assert call("explain", *options, "1+x").stderr.startswith("explain.py: '1+x': 'x' is not among")


def test_embeddings_have_a_table_and_a_picture(solved, tmp_path):
    pytest.importorskip("matplotlib")
    options = ["--embeddings", tmp_path / "a.png", "--dimensions", 3, "--neighbours", 7]
    result = call("explain", "--run", solved.run.path, *options)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    lines = result.stdout.splitlines()
    for number in (1, 2, 3):
        said, *ends = lines[3 * number - 3 : 3 * number]
        rank = r"; rank correlation with the digits' value [+-]\d\.\d\d"
        assert re.fullmatch(rf"source, component {number}: \d+% of the variance{rank}", said)
        assert re.fullmatch(r"  lowest (  '[0-9+]' [+-]\d+\.\d\d){5}", ends[0])
        assert re.fullmatch(r"  highest(  '[0-9+]' [+-]\d+\.\d\d){5}", ends[1])
    assert lines[9] == "source, nearest to '7' by cosine similarity" and len(lines) == 15
    similarities = [float(re.fullmatch(r" +'[0-9+]'  ([+-]\d\.\d{3})", line)[1]) for line in lines[10:]]
    assert similarities == sorted(similarities, reverse=True)


# Any task -----------------------------------------------------------------------------------------------------------

SMALLEST = ["--hidden-size", 4, "--epochs", 1, "--show-every", 0]


def test_tasks_are_listed_with_their_options():
    result = call("train", "--list-tasks")
    assert result.returncode == 0 and not result.stderr
    text = " ".join(result.stdout.split())
    for name in BUILT_IN:
        assert f"{name}: {TASKS[name].__doc__.partition(chr(10))[0].rstrip('.')}: --task." in text
    assert "--task.length N-N how many letters, as 1-10 (default: 1-10)" in text
    assert "--task.stress, --task.no-stress vowels with their stress, 0 to 2 (default: yes)" in text


def test_help_says_what_the_data_decide():
    text = " ".join(call("train", "--task", "roman", "--help").stdout.split())
    assert "--epochs N passes over the training examples (default: from the data)" in text
    assert "--dropout X fraction of values dropped in training (default: 0.0)" in text
    assert "(default: all if few" not in text and "--task.numbers N-N" in text
    text = " ".join(call("train", "--task", "roman", "--preset", "notebook", "--help").stdout.split())
    assert "from the data" not in text


def test_pairs_from_a_file_to_answers(tmp_path):
    rows = "".join(f'"the {letter}, please",{letter.upper()}\n' for letter in "abcdefghij")
    (tmp_path / "pairs.csv.gz").write_bytes(gzip.compress(f"{rows}{rows.splitlines()[0]}".encode()))
    result = call("train", "--task", "pairs", "--task.path", "pairs.csv.gz", *SMALLEST, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("10 examples of pairs, sources up to 13, targets up to 1 symbols: validation 1, ")
    assert "pairs.csv.gz: 1 row came twice and is used once" in result.stderr
    (tmp_path / "pairs.csv.gz").unlink()
    result = call("solve", "the a, please", "the z, please", cwd=tmp_path)
    assert result.returncode == 2 and result.stdout.count("\n") == 2
    assert result.stderr == "solve.py: argument 2: 'the z, please': 'z' is not among the characters " + repr(
        ",ABCDEFGHIJabcdefghijlpst ") + "\n"  # fmt: skip
    values = json.loads(call("evaluate", "--json", cwd=tmp_path).stdout)
    assert (values["task"], values["held_out"]["n"], values["train_distribution"]["n"]) == ("pairs", 1, 8)
    assert call("train", "--resume", "--epochs", 2, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "name, content, status, message",
    [
        ("x.tsv", b"", 2, "x.tsv: holds no pairs"),
        ("x.tsv", b"a\t1\nb\n", 2, "x.tsv:2: has 1 column, but a row is a source and a target"),
        ("x.tsv", b"a\t1\nb\t" + b"9" * 201, 2, "x.tsv:2: its target has 201 symbols, more than longest, 200"),
        ("x.tsv", b"a\t1\nb\t\xff", 2, "x.tsv:2: is not UTF-8"),
        ("x.tsv", b"a\t1\nb\t2\na\t3", 2, "x.tsv:3: has another target for its source than x.tsv:1 has"),
        ("y.tsv", b"", 1, "x.tsv: cannot be read: No such file or directory"),
    ],
)
def test_bad_files_are_one_line_that_names_the_place_and_leave_runs_alone(tmp_path, name, content, status, message):
    (tmp_path / name).write_bytes(content)
    result = call("train", "--task", "pairs", "--task.path", "x.tsv", "--run-dir", "run", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (status, "", f"train.py: {message}\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_pronunciations_are_measured_and_explained(tmp_path):
    words = [f"{a}{b} {a.upper()} {b.upper()}H0" for a in "bcdfg" for b in "aeiou"]
    (tmp_path / "some.dict").write_text("\n".join([*words, "ba(2) B EH0"]))
    result = call("train", "--task", "pronunciation", "--task.path", "some.dict", *SMALLEST, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.search(r"^held-out word error rate: [01]\.\d{4}\nheld-out phoneme error rate: ", result.stdout, re.M)
    values = json.loads(call("evaluate", "--json", cwd=tmp_path).stdout)
    assert {"word_error_rate", "phoneme_error_rate"} <= set(values["held_out"]) & set(values["train_distribution"])
    assert values["held_out"]["word_error_rate"] == pytest.approx(1 - values["held_out"]["exact_match"])
    assert re.search(r"^held out: word error rate [01]\.", call("evaluate", cwd=tmp_path).stdout, re.M)
    result = call("explain", "BA", cwd=tmp_path)
    assert result.stdout.startswith("ba -> ") and result.returncode == 0
    result = call("explain", "--embeddings", "x.png", cwd=tmp_path)
    assert "component 1" in result.stdout and "rank correlation" not in result.stdout


def test_a_task_of_another_package_is_listed_trained_and_solved(package, tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])}
    options = {"cwd": tmp_path, "env": env}
    result = call("train", "--list-tasks", **options)
    assert result.returncode == 0
    assert "echo: Letters, said twice:\n  --task.letters TEXT" in result.stdout and "100% of what" in result.stdout
    assert "--task.length N-N" in result.stdout and "--task.no-loud" in result.stdout
    assert [line.partition(" cannot be loaded")[0] for line in result.stderr.splitlines()] == [
        "train.py: task gone: echoing.nowhere:Gone",
        "train.py: task unnamed: echoing.tasks:Unnamed is not a Task whose name is 'unnamed'",
    ]
    task = ["--task", "echo", "--task.length", 2, "--task.loud", "--task.letters", "xyz"]
    result = call("train", *task, "--run-dir", "run", *SMALLEST, **options)
    assert result.returncode == 0, result.stderr
    assert call("solve", "--run", "run", "xy", **options).returncode == 0
    values = json.loads(call("evaluate", "--run", "run", "--json", **options).stdout)
    assert values["task"] == "echo"
    kept = json.loads((tmp_path / "run" / "config.json").read_text())["task"]
    assert kept == {"name": "echo", "letters": "xyz", "length": [2, 2], "loud": True, "most": 5}
    assert call("train", *task, "--run-dir", "run", "--resume", "--epochs", 2, **options).returncode == 0

    result = call("solve", "--run", "run", "xy", cwd=tmp_path)
    assert result.returncode == 1 and result.stderr.endswith(
        "its task 'echo' is not installed here; if it is your own: Solver(run, task=...)\n"
    )
    for name, status, message in [("gone", 1, "task gone: echoing"), ("chess", 2, "task: got 'chess', but it must be")]:
        result = call("train", "--task", name, **options)
        assert (result.returncode, result.stdout) == (status, "") and result.stderr.count("\n") == 1
        assert result.stderr.startswith(f"train.py: {message}")


def test_a_text_is_learned_scored_and_gone_on_with(tmp_path):
    (tmp_path / "text").write_text("so it is and so it was.\n" * 60)
    run = ["--run", tmp_path / "run"]
    small = ["--hidden-size", 16, "--epochs", 3, "--model", "char3"]
    result = call("train", "--task", "text", "--task.path", tmp_path / "text", *small, "--run-dir", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert "1439 characters of text, 11 different ones: " in result.stderr and " bits)" in result.stderr
    assert "held out, 23 characters between 1367 and 1437 of the text: " in result.stdout
    [tried] = re.findall(r"try: \S+ \S+/scripts/solve.py (.*)", result.stdout)
    assert call("solve", *shlex.split(tried)).stdout.startswith("so it is and so it w")

    shown = call("evaluate", *run)
    assert "held out, 23 characters" in shown.stdout and "bits) a character" in shown.stdout
    values = json.loads(call("evaluate", *run, "--json").stdout)
    assert values["held_out"]["n"] == 23 and values["train_distribution"]["nats"] > 0

    written = call("solve", *run, "--continue", "so ", "--characters", 30, "--temperature", 0.5, "--top-k", 4)
    assert written.returncode == 0 and written.stdout.startswith("so ") and len(written.stdout) == 3 + 30 + 1
    again = call("solve", *run, "--continue", "so ", "--characters", 30, "--temperature", 0.5, "--top-k", 4)
    assert again.stdout == written.stdout
    foretold = call("solve", *run, "--predict", "so it").stdout.splitlines()
    assert [line.partition(" -> ")[0] for line in foretold] == ["'so '", "'so i'", "'so it'"]
    for arguments, message in [
        (["--continue", "so"], "'so': has 2 characters, but the model has to read 3 first"),
        (["--continue", "so ", "more"], "--continue: continues one text"),
        (["--top-k", 3, "so "], "--top-k: goes with --continue"),
    ]:
        result = call("solve", *run, *arguments)
        assert result.returncode == 2 and message in result.stderr and len(result.stderr.splitlines()) == 1
    result = call("explain", *run, "so it")
    assert result.returncode == 2 and "a run of a text has no answers" in result.stderr


STEP = """
about = "Letters"
task = {{name = "text"}}
data = {{validation = 0.1, test = 0.1, split = "position"}}
model = {{model = "{model}", hidden_size = 4, layers = 1}}
training = {{epochs = {epochs}, batch_size = 32}}
"""


def test_all_steps_make_a_table_and_fill_a_page(tmp_path):
    folder, page, text = tmp_path / "recipes", tmp_path / "page.md", tmp_path / "text.txt"
    folder.mkdir()
    text.write_text(some_text())
    (folder / "01-char3.toml").write_text(STEP.format(model="char3", epochs=8))
    (folder / "05-rnn-sequence.toml").write_text(STEP.format(model="rnn-sequence", epochs=1))
    marks = ["01-char3", "05-rnn-sequence", "table", "identity"]
    page.write_text("First.\n" + "".join(f"<!-- measured: {name} -->\nold\n<!-- end -->\nThen.\n" for name in marks))
    options = [text, "--recipes", folder, "--runs", tmp_path / "runs", "--page", page, "--samples", 3]
    result = call("steps", *options)
    assert result.returncode == 0, result.stderr
    results = json.loads((tmp_path / "page.json").read_text())
    written = page.read_text()
    assert "old" not in written and written.count("Then.") == 4

    done = results["01-char3"]
    [run] = (tmp_path / "runs").glob("01-char3-*")
    solver = Solver(run)
    assert done["nats"] == pytest.approx(solver.evaluate().held_out.nats)
    assert [row["train_loss"] for row in solver.run.read_metrics()] == done["train_loss"]
    assert done["sample"] == solver.example + "".join(solver.continued(solver.example, 300, 0.7, seed=0))
    assert done["sample"] in written and 0 <= done["closed"] <= done["opened"]
    weights, _ = solver.run.read_arrays("best.safetensors")
    lowest = min(row["validation_loss"] for row in solver.run.read_metrics())
    row = f"| {lowest:.4f} | {done['train_loss'][7]:.3f} |  | 8 | {done['samples_per_second']:,.0f} | "
    assert f"{row}{sum(array.size for array in weights.values()):,} |" in written
    losses = [results[f"identity-relu-0.004-identity-{seed}"]["nats"] for seed in range(3)]
    assert f"{sum(losses) / 3:.4f} ({min(losses):.4f} to {max(losses):.4f}) |\n<!-- end -->" in written
    config = Solver(
        tmp_path / "runs" / f"identity-relu-0.004-identity-2-{results['identity-relu-0.004-identity-2']['digest']}"
    ).config
    assert (config.model.activation, config.training.learning_rate, config.model.identity, config.seed) == (
        "relu",
        0.004,
        True,
        2,
    )

    shutil.rmtree(tmp_path / "runs")
    assert call("steps", *options).returncode == 0 and not (tmp_path / "runs").exists()
    assert page.read_text() == written
    text.write_text(some_text(700))
    assert call("steps", *options, "--only", "01-char3").returncode == 0
    again = json.loads((tmp_path / "page.json").read_text())
    assert [name for name in results if again[name] != results[name]] == ["01-char3"]
    assert f"| 01-char3 | {again['01-char3']['nats']:.4f}" in page.read_text()
    assert "| 05-rnn-sequence |" not in page.read_text()  # what it reached was on another text
    assert "<!-- measured: 05-rnn-sequence -->\n<!-- end -->\n" in page.read_text()
    (folder / "05-rnn-sequence.toml").unlink()
    assert call("steps", *options).returncode == 0
    result = call("steps", *options, "--only", "02")
    assert (result.returncode, result.stderr) == (2, "steps.py: --only: no step 02\n")
    result = call("steps", *options, "--page", tmp_path / "none.md")
    assert result.returncode == 1 and result.stderr.count("\n") == 1 and "none.md" in result.stderr
    result = call("steps", tmp_path / "none.txt")
    assert result.returncode == 1 and result.stderr.count("\n") == 1 and "none.txt: cannot be read" in result.stderr


@pytest.mark.parametrize(
    "script, arguments",
    [
        ("train", ["--epochs", "x" * 10**5]),
        ("train", ["--preset", "x" * 10**5]),
        ("train", ["--recipe", "x" * 10**5]),
        ("train", ["--" + "x" * 10**5]),
        ("train", ["--seed", "9" * 9000]),
        ("train", ["--device", "x" * 10**5, "--task", "roman"]),
        ("solve", ["--run", "x" * 10**5]),
    ],
)
def test_an_error_cuts_what_it_quotes(script, arguments, tmp_path):
    result = call(script, *arguments, cwd=tmp_path)
    assert result.returncode in (1, 2) and result.stderr.count("\n") == 1 and len(result.stderr) < 400


@pytest.mark.parametrize("kept", ["3", '{"digest": "DIGEST"}', '{"digest": "DIGEST", "seeds": {"0": {"held_out": 3}}}'])
def test_results_of_another_form_are_one_line_before_anything_is_trained(kept, tmp_path):
    (tmp_path / "sums.toml").write_text(RECIPE)
    (tmp_path / "readme.md").write_text("<!-- written by scripts/recipes.py -->\n<!-- end -->\n")
    digest = load_recipe(tmp_path / "sums.toml").digest
    (tmp_path / "page.json").write_text(f'{{"sums": {kept.replace("DIGEST", digest)}}}')
    options = ["--recipes", tmp_path, "--runs", tmp_path / "runs", "--readme", tmp_path / "readme.md"]
    result = call("recipes", *options, "--page", tmp_path / "page.md")
    assert result.returncode == 2 and re.fullmatch("recipes.py: .*page.json: holds .*\n", result.stderr)
    assert not (tmp_path / "runs").exists() and not (tmp_path / "page.md").exists()
