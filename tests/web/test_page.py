"""The page in a real browser. A request to any other host fails the test, and so does an error of a script."""

import json
import shutil
import threading

import pytest

from seq2seq import Solver
from seq2seq.folders import take
from seq2seq.web.catalogue import Catalogue
from tests.web.conftest import WAIT, require_accessible

pytest.importorskip("waitress", reason="pip install 'mxseq2seq[web]'")
sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
expect = sync_api.expect
expect.set_options(timeout=WAIT)


@pytest.fixture(scope="module")
def runs(attentive, stepping, reading, tmp_path_factory):
    """Copies of runs of three kinds, one of which has an evaluation with a mistake, and hostile text in it."""
    folder = tmp_path_factory.mktemp("served")
    for solver in (attentive, stepping, reading):
        shutil.copytree(solver.run.path, folder / solver.run.path.name)
    solver = Solver(folder / "attentive")
    solver.evaluate(30)
    path = folder / "attentive" / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["mistakes"] = [
        {
            "source": "1+2+3",
            "target": "3+3=6",
            "answer": "<img src=x onerror=\"document.title='owned'\">",
            "confidence": 0.5,
        }
    ]
    path.write_text(json.dumps(evaluation))
    return folder


@pytest.fixture(scope="module")
def address(runs):
    from seq2seq.web.server import make_server

    server, port = make_server(Catalogue([runs / name for name in ("attentive", "stepping", "reading")]), 0)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{port}/"
    server.close()


def test_an_answer_comes_as_one_types_with_its_working_and_where_it_looked(page, address, attentive):
    page.goto(f"{address}#run=attentive")
    page.get_by_label("A source").fill("1+2+3")
    *_, last = attentive.work("1+2+3")
    expect(page.locator(".answer output")).to_have_text(last)
    assert page.locator(".steps li").all_text_contents() == attentive.work("1+2+3")
    expect(page.locator(".answer meter")).to_be_visible()
    expect(page.locator(".best li")).to_have_count(5)
    expect(page.locator("table.heat caption code")).to_contain_text("1+2+3")
    row = page.locator("table.heat tbody tr").first
    assert row.locator("td.weight").count() == 5
    assert sum(int(each) for each in row.locator("td.weight").all_text_contents()) == pytest.approx(100, abs=3)
    page.locator("table.heat tbody tr").nth(1).locator("td").first.hover()
    expect(page.locator(".detail h4")).to_contain_text("Step 2")
    expect(page.locator(".likely .chosen")).to_have_count(1)
    page.get_by_label("A source").fill("1+")
    expect(page.locator(".answer.error")).not_to_be_empty()
    page.reload()  # the address remembers what was asked
    expect(page.get_by_label("A source")).to_have_value("1+")


def test_what_is_unlike_training_is_marked(page, address, stepping):
    source = "3-3-3-3-3-3"
    assert stepping.answer([source])[0].unlike_training
    page.goto(f"{address}#run=stepping&source={source}")
    expect(page.locator(".warning")).to_be_visible()
    expect(page.locator(".warning")).to_contain_text("Unlike training")
    page.get_by_label("A source").fill("1+2-3")
    expect(page.locator(".warning")).to_be_hidden()


def test_two_runs_answer_side_by_side(page, address, attentive, stepping):
    page.goto(f"{address}#run=attentive&source=1%2B2%2B3")
    page.get_by_label("Compare with").select_option("stepping")
    outputs = page.locator(".pair .answer output")
    expect(outputs).to_have_text([attentive.work("1+2+3")[-1], stepping("1+2+3")])
    assert page.locator(".pair h2").all_text_contents() == ["attentive", "stepping"]
    page.get_by_label("A source").fill("3-1-1")
    expect(outputs).to_have_text([stepping("3-1-1")])
    expect(page.locator(".pair .answer").first).to_contain_text("'-' is not among the characters")


def test_a_text_is_written_on_and_stopped(page, address, reading):
    page.goto(f"{address}#run=reading")
    page.get_by_label("A beginning").fill("the cat")
    expect(page.locator(".next b")).to_have_text(reading.expected("the cat")[-1].text.replace(" ", "␣"))
    expect(page.locator(".strip li").first).to_be_visible()
    page.get_by_label("Temperature").fill("0")
    page.get_by_label("Characters").fill("60")
    page.get_by_role("button", name="Write on").click()
    expect(page.locator(".written")).to_have_text("the cat" + "".join(reading.continued("the cat", 60, temperature=0)))
    page.get_by_label("Characters").fill("2000")
    page.get_by_role("button", name="Write on").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()


def test_embeddings_are_drawn_with_their_symbols(page, address, reading):
    page.goto(f"{address}#run=reading")
    page.get_by_text("Embeddings").click()
    found = next(iter(reading.embeddings().values())).symbols
    expect(page.locator("figure .point").first).to_be_visible()
    assert page.locator("figure").first.locator(".point").count() == len(found)


