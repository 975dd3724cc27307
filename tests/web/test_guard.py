"""Nobody but the page itself gets an answer."""

import json

import pytest

from seq2seq.web.guard import MOST_BODY

ASK = "/api/runs/sums/ask"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost", "localhost:8001", "", "127.0.0.1:8000"]
)
@pytest.mark.parametrize("path", ["/", "/page/index.html", "/api/runs"])
def test_a_name_that_was_bound_to_this_machine_gets_nothing(host, path, served, get):
    reply = get(served, path, HTTP_HOST=host)
    assert reply.status == 421 and "sums" not in reply.text and "html" not in reply.text.lower()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"])
def test_what_a_foreign_form_can_send_is_refused(kind, served, post):
    assert post(served, ASK, {"source": "1+2"}, CONTENT_TYPE=kind).status == 415
    assert post(served, ASK, {"source": "1+2"}, CONTENT_TYPE="Application/JSON; charset=utf-8").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "ftp://localhost:8000", "http://localhost", "null", ""])
def test_a_page_of_another_origin_is_refused(origin, served, get, post):
    assert post(served, ASK, {"source": "1+2"}, HTTP_ORIGIN=origin).status == 403
    assert get(served, "/api/runs", HTTP_ORIGIN=origin).status == 403
    assert post(served, ASK, {"source": "1+2"}, HTTP_ORIGIN="http://localhost:8000").status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something"])
def test_what_the_browser_says_another_site_sent_is_refused(site, served, get, post):
    assert post(served, ASK, {"source": "1+2"}, HTTP_SEC_FETCH_SITE=site).status == 403
    assert get(served, "/api/runs/sums/embeddings", HTTP_SEC_FETCH_SITE=site).status == 403
    assert get(served, "/", HTTP_SEC_FETCH_SITE=site).status == 200  # a link to the page
    assert post(served, ASK, {"source": "1+2"}, HTTP_SEC_FETCH_SITE="same-origin").status == 200


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE"])
def test_no_preflight_is_answered(method, served, post):
    reply = post(served, ASK, {"source": "1+2"})
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]
    reply.environ["REQUEST_METHOD"] = method
    assert json.loads(b"".join(served(reply.environ, reply.start)))["error"]
    assert reply.status == 405 and not [name for name in reply.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/", "/api/runs", "/nothing"])
def test_every_reply_permits_only_what_the_server_itself_sends(path, served, get):
    headers = get(served, path).headers
    policy = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "length, status", [("", 411), ("-1", 411), ("²", 411), ("9" * 30, 413), (str(MOST_BODY + 1), 413)]
)
def test_the_size_of_a_body_is_limited_before_it_is_read(length, status, served, post):
    class Unread:
        def read(self, *_):
            raise AssertionError("it was read")

    assert post(served, ASK, {}, CONTENT_LENGTH=length, **{"wsgi.input": Unread()}).status == status


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"1+2"', b"\xff", b'{"source": NaN}', b"[" * 9000, b'{"source":1,"source":2}']
)
def test_what_is_not_a_json_object_is_refused(body, served, post):
    assert post(served, ASK, body).status == 400


@pytest.mark.parametrize("name", ["../sums", "..", "/etc/passwd", "sums/../sums", "%2e%2e", "sums\0", "Sums"])
def test_a_run_is_named_and_never_a_path(name, served, get, post):
    assert get(served, f"/api/runs/{name}").status == 404
    assert get(served, f"/page/{name}").status == 404
    assert post(served, f"/api/runs/{name}/ask", {"source": "1+2"}).status == 404


@pytest.mark.parametrize("fields, problem", [
    ({"source": 7}, "source: got 7, but it must be a string"),
    ({}, "source: got None"),
    ({"source": "1+2", "path": "/etc"}, "field: got 'path', but it must be one of source"),
])  # fmt: skip
def test_only_known_fields_are_read(fields, problem, served, post):
    reply = post(served, ASK, fields)
    assert reply.status == 400 and reply.json["error"].startswith(problem)


@pytest.mark.parametrize("path, fields, problem", [
    ("sums/ask", {"source": "1" * 5000}, "has 5000 characters, and this page asks at most 4000"),
    ("attentive/explain", {"source": "1+" * 101 + "1"}, "has 203 characters, and this page asks at most 200"),
    ("attentive/best", {"source": "1+1", "n": 21}, "n: got 21, but it must be a whole number from 1 to 20"),
    ("reading/continue", {"source": "the ", "characters": 2001}, "characters: got 2001"),
    ("reading/continue", {"source": "the ", "temperature": "1"}, "temperature: got '1'"),
    ("reading/expect", {"source": "t" * 201}, "has 201 characters"),
])  # fmt: skip
def test_what_would_take_long_is_refused(path, fields, problem, served, post):
    assert post(served, f"/api/runs/{path}", fields).json["error"].startswith(problem)
