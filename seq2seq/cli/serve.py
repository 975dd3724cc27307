"""Show a page on which to ask runs, and to watch them learn."""

from __future__ import annotations

import argparse

from seq2seq.cli import invocation
from seq2seq.cli.parser import Parser
from seq2seq.cli.program import say
from seq2seq.web.catalogue import RUNS, Catalogue
from seq2seq.web.server import LOOPBACK, make_server

MOST_PORT = 65535


def _port(argument: str) -> int:
    """The number of a port."""
    if not (argument.isascii() and argument.isdigit() and len(argument) < 6 and int(argument) <= MOST_PORT):
        raise argparse.ArgumentTypeError(f"got {argument!r}, but it must be a number from 0 to {MOST_PORT}")
    return int(argument)


def main() -> int:
    start = invocation.example("serve")
    parser = Parser(
        "Show a page on which to ask runs, see how they arrive at their answers, watch their training, and look at "
        "their mistakes. It prints the address, and opens nothing by itself. Only this machine can reach it. Ctrl-C "
        "ends it.",
        epilog=f"examples:\n  {start}\n  {start} runs/a runs/b --port 8080\n",
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"run folders or exports (default: those in {RUNS}/)")
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="where it listens; 0: any that is free (default: 8000)"
    )
    arguments = parser.parse_args()
    catalogue = Catalogue(arguments.runs)
    if not catalogue.names():
        say(f"{invocation.name()}: {RUNS}: holds no run yet; the page shows those that are trained into it")
    server, port = make_server(catalogue, arguments.port)
    print(f"http://{LOOPBACK}:{port}/", flush=True)
    server.run()
    return 0
