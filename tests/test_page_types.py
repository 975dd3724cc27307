"""The Python programs of the pages pass mypy, with the settings of the project."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# `docs/tasks.md` has its reader write the module `clock`.
NAMES = {"tasks": "clock"}


def test_the_programs_of_the_pages_pass_mypy(tmp_path):
    how_to = sorted(page for page in (ROOT / "docs" / "how-to").glob("*.md") if page.stem != "index")
    pages = [ROOT / "docs" / "tasks.md", *how_to]
    programs = []
    for page in pages:
        blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
        assert blocks
        name = NAMES.get(page.stem, page.stem.replace("-", "_"))
        programs.append(tmp_path / f"{name}.py")
        programs[-1].write_text("\n".join(map(without_prompts, blocks)), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--follow-imports=silent"]
    # Pages have no annotations. `Solver.evaluate` returns another class for the run of a text.
    loose = ["--allow-untyped-defs", "--check-untyped-defs", "--disable-error-code=union-attr"]
    mypy = subprocess.run([*command, *loose, *map(str, programs)], cwd=ROOT, capture_output=True, text=True)
    assert mypy.returncode == 0, mypy.stdout + mypy.stderr


def without_prompts(block):
    """The statements of a session at the prompt, or a block as it is."""
    return doctest.script_from_examples(block) if block.startswith(">>>") else block
