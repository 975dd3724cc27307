"""The LSTM that is compiled on the machine, compared with MXNet's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq import Text, UsageError, train
from seq2seq.compiled import library
from seq2seq.compiled.graph import with_compiled_lstm
from seq2seq.compiled.library import load, prepare
from seq2seq.mx import mx

ROOT = Path(__file__).parent.parent
WIDTH = 7  # of vectors that are read, and the number of characters
COMPILER = shutil.which(os.environ.get("CXX", "g++").split()[0])
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no g++")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


def python(code, **variables):
    words = [sys.executable, "-c", code]
    environment = {**os.environ, **variables}
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=280, env=environment)


# The operator ---------------------------------------------------------------------------------------------------------


def read_by(kind, steps, rows, rng):
    """The symbol that a layer reads, its width, and an input for it."""
    x = mx.sym.var("x")
    if kind == "ids":
        return mx.sym.one_hot(x, depth=WIDTH), WIDTH, rng.integers(0, WIDTH + 1, (steps, rows)).astype(np.uint8)
    if kind == "channels":
        ids = rng.integers(0, WIDTH + 1, (steps, rows, 3)).astype(np.uint8)
        return mx.sym.reshape(mx.sym.one_hot(x, depth=WIDTH), shape=(0, 0, -3)), 3 * WIDTH, ids
    if kind == "repeated":
        return mx.sym.concat(*[x] * steps, dim=0), WIDTH, rng.normal(size=(1, rows, WIDTH))
    return x, WIDTH, rng.normal(size=(steps, rows, WIDTH))


def graph(kind, steps, rows, hidden, layers, directions, dropout=0.0):
    """An LSTM of MXNet in a graph, and values of its arguments."""
    rng = np.random.default_rng(steps * rows + hidden)
    vectors, width, x = read_by(kind, steps, rows, rng)
    cell = mx.rnn.FusedRNNCell(
        hidden, layers, "lstm", bidirectional=directions == 2, dropout=dropout, get_next_state=True, prefix="lstm_"
    )
    begin = [mx.sym.var("h"), mx.sym.var("c")]
    outputs, states = cell.unroll(steps, vectors, begin, layout="TNC", merge_outputs=True)
    reads = [width, *[directions * hidden] * (layers - 1)]
    size = sum(directions * 4 * hidden * (read + hidden + 2) for read in reads)
    values = {"x": x, "lstm_parameters": rng.uniform(-0.3, 0.3, size)}
    values.update({name: rng.normal(size=(layers * directions, rows, hidden)) for name in "hc"})
    return mx.sym.Group([outputs, *states]), values


def bound(symbol, values):
    dtypes = {name: np.uint8 if value.dtype == np.uint8 else np.float32 for name, value in values.items()}
    arrays = {name: mx.nd.array(value, dtype=dtypes[name]) for name, value in values.items()}
    asked = {name: "null" if dtype == np.uint8 else "write" for name, dtype in dtypes.items()}
    gradients = {name: mx.nd.zeros(values[name].shape) for name, how in asked.items() if how == "write"}
    return symbol.bind(mx.cpu(), arrays, gradients, asked)


def results(symbol, values, times=2):
    """The outputs and gradients, by name, after several passes."""
    executor = bound(symbol, values)
    for _ in range(times):
        executor.forward(is_train=True)
        heads = [np.random.default_rng(1).normal(size=output.shape) for output in executor.outputs]
        executor.backward([mx.nd.array(head) for head in heads])
    arrays = dict(zip(("outputs", "hidden", "cells"), executor.outputs))
    arrays.update({f"gradient of {name}": array for name, array in executor.grad_dict.items()})
    return {name: array.asnumpy() for name, array in arrays.items() if array is not None}


@needs_compiler
@pytest.mark.parametrize("kind", ["vectors", "ids", "channels", "repeated"])
@pytest.mark.parametrize(
    ("steps", "rows", "hidden", "layers", "directions"),
    [(1, 1, 1, 1, 1), (3, 5, 10, 2, 2), (9, 3, 16, 1, 2), (2, 17, 33, 3, 1), (40, 64, 96, 2, 2), (5, 4, 150, 1, 1)],
)
def test_it_computes_what_mxnet_computes(kind, steps, rows, hidden, layers, directions):
    symbol, values = graph(kind, steps, rows, hidden, layers, directions)
    ours = with_compiled_lstm(symbol)
    assert ours.tojson().count('"op": "seq2seq_lstm"') == 1 and '"op": "RNN"' not in ours.tojson()
    expected, found = results(symbol, values), results(ours, values)
    assert expected.keys() == found.keys() and len(found) == (6 if kind in ("ids", "channels") else 7)
    for name, array in found.items():
        largest = np.abs(expected[name]).max()
        assert np.abs(array - expected[name]).max() <= 1e-5 * largest, name


def test_other_layers_stay_as_they_are():
    cell = mx.rnn.FusedRNNCell(4, mode="gru", prefix="gru_")
    outputs, _ = cell.unroll(3, mx.sym.var("x"), layout="TNC", merge_outputs=True)
    assert with_compiled_lstm(outputs) is outputs
    inputs = [mx.sym.var(name) for name in ("x", "weights", "h", "c")]
    projected = mx.sym.RNN(*inputs, state_size=4, num_layers=1, mode="lstm", projection_size=2)
    assert with_compiled_lstm(projected) is projected


@needs_compiler
def test_large_sums_saturate_the_gates():
    symbol, values = graph("vectors", 4, 3, 16, 1, 1)
    values["lstm_parameters"] *= 1000
    outputs = results(with_compiled_lstm(symbol), values)
    expected = results(symbol, values)
    assert np.abs(outputs["outputs"] - expected["outputs"]).max() < 1e-5
    assert all(np.isfinite(array).all() for array in outputs.values())


@needs_compiler
def test_dropout_keeps_the_mean_and_has_the_variance_of_the_fraction():
    rows, hidden, fraction = 20_000, 4, 0.3
    symbol, values = graph("vectors", 1, rows, hidden, 2, 1, dropout=fraction)
    values["x"][:] = values["x"][:, :1]  # all rows the same
    for name in "hc":
        values[name][:] = 0
    first = 4 * hidden * (WIDTH + hidden)
    second = values["lstm_parameters"][first : first + 4 * hidden * hidden].reshape(4, hidden, hidden)
    second[[0, 1, 3]] = 0  # the gates of the second layer stay half open
    second *= 0.01  # so small that the layer is linear
    values["lstm_parameters"][-8 * hidden :] = 0
    mx.random.seed(0)
    found = results(with_compiled_lstm(symbol), values)
    outputs, below = found["outputs"][0], found["hidden"][0, 0]  # (N, H), and (H,) of the first layer
    parts = second[2] * below / 4  # of each unit below in each unit above, (H, H)
    assert outputs.mean(axis=0) == pytest.approx(parts.sum(axis=1), abs=4 * outputs.std() / rows**0.5)
    expected = np.sqrt((parts**2).sum(axis=1) * fraction / (1 - fraction))
    assert outputs.std(axis=0) == pytest.approx(expected, rel=0.05)


@needs_compiler
def test_gradients_with_dropout_agree_with_finite_differences():
    symbol, values = graph("vectors", 5, 4, 12, 3, 2, dropout=0.4)
    symbol = with_compiled_lstm(symbol)
    rng = np.random.default_rng(2)

    def loss(values):
        mx.random.seed(7)  # the same values are dropped
        return float(results(symbol, values, times=1)["outputs"].astype(np.float64).ravel() @ weights)

    executor = bound(symbol, values)
    weights = np.random.default_rng(3).normal(size=5 * 4 * 24)
    mx.random.seed(7)
    executor.forward(is_train=True)
    heads = [mx.nd.array(weights.reshape(5, 4, 24)), *(mx.nd.zeros(each.shape) for each in executor.outputs[1:])]
    executor.backward(heads)
    for name in ("x", "lstm_parameters", "h", "c"):
        direction = rng.normal(size=values[name].shape)
        direction *= 1e-2 / np.abs(direction).max()
        ahead, behind = (loss({**values, name: values[name] + sign * direction}) for sign in (1, -1))
        analytic = float((executor.grad_dict[name].asnumpy() * direction).sum())
        assert (ahead - behind) / 2 == pytest.approx(analytic, rel=0.02, abs=1e-4), name


# Other instructions than this machine's best. A process can load one operator, so each needs a process of its own.
INSTRUCTIONS = """
from tests.test_compiled import graph, results
from seq2seq.compiled.graph import with_compiled_lstm
import numpy as np
for kind in ("vectors", "ids"):
    symbol, values = graph(kind, 6, 7, 21, 2, 2)
    expected, found = results(symbol, values), results(with_compiled_lstm(symbol), values)
    print(max(np.abs(found[name] - expected[name]).max() / np.abs(expected[name]).max() for name in found) < 1e-5)
