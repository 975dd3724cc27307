"""Starts a training again after a crash, as a scheduler would."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from typing import Any, Callable

from seq2seq.cli import invocation
from seq2seq.errors import UsageError, quoted, require
from seq2seq.folders import CONFIG
from seq2seq.mpi import is_job
from seq2seq.runs import OPTIMIZER, Run

OWN = ("--restarts", "--launcher")  # options with a value that a training itself does not get
INTERRUPTED = 130
LAST = (0, 2, INTERRUPTED)  # exit statuses after which there is nothing to try again: done, wrong use, interrupted


def restarting(run_dir: str | None, restarts: int, launcher: str | None, say: Callable[[str], None]) -> int:
    """Train in a child process, and resume after a crash if the state that was saved has moved on.

    Parameters
    ----------
    run_dir : str
    restarts : int
        Most restarts.
    launcher : str, optional
        A command that starts the training as one of several processes, as in a shell.
    say : callable
        Prints a line on stderr.

    Returns
    -------
    int
        The exit status of the last training.

    Raises
    ------
    UsageError
        If there is no `run_dir`, a value is not allowed, or this process is already one of an MPI job.
    """
    require(restarts >= 0, "restarts", restarts, "a whole number from 0")
    if not restarts:
        raise UsageError("launcher: goes with --restarts N, the number of times that the training may be resumed")
    if not run_dir:
        raise UsageError("restarts: goes with --run-dir DIR, the run that is resumed")
    if is_job():
        raise UsageError("restarts: not inside mpiexec; start one process, with --launcher 'mpiexec -n N'")
    command = [*_words(launcher), *_training()]
    again = command if "--resume" in command else [*command, "--resume"]
    run = Run(run_dir)
    begun = _state(run, CONFIG)  # a training writes it when it begins
    saved = _state(run, OPTIMIZER)
    status = _run(command)
    for left in reversed(range(restarts)):
        before, saved = saved, _state(run, OPTIMIZER)
        if status in LAST:
            break
        if saved == before:
            say(f"{invocation.name()}: ended with status {status} before anything new was saved; not started again")
            break
        say(f"{invocation.name()}: ended with status {status}; resumed ({left} restarts left)")
        status = _run(again)
    if status == 0 and _state(run, CONFIG) == begun:
        say(f"{invocation.name()}: ended with status 0, but nothing was trained in {run.shown}; see --launcher")
        return 1
    return status if status >= 0 else 1


def _words(launcher: str | None) -> list[str]:
    """The words of a launcher; none without one. Raises `UsageError` if it has none, or an open quotation."""
    if launcher is None:
        return []
    allowed = "a command that starts the training, such as 'mpiexec -n 4'"
    try:
        words = shlex.split(launcher)
    except ValueError as error:
        raise UsageError(f"launcher: got {quoted(launcher)}, but it must be {allowed} ({error})") from None
    require(bool(words), "launcher", launcher, allowed)
    return words


def _training() -> list[str]:
    """The command that was started, without the options of `OWN`."""
    started = sys.argv[:1] if invocation.is_script() else ["-m", "seq2seq", invocation.command()]
    return [sys.executable, *started, *invocation.arguments(*OWN)]


def _state(run: Run, name: str) -> Any:
    """What tells apart two states of a file in a run; None if it is not there."""
    try:
        with open(run.path / name, "rb") as file:  # to open it gets its state anew over a network
            status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _run(command: list[str]) -> int:
    """Run a command, and pass signals that stop a training on to it. The end of a terminal, SIGHUP, stops it too.

    Returns its exit status, or minus the signal that killed it. If a signal was passed on and it was not done, that is
    the status of a training that was stopped.
    """
    try:
        child = subprocess.Popen(command, start_new_session=True)  # a terminal would send it Ctrl-C a second time
    except OSError as error:
        raise UsageError(f"launcher: {command[0]} cannot be started: {error.strerror}") from None
    stopped = False

    def stop(number: int, frame: Any) -> None:
        nonlocal stopped
        stopped = True
        child.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if before[signal.SIGHUP] == signal.SIG_IGN:  # by nohup
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, stop)
    try:
        status = child.wait()
        return INTERRUPTED if stopped and status else status
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
