import errno
import os
import subprocess
import sys
from unittest.mock import Mock

import pytest

from seq2seq import RunError
from seq2seq.folders import UNFINISHED, make, take
from seq2seq.runs import FILES

CLAIM = """
import sys, time
from pathlib import Path
from seq2seq.folders import take
from seq2seq.runs import FILES
hold = take(Path(sys.argv[1]), FILES)
for name in sys.argv[2:]:
    (hold.path / name).touch()
print(flush=True)
time.sleep(60)
"""


@pytest.fixture
def another():
    """Another process that has a folder, with files of these names in it: the process, to be killed."""
    processes = []

    def begin(path, *names):
        process = subprocess.Popen([sys.executable, "-c", CLAIM, path, *names], stdout=subprocess.PIPE)
        processes.append(process)
        process.stdout.readline()
        return process

    yield begin
    for process in processes:
        killed(process)


def killed(*processes):
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def begin(hold):
    """Begin a run there, as far as its folder is concerned."""
    (hold.path / "config.json").touch()
    (hold.path / UNFINISHED).unlink()


def all_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_folder_in_which_no_run_was_begun_is_removed_with_those_made_for_it(tmp_path):
    with pytest.raises(KeyError), take(tmp_path / "a" / "b" / "run", FILES) as hold:
        (hold.path / "best.safetensors").touch()
        raise KeyError
    assert all_of(tmp_path) == []


def test_a_folder_in_which_a_run_was_begun_stays(tmp_path):
    with pytest.raises(KeyError), take(tmp_path / "run", FILES) as hold:
        begin(hold)
        raise KeyError
    assert all_of(tmp_path) == ["run", "run/config.json"]
    with take(tmp_path / "run", FILES) as hold:
        assert hold.locked
    assert all_of(tmp_path) == ["run", "run/config.json"]


@pytest.mark.parametrize("link", [False, True])
def test_an_empty_folder_is_filled_in_place_and_else_left_empty(tmp_path, link):
    path = tmp_path / "mine"
    path.mkdir()
    if link:
        path = tmp_path / "link"
        path.symlink_to("mine")
    number = path.stat().st_ino
    with pytest.raises(KeyError), take(path, FILES) as hold:
        (path / "metrics.csv").touch()
        raise KeyError
    assert path.stat().st_ino == number and os.listdir(path) == []
    with take(path, FILES) as hold:
        begin(hold)
    assert path.stat().st_ino == number and os.listdir(path) == ["config.json"] and path.is_symlink() == link


def test_folders_that_cannot_be_taken(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "best.safetensors").touch()
    (tmp_path / "link").symlink_to("nowhere")
    before = all_of(tmp_path)
    for name, message in {
        "mine": r"is not a run \(there is no config.json\), but holds thesis\.tex; choose another folder",
        "lost": r"is not a run .* but holds best\.safetensors",
        "mine/thesis.tex": "cannot be made a run folder: Not a directory",
        "mine/thesis.tex/run": "cannot be made a run folder: Not a directory",
        "link": "cannot be made a run folder: No such file or directory",
        "x" * 300: "cannot be made a run folder: File name too long",
        "a\nb/" + "x" * 300: r"a\\nb/x+: cannot be made a run folder: File name too long",
    }.items():
        with pytest.raises(RunError, match=message):
            take(tmp_path / name, FILES)
    assert all_of(tmp_path) == before


def test_a_folder_is_made_by_one_process_and_the_next_takes_the_next_name(tmp_path, another):
    names = [tmp_path / name for name in "abc"]
    another(names[0])
    with make(iter(names), FILES) as hold:
        assert hold.path == names[1]
        begin(hold)
    with pytest.raises(RunError, match="another process is making this run"):
        take(names[0], FILES)
    with take(names[1], FILES), pytest.raises(RunError, match="another process is training into this run"):
        take(names[1], FILES)


