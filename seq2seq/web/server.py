"""Runs the page with waitress, for this machine alone."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any

from seq2seq.errors import Seq2SeqError
from seq2seq.web.app import App
from seq2seq.web.catalogue import Catalogue
from seq2seq.web.guard import MOST_BODY

LOOPBACK = "127.0.0.1"
HTTP = 80  # the port that a browser leaves out of the address
OPTIONS = {
    "threads": 16,
    "connection_limit": 50,
    "channel_timeout": 30,
    "max_request_body_size": MOST_BODY,
    "max_request_header_size": 2**14,
    "ident": None,
    "clear_untrusted_proxy_headers": True,
}


def make_server(catalogue: Catalogue, port: int) -> tuple[Any, int]:
    """Make a server that listens on the loopback interface.

    Parameters
    ----------
    catalogue : Catalogue
    port : int
        0 takes one that is free.

    Returns
    -------
    server
        Its method `run` serves until it is interrupted.
    port : int

    Raises
    ------
    Seq2SeqError
        If waitress is not installed, or the port cannot be had.
    """
    try:
        from waitress.server import create_server
    except ImportError as error:
        raise Seq2SeqError(f"serve: needs the package waitress ({error}): pip install 'mxseq2seq[web]'") from None
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a short wait is no news for whoever runs it
    listening = _listening(port)
    port = listening.getsockname()[1]
    return create_server(App(catalogue, hosts_of(port)), sockets=[listening], **OPTIONS), port


def hosts_of(port: int) -> set[str]:
    """The values of `Host` in requests to this server."""
    end = "" if port == HTTP else f":{port}"
    return {f"{LOOPBACK}{end}", f"localhost{end}"}


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        why = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        raise Seq2SeqError(f"port: {port} cannot be used: {why}; choose another with --port") from None
    return listening
