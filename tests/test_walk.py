"""The walk from one letter to sentences shows what is so."""

import contextlib
import copy
import importlib.util
import io
import math
import random
import re
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from seq2seq.config import TEXT_MODELS
from seq2seq.recipes import FOLDER, load_recipe

ROOT = Path(__file__).parent.parent
WRITTEN = (ROOT / "docs" / "from-one-letter-to-sentences.md").read_text(encoding="utf-8")
PAGE = re.sub(r"(<!-- measured: .+ -->\n)(?:.*\n)*?(<!-- end -->)", r"\1\2", WRITTEN)  # without what models wrote
STEPS = [
    "01-char3", "02-rnn-add", "03-rnn-concat", "04-rnn", "05-rnn-sequence", "06-rnn-stateful", "07-gru", "08-lstm",
    "09-rnn-scan", "10-rnn-numpy", "11-lstm-numpy", "12-sentences",
]  # fmt: skip
NOTEBOOK = nbformat.read(ROOT / "docs" / "from-one-letter-to-sentences.ipynb", as_version=4)
EXCERPTS = re.findall(r"<!-- from (\S+) -->\n```python\n(.*?)```", PAGE, re.S)
PROGRAMS = re.findall(r"(?<!-->\n)```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("file, excerpt", EXCERPTS)
def test_each_excerpt_is_in_the_source(file, excerpt):
    lines = excerpt.splitlines()
    source = (ROOT / file).read_text(encoding="utf-8").splitlines()
    windows = ("\n".join(source[start : start + len(lines)]) for start in range(len(source)))
    assert textwrap.dedent(excerpt).rstrip() in map(textwrap.dedent, windows)


def test_every_python_block_is_an_excerpt_or_a_program():
    assert len(EXCERPTS) + len(PROGRAMS) == PAGE.count("```python")
    assert len(EXCERPTS) >= len(STEPS) and all(2 <= excerpt.count("\n") <= 10 for _, excerpt in EXCERPTS)


@pytest.mark.parametrize("program, output", PROGRAMS)
def test_each_program_prints_what_the_page_shows(program, output):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(program, {})
    assert printed.getvalue() == output


def test_each_step_has_its_place_drawing_recipe_and_measurement():
    assert re.findall(r"^## (\d+)\.", PAGE, re.M) == [str(number) for number in range(1, len(STEPS) + 1)]
    for name, section in zip(STEPS, re.split(r"^## \d+\. ", PAGE, flags=re.M)[1:]):
        model = name[3:]
        assert section.lower().startswith((f"`{model}`", model))
        assert f"--recipe text/{name}" in section
        assert f"<!-- measured: {name} -->\n<!-- end -->\n" in section
    assert all(f"<!-- measured: {name} -->\n<!-- end -->\n" in PAGE for name in ("identity", "table"))
    assert set(TEXT_MODELS) == {name[3:] for name in STEPS[:-1]}


def test_each_step_has_a_recipe_of_its_network():
    recipes = {path.stem: load_recipe(path) for path in (FOLDER / "text").glob("*.toml")}
    assert set(recipes) == set(STEPS)
    assert all(recipes[name].config.model.model == name[3:] for name in STEPS[:-1])


@pytest.fixture
def draw():
    """The script that draws."""
    spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "steps" / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_drawings_are_those_that_the_script_draws_and_the_page_shows(draw, tmp_path):
    draw.main(tmp_path)
    drawn, kept = sorted(tmp_path.iterdir()), sorted((ROOT / "docs" / "steps").glob("*.svg"))
    assert [file.name for file in drawn] == [file.name for file in kept]
    assert {f"steps/{file.name}" for file in kept} == set(re.findall(r"!\[.+\]\((.+)\)", PAGE))
    for fresh, file in zip(drawn, kept):  # what matplotlib writes differs in digits from version to version
        new, old = (each.read_text(encoding="utf-8") for each in (fresh, file))
        assert re.findall(r">(.+)</text>", new) == re.findall(r">(.+)</text>", old)
        assert re.findall(r"#[0-9a-f]{6}", new) == re.findall(r"#[0-9a-f]{6}", old)


def test_the_notebook_is_the_same_walk_and_has_no_outputs():
    told = "\n".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown")
    assert re.findall("^##.*", told, re.M) == re.findall("^##.*", PAGE, re.M)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in NOTEBOOK.cells)


def test_the_notebook_runs_and_every_network_learns(monkeypatch, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(" ".join(random.Random(0).choices(["the", "cat", "sat", "on", "a", "mat", "dog", "ran"], k=400)))
    settings = {"TEXT": file, "EPOCHS": 1, "PYTHONPATH": ROOT, "JUPYTER_DATA_DIR": tmp_path, "IPYTHONDIR": tmp_path}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    client = NotebookClient(copy.deepcopy(NOTEBOOK), resources={"metadata": {"path": str(ROOT / "docs")}})
    outputs = [output for cell in client.execute().cells for output in cell.get("outputs", [])]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "step 100: a 3.000, b 1.001" in printed
    reached = {name: float(nats) for name, nats in re.findall(r"^(\S.*?) +(\S+) nats  \S+ bits$", printed, re.M)}
    assert {*TEXT_MODELS, "sentences"} <= set(reached)
    assert all(nats < math.log(len(set(file.read_text()))) for nats in reached.values())
    assert any("image/png" in output.get("data", {}) for output in outputs)
