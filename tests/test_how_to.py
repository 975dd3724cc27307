"""Each page of docs/how-to/ is a program that prints what the page shows."""

import re
import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "docs" / "how-to"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.stem != "index")


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_program_of_each_page_prints_what_the_page_shows(page, tmp_path, monkeypatch, capsys):
    text = page.read_text(encoding="utf-8")
    if "import search" in text:
        pytest.importorskip("optuna", reason="pip install 'mxseq2seq[search]'")
    if "import onnxruntime" in text:
        pytest.importorskip("onnx", reason="pip install 'mxseq2seq[onnx]'")
    program = tmp_path / "program.py"
    program.write_text("\n".join(blocks("python", text)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(program), run_name="__main__")
    assert capsys.readouterr().out == "".join(blocks("text", text))


def blocks(language, text):
    """The blocks of a language, in the order of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def test_every_page_is_in_the_list():
    listed = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert {page.name for page in PAGES} == set(re.findall(r"\]\((.+?\.md)\)", listed))
