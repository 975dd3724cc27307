"""A page without a server that answers: ONNX Runtime in a real browser, and files alone from the other end."""

import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seq2seq import export
from seq2seq.exporting.runtime import FILES, PACKAGE, cache
from tests.web.conftest import WAIT

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
pytest.importorskip("onnx", reason="pip install 'mxseq2seq[onnx]'")
pytestmark = pytest.mark.skipif(
    not all((cache() / name).exists() for name in FILES), reason=f"npm pack {PACKAGE}, see .ci/run"
)
expect = sync_api.expect
expect.set_options(timeout=WAIT)


class Handler(SimpleHTTPRequestHandler):
    """Sends files, and notes which."""

    def log_message(self, *_):
        self.server.asked.append(self.path)


@pytest.fixture(scope="module")
def folders(attentive, stepping, solved, tmp_path_factory):
    """The folders of three pages, side by side."""
    folder = tmp_path_factory.mktemp("pages")
    for solver in (attentive, stepping, solved):
        export(solver, page=folder / solver.run.path.name, runtime=cache())
    return folder


@pytest.fixture(scope="module")
def server(folders):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folders)) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def address(server):
    return f"http://127.0.0.1:{server.server_address[1]}/"


def confidence(page):
    return float(page.locator(".answer meter").get_attribute("value"))


def test_it_answers_as_python_does_with_the_working_and_each_step(page, address, attentive, stepping, solved):
    for solver in (attentive, stepping, solved):
        page.goto(f"{address}{solver.run.path.name}/")
        for source in ("1+2", "3+1") if solver is solved else ("1+2+3", "3 + 0+1"):
            page.get_by_label("A source").fill(source)
            [answer] = solver.answer([source])
            call = solver.calls(source)[0]
            expect(page.locator("table.heat caption code").first).to_contain_text(f"{call} →")
            expect(page.locator(".answer output")).to_have_text(answer.text)
            assert confidence(page) == pytest.approx(answer.confidence, abs=1e-5)
            steps = solver.work(source)
            assert page.locator(".steps li").all_text_contents() == (steps if len(steps) > 1 else [])
            assert page.locator("table.heat").count() == len(solver.calls(source))


def test_each_step_is_as_sure_as_in_python(page, address, attentive):
    from seq2seq.explaining import explain

    page.goto(f"{address}attentive/#source=1%2B2%2B3")
    [found] = explain(attentive, "1+2+3")
    rows = page.locator("table.heat tbody tr")
    expect(rows).to_have_count(len(found.written))
    assert page.locator("table.heat tbody th").all_text_contents() == found.written
    shown = [float(each.split()[0]) / 100 for each in page.locator("table.heat td.sure").all_text_contents()]
    assert shown == pytest.approx(found.probabilities.max(axis=1).tolist(), abs=6e-4)


def test_a_working_of_any_length_is_as_in_python(page, address, stepping):
    page.goto(f"{address}stepping/")
    for source in ("3-1+2-3+1+0-2", "1-3-3", "0"):
        page.get_by_label("A source").fill(source)
        [answer] = stepping.answer([source])
        expect(page.locator("table.heat caption code").first).to_contain_text(f"{stepping.calls(source)[0]} →")
        expect(page.locator(".answer output")).to_have_text(answer.text)
        assert confidence(page) == pytest.approx(answer.confidence, abs=1e-5)


@pytest.mark.parametrize("source, problem", [
    ("1+x", "'x' is not among the characters 0123456789+"), ("1+", "'1+' is not of the form of"),
    ("  ", "the source is empty"), ("1+1+1+1+1+1", "'1+1+1+1+1+1' has 11 characters, but this run reads 5"),
    ("<img src=x onerror=alert(1)>", "'<' is not among the characters"),
])  # fmt: skip
def test_what_cannot_be_read_is_named(source, problem, page, address):
    page.goto(f"{address}attentive/")
    expect(page.locator(".answer output")).to_be_visible()
    page.get_by_label("A source").fill(source)
    expect(page.locator(".answer.error")).to_contain_text(problem)
    assert page.locator("img").count() == 0


def test_only_what_a_browser_can_do_is_shown_and_the_rest_is_said(page, address):
    page.goto(f"{address}stepping/#view=watch")
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Ask"])
    expect(page.get_by_text("This page does not mark sources that are unlike those of training")).to_be_visible()
    assert page.get_by_text("Compare with").count() == page.get_by_text("Embeddings").count() == 0


def test_it_answers_without_a_network_once_it_is_loaded(page, address, server, attentive):
    page.goto(f"{address}attentive/")
    expect(page.locator(".answer output")).to_be_visible()
    server.asked.clear()
    page.get_by_label("A source").fill("1+1+1")
    expect(page.locator(".answer output")).to_have_text(attentive("1+1+1"))
    expect(page.locator("table.heat caption code")).to_contain_text("1+1+1 →")
    assert server.asked == []


def test_a_graph_that_is_missing_is_named(page, address, folders):
    page.route("**/model.onnx", lambda route: route.abort("connectionrefused"))
    page.goto(f"{address}attentive/")
    expect(page.get_by_role("alert")).not_to_be_empty()


def test_its_files_are_those_that_it_names(folders):
    properties = json.loads((folders / "stepping" / "export.json").read_text())
    for name, digest in properties["files"].items():
        assert hashlib.sha256((folders / "stepping" / name).read_bytes()).hexdigest() == digest
    assert properties["rule"]["kind"] == "head" and properties["page"]["name"] == "stepping"
    names = {path.relative_to(folders / "sums").as_posix() for path in (folders / "sums").rglob("*") if path.is_file()}
    assert {"index.html", "model.onnx", "export.json", "README.md", "LICENSES.txt", "page/engine.js"} <= names
    assert not {"page/index.html", "page/engine-onnx.js"} & names
    assert "'wasm-unsafe-eval'" in (folders / "sums" / "index.html").read_text()