def test_the_curves_of_a_training_under_way_grow(page, address, runs):
    folder = Solver(runs / "stepping").run
    rows = folder.read_metrics()
    folder.write_metrics([{**row, "seconds": 1.5 * row["epoch"]} for row in rows[:100]])
    with take(folder.path, ()):
        page.goto(f"{address}#view=watch&run=stepping")
        expect(page.get_by_text("epoch 100 of 400, about 7 min 30 s left")).to_be_visible()
        expect(page.locator(".samples li.right, .samples li.wrong")).to_have_count(10)
        folder.write_metrics([{**row, "seconds": 1.5 * row["epoch"]} for row in rows[:200]])
        expect(page.get_by_text("epoch 200 of 400, about 5 min 0 s left")).to_be_visible()
        within = {"epoch": 201, "epochs": 400, "examples": 250, "examples_per_epoch": 1000, "loss": 0.5}
        folder.write_progress({**within, "seconds_left": 299.0})
        expect(
            page.get_by_text("training: 25% of epoch 201 of 400, loss 0.5000, about 4 min 59 s left")
        ).to_be_visible()
        folder.remove_progress()
    page.get_by_role("checkbox").first.check()
    figure = page.locator("figure", has_text="Validation exact match")
    expect(figure.locator(".curve")).to_have_count(2)
    figure.get_by_text("Show numbers").click()
    expect(figure.locator("tbody tr")).to_have_count(200)
    folder.write_metrics(rows)


def test_a_mistake_leads_to_where_the_run_looked_and_hostile_text_stays_text(page, address):
    page.goto(f"{address}#view=evaluate&run=attentive")
    expect(page.locator("caption", has_text="Exact match by length")).to_be_visible()
    expect(page.locator(".mistakes .wrong")).to_contain_text("<img src=x onerror")
    assert page.locator("img").count() == 0
    page.get_by_role("link", name="1+2+3").click()
    expect(page.locator("table.heat caption code")).to_contain_text("1+2+3")
    page.get_by_label("A source").fill("<img src=x onerror=alert(1)>")
    expect(page.locator(".answer.error")).to_be_visible()
    assert page.title() == "Ask · seq2seq" and page.locator("img").count() == 0


def test_the_keyboard_is_enough(page, address):
    page.goto(f"{address}#run=attentive&source=1%2B2%2B3")
    expect(page.locator("table.heat")).to_be_visible()
    expect(page.get_by_label("A source")).to_be_focused()
    page.keyboard.type("+")
    expect(page.locator("table.heat")).to_have_count(0)
    page.keyboard.press("Backspace")
    expect(page.locator("table.heat caption code")).to_contain_text("1+2+3 →")
    for _ in range(2):  # the scrolling area may take the focus before the one cell of the table that can
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TD":
            break
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.className") == "weight"
    told = page.locator(".call [aria-live]")
    expect(told).to_contain_text("looks at 1:")
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("Step 2 writes")
    assert page.locator("table.heat [tabindex='0']").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view, shown", [
    ("view=ask&run=attentive&source=1%2B2%2B3", "table.heat"),
    ("view=ask&run=reading", ".strip li"),
    ("view=watch&run=attentive", ".samples li"),
    ("view=evaluate&run=attentive", ".mistakes"),
])  # fmt: skip
def test_nothing_is_seriously_wrong_for_people_with_disabilities_and_all_fits_a_phone(
    view, shown, scheme, page, address
):
    require_accessible(page, f"{address}#{view}", shown, scheme)


def test_a_question_is_asked_again_while_a_run_is_opened(page, address, attentive):
    page.goto(f"{address}#run=attentive")
    expect(page.locator(".answer output")).to_be_visible()
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"error": "a run is being opened"}}
    page.route("**/ask", lambda route: route.fulfill(**busy), times=2)
    page.get_by_label("A source").fill("1+2+3")
    expect(page.locator("#waiting")).to_have_text("Waiting: a run is being opened …")
    expect(page.locator(".answer output")).to_have_text(attentive.work("1+2+3")[-1])
    expect(page.locator("#waiting")).to_be_hidden()


def test_an_answer_that_takes_too_long_is_named_until_the_next_one(page, address, attentive):
    page.goto(f"{address}#run=attentive")
    expect(page.locator(".answer output")).to_be_visible()
    late = {"status": 504, "json": {"error": "there was no answer within 10 seconds"}}
    page.route("**/ask", lambda route: route.fulfill(**late), times=1)
    page.get_by_label("A source").fill("1+2+3")
    expect(page.get_by_role("alert")).to_have_text("there was no answer within 10 seconds")
    expect(page.locator(".answer output")).to_have_count(0)
    page.get_by_label("A source").fill("1+1+1")
    expect(page.locator(".answer output")).to_have_text(attentive.work("1+1+1")[-1])
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_server_that_is_gone_is_named(page, address):
    page.goto(f"{address}#view=evaluate&run=attentive")
    page.locator(".mistakes").wait_for()
    page.route("**/api/**", lambda route: route.abort("connectionrefused"))
    page.get_by_role("link", name="Watch").click()
    expect(page.get_by_role("alert")).to_have_text("The server does not answer. Is it still running?")
    page.unroute("**/api/**")
