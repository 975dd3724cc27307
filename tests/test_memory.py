import gc
import math
import resource
import subprocess
import sys
import tracemalloc
from functools import partial

import numpy as np
import pytest

from seq2seq import Addition, Config, Copy, RunError, Solver, Text, TrainingConfig, UsageError, train
from seq2seq.applications.learning import make_sampler
from seq2seq.config import DataConfig, ModelConfig
from seq2seq.dataset import build_dataset
from seq2seq.engine.initializers import auxiliary_shapes, parameter_shapes
from seq2seq.memory import available, learned, require_memory, to_train
from seq2seq.models import MODELS, ByHandModel, make_codec, make_model
from seq2seq.mx import mx
from seq2seq.options import STRING_MODELS, TEXT_MODELS
from tests.conftest import some_text
from tests.tasks.own import Double

TEXT = Text(given=some_text(60))
SHAPES = [
    {}, {"layers": 3}, {"embedding": 6}, {"embedding": 6, "normalise": "batch"}, {"embedding": 6, "normalise": "layer"},
    {"embedding": 6, "normalise": "none"}, {"bidirectional": False}, {"position_bias": True}, {"cell": "rnn"},
]  # fmt: skip


def config_of(model, **options):
    task = TEXT if model in TEXT_MODELS else Addition(2) if model == "aligned" else Copy("abc")
    return Config(task=task).with_options(**{"model": model, "hidden_size": 5, **options})


@pytest.mark.parametrize("model", STRING_MODELS)
def test_the_parameters_are_as_many_as_the_graph_has(model):
    for options in SHAPES:
        config = config_of(model, **options)
        if issubclass(MODELS[model], ByHandModel) and config.model.embedding:
            continue
        codec = make_codec(config.task, config.data, config.model)
        network = make_model(config.task, config.model, codec)
        shapes = {**parameter_shapes(network), **auxiliary_shapes(network)}
        sizes = [math.prod(shape) for shape in shapes.values()]
        assert learned(config, codec) == sum(sizes), options


def test_what_training_takes_is_no_more_than_it_does():
    """Of a network of 2 million parameters, a lower bound: 5 copies of 4 bytes, and what a batch has."""
    config = config_of("repeat", hidden_size=400, layers=1)
    codec = make_codec(config.task, config.data, config.model)
    weights = learned(config, codec)
    assert weights * 20 < to_train(config, codec, 64) < weights * 20 + 10**7


@pytest.mark.parametrize(
    "options",
    [{"hidden_size": 10**9}, {"hidden_size": 10**6, "layers": 100}, {"model": "gru", "embedding": 2 * 10**9}],
)
def test_sizes_that_no_machine_has_are_refused_before_anything_is_made(options, tmp_path):
    task = TEXT if "embedding" in options else Copy("abc")
    with pytest.raises(
        UsageError, match=r"^hidden_size .*: would need at least [0-9,]+ [GT]B of memory, .* has"
    ) as error:
        train(task, tmp_path / "run", progress=False, **options)
    assert len(str(error.value)) < 200 and not (tmp_path / "run").exists()


def test_a_large_batch_of_few_examples_is_as_large_as_they_are_many(tmp_path):
    train(Copy("abc", (1, 3)), tmp_path / "run", epochs=1, hidden_size=4, batch_size=2**24, progress=False)


def test_examples_that_no_machine_holds_are_refused_before_they_are_drawn():
    task = Copy(length=(1, 1000))
    message = r"^examples 100000000: would need at least [0-9,]+ [GT]B of memory"
    with pytest.raises(UsageError, match=message):
        build_dataset(task, DataConfig(examples=10**8), 0)
    with pytest.raises(UsageError, match=message.replace("100000000", "[0-9]+")):
        build_dataset(task, DataConfig(examples=10**6, test=10**8, split="none"), 0)


def test_a_run_whose_sizes_are_not_those_of_its_weights_is_refused(run_copy):
    config = run_copy.path / "config.json"
    text = config.read_text()
    assert '"hidden_size": 32' in text
    for size in ("33", "1000000000"):
        config.write_text(text.replace('"hidden_size": 32', f'"hidden_size": {size}'))
        with pytest.raises(RunError, match="holds the weights of another model"):
            Solver(run_copy.path)


