"""A checkpoint in MXNet's own format becomes a run folder again."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq import RunError, Solver, UsageError, export, import_mxnet, train
from seq2seq.exporting.params import read_params
from seq2seq.mx import alone, mx

ROOT = Path(__file__).parent.parent.parent
SOURCES = {"solved": ["1+1", "9+8"], "attentive": ["1+2+3", "3+3"], "stepping": ["1+2-3", "3-3-3"], "reading": ["the "]}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, request):
    """A function from the name of a fixture with a run to the prefixes of its checkpoints, not to be changed."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def prefixes(name):
        if not (folder / name).exists():
            export(request.getfixturevalue(name), mxnet=folder / name)
        width = str(json.loads((folder / name / "export.json").read_text(encoding="utf-8"))["widths"][0])
        found = sorted(file.name.removesuffix("-symbol.json") for file in (folder / name).glob("*-symbol.json"))
        return [folder / name / each for each in found if each == "model" or each.endswith(f"-{width}")]

    return prefixes


@pytest.fixture
def copied(checkpoints, tmp_path):
    """The prefix of a copy of a checkpoint of sums."""
    shutil.copytree(checkpoints("solved")[0].parent, tmp_path / "copy")
    return tmp_path / "copy" / "model"


def save(prefix, **arrays):
    with alone:
        mx.nd.save(f"{prefix}-0000.params", {f"arg:{name}": mx.nd.array(array) for name, array in arrays.items()})


def arrays_of(prefix):
    return read_params(Path(f"{prefix}-0000.params").read_bytes())


@pytest.mark.parametrize("name", SOURCES)
def test_it_answers_as_the_run_did(name, checkpoints, request, tmp_path):
    run = request.getfixturevalue(name)
    found = import_mxnet(checkpoints(name), tmp_path / "back")
    assert {*found.weights} == {*run.weights}
    assert all(np.array_equal(found.weights[each], run.weights[each]) for each in run.weights)
    assert found.answer(SOURCES[name]) == run.answer(SOURCES[name])
    assert found.config.model == run.config.model


def test_another_run_starts_from_it(checkpoints, tmp_path):
    found = import_mxnet(checkpoints("solved")[0], tmp_path / "back")
    options = {"hidden_size": 32, "layers": 1, "batch_size": 32, "model": "repeat", "reverse_target": False}
    trained = train(found.task, tmp_path / "on", start_from=tmp_path / "back", epochs=1, progress=False, **options)
    assert trained.config.start is not None and trained.run.exists


def test_without_an_export_json_it_is_like_a_run_or_has_options(solved, copied, tmp_path):
    (copied.parent / "export.json").unlink()
    with pytest.raises(UsageError, match=r"^like: name a run with the same task and network, or give options"):
        import_mxnet(copied, tmp_path / "none")
    for number, like in enumerate([solved.run.path, solved.config]):
        found = import_mxnet(copied, tmp_path / str(number), like)
        assert found(["9+8", "1+1"]) == solved(["9+8", "1+1"])
        assert found.dataset.fingerprint == solved.dataset.fingerprint  # so that it can be evaluated
    assert {path.name for path in tmp_path.iterdir()} == {"copy", "0", "1"}


def test_the_last_epoch_is_read(solved, copied, tmp_path):
    Path(f"{copied}-0000.params").rename(f"{copied}-0012.params")
    save(copied, nothing=[1])
    assert import_mxnet(copied, tmp_path / "back")("9+8") == solved("9+8")


def test_parameters_that_are_not_those_of_the_network_are_named(copied, stepping, tmp_path):
    arrays = arrays_of(copied)
    other = {"output_bias": arrays["output_bias"][:-1]}
    lacking = {name: array for name, array in arrays.items() if name != "output_bias"}
    for changed, message in [
        ({**arrays, **other}, r"copy/model: has output_bias with shape \(11,\), but the network has it with \(12,\)$"),
        (lacking, r"copy/model: has no output_bias, which the network has with shape \(12,\)$"),
        ({"fc1": [1]}, r"copy/model-symbol\.json: is not the graph of model-0000\.params: it has no 'fc1'$"),
    ]:
        save(copied, **changed)
        with pytest.raises(RunError, match=message):
            import_mxnet(copied, tmp_path / "back")
    save(copied, **arrays)
    with pytest.raises(RunError, match=r"export\.json: its 'characters' are not those of .*stepping$"):
        import_mxnet(copied, tmp_path / "back", like=stepping.run.path)
    (copied.parent / "export.json").unlink()
    with pytest.raises(RunError, match=r"copy/model: has 'encoder_parameters', but the network has transducer_param"):
        import_mxnet(copied, tmp_path / "back", like=stepping.run.path)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


@pytest.mark.parametrize("file, content, message", [
    ("model-symbol.json", None, r"model-symbol\.json: cannot be read: No such file or directory$"),
    ("model-symbol.json", b"{}", r"model-symbol\.json: is damaged: it is not a graph of MXNet$"),
    ("model-symbol.json", b'{"nodes": [1]}', r"model-symbol\.json: is damaged: it is not a graph of MXNet$"),
    ("model-symbol.json", b'{"nodes": []}', r"model-symbol\.json: is not the graph of model-0000\.params: it has no '"),
    ("model-0000.params", None, r"model-0000\.params: cannot be read: No such file or directory$"),
    ("model-0000.params", b"", r"model-0000\.params: is not a file of MXNet's arrays$"),
    ("export.json", b"{}", r"export\.json: is not an export of this version"),
    ("export.json", "config", r"export\.json: its configuration: is damaged: "),
])  # fmt: skip
def test_a_damaged_file_is_named(copied, tmp_path, file, content, message):
    path = copied.parent / file
    if content == "config":
        content = json.dumps({**json.loads(path.read_bytes()), "config": {"format": 1, "task": {"name": "arithmetic"}}})
        content = content.encode()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=message) as caught:
        import_mxnet(copied, tmp_path / "back")
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["copy"]


def test_arrays_cut_anywhere_or_changed_are_refused_or_read(copied):
    """No size in the file is trusted, so none makes the reader allocate more than the file has."""
    content = Path(f"{copied}-0000.params").read_bytes()
    places = {*range(200), *range(len(content) - 200, len(content))}
    for place in places:
        with pytest.raises(ValueError, match=r"is damaged|is not a file of MXNet's arrays"):
            read_params(content[:place])
    rng = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(content)
        changed[rng.integers(200)] = rng.integers(256)
        try:
            read_params(bytes(changed))
        except ValueError as error:
            assert str(error).startswith(("is ", "holds "))


def test_what_is_no_checkpoint_or_no_new_folder(copied, tmp_path):
    for prefix in ([], 3, [3], ""):
        with pytest.raises(UsageError, match=r"^prefix: got "):
            import_mxnet(prefix, tmp_path / "back")
    with pytest.raises(UsageError, match=r"^run_dir: got .*copy', but it must be a folder that does not exist yet$"):
        import_mxnet(copied, tmp_path / "copy")


def test_the_command(copied, tmp_path):
    words = [sys.executable, "-m", "seq2seq", "import", "copy/model"]
    given = {"cwd": tmp_path, "env": {"PYTHONPATH": str(ROOT), "PATH": ""}, "capture_output": True, "text": True}
    result = subprocess.run([*words, "--run-dir", "back"], timeout=120, **given)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("wrote back\ntry: ") and Solver(tmp_path / "back")("9+8") == "17"
    options = ["--like", "back", "--hidden-size", "5"]
    result = subprocess.run([*words, "--run-dir", "more", *options], timeout=120, **given)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "seq2seq import: --like: not with options of an experiment: the run has them\n"
