import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq import DeviceError, Seq2SeqError, UsageError
from seq2seq import mx as mx_module
from seq2seq.mx import Gpu, alone, mx, pick_device

ROOT = Path(__file__).parent.parent
VOLTA, ADA, HOPPER, KEPLER = (
    Gpu("Volta", (7, 0)),
    Gpu("Ada", (8, 9)),
    Gpu("Hopper", (9, 0)),
    Gpu("Kepler", (3, 7)),
)


def python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, **options
    )


def test_mxnet_works_on_this_python_and_numpy():
    assert mx.__version__ == "1.9.1"
    assert mx.nd.ones((2, 3)).sum().asscalar() == 6
    assert mx.nd.array(np.array([True, False])).dtype == np.float32


def test_importing_the_library_loads_neither_mxnet_nor_anything_slow():
    code = "import sys, seq2seq; print([m for m in ('mxnet', 'numpy', 'tqdm') if m in sys.modules])"
    assert python(code).stdout.strip() == "[]"
    code = "import sys; from seq2seq import Arithmetic, Config, Solver, train; print('mxnet' in sys.modules)"
    assert python(code).stdout.strip() == "False"


def test_one_module_alone_imports_mxnet():
    modules = [path for folder in ("seq2seq", "scripts") for path in (ROOT / folder).rglob("*.py")]
    importers = [path.name for path in modules if "import mxnet" in path.read_text(encoding="utf-8")]
    assert importers == ["mx.py"]


def test_a_numpy_that_is_too_new_is_named():
    code = """
import sys, numpy
class Fails:
    def find_spec(self, name, path=None, target=None):
        if name == "mxnet":
            numpy.removed_in_2
sys.meta_path.insert(0, Fails())
numpy.__version__ = "2.3.1"
try:
    from seq2seq.mx import mx
    mx.nd
except ImportError as error:
    print(error)
"""
    said = "MXNet 1.9.1 needs NumPy 1, and NumPy 2.3.1 is installed: pip install 'numpy<2'\n"
    assert python(code).stdout == said


@pytest.mark.parametrize("absent, said", [
    (("distutils", "setuptools"), "MXNet 1.9.1 needs the package setuptools on Python 3.*: pip install setuptools"),
    (("distutils", "setuptools", "mxnet"), "MXNet 1.9.1, which training and answering need, is not installed; .*"),
])  # fmt: skip
def test_a_python_without_distutils_needs_setuptools_where_mxnet_is_installed(absent, said):
    code = f"""
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {absent!r} else real(name, *rest)
for name in {absent!r}:
    sys.modules[name] = None
try:
    from seq2seq.mx import mx
    mx.nd
except ImportError as error:
    print(error)
"""
    result = python(code)
    assert re.fullmatch(said + "\n", result.stdout), result.stderr


@pytest.mark.parametrize("library", ["libquadmath.so.0", "libgomp.so.1"])
def test_a_missing_system_library_is_named_with_its_packages(library):
    code = f"""
import ctypes, seq2seq
real = ctypes.CDLL.__init__
def load(self, name, *rest, **options):
    if name and "libmxnet" in name:
        raise OSError("{library}: cannot open shared object file: No such file or directory")
    real(self, name, *rest, **options)
ctypes.CDLL.__init__ = load
try:
    from seq2seq.mx import mx
    mx.nd
except ImportError as error:
    print(error)
"""
    result = python(code)
    assert result.stdout == (
        f"MXNet needs {library}, which this system lacks; on Debian and Ubuntu: apt-get install libquadmath0 libgomp1\n"
    ), result.stderr


def test_nothing_of_the_engine_reaches_stderr(tmp_path):
    code = f"""
from seq2seq import Arithmetic, train
solver = train(Arithmetic("+", terms=2), {str(tmp_path / "run")!r}, progress=False, epochs=1, hidden_size=4)
solver.evaluate()
print(len(solver(["1+1"] * 1500)))
"""
    result = python(code)
    assert (result.stdout, result.stderr, result.returncode) == ("1500\n", "", 0)


