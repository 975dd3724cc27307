"""Show a page on which to ask runs, and to watch them learn."""

from __future__ import annotations

import argparse
import re

from seq2seq.cli import invocation
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import say
from seq2seq.web.catalogue import RUNS, Catalogue
from seq2seq.web.server import LOOPBACK, is_loopback, make_server

MOST_PORT = 65535
NAME = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?")


def _port(argument: str) -> int:
    """The number of a port."""
    if not (argument.isascii() and argument.isdigit() and len(argument) < 6 and int(argument) <= MOST_PORT):
        raise argparse.ArgumentTypeError(f"got {argument!r}, but it must be a number from 0 to {MOST_PORT}")
    return int(argument)


def _name(argument: str) -> str:
    """The name of a host as a browser shows it, perhaps with a port."""
    if not NAME.fullmatch(argument):
        raise argparse.ArgumentTypeError(f"got {argument!r}, but it must be a name such as sums.example")
    return argument


def main() -> int:
    start = invocation.example("serve")
    parser = Parser(
        "Show a page on which to ask runs, see how they arrive at their answers, watch their training, and look at "
        "their mistakes. It prints the address, and opens nothing by itself. Only this machine can reach it, unless "
        "--host says otherwise. Ctrl-C ends it.",
        epilog=f"examples:\n  {start}\n  {start} runs/a runs/b --port 8080\n",
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"run folders or exports (default: those in {RUNS}/)")
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="where it listens; 0: any that is free (default: 8000)"
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        metavar="ADDRESS",
        help=f"the address that it listens on (default: {LOOPBACK}); for another, --allow-host is needed too",
    )
    parser.add_argument(
        "--allow-host",
        type=_name,
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which browsers reach it; may be given several times. Others are refused",
    )
    arguments = parser.parse_args()
    names = arguments.allow_host
    if is_loopback(arguments.host):
        names = [arguments.host, *names]
    elif names:
        say(f"{invocation.name()}: there is no password: put it behind a proxy that asks for one")
    else:
        parser.error(f"--host: others can reach {arguments.host}, so --allow-host has to name the server")
    catalogue = Catalogue(arguments.runs)
    if not catalogue.names():
        say(f"{invocation.name()}: {RUNS}: holds no run yet; the page shows those that are trained into it")
    server, port = make_server(catalogue, arguments.port, arguments.host, names)
    print(f"http://{names[0] if ':' in names[0] else f'{names[0]}:{port}'}/", flush=True)
    server.run()
    return 0
