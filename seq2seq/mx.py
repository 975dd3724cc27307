"""The only module that imports MXNet: it makes the import work on current Pythons, suppresses warnings, lets one thread
at a time use MXNet, and none while the process forks, and picks the device.

MXNet 1.9.1 is the last release and expects names that NumPy removed in 1.24 (`np.bool`, `np.object`, ...) and,
on Python 3.12, the `distutils` package. Both are restored here before the import. MXNet is imported when it is first
used, which takes about a second, and never where another engine answers: see `decoding/onnx.py`.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  (its handlers for forks must be registered before ours)
import ctypes
import importlib.util
import os
import platform
import re
import warnings
from contextlib import ContextDecorator, suppress
from typing import Any, Callable, NamedTuple

import numpy as np

from seq2seq.errors import DeviceError, Seq2SeqError, UsageError, quoted
from seq2seq.turns import Turns

REMOVED_NUMPY_ALIASES = {"bool": bool, "object": object, "int": int, "float": float, "complex": complex, "str": str}

# The 1.9.1 GPU wheels have machine code for 5.0, 6.0, 7.0, 8.0 and 8.6, and no PTX to compile for others. Machine code
# runs on later minor versions of the same major version, so Ada (8.9) works and Hopper (9.0) does not.
OLDEST_GPU = (5, 0)
FIRST_GPU_TOO_NEW = (9, 0)


class Gpu(NamedTuple):
    """A GPU as the CUDA driver describes it.

    Attributes
    ----------
    name : str
    capability : (int, int)
        Compute capability: major and minor version.
    """

    name: str
    capability: tuple[int, int]


def _import_mxnet() -> Any:
    # For inference, the MKLDNN subgraph backend copies a dense layer's weights when the layer first runs, and never
    # reads them again: a test module would answer with the weights of the first epoch. The backend called "default"
    # fuses nothing and, unlike NONE, prints nothing to stderr.
    os.environ["MXNET_SUBGRAPH_BACKEND"] = "default"
    os.environ["MXNET_SUBGRAPH_VERBOSE"] = "0"
    for name, builtin in REMOVED_NUMPY_ALIASES.items():
        if name not in vars(np):
            setattr(np, name, builtin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if importlib.util.find_spec("distutils") is None and importlib.util.find_spec("mxnet") is not None:
                import setuptools  # noqa: F401  (puts its own distutils in place)
            import mxnet
        except ModuleNotFoundError as error:
            if error.name == "setuptools":
                raise ImportError(
                    f"MXNet 1.9.1 needs the package setuptools on Python {platform.python_version()}: "
                    "pip install setuptools"
                ) from None
            if error.name != "mxnet":
                raise
            raise ImportError(
                "MXNet 1.9.1, which training and answering need, is not installed; it has wheels for Linux x86-64, "
                "Linux aarch64 and macOS x86-64, and runs on Python 3.9 to 3.12 (this is "
                f"{platform.system()} {platform.machine()}, Python {platform.python_version()})"
            ) from None
        except AttributeError:
            if np.__version__.startswith("1."):
                raise
            raise ImportError(
                f"MXNet 1.9.1 needs NumPy 1, and NumPy {np.__version__} is installed: pip install 'numpy<2'"
            ) from None
        except OSError as error:
            library = re.match(r"(lib\S+\.so\S*): cannot open shared object file", str(error))
            if library is None:
                raise
            raise ImportError(
                f"MXNet needs {library[1]}, which this system lacks; on Debian and Ubuntu: "
                "apt-get install libquadmath0 libgomp1"
            ) from None
    return mxnet


class _Lazy:
    """MXNet, imported when an attribute of it is first used."""

    def __init__(self) -> None:
        self._loading = Turns()
        self._mxnet: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._loading:
            if self._mxnet is None:
                self._mxnet = _import_mxnet()
                _guard_forks()
        value = getattr(self._mxnet, name)
        setattr(self, name, value)
        return value


mx: Any = _Lazy()


def is_installed() -> bool:
    """Whether MXNet can be imported here: it is installed, and NumPy is not too new for it."""
    try:
        return importlib.util.find_spec("mxnet") is not None and np.__version__.startswith("1.")
    except ModuleNotFoundError:
        return False


# Names for annotations. MXNet has no types that a type checker can read, so these are `Any`.
Symbol = Any
NDArray = Any
Executor = Any
Device = Any

# Threads and forks ----------------------------------------------------------------------------------------------------

_turns = Turns()
give_way = _turns.give_way
_used = False  # whether this process, or the one it was forked from, has run anything
_refusal = ""  # the reason why the child of a fork cannot use MXNet


class _Alone(ContextDecorator):
    """Use MXNet while no other thread of the process uses it or forks: `with alone:`, or `@alone`.

    Graphs and their arrays can have one user at a time. The engine has two threads for a CPU whatever the number of
    users, so parallel use would not be faster. Code that holds it for a long time calls `give_way`.

    Raises
    ------
    Seq2SeqError
        If MXNet fails or runs out of memory, with a message of one line.
    """

    def __enter__(self) -> None:
        global _used
        if _refusal:
            raise Seq2SeqError(_refusal)
        _used = True
        _turns.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            if isinstance(error, (mx.base.MXNetError, MemoryError)):
                with suppress(mx.base.MXNetError):
                    mx.nd.waitall()  # otherwise operators that failed too would print errors when the process ends
                raise Seq2SeqError(_one_line(error)) from None
        finally:
            _turns.__exit__()


alone = _Alone()


def _one_line(error: Exception) -> str:
    lines = str(error).splitlines()
    said = next((line for line in lines if not re.match(r"Traceback|Stack trace|\s|$", line)), type(error).__name__)
    said = said.removeprefix("MXNetError: ")
    if isinstance(error, MemoryError) or re.search(r"allocate|bad_alloc|out of memory", said):
        return f"not enough memory ({said}): use a smaller batch_size, or fewer or shorter sources at once"
    return f"MXNet: {said}"


def _before_fork() -> None:
    """Wait until no thread uses MXNet: it stops its engine for a fork, and work submitted then is lost."""
    _turns.__enter__()


def _after_fork_in_parent() -> None:
    _turns.__exit__()


def _after_fork_in_child() -> None:
    global _refusal
    if _used and os.environ.get("MXNET_ENGINE_TYPE") == "NaiveEngine" and os.environ.get("OMP_NUM_THREADS") != "1":
        # It runs operators in the calling thread, and the OpenMP threads of that thread do not exist in the child.
        _refusal = (
            "MXNet's NaiveEngine cannot continue in the child of a fork: set OMP_NUM_THREADS=1, or start the child by "
            "spawn, or leave MXNET_ENGINE_TYPE as it is"
        )


_handlers = [ctypes.CFUNCTYPE(None)(function) for function in (_before_fork, _after_fork_in_parent)]


def _guard_forks() -> None:
    """Let no thread use MXNet while the process forks. Called after MXNet's import, whose own handlers then run later.

    The handlers in C are for forks outside `os.fork`, such as `subprocess` for another user, or any `subprocess` on
    Python 3.9. They alone are not enough: when `os.fork` calls them it holds the import lock, which the thread that
    they wait for may need.
    """
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
    ctypes.CDLL(None).__register_atfork(*_handlers, None, None)


def visible_gpus() -> list[Gpu]:
    """The GPUs that the CUDA driver shows to this process, in MXNet's numbering; an empty list without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    gpus = []
    for index in range(count.value):
        handle = ctypes.c_int()
        name = ctypes.create_string_buffer(100)
        driver.cuDeviceGet(ctypes.byref(handle), index)
        driver.cuDeviceGetName(name, len(name), handle)
        capability = []
        for attribute in (75, 76):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
            value = ctypes.c_int()
            driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, handle)
            capability.append(value.value)
        gpus.append(Gpu(name.value.decode(errors="replace"), (capability[0], capability[1])))
    return gpus