@pytest.mark.parametrize(
    "device, gpus, cuda, expected",
    [
        ("cpu", [VOLTA], True, "cpu(0)"),
        ("auto", [], False, "cpu(0)"),
        ("auto", [VOLTA], False, "cpu(0)"),
        ("auto", [], True, "cpu(0)"),
        ("auto", [HOPPER], True, "cpu(0)"),
        ("auto", [KEPLER, HOPPER, ADA, VOLTA], True, "gpu(2)"),
        ("gpu", [VOLTA], True, "gpu(0)"),
        ("gpu:1", [VOLTA, ADA], True, "gpu(1)"),
    ],
)
def test_the_device_that_is_picked(device, gpus, cuda, expected):
    assert str(pick_device(device, gpus=lambda: gpus, cuda=lambda: cuda)) == expected


@pytest.mark.parametrize(
    "device, gpus, cuda, message",
    [
        ("gpu", [VOLTA], False, "device gpu: the installed MXNet is built for the CPU alone"),
        ("gpu", [], True, "device gpu: 0 GPUs are visible here"),
        ("gpu:1", [VOLTA], True, "device gpu:1: 1 GPU is visible here"),
        ("gpu", [HOPPER], True, "device gpu: Hopper has compute capability 9.0, too new for MXNet 1.9.1"),
        ("gpu:1", [VOLTA, KEPLER], True, "device gpu:1: Kepler has compute capability 3.7, too old for"),
    ],
)
def test_a_gpu_that_cannot_be_used(device, gpus, cuda, message):
    with pytest.raises(DeviceError, match=message):
        pick_device(device, gpus=lambda: gpus, cuda=lambda: cuda)


@pytest.mark.parametrize("device", ["tpu", "gpu:", "gpu:-1", "GPU", "", 0, None])
def test_a_name_that_is_no_device(device):
    with pytest.raises(UsageError, match=r"device: got .* but it must be auto, cpu, gpu or gpu:N"):
        pick_device(device)


def test_the_real_probes_agree_with_this_machine():
    assert str(pick_device("auto")).startswith(("cpu", "gpu"))


def test_the_driver_is_read(monkeypatch):
    """Two GPUs as the CUDA driver's functions would describe them; no driver; a driver that has none."""

    class Driver:
        names, capabilities = (b"Kepler", b"Ada"), ((3, 7), (8, 9))

        def __init__(self, status=0):
            self.status = status

        def cuInit(self, flags):
            return self.status

        def cuDeviceGetCount(self, count):
            count._obj.value = 2
            return 0

        def cuDeviceGet(self, handle, index):
            handle._obj.value = index

        def cuDeviceGetName(self, name, length, handle):
            name.value = self.names[handle.value]

        def cuDeviceGetAttribute(self, value, attribute, handle):
            value._obj.value = self.capabilities[handle.value][{75: 0, 76: 1}[attribute]]

    def missing(name):
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(mx_module.ctypes, "CDLL", lambda name: Driver())
    assert mx_module.visible_gpus() == [Gpu("Kepler", (3, 7)), Gpu("Ada", (8, 9))]
    monkeypatch.setattr(mx_module.ctypes, "CDLL", lambda name: Driver(status=100))
    assert mx_module.visible_gpus() == []
    monkeypatch.setattr(mx_module.ctypes, "CDLL", missing)
    assert mx_module.visible_gpus() == []


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: mx.nd.dot(mx.nd.ones((2, 3)), mx.nd.ones((2, 3))).asnumpy(), "^MXNet: Check failed: .*dot shape"),
        (lambda: mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=-3), "^MXNet: value -3 for Parameter num_hidden"),
        (lambda: np.zeros(2**50), r"^not enough memory \(Unable to allocate .*\): use a smaller batch_size"),
    ],
)
def test_what_mxnet_cannot_do_is_said_in_one_line(call, message):
    with pytest.raises(Seq2SeqError, match=message) as caught, alone:
        call()
    assert "\n" not in str(caught.value)


def test_memory_that_the_engine_lacked_is_said_in_one_line():
    code = """
import resource
from seq2seq.mx import Seq2SeqError, alone, mx
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
try:
    with alone:
        array = mx.nd.zeros((2**30,))
        array.wait_to_read()
except Seq2SeqError as error:
    print(error)
with alone:
    print(mx.nd.ones((2,)).asnumpy().sum())
"""
    done = python(code)
    assert done.stdout.startswith("not enough memory (Failed to allocate CPU Memory): use a smaller batch_size")
    assert done.stdout.endswith("sources at once\n2.0\n") and done.stderr == ""
