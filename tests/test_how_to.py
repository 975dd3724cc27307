"""Each page of docs/how-to/ is a program that prints what the page shows."""

import re
import runpy
import sys
import types
from pathlib import Path

import pytest

from seq2seq import train
from seq2seq.runs import Run

FOLDER = Path(__file__).parent.parent / "docs" / "how-to"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.stem != "index")


class Service(types.ModuleType):
    """A module that keeps the calls of its functions: name, arguments, options."""

    def __init__(self, name):
        super().__init__(name)
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments, **options: self.calls.append((name, arguments, options))


@pytest.fixture(autouse=True)
def services(monkeypatch):
    """In place of modules that send what they are given to another machine."""
    modules = {name: Service(name) for name in ("wandb", "mlflow")}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules


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


def test_services_are_sent_each_epoch_and_a_resumed_run_goes_on(services, tmp_path, monkeypatch):
    text = (FOLDER / "watch.md").read_text(encoding="utf-8")
    (tmp_path / "program.py").write_text("\n".join(blocks("python", text)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    page = runpy.run_path("program.py")
    started = {"project": "seq2seq", "id": "reverse", "name": "reverse", "resume": "allow"}
    first = [("log", (row,), {"step": row["epoch"]}) for row in Run("runs/wandb").read_metrics()]
    assert services["wandb"].calls == [("init", (), started), *first, ("finish", (), {})] and len(first) == 2
    logged = [("log_metrics", (row,), {"step": row["epoch"]}) for row in Run("runs/mlflow").read_metrics()]
    begun = [("set_experiment", ("reverse",), {}), ("start_run", (), {})]
    assert services["mlflow"].calls == [*begun, *logged, ("end_run", (), {})] and len(logged) == 2
    for name, callback in (("wandb", page["WeightsAndBiases"]("reverse")), ("mlflow", page["MLflow"]("reverse"))):
        services[name].calls.clear()
        train(run_dir=f"runs/{name}", epochs=3, resume=True, callbacks=[callback], progress=False)
    [*_, last] = Run("runs/wandb").read_metrics()
    assert services["wandb"].calls[1:-1] == [("log", (last,), {"step": 3})]
    rows = Run("runs/mlflow").read_metrics()
    assert services["mlflow"].calls[1:-1] == [("log_metrics", (row,), {"step": row["epoch"]}) for row in rows]