def test_the_limit_of_a_process_is_what_it_has(monkeypatch):
    assert 10**8 < available() < 10**15
    monkeypatch.setattr(resource, "getrlimit", lambda which: (5 * 10**8, 5 * 10**8))
    assert available() == 5 * 10**8
    require_memory("this", 10**8)
    with pytest.raises(UsageError, match=r"^this: would need at least 3 GB of memory, and this machine has 500 MB$"):
        require_memory("this", 3 * 10**9)


def test_drawing_that_takes_long_is_said_first(monkeypatch):
    lines = []
    build = partial(build_dataset, Double(10**9), DataConfig(examples=300), 0, note=lines.append)
    build()
    assert lines == []
    monkeypatch.setattr("seq2seq.drawing.LONG", 0.0)
    build()
    assert lines == ["drawing 300 examples of double, which may take 1 min"]


def test_a_long_text_takes_little_memory(tmp_path, monkeypatch):
    """Of 17 million characters, of which the ids alone would take as many bytes."""
    monkeypatch.setattr("seq2seq.tasks.text.IN_MEMORY", 2**16)
    (tmp_path / "x.txt").write_bytes(b"the cat sat on the mat.\n" * 700_000)
    task = Text(str(tmp_path / "x.txt"))
    data = DataConfig(validation=1000, test=1000, split="position")
    codec = make_codec(task, data, ModelConfig(model="gru"))
    model = make_model(task, ModelConfig(model="gru"), codec)
    tracemalloc.start()
    dataset = build_dataset(task, data, 0, codec)
    assert dataset.fingerprint and dataset.unseen == []
    epoch = make_sampler(model, codec, dataset.train, TrainingConfig(batch_size=64)).epoch(np.random.default_rng(0))
    assert len(epoch) > 6000 and epoch[6000].terms == 64 * 40
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000


MANY_PAIRS = """
import sys
import seq2seq.tasks.listed
from seq2seq import PairsTask, train

seq2seq.tasks.listed.IN_MEMORY = 2**10
options = {"epochs": 1, "examples_per_epoch": 1000, "hidden_size": 4, "validation": 100, "test": 100, "progress": False}
train(PairsTask(sys.argv[1]), sys.argv[2], **options).evaluate()
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def test_many_pairs_take_little_memory(tmp_path):
    """In memory, 300,000 pairs of 40 characters take more than 100 MB."""

    def peak(count):
        drawn = np.random.default_rng(0).integers(10, size=(count, 20), dtype=np.uint8) + ord("a")
        rows = np.concatenate([drawn, np.full((count, 1), 9, np.uint8), drawn[:, ::-1], np.full((count, 1), 10)], 1)
        (tmp_path / f"{count}.tsv").write_bytes(rows.astype(np.uint8).tobytes())
        arguments = [sys.executable, "-c", MANY_PAIRS, tmp_path / f"{count}.tsv", tmp_path / f"run-{count}"]
        return int(subprocess.run(arguments, stdout=subprocess.PIPE, check=True, timeout=200).stdout) / 1024

    assert peak(300_000) < peak(3000) + 25  # megabytes


def test_graphs_of_many_lengths_are_not_all_held(tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq.opened.MOST_PLACES", 1000)  # so batches of each length have another size
    monkeypatch.setattr("seq2seq.opened.MOST_HELD", 100)
    options = {"model": "aligned", "hidden_size": 4, "examples": 100, "epochs": 1, "progress": False}
    solver = train(Addition(2), tmp_path / "run", **options)
    batches = [[f"{digit * length}+1" for digit in "123456789"] for length in (20, 60, 130, 200, 300)]
    before = executors()
    answers = [solver(sources) for sources in batches]
    assert executors() <= before + 1
    assert solver([*batches[0], *batches[3]]) == [*answers[0], *answers[3]]


def executors():
    gc.collect()
    return sum(isinstance(each, mx.executor.Executor) for each in gc.get_objects())
