"""Graphs in MXNet's own format answer as the run does."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from seq2seq import RunError, Solver, UsageError, export
from seq2seq.mx import alone, mx

PROGRAM = Path(__file__).parent / "predict.c"


def written(run, folder):
    """The properties in an export of a run to this folder."""
    export(run, mxnet=folder)
    return json.loads((folder / "export.json").read_text(encoding="utf-8"))


def call(folder, properties, name, **inputs):
    """The outputs of a graph by name, by `Module`."""
    graph = properties["graphs"][name]
    assert [*inputs] == graph["inputs"]
    with alone:
        module = mx.mod.Module.load(str(folder / name), 0, data_names=graph["inputs"], label_names=None)
        described = [mx.io.DataDesc(each, array.shape, layout="C") for each, array in inputs.items()]
        module.bind(described, for_training=False)
        module.forward(mx.io.DataBatch([mx.nd.array(array) for array in inputs.values()]), is_train=False)
        return dict(zip(graph["outputs"], (output.asnumpy() for output in module.get_outputs())))


@pytest.mark.parametrize("name", ["solved", "stepping"])
def test_a_module_gives_all_characters_at_once(name, request, tmp_path):
    run = request.getfixturevalue(name)
    ids = run.codec.encode_sources(["1+2"])
    expected = run.predictor(1).answer(ids).ids[0]
    properties = written(run, tmp_path / "graphs")
    found = call(tmp_path / "graphs", properties, "model", source=ids.T)["log_probabilities"].argmax(axis=2)[:, 0]
    learned = expected != properties["pad"]
    np.testing.assert_array_equal(found[learned], expected[learned])
    with pytest.raises(RunError, match="graphs: is an export for MXNet's own programs; ask its run"):
        Solver(tmp_path / "graphs")


def test_modules_of_an_encoder_and_a_step_give_one_character_after_another(attentive, tmp_path):
    codec = attentive.codec.fitting("1+2+3")
    ids = codec.encode_sources(["1+2+3"])
    [expected] = attentive.predictor(1, codec).answer(ids).ids
    properties = written(attentive, tmp_path / "graphs")
    width = codec.source_length
    values = call(tmp_path / "graphs", properties, f"encoder-{width}", source=ids.T)
    characters = [properties["start"]]
    while characters[-1] != properties["pad"]:
        found = call(tmp_path / "graphs", properties, f"step-{width}", previous=np.array(characters[-1:]), **values)
        characters.append(int(found.pop("log_probabilities").argmax()))
        values.update({name.removesuffix("_after"): state for name, state in found.items()})
    assert characters[1:] == expected[: len(characters) - 1].tolist()


def test_a_module_gives_the_next_character_of_a_text(reading, tmp_path):
    text = "the cat sleep"[: reading.codec.source_length].rjust(reading.codec.source_length, "a")
    properties = written(reading, tmp_path / "graphs")
    ids = reading.codec.encode_sources([reading.codec.alphabet.read_source(text)])
    found = call(tmp_path / "graphs", properties, "model", source=ids.T)["log_probabilities"][-1, 0]
    confidence = reading.expected(text)[-1].confidence
    assert np.exp(np.delete(found, properties["pad"]).max()) == pytest.approx(confidence, abs=1e-6)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_program_in_c_gives_the_answer(solved, tmp_path):
    """By MXNet's C predict API: a program of 60 lines, with the library that the Python package has."""
    written(solved, tmp_path / "graphs")
    package = Path(mx.__file__).parent
    if not (package / "include" / "mxnet" / "c_predict_api.h").exists():
        pytest.skip("the package has no header of the C predict API")
    words = ["cc", "-I", package / "include", PROGRAM, package / "libmxnet.so", f"-Wl,-rpath,{package}", "-o"]
    built = subprocess.run([*words, tmp_path / "predict"], capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    ids = solved.codec.encode_sources(["3+4"])[0]
    arguments = [str(tmp_path / "graphs" / "model"), *map(str, ids)]
    result = subprocess.run([tmp_path / "predict", *arguments], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    found = np.array([[int(each) for each in result.stdout.split()]])
    assert solved.codec.decode_targets(found)[0][: len(solved("3+4"))] == solved("3+4")


@pytest.mark.parametrize("onnx, mxnet", [("new", "new"), ("new", "new/mxnet"), ("new/onnx", "new")])
def test_folders_that_hold_each_other_are_refused_before_anything_is_written(solved, tmp_path, onnx, mxnet):
    with pytest.raises(UsageError, match=r"^mxnet: got .*, but it must be another folder than onnx, and"):
        export(solved, onnx=tmp_path / onnx, mxnet=tmp_path / mxnet)
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match=r"^mxnet: got .*there', but it must be a folder that does not exist yet"):
        export(solved, onnx=tmp_path / "new", mxnet=tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
