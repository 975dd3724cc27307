"""What the page's server sends, and why it refuses."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

JSON = "application/json; charset=utf-8"


class Reply(NamedTuple):
    """A reply to a request.

    Attributes
    ----------
    status : int
    kind : str
        Its content type.
    body : iterable of bytes
    headers : dict of str to str
        Further headers.
    """

    status: int
    kind: str
    body: Iterable[bytes]
    headers: Mapping[str, str] = {}

    @property
    def line(self) -> str:
        """The status as HTTP writes it, such as `404 Not Found`."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    def without_body(self) -> Reply:
        """The reply to HEAD, which has the headers alone, and with them the length of the body."""
        length = sum(map(len, self.body))
        return self._replace(body=[], headers={**self.headers, "Content-Length": str(length)})


class Refused(Exception):
    """A request is refused, with a status and a message for the person who sent it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def as_json(values: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply in JSON. Numbers that JSON does not have, such as an infinite loss, are null."""
    return Reply(status, JSON, [line_of(values)], headers or {})


def line_of(values: Any) -> bytes:
    """A line of JSON."""
    return json.dumps(_finite(values), ensure_ascii=True, allow_nan=False).encode() + b"\n"


def _finite(values: Any) -> Any:
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, Mapping):
        return {name: _finite(value) for name, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [*map(_finite, values)]
    return values


def unless_known(reply: Reply, known: str) -> Reply:
    """The reply with its `ETag`, or 304 without a body if the browser has it already.

    Parameters
    ----------
    reply : Reply
        One whose body is a list.
    known : str
        The request's `If-None-Match`.
    """
    tag = f'"{hashlib.sha256(b"".join(reply.body)).hexdigest()[:32]}"'
    headers = {**reply.headers, "ETag": tag, "Cache-Control": "no-cache"}
    if tag in (each.strip() for each in known.split(",")):
        return Reply(304, reply.kind, [], headers)
    return reply._replace(headers=headers)