def _built_with_cuda() -> bool:
    return bool(mx.runtime.Features().is_enabled("CUDA"))


def _why_not(index: int, gpus: list[Gpu], cuda: bool) -> str | None:
    """The reason why GPU `index` cannot be used, or None if it can."""
    if not cuda:
        return "the installed MXNet is built for the CPU alone; the README's GPU section names the wheel to install"
    if index >= len(gpus):
        return f"{len(gpus)} GPU{'s are' if len(gpus) != 1 else ' is'} visible here"
    name, (major, minor) = gpus[index]
    if not OLDEST_GPU <= (major, minor) < FIRST_GPU_TOO_NEW:
        age = "new" if (major, minor) >= FIRST_GPU_TOO_NEW else "old"
        return (
            f"{name} has compute capability {major}.{minor}, too {age} for MXNet 1.9.1, "
            "whose wheels run on 5.0 (Maxwell) to 8.9 (Ada)"
        )
    return None


def pick_device(
    device: str = "auto",
    gpus: Callable[[], list[Gpu]] = visible_gpus,
    cuda: Callable[[], bool] = _built_with_cuda,
) -> Any:
    """Turn a device's name into an MXNet context.

    Parameters
    ----------
    device : str
        `auto` (a GPU that this build of MXNet can run, else the CPU), `cpu`, `gpu` (the first) or `gpu:N`.
    gpus, cuda : callable
        Functions that return the GPUs, and whether MXNet was built with CUDA.

    Returns
    -------
    mxnet.Context

    Raises
    ------
    UsageError
        If `device` is not one of these names.
    DeviceError
        If the requested GPU does not exist, or this build of MXNet cannot run it.
    """
    match = re.fullmatch(r"auto|cpu|gpu(?::(\d{1,4}))?", device) if isinstance(device, str) else None
    if match is None:
        raise UsageError(f"device: got {quoted(device)}, but it must be auto, cpu, gpu or gpu:N with N from 0")
    if device == "cpu":
        return mx.cpu()
    if device == "auto":
        found = gpus() if cuda() else []
        usable = [index for index in range(len(found)) if _why_not(index, found, True) is None]
        return mx.gpu(usable[0]) if usable else mx.cpu()
    index = int(match[1] or 0)
    has_cuda = cuda()
    problem = _why_not(index, gpus() if has_cuda else [], has_cuda)
    if problem is not None:
        raise DeviceError(f"device {device}: {problem}")
    return mx.gpu(index)
