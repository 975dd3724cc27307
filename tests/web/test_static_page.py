"""A page without a server that answers: ONNX Runtime in a real browser, and files alone from the other end."""

import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from seq2seq import Arithmetic, Config, Extra, Reverse, SourceError, export, train
from seq2seq.exporting.marks import marks_of
from seq2seq.exporting.rule import rule_of
from seq2seq.exporting.runtime import FILES, PACKAGE, cache
from tests.tasks.by_hand import any_expression
from tests.web.conftest import WAIT, require_accessible

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place, shown", [
    ("attentive/#source=1%2B2%2B3", "table.heat"), ("stepping/#source=1%2B2%2B3", ".steps li"),
    ("sums/#source=x", ".answer:not(:empty)"),
])  # fmt: skip
def test_nothing_is_seriously_wrong_for_people_with_disabilities_and_all_fits_a_phone(
    place, shown, scheme, page, address
):
    require_accessible(page, f"{address}{place}", shown, scheme)


def test_each_step_is_as_sure_and_looks_where_it_does_in_python(page, address, attentive):
    from seq2seq.explaining import explain

    page.goto(f"{address}attentive/#source=1%2B2%2B3")
    [found] = explain(attentive, "1+2+3")
    rows = page.locator("table.heat tbody tr")
    expect(rows).to_have_count(len(found.written))
    assert page.locator("table.heat tbody th").all_text_contents() == found.written
    looked = [int(each) / 100 for each in page.locator("table.heat td.weight").all_text_contents()]
    assert looked == pytest.approx(found.attention.ravel().tolist(), abs=0.006)
    shown = [float(each.split()[0]) / 100 for each in page.locator("table.heat td.sure").all_text_contents()]
    assert shown == pytest.approx(found.probabilities.max(axis=1).tolist(), abs=6e-4)


def test_a_working_of_any_length_is_as_in_python(page, address, stepping):
    page.goto(f"{address}stepping/")
    for source in ("3-1+2-3+1+0-2", "1-3-3", "0"):
        page.get_by_label("A source").fill(source)
        [answer] = stepping.answer([source])
        calls = stepping.calls(source)
        expect(page.locator("table.heat caption code").first).to_contain_text(f"{calls[0]} →")
        expect(page.locator(".answer output")).to_have_text(answer.text)
        assert confidence(page) == pytest.approx(answer.confidence, abs=1e-5 * len(calls))  # rounding in each call


@pytest.mark.parametrize("options", [
    {"operators": "+-*", "signed": True, "operands": (0, 99)}, {"operators": "+-*/%", "operands": (0, 9)},
    {"operators": "/", "terms": 2}, {"operators": "+-*", "by_digit": True}, {"operators": "+-*", "parentheses": True},
])  # fmt: skip
def test_it_asks_what_the_task_asks(options, page, address):
    task = Arithmetic(**{"terms": 3, "operands": (1, 10), "steps": "call", **options})
    rng = np.random.default_rng(0)
    sources = [any_expression(task, rng) for _ in range(300)]
    script = """async ([rule, sources]) => {
        const {head} = await import("../stepping/page/working.js");
        return sources.map((source) => head(source, rule));
    }"""
    page.goto(f"{address}stepping/")
    found = page.evaluate(script, [rule_of(task), sources])
    heads = [task.head(source) for source in sources]
    assert found == [[head.start, head.stop] for head in heads]


MARKED = [
    Config(Arithmetic("+*", terms=3, operands=(1, 10), steps="call")).with_options(model="transducer"),
    Config(Arithmetic("+-", terms=(2, 3), operands=(1, 9), signed=True, mixed=False)),
    Config(Arithmetic("+-", terms=3, operands=(1, 9), parentheses=True)),
    Config(
        Arithmetic("+", terms=3, operands=(1, 9), steps="call"),
        extra=(Extra(Arithmetic("+", terms=2, operands=(1, 99), steps="call"), 20),),
    ).with_options(model="transducer"),
    Config(Reverse("abc", length=(2, 4))).with_options(model="attention"),
]


@pytest.mark.parametrize("config", MARKED)
def test_it_marks_what_python_marks(config, page, address, tmp_path):
    options = {"epochs": 1, "hidden_size": 4, "layers": 1, "examples": 40, "validation": 8, "test": 8}
    solver = train(preset=config, run_dir=tmp_path / "run", progress=False, show_every=0, **options)
    rng = np.random.default_rng(0)
    task = solver.task
    if isinstance(task, Arithmetic):
        sources = [any_expression(task, rng) for _ in range(100)] + ["1+1", "5+50", "-3", "(1+2)", "((1+2))-3", "1+2+3"]
    else:
        sources = ["".join(rng.choice([*"abcd"], rng.integers(1, 6))) for _ in range(50)]
    calls = [source[: rng.integers(1, 4)] for source in sources]
    most = 2 if task.stepwise else 0  # what the run asks on the way
    cases = [[[*source], [call, source][: rng.integers(0, most + 1)]] for source, call in zip(sources, calls)]
    script = """async ([marks, cases]) => {
        const {unlike} = await import("../stepping/page/marks.js");
        return cases.map(([symbols, calls]) => unlike(symbols, calls, marks));
    }"""
    page.goto(f"{address}stepping/")
    found = page.evaluate(script, [marks_of(solver), cases])
    expected = [solver._likeness.unlike("".join(symbols), calls) for symbols, calls in cases]
    same = [(one is None) == (other is None) for one, other in zip(found, expected)]
    assert all(same), [case for case, right in zip(cases, same) if not right]
    readable = [place for place, source in enumerate(sources) if is_readable(task, source)]
    assert [found[place] for place in readable] == [expected[place] for place in readable]


def is_readable(task, source):
    try:
        task.normalise(source)
    except SourceError:
        return False
    return True


def test_what_is_unlike_training_is_marked(page, address, stepping):
    page.goto(f"{address}stepping/")
    for source in ("3-3-3-3-3-3", "1+2-3", "8-1-1"):
        page.get_by_label("A source").fill(source)
        expect(page.locator("table.heat caption code").first).to_contain_text(f"{stepping.calls(source)[0]} →")
        reason = stepping.answer([source])[0].unlike_training
        assert page.locator(".warning").is_visible() == bool(reason)
        assert not reason or reason in page.locator(".warning").text_content()


@pytest.mark.parametrize("source, problem", [
    ("1+x", "'x' is not among the characters 0123456789+"), ("1+", "'1+' is not an expression of whole numbers and +"),
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
    assert page.get_by_text("Compare with").count() == page.get_by_text("Embeddings").count() == 0


def test_it_answers_without_a_network_once_it_is_loaded(page, address, server, attentive):
    page.goto(f"{address}attentive/")
    expect(page.locator("table.heat")).to_be_visible()
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
