"""The WSGI callable of the page."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import resources
from itertools import islice
from typing import Any, Callable

from seq2seq.errors import RunError, Seq2SeqError, SourceError, UsageError, require
from seq2seq.files import parse_json
from seq2seq.runs import Run
from seq2seq.web import asking, guard, watching
from seq2seq.web.catalogue import Catalogue
from seq2seq.web.replies import JSON, Refused, Reply, as_json, line_of, unless_known
from seq2seq.web.solvers import Solvers
from seq2seq.web.worker import Worker

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
INDEX = "index.html"
PIECE = 16  # characters of a text that are sent at a time; then the questions of others have their turn
ROUTE = re.compile(r"/api/runs(?:/([^/]+)(?:/([a-z]+))?)?")


class App:
    """The page and what it asks, as a WSGI callable.

    Parameters
    ----------
    catalogue : Catalogue
    hosts : collection of str
        The values of the header `Host` that are this server's own, such as `localhost:8000`.
    worker : Worker, optional
        The thread that answers.
    solvers : callable, optional
        Opens runs; see `Solvers`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        hosts: Collection[str],
        worker: Worker | None = None,
        solvers: Callable[..., Any] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._hosts = frozenset(hosts)
        self._worker = worker or Worker()
        self._solvers = solvers or Solvers(opening=self._worker.opening, before_call=self._worker.check)
        self._page = _page()

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            reply = self._reply(environ)
        except Refused as error:
            reply = as_json({"error": str(error)}, error.status, error.headers)
        except UsageError as error:
            reply = as_json({"error": str(error)}, 400)
        except Seq2SeqError as error:
            reply = as_json({"error": str(error)}, 409)
        except Exception as error:  # a mistake of the program: the person gets a line, and whoever runs it another
            print(f"seq2seq serve: {type(error).__name__}: {error}", file=sys.stderr)
            reply = as_json({"error": "the server has a fault; its terminal says more"}, 500)
        if environ["REQUEST_METHOD"] == "HEAD":
            reply = reply.without_body()
        headers = {"Content-Type": reply.kind, "Cache-Control": "no-store", **guard.HEADERS, **reply.headers}
        start_response(reply.line, [*headers.items()])
        return reply.body

    def _reply(self, environ: Mapping[str, Any]) -> Reply:
        guard.check(environ, self._hosts)
        path = _path(environ)
        method = environ["REQUEST_METHOD"]
        if path == "/" or path.startswith("/page/"):
            name = path.removeprefix("/page/") if path != "/" else INDEX
            if method == "POST" or name not in self._page:
                raise Refused(404, "there is no such page")
            return unless_known(self._page[name], environ.get("HTTP_IF_NONE_MATCH", ""))
        found = ROUTE.fullmatch(path)
        if not found:
            raise Refused(404, "there is no such page")
        name, what = found.groups()
        is_gone = environ.get("waitress.client_disconnected", lambda: False)
        if method == "POST":
            return self._posted(self._catalogue.run(name or ""), what or "", _body(environ), is_gone)
        if name is None:
            names = self._catalogue.names()
            values: Any = {"runs": [watching.listed(each, self._catalogue.run(each)) for each in names]}
        else:
            values = self._gotten(self._catalogue.run(name), what or "", is_gone)
        return unless_known(as_json(values), environ.get("HTTP_IF_NONE_MATCH", ""))

    def _gotten(self, run: Run, what: str, is_gone: Callable[[], bool]) -> dict[str, Any]:
        """The values of a GET request for a run."""
        if what == "metrics":
            return watching.metrics(run)
        if what == "evaluation":
            return watching.evaluation(run)
        asked = {
            "": lambda: asking.described(self._solvers(run)),
            "embeddings": lambda: asking.embeddings(self._solvers(run)),
            "samples": lambda: asking.samples(self._solvers, run),
        }
        if what not in asked:
            raise Refused(404, "there is no such page")
        return self._worker.do(asked[what], is_gone)

    def _posted(self, run: Run, what: str, body: dict[str, Any], is_gone: Callable[[], bool]) -> Reply:
        """The reply to a POST request for a run. A source that cannot be read is no error of the request."""
        asked: dict[str, tuple[Callable[..., dict[str, Any]], dict[str, Any]]] = {
            "ask": (asking.answered, {}),
            "best": (asking.best, {"n": 5}),
            "explain": (asking.explained, {}),
            "expect": (asking.expected, {}),
        }
        try:
            if what == "continue":
                options = {"characters": 200, "temperature": 1.0, "top_k": 0, "seed": 0}
                return self._streamed(run, _fields(body, options))
            if what not in asked:
                raise Refused(404, "there is no such page")
            call, options = asked[what]
            fields = _fields(body, options)
            return as_json(self._worker.do(lambda: call(self._solvers(run), **fields), is_gone))
        except SourceError as error:
            return as_json({"source": body["source"], "error": str(error)})

    def _streamed(self, run: Run, fields: dict[str, Any]) -> Reply:
        """A continuation in pieces, each a line of JSON. Whatever is wrong with the request is raised before."""
        written = self._worker.do(lambda: asking.written(self._solvers(run), **fields))

        def lines() -> Iterator[bytes]:
            try:
                while piece := self._worker.do(lambda: "".join(islice(written, PIECE))):
                    yield line_of({"text": piece})
            except (Refused, RunError) as error:
                yield line_of({"error": str(error)})

        return Reply(200, JSON, lines())


def _page() -> dict[str, Reply]:
    """The files of the page by name. There are no others, whatever a request names."""
    page = {}
    for file in resources.files("seq2seq.web").joinpath("page").iterdir():
        kind = KINDS.get(f".{file.name.rpartition('.')[2]}")
        if kind is not None:
            page[file.name] = Reply(200, f"{kind}; charset=utf-8", [file.read_bytes()])
    return page


def _path(environ: Mapping[str, Any]) -> str:
    """The path of a request as text: WSGI has its bytes as Latin-1."""
    try:
        return str(environ.get("PATH_INFO", "")).encode("latin-1").decode()
    except UnicodeError:
        raise Refused(404, "there is no such page") from None


def _body(environ: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object that a request sends."""
    try:
        body = parse_json(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Refused(400, "the body is not a JSON object")
    return body


def _fields(body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a request: its source, and options that have defaults."""
    known = ["source", *options]
    for name in body:
        require(name in known, "field", name, f"one of {', '.join(known)}")
    require(isinstance(body.get("source"), str), "source", body.get("source"), "a string")
    return {**options, **body}
