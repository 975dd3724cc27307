"""Refuses requests that do not come from the page itself.

Every page that a person visits can send requests to this machine, so that a server on it must not answer them. By DNS
rebinding a foreign page can even have its own name point here: then the header `Host` has that name. A page of another
origin cannot send JSON without asking first (a preflight), which is never answered, and cannot read a reply, since no
reply permits it. So no password is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from seq2seq.errors import cut
from seq2seq.web.replies import Refused

MOST_BODY = 2**14  # bytes
SCHEMES = ("http", "https")  # of the page itself; with a proxy before the server, the latter
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def check(environ: Mapping[str, Any], hosts: Collection[str]) -> None:
    """Refuse a request that is not for this server, is not from its page, or sends something else than JSON.

    Parameters
    ----------
    environ : dict
        The WSGI environment of the request.
    hosts : collection of str
        The values of `Host` that are this server's own.

    Raises
    ------
    Refused
    """
    host = environ.get("HTTP_HOST", "").lower()
    if host not in hosts:
        raise Refused(421, f"Host: got {cut(host, 60)!r}, but this server is {' or '.join(sorted(hosts))}")
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "POST"):
        raise Refused(405, "only GET, HEAD and POST are known here", {"Allow": "GET, HEAD, POST"})
    if environ.get("PATH_INFO", "").startswith("/api/"):
        _check_sender(environ, hosts)
    if environ["REQUEST_METHOD"] == "POST":
        _check_body(environ)


def _check_sender(environ: Mapping[str, Any], hosts: Collection[str]) -> None:
    """Refuse what a page of another origin has sent."""
    origin = environ.get("HTTP_ORIGIN")
    scheme, _, sender = (origin or "").lower().partition("://")
    if origin is not None and not (scheme in SCHEMES and sender in hosts):
        raise Refused(403, "Origin: another page sent this, and only the server's own page can ask")
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        raise Refused(403, "Sec-Fetch-Site: another site sent this, and only the server's own page can ask")


def _check_body(environ: Mapping[str, Any]) -> None:
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, f"Content-Type: got {cut(kind, 60)!r}, but it must be application/json")
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        raise Refused(411, "Content-Length: is missing")
    if len(length) > 9 or int(length) > MOST_BODY:
        raise Refused(413, f"the body may have at most {MOST_BODY} bytes")
