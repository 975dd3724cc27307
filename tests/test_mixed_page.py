"""The page on mixed batches and normalisation shows what is so."""

import importlib.util
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from seq2seq import Roman, Solver
from seq2seq.recipes import load_recipe

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "mixed-batches-and-normalisation.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"(?<!-->\n)```{language}\n(.*?)```", PAGE, re.S)


def benchmark(name):
    """A script of benchmarks/, and its results."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, json.loads(module.RESULTS.read_text(encoding="utf-8"))


def shown(mark):
    return re.search(rf"<!-- {mark} -->\n(.*?)<!-- end -->", PAGE, re.S)[1]


@pytest.mark.parametrize("file, excerpt", re.findall(r"<!-- from (\S+) -->\n```python\n(.*?)```", PAGE, re.S))
def test_each_excerpt_is_in_the_source(file, excerpt):
    source = textwrap.dedent((ROOT / file).read_text(encoding="utf-8"))
    assert any(textwrap.indent(excerpt, " " * depth).rstrip() in source for depth in (0, 4, 8, 12))


def test_the_commands_that_the_page_shows_do_what_it_says(tmp_path):
    numerals = [source for source, _ in Roman((40, 99)).pairs()]
    (tmp_path / "sources.txt").write_text("".join(f"{source}\n" for source in (*numerals, "unreadable")))
    [program] = blocks("python")
    (tmp_path / "sure.py").write_text(re.sub("THRESHOLD = .*", "THRESHOLD = 0", program))
    small = "--epochs 2 --hidden-size 8 --examples 60 --validation 10 --test 20 --task.numbers 1-99"
    [_, commands] = blocks("sh")
    for command in commands.strip().splitlines():
        python = f"PYTHONPATH={ROOT} {sys.executable}"
        command = command.replace("--epochs 100", small).replace("| python ", f"| {python} ")
        command = re.sub("^seq2seq", f"{python} -m seq2seq", command)
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    [extra] = Solver(tmp_path / "runs" / "more").config.extra
    assert extra.share == 0.25 and extra.task.count > 0


def test_the_recipe_of_the_page_is_one(tmp_path):
    [recipe] = blocks("toml")
    (tmp_path / "recipe.toml").write_text(recipe)
    [extra] = load_recipe(tmp_path / "recipe.toml").config.extra
    assert extra.share == 0.25 and extra.task.path == "more.tsv"


def test_the_tables_are_those_of_the_results():
    module, results = benchmark("pseudo_labels")
    assert shown(module.MARK) == module.table(results) and len(results) == 3
    module, results = benchmark("normalisation")
    assert shown(module.MARK) == module.table(results, len(results) // 6) and len(results) >= 18


def test_the_picture_is_drawn_from_the_results_and_shown_and_the_walk_links_to_it(tmp_path):
    pytest.importorskip("matplotlib")
    module, results = benchmark("normalisation")
    module.draw(results, tmp_path / "picture.svg")
    drawn = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    for text in ("learning rate 0.004", "learning rate 0.016", "batch", "layer", "none"):
        assert f"<!-- {text} -->" in drawn
    assert re.findall(r"!\[.+\]\((.+)\)", PAGE) == [module.PICTURE.name] and module.PICTURE.exists()
    walk = (ROOT / "docs" / "from-one-letter-to-sentences.md").read_text(encoding="utf-8")
    assert (
        "(mixed-batches-and-normalisation.md#normalised-embeddings)" in walk and "\n## Normalised embeddings\n" in PAGE
    )
