"""The processes of an MPI job: the only module that imports mpi4py.

Only buffers are sent, so nothing that arrives is unpickled. Every wait is a loop that asks whether the message is there
and sleeps otherwise: a process that waits leaves its core to the others, and sees when it waits too long.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from seq2seq.engine.ranks import ALONE, Ranks, rows_of
from seq2seq.errors import Seq2SeqError, UsageError, is_number, require
from seq2seq.typing import Array

STALL = 300.0  # seconds
GRACE = 1.0  # seconds that the first process is ahead with an error that all have
PAUSE = 0.001  # maximum seconds between two questions whether a message has arrived ...
PART = 0.01  # ... and their part of the time waited so far: a message moves on only when it is asked for
# Variables with the number of processes, of MPICH and those made from it, and of Open MPI.
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
PMIX = ("PMIX_RANK", "SLURM_STEP_NUM_TASKS")  # of `srun --mpi=pmix`: the second has the number


def is_job() -> bool:
    """Whether this process was started as one of several by `mpiexec`, or by `srun --mpi`."""
    names = [*SIZES, *(PMIX[1:] if PMIX[0] in os.environ else ())]
    return any(os.environ.get(name, "1") not in ("", "0", "1") for name in names)


def ranks_of_job(stall: float = STALL) -> Ranks:
    """The processes of the MPI job that this process belongs to; itself alone if it was not started by MPI.

    Parameters
    ----------
    stall : float
        Seconds that a process waits for the others before it ends the job.

    Raises
    ------
    UsageError
        If `stall` is not a number above 0.
    Seq2SeqError
        If it is a job, and mpi4py is not installed or finds no MPI.
    """
    require(is_number(stall) and stall > 0, "stall", stall, "a number of seconds above 0")
    return MpiRanks(stall) if is_job() else ALONE


class MpiRanks(Ranks):
    """The processes of an MPI job.

    Parameters
    ----------
    stall : float
        Seconds that a process waits for the others before it ends the job.
    """

    def __init__(self, stall: float = STALL) -> None:
        self._mpi = MPI = _started(stall)
        self._comm = MPI.COMM_WORLD
        self._stall = stall
        self.number = self._comm.Get_rank()
        self.count = self._comm.Get_size()

    def gather(self, rows: Array, what: str) -> None:
        counts = np.array(rows_of(len(rows), self.count)) * rows.shape[1]
        starts = np.cumsum(counts) - counts
        self._wait(lambda: self._comm.Iallgatherv(self._mpi.IN_PLACE, [rows, counts, starts, self._mpi.FLOAT]), what)

    def broadcast(self, content: bytes, what: str) -> bytes:
        size = np.array([len(content)], np.int64)
        self._wait(lambda: self._comm.Ibcast(size), what)
        buffer = np.frombuffer(content, np.uint8).copy() if self.first else np.empty(int(size[0]), np.uint8)
        self._wait(lambda: self._comm.Ibcast(buffer), what)
        return buffer.tobytes()

    def _wait(self, send: Any, what: str) -> None:
        """Start a communication and wait for its end. Raises `Seq2SeqError` if it fails or takes too long."""
        started = time.monotonic()
        try:
            request = send()
            while not request.Test():
                waited = time.monotonic() - started
                if waited > self._stall:
                    raise Seq2SeqError(_stalled(self._stall, what))
                time.sleep(min(waited * PART, PAUSE))
        except self._mpi.Exception as error:
            raise Seq2SeqError(f"lost the other processes ({what}): {error.Get_error_string()}") from None

    def fail(self, error: BaseException) -> None:
        """Let the end of this process end the job. An error names the process, and the first process has the word."""
        from mpi4py.run import set_abort_status

        set_abort_status(2 if isinstance(error, UsageError) else 1)
        if not self.first:
            time.sleep(GRACE)
            if isinstance(error, Seq2SeqError):
                error.args = (f"{self.named}: {error}",)


def _started(stall: float) -> Any:
    """The module `MPI`, once all processes have started. If one of them does not start, this process ends."""
    try:
        import mpi4py

        mpi4py.rc.initialize = False  # its own start holds the lock of the interpreter, so nothing could watch it
        mpi4py.rc.finalize = True
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise Seq2SeqError(f"several processes need MPI: pip install 'mxseq2seq[mpi]' ({reason})") from None
    if not MPI.Is_initialized():
        start = ctypes.CDLL(MPI.__file__).MPI_Init_thread
        with _watched(stall):
            start(None, None, int(MPI.THREAD_MULTIPLE), ctypes.byref(ctypes.c_int()))
        MPI.COMM_WORLD.Set_errhandler(MPI.ERRORS_RETURN)
    return MPI


@contextmanager
def _watched(stall: float) -> Iterator[None]:
    """End this process with one line if the block takes longer than `stall` seconds: MPI gives no way to leave it."""

    def end() -> None:
        print(_stalled(stall, "start of MPI"), file=sys.stderr, flush=True)
        os._exit(1)

    watch = threading.Timer(min(stall, threading.TIMEOUT_MAX), end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _stalled(stall: float, what: str) -> str:
    return (
        f"waited {stall:g} s for the other processes ({what}); one of them or the network has stopped, or they need a "
        "longer --stall"
    )
