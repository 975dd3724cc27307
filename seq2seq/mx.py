"""The one door to MXNet: makes its import work on current Pythons, keeps it quiet, lets threads in one at a time and
has them out while the process forks, picks the device.

MXNet 1.9.1 is the last release and expects names that NumPy removed in 1.24 (`np.bool`, `np.object`, ...) and,
on Python 3.12, the `distutils` package. Both are put back here before the import. Importing this module loads
MXNet (about a second), so `import seq2seq` does not import it.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  (the locks that it holds during a fork are to be taken after ours)
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

# What the 1.9.1 GPU wheels hold machine code for (and no PTX to compile for others): 5.0, 6.0, 7.0, 8.0 and 8.6.
# Machine code runs on the later minor versions of its major, so Ada (8.9) works and Hopper (9.0) does not.
OLDEST_GPU, FIRST_GPU_TOO_NEW = (5, 0), (9, 0)


class Gpu(NamedTuple):
    """One GPU as the CUDA driver describes it."""

    name: str
    capability: tuple[int, int]


def _import_mxnet() -> Any:
    # The MKLDNN subgraph backend gives a dense layer that is not for training a copy of its weights when it first
    # runs, and never looks at them again: a test module would answer with the weights of the first epoch. The one
    # called "default" fuses nothing, and, unlike NONE, does not announce itself on stderr.
    os.environ["MXNET_SUBGRAPH_BACKEND"] = "default"
    os.environ["MXNET_SUBGRAPH_VERBOSE"] = "0"
    for name, builtin in REMOVED_NUMPY_ALIASES.items():
        if name not in vars(np):
            setattr(np, name, builtin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if importlib.util.find_spec("distutils") is None:
            import setuptools  # noqa: F401  (puts its own distutils in place)
        try:
            import mxnet
        except ModuleNotFoundError as error:
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


mx = _import_mxnet()

# What annotations name. MXNet has no types that a checker can read: to it these are anything.
Symbol = Any
NDArray = Any
Executor = Any
Device = Any

# Threads and forks ----------------------------------------------------------------------------------------------------

_turns = Turns()
give_way = _turns.give_way
_used = False  # whether this process, or the one it was forked from, has run anything
_refusal = ""  # why the child of a fork cannot


class _Alone(ContextDecorator):
    """Use MXNet while no other thread of the process does, nor forks: `with alone:`, or `@alone`.

    Graphs and the arrays they are bound to have one user at a time. The engine has two threads for a CPU, however many
    ask, so that nothing would be gained if more could. Who holds it for long calls `give_way`.

    Raises
    ------
    Seq2SeqError
        In one line, what MXNet could not do, or that memory was short.
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
                    mx.nd.waitall()  # else what failed with it would be printed when the process ends
                raise Seq2SeqError(_one_line(error)) from None
        finally:
            _turns.__exit__()


alone = _Alone()


def _one_line(error: Exception) -> str:
    lines = str(error).splitlines()
    said = next((line for line in lines if not re.match(r"Traceback|Stack trace|\s|$", line)), type(error).__name__)
    said = said.removeprefix("MXNetError: ")
    if isinstance(error, MemoryError) or re.search(r"allocate|bad_alloc|out of memory", said):
        return f"memory was short ({said}): a smaller batch_size, or fewer or shorter sources at once, need less"
    return f"MXNet: {said}"


def _before_fork() -> None:
    """Wait until no thread is inside MXNet, which stops its engine for a fork: work given to it then is never done."""
    _turns.__enter__()


def _after_fork_in_parent() -> None:
    _turns.__exit__()


def _after_fork_in_child() -> None:
    global _refusal
    if _used and os.environ.get("MXNET_ENGINE_TYPE") == "NaiveEngine" and os.environ.get("OMP_NUM_THREADS") != "1":
        # It runs operators in the thread that asks, and the helpers that OpenMP has given to that thread are gone.
        _refusal = (
            "MXNet's NaiveEngine cannot go on in the child of a fork: set OMP_NUM_THREADS=1, or start the child by "
            "spawn, or leave MXNET_ENGINE_TYPE as it is"
        )


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
# Forks of which Python knows nothing, such as that of `subprocess` for another user, or any of it on Python 3.9. These
# handlers alone would not do: when they come, os.fork holds the import lock, which whoever is waited for may need.
_handlers = [ctypes.CFUNCTYPE(None)(function) for function in (_before_fork, _after_fork_in_parent)]
ctypes.CDLL(None).__register_atfork(*_handlers, None, None)


def visible_gpus() -> list[Gpu]:
    """The GPUs that the CUDA driver shows to this process, in the order MXNet numbers them; none without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    gpus = []
    for index in range(count.value):
        handle, name = ctypes.c_int(), ctypes.create_string_buffer(100)
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
    """Why GPU `index` cannot be used, or None if it can."""
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
        The probes: which GPUs there are, and whether MXNet was built for them.

    Returns
    -------
    mxnet.Context

    Raises
    ------
    UsageError
        If `device` is not one of these names.
    DeviceError
        If the GPU asked for is not there, or this build of MXNet cannot run it.
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
