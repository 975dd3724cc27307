"""Compiles the operator, once for each machine, and loads it.

MXNet's wheel has what an operator needs: its headers, and a source file that is compiled with it. The result is kept in
the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

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
OTHERWISE = "use lstm mxnet (a resumed run keeps its own; with start_from, another begins with its weights)"


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
        raise UsageError(f"lstm: {shown(path)} cannot be loaded here; {OTHERWISE}") from None


def prepare(device: Device, note: Callable[[str], None]) -> None:
    """Compile the operator if need be, with a note that says so, and load it.

    Parameters
    ----------
    device : mxnet.Context
    note : callable

    Raises
    ------
    UsageError
        If the device is not a CPU, or the operator cannot be compiled or loaded.
    """
    require(device.device_type == "cpu", "lstm", "compiled", "mxnet on a GPU")
    library(note)
    load()


def library(note: Callable[[str], None] = lambda line: None) -> Path:
    """The compiled operator, compiled first if need be.

    Its name is the hash of its content: a file that has been damaged could end the process when it is loaded, so
    it is not used but compiled anew.

    Raises
    ------
    UsageError
        If there is no compiler, or it fails.
    """
    folder = _folder()
    with suppress(OSError):
        for path in folder.glob("*.so"):
            if path.name == _name_of(path):
                return path
    command = os.environ.get("CXX", "").split() or ["g++"]
    if shutil.which(command[0]) is None:
        raise UsageError(
            f"lstm: compiled needs a C++ compiler, and {command[0]} cannot be run (on Debian and Ubuntu: "
            f"apt-get install g++); install it, or name another in CXX, or {OTHERWISE}"
        )
    note("compiling the LSTM for this machine; this is done once and takes about 10 s")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as temporary:
            made = Path(temporary) / "made.so"
            _compile(command, made)
            return made.replace(folder / _name_of(made))
    except OSError as error:
        raise UsageError(
            f"lstm: {shown(folder)} cannot be written ({error.strerror}); name another folder in XDG_CACHE_HOME, "
            f"or {OTHERWISE}"
        ) from None


def _compile(command: list[str], out: Path) -> None:
    mxnet = Path(mx.__file__).parent
    sources = [str(HERE / "lstm.cc"), str(mxnet / "src" / "lib_api.cc")]
    words = [*command, *FLAGS, f"-I{mxnet / 'include'}", *sources, "-o", str(out)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise UsageError(f"lstm: {command[0]} took more than {SECONDS} s; {OTHERWISE}") from None
    if done.returncode or not out.exists():
        said = next((line for line in done.stderr.splitlines() if "error" in line), f"status {done.returncode}")
        raise UsageError(f"lstm: {command[0]} failed: {cut(said, 200)}; {OTHERWISE}")


def _name_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] + ".so"


def _folder() -> Path:
    """Where the operator is kept: other sources, another MXNet and another kind of processor have another folder."""
    parts = [*((HERE / name).read_bytes() for name in SOURCES), " ".join(FLAGS).encode(), mx.__version__.encode()]
    parts.append(_processor().encode())
    return cache_folder() / f"lstm-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}"


def _processor() -> str:
    """The processor's instructions, for which the operator is compiled."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