def test_what_a_killed_process_left_is_taken_over(tmp_path, another):
    path = tmp_path / "run"
    killed(another(path, "best.safetensors", "rates.json", f".metrics.csv.{'0' * 16}.tmp"))
    assert len(os.listdir(path)) == 4
    with pytest.raises(KeyError), take(path, FILES) as hold:
        assert os.listdir(path) == [UNFINISHED]
        raise KeyError
    assert all_of(tmp_path) == []
    path.mkdir()
    killed(another(path, "best.safetensors"))
    with pytest.raises(KeyError), take(path, FILES) as hold:
        assert os.listdir(path) == [UNFINISHED]
        raise KeyError
    assert os.listdir(path) == []
    killed(another(path, "best.safetensors"))
    with take(path, FILES) as hold:
        begin(hold)
    assert os.listdir(path) == ["config.json"]


def test_what_a_killed_process_left_beside_it_is_cleared(tmp_path, another):
    (tmp_path / "mine").mkdir()
    (tmp_path / f".of-another-program.{'0' * 32}").mkdir()
    killed(*(another(tmp_path / name, "best.safetensors") for name in ("mine", "left")))
    live = another(tmp_path / "live", "best.safetensors")
    for name, files in {"run": ["config.json", "best.safetensors"], "other": ["config.json", "thesis.tex"]}.items():
        earlier = tmp_path / f".{name}.{'0' * 32}"
        earlier.mkdir()
        for file in files:
            (earlier / file).touch()
    with take(tmp_path / "run", FILES) as hold:
        begin(hold)
    kept = ["live", "mine", "run", f".other.{'0' * 32}", f".of-another-program.{'0' * 32}"]
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    assert len(os.listdir(tmp_path / "live")) == 2 and live.poll() is None
    assert len(os.listdir(tmp_path / f".other.{'0' * 32}")) == 2


def test_nothing_but_files_of_a_run_is_cleared(tmp_path, another):
    killed(*(another(tmp_path / name, "best.safetensors") for name in ("link", "folder", "foreign")))
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "link" / "metrics.csv").symlink_to(tmp_path / "victim")
    (tmp_path / "folder" / "metrics.csv").mkdir()
    (tmp_path / "foreign" / "thesis.tex").touch()
    before = all_of(tmp_path)
    for name in ("link", "folder", "foreign"):
        with pytest.raises(RunError, match="is not a run"):
            take(tmp_path / name, FILES)
    assert all_of(tmp_path) == before


def test_what_is_not_kept_apart_by_locks_is_not_cleared(tmp_path, another, monkeypatch):
    killed(another(tmp_path / "left", "best.safetensors"))
    no_locks = OSError(errno.ENOLCK, "No locks available")
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=no_locks))
    with take(tmp_path / "run", FILES) as hold:
        assert not hold.locked
        begin(hold)
    with pytest.raises(RunError, match=r"left: is not a run .* but holds \.unfinished"):
        take(tmp_path / "left", FILES)


def test_a_folder_that_cannot_be_written_into_is_removed_if_it_was_made(tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("seq2seq.folders._mark", Mock(side_effect=full))
    with pytest.raises(RunError, match="run: cannot be made a run folder: No space left on device"):
        take(tmp_path / "above" / "run", FILES)
    assert all_of(tmp_path) == []


RACE = """
import os, sys
from pathlib import Path
from seq2seq import RunError
from seq2seq.folders import take
from seq2seq.runs import FILES
sys.stdin.readline()
try:
    with take(Path(sys.argv[1]), FILES) as hold:
        (hold.path / "config.json").touch(exist_ok=False)
        os.unlink(hold.path / ".unfinished")
        print("made")
        sys.stdout.flush()
        sys.stdin.readline()
except RunError as error:
    print(error)
"""


def test_of_many_processes_one_makes_the_run(tmp_path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, tmp_path / "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    told = sorted(racer.stdout.readline() for racer in racers)
    for racer in racers:
        racer.communicate()
    assert told[-1] == "made\n"
    assert all("another process is" in line for line in told[:-1])
    assert all_of(tmp_path) == ["run", "run/config.json"]
