import io
import json

import pytest

from seq2seq.web.app import App
from seq2seq.web.catalogue import Catalogue

HOST = "localhost:8000"


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
