"""Compiles the operator, once for each machine, and loads it.

MXNet's wheel has what an operator needs: its headers, and a source file that is compiled with it. The result is kept in
the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from seq2seq.errors import UsageError, cut, require
from seq2seq.files import shown
from seq2seq.mx import Device, mx
from seq2seq.places import cache_folder

HERE = Path(__file__).parent
SOURCES = ("lstm.cc", "lstm.h")
FLAGS = (
    "-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-shared",
    "-fPIC",
)  # fmt: skip
SECONDS = 600  # for the compiler
LEFT_OUT = "train a new run without lstm, with MXNet's LSTM"


@cache
def load() -> None:
    """Make the operator `seq2seq_lstm` known to MXNet, and compile it if that has not been done on this machine.

    Raises
    ------
    UsageError
        If it cannot be compiled or loaded.
    """
    path = library()
    try:
        mx.library.load(str(path), verbose=False)
    except mx.base.MXNetError:
        raise UsageError(f"lstm: {shown(path)} is damaged, or of another machine; delete it, or {LEFT_OUT}") from None


def prepare(device: Device, note: Callable[[str], None]) -> None:
    """Compile the operator if need be, with a note that says so.

    Parameters
    ----------
    device : mxnet.Context
    note : callable

    Raises
    ------
    UsageError
        If the device is not a CPU, or the operator cannot be compiled.
    """
    require(device.device_type == "cpu", "lstm", "compiled", "mxnet on a GPU")
    if not _path().exists():
        note("compiling the LSTM for this machine; this is done once and takes about 10 s")
        library()


def library() -> Path:
    """The compiled operator, compiled first if need be.

    Raises
    ------
    UsageError
        If there is no compiler, or it fails.
    """
    path = _path()
    if path.exists():
        return path
    partial = path.with_name(f".{os.getpid()}.so")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _compile(partial)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"lstm: {shown(path)} cannot be written ({error.strerror}); {LEFT_OUT}") from None
    finally:
        with suppress(OSError):
            partial.unlink()
    return path


def _compile(out: Path) -> None:
    mxnet = Path(mx.__file__).parent
    compiler = os.environ.get("CXX") or "g++"
    sources = [str(HERE / "lstm.cc"), str(mxnet / "src" / "lib_api.cc")]
    command = [*compiler.split(), *FLAGS, f"-I{mxnet / 'include'}", *sources, "-o", str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError:
        raise UsageError(
            f"lstm: compiled needs the C++ compiler {compiler}, which is not installed (on Debian and Ubuntu: "
            f"apt-get install g++); install it, or name another in CXX, or {LEFT_OUT}"
        ) from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"lstm: {compiler} took more than {SECONDS} s; {LEFT_OUT}") from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), f"status {done.returncode}")
        raise UsageError(f"lstm: {compiler} failed: {cut(said, 200)}; {LEFT_OUT}")


def _path() -> Path:
    """Where the operator is kept: other sources, another MXNet and another kind of processor have another file."""
    parts = [*((HERE / name).read_bytes() for name in SOURCES), " ".join(FLAGS).encode(), mx.__version__.encode()]
    parts.append(_processor().encode())
    return cache_folder() / f"lstm-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}" / "lstm.so"


def _processor() -> str:
    """The processor's instructions, for which the operator is compiled."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
