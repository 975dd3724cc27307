"""The commands with odd sources, in any locale, with streams that are closed or full, and interrupted at any moment."""

import fcntl
import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from seq2seq import Text, train
from tests.test_scripts import BEFORE, ROOT, TINY, call, command

LATIN, ASCII = {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LEARNED = {"epochs": 30, "hidden_size": 8, "layers": 1, "learning_rate": 0.03, "show_every": 0, "progress": False}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A run whose sources begin with a dash and whose targets have a line break, in letters that Latin-1 lacks."""
    path = tmp_path_factory.mktemp("runs") / "odd"
    return train([(f"-{number}", "ж\nж" if number else "ж") for number in range(60)], path, **LEARNED)


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    """A run of a text whose first line is a ruler."""
    path = tmp_path_factory.mktemp("runs") / "ruled"
    return train(Text(given="----------\nSome words\n" * 40), path, **{**LEARNED, "model": "char3", "epochs": 1})


def shell(line, **options):
    """What a POSIX shell makes of a line."""
    return subprocess.run(["sh", "-c", line], capture_output=True, timeout=200, **options)


def patched(script, code, *arguments, **options):
    """A script that some code comes before."""
    code = f"{BEFORE}\n{code}\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    words = command(script, *arguments, python=(sys.executable, "-c", code))
    return subprocess.run(words, capture_output=True, text=True, timeout=200, cwd=ROOT, **options)


# Sources that begin with a dash -------------------------------------------------------------------------------------


def test_a_source_may_begin_with_a_dash(odd):
    run = ["--run", odd.run.path]
    assert call("solve", *run, "-9", "--", "-1", "---").stdout == "ж\\nж\n" * 3
    assert call("solve", *run, "-9", "--steps").stdout == "-9 -> ж\\nж\n"
    assert call("solve", *run, "-9", "--best", 2).stdout.startswith("ж\\nж (")
    assert call("explain", *run, "-9").stdout.startswith("-9 -> ж\\nж\n")
    for symbol in (["--neighbours", "-"], ["--neighbours=-"]):
        assert call("explain", *run, *symbol).stdout.startswith("source, nearest to '-' by")
    assert "symbol: got '--', but" in call("explain", *run, "--neighbours=--").stderr


@pytest.mark.parametrize("prefix", [["--continue", "-----"], ["--continue=-----"], ["--continue=---"]])
def test_a_text_that_is_gone_on_with_may_begin_with_a_dash(ruled, prefix):
    result = call("solve", "--run", ruled.run.path, *prefix)
    assert result.returncode == 0 and result.stdout.startswith("---")


def test_what_may_be_an_option_is_none_behind_two_dashes(odd):
    run = ["--run", odd.run.path]
    for arguments, message in [
        (
            ["-x9"],
            "solve.py: unrecognized arguments: -x9; a source that begins with a dash and a letter comes after --",
        ),
        (["--stepz"], "solve.py: unrecognized arguments: --stepz; a source"),
        (["--", "-x9"], "solve.py: argument 1: '-x9': 'x' is not among the characters"),
    ]:
        result = call("solve", *run, *arguments)
        assert (result.returncode, result.stdout.strip()) == (2, "") and result.stderr.startswith(message)
    assert "unrecognized arguments: --9\n" in call("evaluate", "--9").stderr


ODD_NAME = os.fsdecode(b"-odd \xff'$(date)\n\xd0\xb6")


SHELLISH = [['it\'s\n"ж"\\ $HOME `date` %s!\t', "x"], ["-n\n\n", "y"]]


@pytest.mark.parametrize(
    "locale, rows, model",
    [
        ({}, [["-9%d", "x"], ["-8%d", "y"]], None),
        (LATIN, SHELLISH, None),
        (ASCII, SHELLISH, None),
        ({}, ["-----", "---"] * 30, "char3"),
        (ASCII, ["ж", "é", ""] * 30, "char3"),  # no line has as many characters as the model has to read
    ],
    ids=["a dash", "Latin-1", "ASCII", "a ruler", "short lines"],
)
def test_the_command_that_train_prints_works_as_it_is_printed(tmp_path, locale, rows, model):
    options = {"cwd": tmp_path, "env": {**os.environ, **locale}}
    if model:
        (tmp_path / "x.txt").write_text("\n".join(rows), encoding="utf-8")
        task = ["--task", "text", "--task.path", "x.txt", "--model", model]
    else:
        (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
        task = ["--task", "pairs", "--task.path", "x.jsonl", "--split", "none", "--examples", 20, "--test", 5]
    small = ["--hidden-size", 4, "--epochs", 1, "--show-every", 0]
    result = call("train", *task, *small, f"--run-dir={ODD_NAME}", text=False, **options)
    assert result.returncode == 0, result.stderr
    tried = result.stdout.partition(b"try: ")[2]
    result = shell(os.fsdecode(tried), **options)
    assert (result.returncode, result.stderr) == (0, b"") and result.stdout.endswith(b"\n")


@pytest.mark.parametrize("locale", [{}, LATIN, ASCII])
def test_a_word_is_quoted_for_any_shell_and_any_locale(locale):
    words = [
        b"plain/run-1",
        b"",
        b"it's",
        b'$HOME `x` "y"',
        b"a\nb",
        b"\n\n",
        b"100%d\\n",
        b"\xff\xfe",
        "жé猫".encode(),
    ]
    code = (
        "import sys; from seq2seq.cli.quoting import quote;"
        "print(*[quote(bytes.fromhex(word)) for word in sys.argv[1:]], sep='\\0', end='')"
    )
    written = subprocess.run(
        [sys.executable, "-c", code, *[word.hex() for word in words]], capture_output=True, timeout=200,
        cwd=ROOT, env={**os.environ, **locale},
    ).stdout  # fmt: skip
    for word, quoted in zip(words, written.split(b"\0")):
        assert shell(os.fsdecode(b"printf %s " + quoted)).stdout == word


# Any locale ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", [LATIN, ASCII])
def test_what_a_stream_cannot_write_is_escaped(odd, tmp_path, locale):
    env = {**os.environ, **locale}
    (tmp_path / "x.tsv").write_text("".join(f"ж{number}\t{number}\n" for number in range(40)), encoding="utf-8")
    (tmp_path / "page.md").write_text("")
    run, absent = ["--run", odd.run.path], "ж"
    small = ["--hidden-size", 4, "--epochs", 1]
    for script, arguments, status, shown in [
        ("solve", [*run, "-7"], 0, "\\u0436\\n\\u0436"),
        ("solve", [*run, "-7", "--best", 2], 0, "\\u0436\\n\\u0436 ("),
        ("explain", [*run, "-7"], 0, "'\\u0436'"),
        ("evaluate", run, 0, "exact match"),
        ("evaluate", [*run, "--json"], 0, '"task": "pairs"'),
        ("train", ["--task", "pairs", "--task.path", "x.tsv", *small, "--run-dir", "ж"], 0, "\\u0436"),
        ("recipes", ["--only", absent], 2, "--only: no recipe"),
        ("steps", [absent, "--page", "page.md"], 1, "cannot be read"),
    ]:
        result = call(script, *arguments, env=env, cwd=tmp_path, text=False)
        said = result.stdout + result.stderr
        assert b"Traceback" not in said and result.returncode == status, (script, arguments, said)
        assert shown in said.decode("ascii"), (script, arguments)


def test_a_source_is_utf_8_in_any_locale(odd):
    for locale in ({}, LATIN, ASCII):
        options = {"env": {**os.environ, **locale}, "text": False}
        results = [
            call("solve", "--run", odd.run.path, "ж", **options),
            call("solve", "--run", odd.run.path, input="ж\n".encode(), **options),
        ]
        assert [result.returncode for result in results] == [0, 0]
        assert results[0].stdout == results[1].stdout != b"\n"


# Lines --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_byte_order_mark_is_passed_over(odd, solved, ends):
    run = ["--run", solved.run.path]
    for text in (b"\xef\xbb\xbf3+4" + ends + b"5+6" + ends, b"\xef\xbb\xbf3+4"):
        result = call("solve", *run, input=text, text=False)
        assert (result.returncode, result.stdout) == (0, b"7\n11\n"[: 2 + 3 * (b"5" in text)])
    assert call("solve", *run, "\ufeff3+4").stdout == "7\n"
    result = call("solve", *run, input=b"3+4\n\xef\xbb\xbf3+4\n", text=False)
    assert b"line 2: '\\ufeff3+4': U+FEFF ZERO WIDTH NO-BREAK SPACE is not" in result.stderr


def test_a_mark_that_comes_in_pieces_is_passed_over(solved):
    words = command("solve", "--run", solved.run.path)
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    for piece in (b"\xef\xbb", b"\xbf3+", b"4\n"):
        process.stdin.write(piece)
        process.stdin.flush()
    assert process.communicate(timeout=60)[0] == b"7\n"


def test_every_source_has_one_line(odd):
    run = ["--run", odd.run.path]
    for arguments in ([], ["--steps"], ["--best", 2]):
        result = call("solve", *run, *arguments, input="-7\n-8\n")
        assert len(result.stdout.splitlines()) == 2 and result.stdout.count("ж\\nж") >= 2
    assert "'\\n'" in call("explain", *run, "-7").stdout
    for line in call("evaluate", *run).stdout.splitlines():
        assert not line.startswith("ж")


# Streams that are closed or full ------------------------------------------------------------------------------------


def test_messages_do_not_go_among_the_answers_where_stderr_is_closed(solved, tmp_path):
    words = shlex.join(command("solve", "--run", solved.run.path))
    result = shell(f"printf '3+4\\n3x4\\n5+6\\n' | {words} 2>&-")
    assert (result.returncode, result.stdout, result.stderr) == (2, b"7\n\n11\n", b"")
    result = shell(f"{shlex.join(command('train', *TINY, '--epochs', 1))} 2>&-", cwd=tmp_path)
    assert result.returncode == 0 and b"held-out exact match" in result.stdout and result.stderr == b""


def test_no_file_takes_the_number_of_a_stream_that_is_closed(solved):
    code = (
        "import seq2seq, atexit\natexit.register(lambda: print([os.readlink(f'/proc/self/fd/{n}') for n in range(3)]))"
    )
    words = command("solve", "--run", solved.run.path, "1+1", python=(sys.executable, "-c", f"{BEFORE}\n{code}\n" + (
        "runpy.run_path(sys.argv[0], run_name='__main__')")))  # fmt: skip
    result = shell(f"{shlex.join(words)} <&- 2>&- | cat", cwd=ROOT)
    answer, numbers = result.stdout.decode().splitlines()
    streams = eval(numbers)
    assert answer == "2" and streams[0] == streams[2] == "/dev/null" and streams[1].startswith("pipe:")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "script, arguments",
    [
        ("solve", ["3+4"]),
        ("solve", ["--help"]),
        ("explain", ["3+4"]),
        ("evaluate", ["--json"]),
        ("train", ["--list-tasks"]),
    ],
)
def test_a_full_stdout_is_one_line_from_every_script(run_copy, script, arguments, unbuffered):
    run = [] if script == "train" else ["--run", run_copy.path]
    result = shell(f"{shlex.join(command(script, *run, *arguments))} > /dev/full", env={
        **os.environ, "PYTHONUNBUFFERED": unbuffered})  # fmt: skip
    assert result.returncode == 1
    assert result.stderr.decode() == f"{script}.py: [Errno 28] No space left on device\n"


def test_a_full_stderr_does_not_change_how_a_script_ends(solved, tmp_path):
    words = shlex.join(command("solve", "--run", solved.run.path, "3x4", "5+6"))
    assert shell(f"{words} 2> /dev/full").returncode == 2
    assert shell(f"{words} 2> /dev/full").stdout == b"\n11\n"
    assert shell(f"{shlex.join(command('train', *TINY, '--epochs', 2))} 2> /dev/full", cwd=tmp_path).returncode == 0


# Ctrl-C -------------------------------------------------------------------------------------------------------------

KILL = "os.kill(os.getpid(), 2)"
IMPORTING = f"""
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            {KILL}
sys.meta_path.insert(0, Interrupt())
"""
BUILDING = "import seq2seq.experiment\ndef build(*arguments):\n    {}\nseq2seq.experiment.build_dataset = build"


@pytest.mark.parametrize(
    "code",
    [
        IMPORTING,
        BUILDING.format(KILL),
        BUILDING.format(
            f"import ctypes; ctypes.CFUNCTYPE(None)(lambda: {KILL})()"
        ),  # an exception there is passed over
        BUILDING.format(f"\n    try:\n        {KILL}\n    finally:\n        {KILL}"),
        BUILDING.format(f"\n    try:\n        {KILL}\n    except KeyboardInterrupt:\n        {KILL}"),
        f"class Last:\n    def __del__(self): {KILL}\n" + BUILDING.format("Last()"),
    ],
    ids=["imports", "data", "a callback", "finally", "except", "del"],
)
def test_ctrl_c_at_any_moment_is_one_line(tmp_path, code):
    result = patched("train", code, *TINY, "--run-dir", tmp_path / "run")
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "train.py: interrupted\n")
    # It may leave the folder that it had claimed, which is no run yet: the next start takes it over.
    assert not list(tmp_path.glob("*/config.json"))
    assert shell(shlex.join(command("train", *TINY, "--run-dir", tmp_path / "run"))).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("script", ["solve", "evaluate", "explain", "recipes", "steps"])
def test_ctrl_c_while_a_script_is_loaded_is_one_line(script):
    result = patched(script, IMPORTING)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", f"{script}.py: interrupted\n")


def test_ctrl_c_when_all_is_said_says_nothing(solved):
    result = patched("solve", f"import atexit\natexit.register(lambda: {KILL})", "--run", solved.run.path, "3+4")
    assert (result.returncode, result.stdout, result.stderr) == (-signal.SIGINT, "7\n", "")


@pytest.mark.parametrize("times", [2, 3])
def test_ctrl_c_again_while_training_is_one_line(tmp_path, times):
    code = (
        "import seq2seq.engine.trainer\n"
        f"def step(self, batch):\n    for _ in range({times}): {KILL}\n"
        "    raise AssertionError('it went on')\n"
        "seq2seq.engine.trainer.Trainer._step = step"
    )
    result = patched("train", code, *TINY, "--run-dir", tmp_path / "run")
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "train.py: interrupted\n"


def test_ctrl_c_stays_ignored_in_a_script_that_a_shell_starts_with_an_ampersand(tmp_path):
    code = "import seq2seq.experiment\nbefore = seq2seq.experiment.build_dataset\ndef build(*arguments):\n" + (
        f"    {KILL}\n    return before(*arguments)\nseq2seq.experiment.build_dataset = build"
    )
    ignored = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    result = patched("train", code, *TINY, "--epochs", 1, "--run-dir", tmp_path / "run", **ignored)
    assert result.returncode == 0 and "held-out exact match" in result.stdout


# The prompt ---------------------------------------------------------------------------------------------------------


def at_a_terminal(run, typed, env=()):
    """What a terminal shows, and the status, when this is typed at the prompt, a line each."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("solve", "--run", run), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "dumb", **dict(env)}, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    seen = b""
    for line in typed:
        while not seen.endswith(b"> "):
            seen += os.read(master, 1000)
        seen += b"|"
        os.write(master, line)
    try:
        while True:
            # Python misses a Ctrl-C that comes just before it waits for a line: type it again, as a person would.
            while not select.select([master], [], [], 10)[0]:
                os.write(master, typed[-1])
            seen += os.read(master, 1000)
    except OSError:  # the other end is closed
        os.close(master)
    return seen.decode(errors="replace"), process.wait(30)


@pytest.mark.parametrize("end", [b"\x04", b"\x03"])
def test_the_prompt_takes_whatever_is_typed(odd, end):
    typed = [b"-7\n", b"\xef\xbb\xbf-7\n", b"\xff\n", b"\n", "е\n".encode()]
    seen, status = at_a_terminal(odd.run.path, [*typed, end], {"PYTHONIOENCODING": "utf-8"})
    assert status == 0 and "Traceback" not in seen
    assert seen.count("ж\\nж    (") == 2 and "the source is empty" in seen
    assert "U+DCFF is not among" in seen and "(U+0435 CYRILLIC SMALL LETTER IE) is not among" in seen


@pytest.mark.parametrize("locale", [LATIN, ASCII])
def test_the_prompt_in_any_locale(odd, locale):
    seen, status = at_a_terminal(odd.run.path, [b"-7\n", b"\x04"], locale)
    assert status == 0 and "\\u0436\\n\\u0436    (" in seen and "Traceback" not in seen


def test_answers_to_what_is_typed_go_to_a_file_alone(odd, tmp_path):
    with open(tmp_path / "answers", "wb") as answers:
        master, slave = pty.openpty()
        process = subprocess.Popen(command("solve", "--run", odd.run.path), stdin=slave, stdout=answers)
        os.close(slave)
        os.write(master, b"-7\n\x04")
        assert process.wait(60) == 0
        os.close(master)
    assert (tmp_path / "answers").read_text() == "ж\\nж\n"


# Wrong use of the scripts that write pages --------------------------------------------------------------------------


def test_pages_and_results_that_are_none_are_one_line(tmp_path):
    (tmp_path / "page.md").write_bytes(b"\xff")
    (tmp_path / "good.md").write_text("<!-- written by scripts/recipes.py -->\n<!-- end -->\n")
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "05-rnn-sequence.toml").write_bytes(b"\xef\xbb\xbf" + b'about = "x"\ntask = {name = "copy"}\n')
    (tmp_path / "text.txt").write_text("text " * 50)
    options = ["--recipes", recipes]
    for script, arguments, message in [
        ("steps", ["text.txt", *options, "--page", "page.md"], "page.md: is not UTF-8"),
        ("steps", ["text.txt", *options, "--page", "good.md"], "its task is copy, but a step is of the task text"),
        ("recipes", [*options, "--page", "new.md", "--readme", "page.md"], "page.md: is not UTF-8"),
        ("recipes", ["--recipes", "none", "--page", "new.md"], "--recipes: none holds no recipe"),
        ("recipes", ["--page=--", "--readme=--"], "--: cannot be read: No such file or directory"),
    ]:
        result = call(script, *arguments, cwd=tmp_path)
        assert result.returncode in (1, 2) and message in result.stderr and result.stderr.count("\n") == 1
    (tmp_path / "good.json").write_text("[")
    for script, file in (("steps", ["text.txt"]), ("recipes", ["--readme", "good.md"])):
        result = call(script, *file, *options, "--page", "good.md", cwd=tmp_path)
        assert (result.returncode, result.stderr) == (2, f"{script}.py: good.json: holds no results in JSON\n")
    assert not Path(tmp_path / "new.md").exists()
