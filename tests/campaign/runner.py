"""A command in a child process, and whether its end is a good one."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import runpy
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 20  # of a processor's time, ...
WAIT = 60  # ... or of a clock, since a machine may have other work to do
MEMORY = 2 * 2**30
LONGEST = 2000  # characters of a line on stderr
# What MXNet and Python print when something has gone wrong inside.
INSIDE = re.compile(r"Traceback|^\[\d\d:\d\d:\d\d\]|Stack trace|Segmentation fault|^Exception ignored", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A script with its arguments, and what it reads.

    Attributes
    ----------
    before : callable, optional
        What is done first in the child process.
    """

    script: str
    arguments: tuple[str, ...]
    stdin: bytes = b""
    before: Callable[[], None] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        cut = (each if len(each) < 100 else f"{each[:60]}... ({len(each)} characters)" for each in self.arguments)
        return " ".join([f"{self.script}.py", *map(ascii, cut)])


@dataclass(frozen=True)
class Check:
    """What is checked: how it was drawn, the commands, and what is looked at after them, which gives what is wrong."""

    told: str
    commands: list[Command]
    after: Callable[[], list[str]] = list


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, below 0 the signal that ended it, or None if it took too long."""

    status: int | None
    out: bytes
    err: bytes
    seconds: float
    memory: int


def run(command: Command, folder: Path, seconds: float = WAIT) -> Ended:
    """Run a command in a folder; after so many seconds, it is killed."""
    streams = [folder.parent / f"{folder.name}.{name}" for name in ("in", "out", "err")]
    for path, content in zip(streams, (command.stdin, b"", b"")):
        path.write_bytes(content)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _be(command, folder, streams)
    ended, code, usage = 0, 0, None
    while not ended:
        ended, code, usage = os.wait4(child, os.WNOHANG)
        if not ended and time.monotonic() - started > seconds:
            os.kill(child, signal.SIGKILL)
            ended, code, usage = os.wait4(child, 0)
            code = None
        elif not ended:
            time.sleep(0.003)
    status = None if code is None else os.waitstatus_to_exitcode(code)
    _, out, err = (path.read_bytes() for path in streams)
    for path in streams:
        path.unlink()
    return Ended(status, out, err, time.monotonic() - started, usage.ru_maxrss * 1024)


def _be(command: Command, folder: Path, streams: list[Path]) -> None:
    """Be the command, in a child process."""
    status = 70
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))
        os.chdir(folder)
        os.environ.update(HOME=str(folder / "home"), MPLCONFIGDIR=str(folder.parent / "matplotlib"))
        for number, path in enumerate(streams):
            handle = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY)
            os.dup2(handle, number)
            os.close(handle)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        script = ROOT / "scripts" / f"{command.script}.py"
        sys.argv = [str(script), *command.arguments]
        sys.path.insert(0, str(script.parent))
        if command.before is not None:
            command.before()
        runpy.run_path(str(script), run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def fault(command: Command, ended: Ended) -> str | None:
    """What is wrong with the end of a command; None if nothing is."""
    err = ended.err.decode(errors="replace")
    lines = err.splitlines()
    own = [number for number, line in enumerate(lines) if line.startswith(f"{command.script}.py: ")]
    if ended.status in (None, -signal.SIGXCPU, -signal.SIGKILL):
        return f"takes over {SECONDS if ended.status else WAIT} s"
    if ended.status < 0:
        return f"ended by {signal.Signals(-ended.status).name}"
    if INSIDE.search(err):
        return "prints what is inside: " + next((line for line in reversed(lines) if line.strip()), "")[:200]
    if ended.status not in (0, 1, 2, 130):
        return f"status {ended.status}"
    if ended.memory > MEMORY:
        return f"takes {ended.memory / 2**30:.1f} GB"
    if any(len(line) > LONGEST for line in lines):
        return f"a line of {max(map(len, lines))} characters"
    if ended.status not in (0, 130) and not lines:
        return f"status {ended.status} without a line that says why"
    if ended.status != 0 and own and len(lines) - own[0] != len(own):
        return f"an error of several lines: {lines[own[0]][:200]}"
    return None


def state_of(folder: Path) -> dict[str, str]:
    """What is in a folder: of each file its kind, rights and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = f"{status.st_mode:o} {hashlib.sha256(content).hexdigest()}"
    return found
