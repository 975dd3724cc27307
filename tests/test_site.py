"""The site builds without a warning, from the checkout alone, and its reference has every public name."""

import html
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seq2seq

ROOT = Path(__file__).parent.parent
MISSING = [name for name in ("mkdocs", "material", "mkdocstrings_handlers") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed: pip install '.[docs]' to build the site"
)
LOADED = re.compile(r"""<(?:script|img|iframe|link rel="(?:stylesheet|preconnect)")[^>]*(?:src|href)="(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    before = checkout()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert checkout() == before
    return folder


def checkout():
    """Everything where a build could leave something: among the pages, at the top and in `build`."""
    return {*(ROOT / "docs").rglob("*"), *ROOT.glob("*"), *ROOT.glob("build/*")}


def test_the_strict_build_has_a_page_for_each_file_and_leaves_the_scripts_out(site):
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages if not (site / page).is_file()} == set()
    assert (site / "overview.html").is_file() and (site / "CONTRIBUTING.html").is_file()
    assert not [*site.rglob("*.py")]


def test_links_out_of_the_folder_of_the_pages_lead_to_pages_of_the_site(site):
    assert 'href="benchmarks/index.html"' in (site / "performance.html").read_text(encoding="utf-8")
    assert 'href="overview.html#ask-it"' in (site / "from-one-letter-to-sentences.html").read_text(encoding="utf-8")
    assert 'href="tasks.html#a-text"' in (site / "overview.html").read_text(encoding="utf-8")


def test_the_site_loads_nothing_from_elsewhere(site):
    assert [page.name for page in site.rglob("*.html") if LOADED.search(page.read_text(encoding="utf-8"))] == []


def test_no_list_or_table_of_a_page_is_shown_as_text(site):
    """GitHub sees a list after a line of text; MkDocs wants an empty line between."""
    paragraph = re.compile(r"<p>(?:(?!</p>).)*?\n(?:[-*|]|1\.) (?:(?!</p>).)*</p>", re.S)
    assert [page.name for page in site.rglob("*.html") if paragraph.search(page.read_text(encoding="utf-8"))] == []


def test_no_page_has_the_marks_of_a_merge():
    pages = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    for page in pages:
        assert not re.search(r"^(<<<<<<<|=======|>>>>>>>)( |$)", page.read_text(encoding="utf-8"), re.M), page


def test_every_public_name_is_in_the_reference(site):
    pages = "".join(html.unescape(page.read_text(encoding="utf-8")) for page in (site / "reference").glob("*.html"))
    assert [name for name in seq2seq.__all__ if f'id="seq2seq.{name}"' not in pages] == []
