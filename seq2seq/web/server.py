"""Runs the page with waitress, by default for this machine alone."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections.abc import Collection
from typing import Any

from seq2seq.errors import Seq2SeqError, quoted
from seq2seq.web.app import App
from seq2seq.web.catalogue import Catalogue
from seq2seq.web.guard import MOST_BODY
from seq2seq.web.worker import MOST_WAITING

LOOPBACK = "127.0.0.1"
HTTP = 80  # the port that a browser leaves out of the address
OPTIONS = {
    "threads": MOST_WAITING + 4,  # as many questions can wait as the queue holds, and the page is still sent
    "connection_limit": 500,
    "channel_timeout": 5,  # a connection without a request is closed after this time, looked at as often as follows
    "cleanup_interval": 1,
    "asyncore_use_poll": True,  # `select` fails with file descriptors from 1024
    "channel_request_lookahead": 1,  # with it, the application can ask whether the client has gone
    "max_request_body_size": MOST_BODY,
    "max_request_header_size": 2**14,
    "log_socket_errors": False,  # a client that goes away is no news either
    "ident": None,
    "clear_untrusted_proxy_headers": True,
}


def make_server(catalogue: Catalogue, port: int, host: str = LOOPBACK, names: Collection[str] = ()) -> tuple[Any, int]:
    """Make a server that listens on the loopback interface, or on another.

    Parameters
    ----------
    catalogue : Catalogue
    port : int
        0 takes one that is free.
    host : str
        The address or name of the interface.
    names : collection of str
        Further names by which browsers reach the server, each with a port unless that is its own or the usual one.

    Returns
    -------
    server
        Its method `run` serves until it is interrupted.
    port : int

    Raises
    ------
    Seq2SeqError
        If waitress is not installed, or the address or the port cannot be had.
    """
    try:
        from waitress.server import create_server
    except ImportError as error:
        raise Seq2SeqError(f"serve: needs the package waitress ({error}): pip install 'mxseq2seq[web]'") from None
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short wait is no news for whoever runs it
    listening = _listening(host, port)
    port = listening.getsockname()[1]
    return create_server(App(catalogue, hosts_of(port, names)), sockets=[listening], **OPTIONS), port


def hosts_of(port: int, names: Collection[str] = ()) -> set[str]:
    """The values of `Host` in requests to this server; `names` are those of `make_server`."""
    end = "" if port == HTTP else f":{port}"
    given = {name.lower() for name in names}
    return {f"{LOOPBACK}{end}", f"localhost{end}", *given, *(f"{name}{end}" for name in given)}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address. Raises `Seq2SeqError` if it is none."""
    return ipaddress.ip_address(_address(host)).is_loopback


def _address(host: str) -> str:
    """The IPv4 address of a host."""
    try:
        return socket.gethostbyname(host)
    except (OSError, UnicodeError):
        raise _no_address(host) from None


def _no_address(host: str) -> Seq2SeqError:
    return Seq2SeqError(f"host: got {quoted(host)}, but it must be an IPv4 address or a name of this machine")


def _listening(host: str, port: int) -> socket.socket:
    address = _address(host)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise _no_address(host) from None
        why = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        raise Seq2SeqError(f"port: {port} cannot be used: {why}; choose another with --port") from None
    return listening
