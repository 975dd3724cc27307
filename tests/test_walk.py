"""The walk from one letter to sentences shows what is so."""

import contextlib
import importlib.util
import io
import re
import textwrap
from pathlib import Path

import pytest

from seq2seq.config import TEXT_MODELS

ROOT = Path(__file__).parent.parent
WRITTEN = (ROOT / "docs" / "from-one-letter-to-sentences.md").read_text(encoding="utf-8")
PAGE = re.sub(r"(<!-- measured: .+ -->\n)(?:.*\n)*?(<!-- end -->)", r"\1\2", WRITTEN)  # without what models wrote
STEPS = [
    "01-char3", "02-rnn-add", "03-rnn-concat", "04-rnn", "05-rnn-sequence", "06-rnn-stateful", "07-gru", "08-lstm",
    "09-rnn-scan", "10-rnn-numpy", "11-lstm-numpy", "12-sentences",
]  # fmt: skip
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
        assert f"--recipe recipes/text/{name}.toml" in section
        assert f"<!-- measured: {name} -->\n<!-- end -->\n" in section
    assert all(f"<!-- measured: {name} -->\n<!-- end -->\n" in PAGE for name in ("identity", "table"))
    assert set(TEXT_MODELS) == {name[3:] for name in STEPS[:-1]}


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