"""


@needs_compiler
@pytest.mark.parametrize("without", ["avx512f", "avx"])
def test_it_is_right_without_wide_vectors(without, tmp_path):
    supported = subprocess.run([COMPILER, f"-mno-{without}", "-E", "-x", "c", os.devnull], capture_output=True)
    if supported.returncode:
        pytest.skip("not an x86 processor")
    done = python(INSTRUCTIONS, CXX=f"{COMPILER} -mno-{without}", XDG_CACHE_HOME=str(tmp_path))
    assert done.stdout.split() == ["True", "True"], done.stderr


# Training -------------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("options", [{"model": "attention"}, {"model": "repeat"}, {"model": "aligned"}, {"shards": 2}])
def test_a_training_has_the_losses_that_it_has_with_mxnet(options, small, tmp_path):
    losses, weights = {}, {}
    for lstm in ("mxnet", "compiled"):
        run = train(run_dir=tmp_path / lstm, **{**small, "layers": 2, "lstm": lstm, **options}).run
        losses[lstm] = [row["train_loss"] for row in run.read_metrics()]
        weights[lstm], _ = run.read_arrays("last.safetensors")
    assert losses["compiled"] == pytest.approx(losses["mxnet"], rel=1e-4)
    assert not all(np.array_equal(weights["compiled"][name], array) for name, array in weights["mxnet"].items())


@needs_compiler
def test_a_model_of_a_text_trains_with_it(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("in the beginning was the word. " * 150)
    options = {"model": "lstm", "hidden_size": 8, "epochs": 2, "batch_size": 8, "dropout": 0.0}
    losses, weights = {}, {}
    for lstm in ("mxnet", "compiled"):
        run = train(Text(path, length=20), tmp_path / lstm, lstm=lstm, progress=False, **options).run
        losses[lstm] = [row["train_loss"] for row in run.read_metrics()]
        weights[lstm], _ = run.read_arrays("last.safetensors")
    assert losses["compiled"] == pytest.approx(losses["mxnet"], rel=1e-4)
    assert not all(np.array_equal(weights["compiled"][name], array) for name, array in weights["mxnet"].items())


@needs_compiler
def test_a_resumed_run_has_the_same_bits(small, tmp_path):
    options = {**small, "layers": 2, "dropout": 0.3, "schedule": "constant", "warmup_steps": 0, "lstm": "compiled"}
    whole = train(run_dir=tmp_path / "whole", **{**options, "epochs": 4}).run
    train(run_dir=tmp_path / "parts", **{**options, "epochs": 2})
    parts = train(run_dir=tmp_path / "parts", resume=True, progress=False, epochs=4).run
    first, _ = whole.read_arrays("last.safetensors")
    second, _ = parts.read_arrays("last.safetensors")
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@needs_compiler
def test_a_run_opens_and_answers_where_it_cannot_be_compiled(small, tmp_path):
    solver = train(run_dir=tmp_path / "run", **small, lstm="compiled")
    code = f"from seq2seq import Solver; print(Solver({str(tmp_path / 'run')!r})('1+2'))"
    done = python(code, CXX="no-such-compiler", XDG_CACHE_HOME=str(tmp_path / "empty"))
    assert done.stdout.strip() == solver("1+2"), done.stderr


# Compiling ------------------------------------------------------------------------------------------------------------


@needs_compiler
def test_it_is_compiled_once_with_a_note_and_again_if_it_is_damaged(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(library, "load", lambda: None)  # what a process has loaded must not be cut
    notes = []
    prepare(mx.cpu(), notes.append)
    [kept] = tmp_path.rglob("*.so")
    content, when = kept.read_bytes(), kept.stat().st_mtime_ns
    prepare(mx.cpu(), notes.append)
    assert len(notes) == 1 and "compiling the LSTM" in notes[0] and kept.stat().st_mtime_ns == when
    kept.write_bytes(content[:5000])  # loading it would end the process
    prepare(mx.cpu(), notes.append)
    assert len(notes) == 2 and kept.read_bytes() == content
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


@pytest.mark.parametrize(
    ("compiler", "said"),
    [
        (
            "no-such-compiler",
            r"lstm: compiled needs a C\+\+ compiler, and no-such-compiler cannot be run .*; install it",
        ),
        ("/tmp", r"lstm: compiled needs a C\+\+ compiler, and /tmp cannot be run"),
        ("false", r"lstm: false failed: status 1; use lstm mxnet"),
        ("true", r"lstm: true failed: status 0; use lstm mxnet"),
    ],
)
def test_without_a_compiler_nothing_is_written(compiler, said, small, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", compiler)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UsageError, match=said) as caught:
        train(run_dir=tmp_path / "run", **small, lstm="compiled")
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@needs_compiler
def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"lstm: .* cannot be written \(Not a directory\); name another folder in XDG"):
        library.library()


def test_an_operator_that_cannot_be_loaded_is_named_before_anything_is_written(small, tmp_path, monkeypatch):
    (tmp_path / "other.so").write_bytes(b"no library")
    monkeypatch.setattr(library, "library", lambda note=print: tmp_path / "other.so")
    monkeypatch.setattr(library, "load", load.__wrapped__)
    with pytest.raises(UsageError, match=r"lstm: .*other\.so cannot be loaded here; use lstm mxnet") as caught:
        train(run_dir=tmp_path / "run", **small, lstm="compiled")
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()


@needs_compiler
def test_a_run_that_starts_from_another_chooses_its_own(small, tmp_path):
    train(run_dir=tmp_path / "first", **small, lstm="compiled")
    later = train(run_dir=tmp_path / "second", start_from=tmp_path / "first", epochs=1, progress=False)
    assert later.config.training.lstm == "mxnet"


def test_it_is_for_a_cpu_and_for_lstms(small, tmp_path):
    with pytest.raises(UsageError, match="lstm: got 'compiled', but it must be mxnet on a GPU"):
        prepare(mx.gpu(0), print)
    said = "lstm: got 'compiled', but it must be mxnet with the cell rnn, for which there is no compiled one"
    with pytest.raises(UsageError, match=said):
        train(run_dir=tmp_path / "run", **small, cell="rnn", lstm="compiled")
    with pytest.raises(UsageError, match="lstm: got 'fast', but it must be one of mxnet, compiled"):
        train(run_dir=tmp_path / "run", **small, lstm="fast")
    assert train(run_dir=tmp_path / "run", **{**small, "cell": "rnn", "epochs": 1}, lstm="mxnet")
