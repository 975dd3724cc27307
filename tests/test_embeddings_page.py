"""The page on embeddings shows what is so."""

import contextlib
import io
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "embeddings-that-mean-something.md").read_text(encoding="utf-8")
EXCERPTS = re.findall(r"<!-- from (\S+) -->\n```python\n(.*?)```", PAGE, re.S)
PROGRAMS = re.findall(r"(?<!-->\n)```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.S)


def test_the_programs_of_the_page_print_what_it_shows():
    """In order, since each goes on from the one before."""
    names = {}
    for program, output in PROGRAMS:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(program, names)
        assert printed.getvalue() == output


def test_every_python_block_is_an_excerpt_or_a_program_and_excerpts_are_in_the_source():
    assert len(EXCERPTS) + len(PROGRAMS) == PAGE.count("```python")
    for file, excerpt in EXCERPTS:
        assert excerpt.rstrip() in (ROOT / file).read_text(encoding="utf-8")


def test_every_picture_is_there():
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", PAGE)
    assert pictures and all((ROOT / "docs" / name).exists() for name in pictures)
