"""What MkDocs is given beside `docs/`: pages from elsewhere in the repository, and links that work in both places.

A page is written for whoever reads the repository: `docs/performance.md` links to `../benchmarks/README.md`. On the
site the folder `docs/` is the root, so each link is resolved in the repository and written again for the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
DOCS = "docs/"
# Files outside docs/ that are part of the site, by their paths in the repository.
OUTSIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "benchmarks/README.md", "benchmarks/results.png")
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"(\]\(|^\[[^\]]+\]: )(?![a-z]+:|#)([^)\s#]+)", re.M)  # ](path or [name]: path, up to a #


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files from outside `docs/`. The front page is `index.md`, so README.md is a page of its own."""
    for path in OUTSIDE:
        file = File.generated(config, path, abs_src_path=str(ROOT / path))
        if path == "README.md":
            file.dest_uri = "overview.html"
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Write each link for the site, except in code."""
    source = page.file.src_uri
    place = source if source in OUTSIDE else DOCS + source
    parts = []
    end = 0
    for code in FENCED.finditer(markdown):
        parts.append(_for_the_site(markdown[end : code.start()], place))
        parts.append(code[0])
        end = code.end()
    parts.append(_for_the_site(markdown[end:], place))
    return "".join(parts)


def _for_the_site(text: str, place: str) -> str:
    """The text of a page at this place in the repository, with the links it has on the site."""

    def written(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(place), link[2]))
        return link[1] + posixpath.relpath(_on_site(target), posixpath.dirname(_on_site(place)))

    return LINK.sub(written, text)


def _on_site(path: str) -> str:
    return path[len(DOCS) :] if path.startswith(DOCS) else path
