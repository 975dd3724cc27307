import io
import json
from pathlib import Path

import pytest

from seq2seq.web.app import App
from seq2seq.web.catalogue import Catalogue

HOST = "localhost:8000"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
WAIT = 20_000  # milliseconds


class Called:
    """The reply of a WSGI callable to one request."""

    def __init__(self, app, method, path, body=None, **headers):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path.encode().decode("latin-1"), "HTTP_HOST": HOST,
            "wsgi.input": io.BytesIO(sent), "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(sent)),
            **headers,
        }  # fmt: skip
        self.text = b"".join(app({**self.environ}, self.start)).decode()

    def start(self, status, headers):
        self.status = int(status[:3])
        self.headers = dict(headers)
        assert len(self.headers) == len(headers)

    @property
    def json(self):
        return json.loads(self.text)


@pytest.fixture
def get():
    return lambda app, path, **headers: Called(app, "GET", path, **headers)


@pytest.fixture
def head():
    return lambda app, path, **headers: Called(app, "HEAD", path, **headers)


@pytest.fixture
def post():
    return lambda app, path, body, **headers: Called(app, "POST", path, body, **headers)


@pytest.fixture(scope="session")
def served(solved, attentive, stepping, reading):
    """The page's server for a run of each kind of string. Their folders are not to be changed."""
    return App(Catalogue([each.run.path for each in (solved, attentive, stepping, reading)]), {HOST})


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM}: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1000, "height": 800},
        )


@pytest.fixture
def page(browser, address):
    """An empty page, which reports requests to other hosts and errors of scripts at the end of the test."""
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    wrong = []

    def route(route):
        if route.request.url.startswith(address):
            route.continue_()
        else:
            wrong.append(route.request.url)
            route.abort()

    page.route("**/*", route)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if is_error(message) else None)
    yield page
    page.close()
    assert wrong == []


def is_error(message):
    """Whether a message of the browser is an error, other than that a test lets the server be away or too busy."""
    expected = ("ERR_CONNECTION_REFUSED", "status of 503", "status of 504")
    return message.type == "error" and not any(each in message.text for each in expected)


def require_accessible(page, address, shown, scheme):
    """Fail if axe finds something serious on a page, or it is too wide for a phone, once `shown` is there."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(address)
    page.locator(shown).first.wait_for()
    found = [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in axe.Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
