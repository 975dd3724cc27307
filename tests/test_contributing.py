"""What runs before a commit is what the README's command for the tests runs before the tests."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_hooks_are_the_checks_of_the_readme_without_the_tests():
    yaml = pytest.importorskip("yaml", reason="PyYAML not installed: pip install '.[test]'")
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in repository["hooks"])
    *checks, tests = readme_checks()
    assert tests == "python -m pytest"
    assert [hook["entry"] for hook in repository["hooks"]] == checks


def test_the_page_on_contributing_has_the_same_checks():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"$ {' && '.join(readme_checks())}\n" in page


def readme_checks():
    """The commands, without the folder of the environment, that follow its making."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    [line] = [line for line in page.splitlines() if line.endswith(" pytest")]
    return [command.replace(".venv/bin/", "") for command in line.split(" && ")[2:]]
