import shutil
import signal

import numpy as np
import pytest

from seq2seq import Arithmetic, PairsTask, Ratings, Table, Text, export, train
from seq2seq.runs import Run
from tests import tables

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a shell's job in the background: Ctrl-C is tested here
    signal.signal(signal.SIGINT, signal.default_int_handler)

SMALL = {"epochs": 3, "hidden_size": 8, "layers": 1, "batch_size": 16, "show_every": 0}


@pytest.fixture
def small():
    """A task and options that train in a moment."""
    return {"task": Arithmetic("+", terms=2, operands=(0, 9)), "progress": False, **SMALL}


@pytest.fixture(scope="session")
def solved(tmp_path_factory):
    """A run that has learned to add two digits, all hundred sums of them. Its folder is not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "sums"
    options = {"epochs": 50, "hidden_size": 32, "layers": 1, "batch_size": 32, "learning_rate": 0.01}
    data = {"split": "none", "examples": 2000, "validation": 20, "test": 50, "reverse_target": False}
    return train(Arithmetic("+", terms=2, operands=(0, 9)), path, model="repeat", progress=False, **options, **data)


@pytest.fixture
def run_copy(solved, tmp_path):
    """A copy of that run, to do with as you like."""
    shutil.copytree(solved.run.path, tmp_path / "copy")
    return Run(tmp_path / "copy")


@pytest.fixture(scope="session")
def attentive(tmp_path_factory):
    """A run that writes its working and its answer a character at a time. Its folder is not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "attentive"
    options = {"epochs": 40, "hidden_size": 24, "layers": 1, "batch_size": 32, "learning_rate": 0.01}
    data = {"split": "none", "examples": 2000, "validation": 20, "test": 50, "reverse_target": False}
    task = Arithmetic("+", terms=(2, 3), operands=(0, 3), steps="answer")
    return train(task, path, model="attention", progress=False, **options, **data)


@pytest.fixture(scope="session")
def stepping(tmp_path_factory):
    """A run that takes a step a call. Its folder is not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "stepping"
    options = {"epochs": 400, "hidden_size": 24, "layers": 2, "batch_size": 32, "learning_rate": 0.01}
    data = {"validation": 20, "test": 40, "reverse_target": False}
    task = Arithmetic("+-", terms=3, operands=(0, 3), steps="call")
    return train(task, path, model="transducer", progress=False, **options, **data)


def some_text(words=600):
    """Words that follow each other by chance, some to a line."""
    drawn = np.random.default_rng(0).choice(["the", "cat", "and", "a", "dog", "sleep"], words)
    return " ".join(drawn).replace("sleep ", "sleep.\n")


@pytest.fixture(scope="session")
def reading(tmp_path_factory):
    """A run that has read a text, a character at each step. Its folder is not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "reading"
    options = {"model": "rnn-sequence", "epochs": 30, "hidden_size": 24, "embedding": 6, "batch_size": 16}
    return train(Text(given=some_text()), path, progress=False, learning_rate=0.02, show_every=0, **options)


PAIRS = [(f"{a}{b}{a}", f"{b} {a}") for a in "αβγδε" for b in "κλμν"]  # which no page in English has
KEEPING = {
    "pairs": PairsTask.of(PAIRS),
    "words": PairsTask.of([(f"o {a}", f"h {b}") for a, b in PAIRS], source_symbols="words", target_symbols="words"),
    "text": Text(given=some_text()),
    "ratings": Ratings(given=tables.ratings(200)[0]),
    "table": Table(given=tables.cakes(200), target="price", log=True),
}  # tasks whose data a run keeps


@pytest.fixture(scope="session")
def keeping(tmp_path_factory):
    """A function from a name in `KEEPING` to a scored run that keeps its data. Its folder is not to be changed."""
    folder = tmp_path_factory.mktemp("keeping")

    def run(name):
        if not (folder / name).exists():
            options = {} if name in ("ratings", "table") else {"hidden_size": 4}
            train(KEEPING[name], folder / name, epochs=1, progress=False, **options).evaluate()
        return folder / name

    return run


MODULE = '''
from dataclasses import dataclass, field
from seq2seq import Task


@dataclass(frozen=True)
class Echo(Task):
    """Letters, said twice."""

    letters: str = "abc"
    length: tuple = (1, 3)
    loud: bool = False
    most: int = field(default=5, metadata={"help": "100% of what there is"})

    name = "echo"

    def draw(self, rng):
        least, most = self.length
        text = "".join(rng.choice(list(self.letters), rng.integers(least, most + 1)))
        return text, (text + text).upper() if self.loud else text + text


class Unnamed(Task):
    name = "another"
'''
ENTRY_POINTS = """\
[seq2seq.tasks]
echo = echoing.tasks:Echo
gone = echoing.nowhere:Gone
unnamed = echoing.tasks:Unnamed
copy = echoing.tasks:Echo
"""


@pytest.fixture
def package(tmp_path):
    """A folder where another package is installed, which offers tasks: one good, two broken, one with a name taken."""
    folder = tmp_path / "site"
    for name, content in {
        "echoing/__init__.py": "", "echoing/tasks.py": MODULE,
        "echoing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: echoing\nVersion: 1.0\n",
        "echoing-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.fixture(scope="session")
def exported(tmp_path_factory, request):
    """A function from the name of a fixture with a run to the folder of its export. It is not to be changed."""
    pytest.importorskip("onnx", reason="pip install 'mxseq2seq[onnx]'")
    pytest.importorskip("onnxruntime", reason="pip install 'mxseq2seq[onnx]'")
    folder = tmp_path_factory.mktemp("exported")

    def path(name):
        if not (folder / name).exists():
            export(request.getfixturevalue(name), onnx=folder / name)
        return folder / name

    return path
