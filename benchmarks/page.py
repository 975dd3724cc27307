"""How long answers of the page take for 20 clients at once, by MXNet and by ONNX Runtime, for a run.

python benchmarks/page.py runs/default
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from seq2seq import Solver, export
from seq2seq.web.catalogue import Catalogue
from seq2seq.web.server import make_server

CLIENTS = 20
QUESTIONS = 1000


class Client:
    """One connection, and what came of its questions."""

    def __init__(self, port: int, run: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._path = f"/api/runs/{run}/ask"
        self.milliseconds: list[float] = []
        self.lost = 0
        self.wrong = 0

    def ask(self, pairs: list[tuple[str, str]]) -> None:
        """Ask the questions one after another, and compare the answers."""
        for source, right in pairs:
            start = time.perf_counter()
            self._connection.request(
                "POST", self._path, json.dumps({"source": source}), {"Content-Type": "application/json"}
            )
            reply = self._connection.getresponse()
            answer = json.loads(reply.read())
            self.milliseconds.append(1000 * (time.perf_counter() - start))
            self.lost += reply.status != 200
            self.wrong += reply.status == 200 and answer["text"] != right
        self._connection.close()


def asked_at_once(path: Path, pairs: list[tuple[str, str]]) -> str:
    """The times of all answers of a run or an export, asked by all clients at once."""
    server, port = make_server(Catalogue([path]), 0)
    threading.Thread(target=server.run, daemon=True).start()
    Client(port, path.name).ask(pairs[:100])  # opens the run and binds its graphs
    clients = [Client(port, path.name) for _ in range(CLIENTS)]
    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda number: clients[number].ask(pairs[number::CLIENTS]), range(CLIENTS)))
    seconds = time.perf_counter() - start
    server.close()
    p50, p99 = np.percentile([each for client in clients for each in client.milliseconds], [50, 99])
    lost = sum(client.lost for client in clients)
    wrong = sum(client.wrong for client in clients)
    return (
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, {len(pairs) / seconds:.0f} answers per second; {lost} lost, {wrong} wrong"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    solver = Solver(arguments.run, engine="mxnet")
    sampled = solver.task.shown(solver.task.sample(QUESTIONS, np.random.default_rng(0)))
    sources = [source for source, _ in sampled]
    pairs = list(zip(sources, solver(sources)))
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "exported"
        export(solver, onnx=exported)
        for _ in range(arguments.rounds):
            print("mxnet:", asked_at_once(arguments.run, pairs))
            print(" onnx:", asked_at_once(exported, pairs))


if __name__ == "__main__":
    main()
