"""Contestants, each in its own process and environment, and the alternating rounds in which they compete."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # so that the library is found in a plain checkout
CACHE = HERE / ".cache"
REQUIREMENTS = HERE / "requirements-peers.txt"
VARIABLES = (  # not inherited by any contestant
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC", "XLA_FLAGS", "MXNET_ENGINE_TYPE",
)  # fmt: skip
LIBRARY_PATH = {"PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, HERE)))}  # the library, and `problems`
CORES = os.cpu_count() or 1
THREADS = sorted({1, CORES})
KEPT = ("compile_seconds", "losses")  # of a reply to `start`, in the results


@dataclass(frozen=True)
class Contestant:
    """One competitor.

    Parameters
    ----------
    name : str
        Its name in tables. The other contestants are compared with the first one.
    script : str
        Its file under `contestants/`.
    variants : list of dict
        The settings that a user would try. The fastest one in each measurement competes.
    peer : bool
        Whether it runs in the environment of the peers, or in that of the library.
    trains, answers, learns : bool
        Whether it competes in training, and in answers; and whether it has its own recipe for learning addition.
    """

    name: str
    script: str
    variants: list[dict[str, Any]] = field(default_factory=lambda: [{"threads": threads} for threads in THREADS])
    peer: bool = True
    trains: bool = True
    answers: bool = True
    learns: bool = False


CONTESTANTS = [
    Contestant("seq2seq", "seq2seq_mxnet.py", [{}], peer=False, learns=True),
    Contestant("seq2seq, compiled LSTM", "seq2seq_mxnet.py", [{"lstm": "compiled"}], peer=False, answers=False),
    # For a process that only answers: operators run in the calling thread.
    Contestant("seq2seq, naive engine", "seq2seq_mxnet.py", [{"engine": "NaiveEngine"}], peer=False, trains=False),
    Contestant("PyTorch eager", "pytorch.py", [{"threads": threads, "compile": False} for threads in THREADS]),
    Contestant(
        "PyTorch compiled",
        "pytorch.py",
        [{"threads": n, "compile": True, "written_out": written} for n in THREADS for written in (False, True)],
    ),
    Contestant("JAX", "jax_scan.py", [{"threads": n, "unroll": unroll} for n in THREADS for unroll in (False, True)]),
    Contestant("Keras 3", "keras3.py", learns=True),
    Contestant("ONNX Runtime", "onnx_runtime.py", trains=False),
]


# Environments ---------------------------------------------------------------------------------------------------------


def environment(variant: dict[str, Any]) -> dict[str, str]:
    """The environment of this process with the threads or engine of a variant, and without inherited settings."""
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    clean["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # otherwise compilation in a second run would be free
    if "engine" in variant:
        clean["MXNET_ENGINE_TYPE"] = variant["engine"]
    if "threads" in variant:
        clean["OMP_NUM_THREADS"] = str(variant["threads"])
        if variant["threads"] == 1:
            clean.update(NPROC="1", XLA_FLAGS="--xla_cpu_multi_thread_eigen=false")
    return clean


def peers_python(folder: Path) -> str:
    """The Python of the peers' environment, which is created if it is missing or has other requirements.

    Only a folder that this function has made is ever cleared: such a folder has a `made-from.txt`.
    """
    python = folder / "bin" / "python"
    made_from = folder / "made-from.txt"
    wanted = REQUIREMENTS.read_text()
    if not made_from.exists() and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        sys.exit(f"run.py: --peers: {folder} was not made by run.py, which would delete its files; name a new folder")
    if not made_from.exists() or made_from.read_text() != wanted:
        if sys.version_info < (3, 11):
            sys.exit("run.py: the peers need Python 3.11 or later (JAX does); run this with one")
        print(f"making the peers' environment in {folder}", file=sys.stderr)
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)],
        ):
            status = subprocess.run(command).returncode
            if folder.is_dir():
                made_from.write_text("unfinished\n")
            if status:
                sys.exit("run.py: the environment of the peers could not be created; the reason is above")
        made_from.write_text(wanted)
    return str(python)


# Processes ------------------------------------------------------------------------------------------------------------


class Failed(Exception):
    """A contestant failed to carry out a request."""


class Worker:
    """The process of a contestant. It sleeps until it gets a request."""

    def __init__(self, contestant: Contestant, variant: dict[str, Any], peers: str, **make: Any) -> None:
        python = peers if contestant.peer else sys.executable
        log = CACHE / "logs" / f"{contestant.name}-{hashlib.sha1(repr(variant).encode()).hexdigest()[:8]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                [python, str(HERE / "contestants" / contestant.script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(variant) | ({} if contestant.peer else LIBRARY_PATH),
                text=True,
            )
        self.log = log
        self.ask("make", variant=variant, **make)

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and return the reply. Raises `Failed` with the message of the contestant."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            print(json.dumps({"do": do, **request}), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"ended with status {self.process.wait()}; its log is {self.log.relative_to(HERE)}")
        reply = json.loads(line)
        if "error" in reply:
            raise Failed(reply["error"])
        return reply

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


# Rounds ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contest:
    """One measurement for all contestants.

    Parameters
    ----------
    make : dict
        The problem and the batch size, from which a contestant is made.
    start : (str, dict)
        The request that compiles and warms up. `differs` compares its reply with that of the first contestant.
    measure : (str, dict)
        The request that is measured. Its reply has numbers.
    merit : callable
        From such a reply, the value that is greatest for the fastest variant.
    differs : callable
        From two replies to `start`, the reason why the second did different work from the first, or None.
    """

    make: dict[str, Any]
    start: tuple[str, dict[str, Any]]
    measure: tuple[str, dict[str, Any]]
    merit: Callable[[dict[str, float]], float]
    differs: Callable[[dict[str, Any], dict[str, Any]], str | None]

    def hold(
        self, contestants: list[Contestant], peers: str, rounds: int, once: Callable[[str, Callable[[], Any]], Any]
    ) -> dict[str, dict[str, Any]]:
        """Results by contestant: the median, low and high of each number, or the reason why there are none.

        `once(name, function)` returns the value of the function, or the one saved under this name before the benchmark
        was stopped. Every trial of a variant and every measurement in a round is saved in this way.
        """
        results: dict[str, dict[str, Any]] = {}
        workers: dict[str, Worker] = {}
        reference: dict[str, Any] | None = None
        try:
            for contestant in contestants:
                results[contestant.name], reply = self._best_variant(contestant, peers, reference, workers, once)
                if reference is None:
                    reference = reply
                    if "refused" in results[contestant.name]:
                        raise Failed(f"{contestant.name}: {results[contestant.name]['refused']}")
            competing = [each for each in contestants if "variant" in results[each.name]]
            replies: dict[str, list[dict[str, float]]] = {each.name: [] for each in competing}
            for turn in range(rounds):
                # Each round starts with a different contestant, so that none always follows the same neighbour.
                first = turn % len(competing)
                for contestant in competing[first:] + competing[:first]:
                    name = contestant.name

                    def measure(contestant: Contestant = contestant) -> dict[str, float]:
                        if contestant.name not in workers:  # the benchmark was stopped, and continues
                            variant = results[contestant.name]["variant"]
                            workers[contestant.name], _ = self._start(contestant, variant, peers)
                        return self._ask(workers[contestant.name], self.measure)

                    replies[name].append(once(f"round {turn + 1}, {name}", measure))
        finally:
            for worker in workers.values():
                worker.close()
        for name, rows in replies.items():
            results[name].update({key: spread([row[key] for row in rows]) for key in rows[0]})
        return results

    def _best_variant(
        self,
        contestant: Contestant,
        peers: str,
        reference: dict[str, Any] | None,
        workers: dict[str, Worker],
        once: Callable[[str, Callable[[], Any]], Any],
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The result so far of the fastest variant, whose process stays in `workers`, and its reply to `start`."""
        result: dict[str, Any] = {}
        best: dict[str, Any] = {"merit": 0.0, "reply": {}}
        refusals: list[str] = []
        for variant in contestant.variants:
            new: list[Worker] = []
            trial = once(f"{contestant.name} {variant}", partial(self._try, contestant, variant, peers, reference, new))
            if "refusal" in trial:
                refusals.append(f"{variant}: {trial['refusal']}")
            elif trial["merit"] > best["merit"]:
                best = trial
                result = {"variant": variant}
                result.update({key: best["reply"][key] for key in KEPT if key in best["reply"]})
                if contestant.name in workers:
                    workers.pop(contestant.name).close()
                if new:
                    workers[contestant.name] = new.pop()
            for worker in new:
                worker.close()
        if not result:
            return {"refused": "; ".join(refusals)}, {}
        return {**result, "refused_variants": refusals} if refusals else result, best["reply"]

    def _try(
        self,
        contestant: Contestant,
        variant: dict[str, Any],
        peers: str,
        reference: dict[str, Any] | None,
        new: list[Worker],
    ) -> dict[str, Any]:
        """The merit of a variant and its reply to `start`, or why it is refused. Adds its process to `new`."""
        try:
            worker, reply = self._start(contestant, variant, peers)
            new.append(worker)
            refusal = self.differs(reference, reply) if reference else None
            merit = 0.0 if refusal else self.merit(self._ask(worker, self.measure))
        except Failed as failure:
            refusal = str(failure)
        if refusal:
            return {"refusal": refusal}
        return {"merit": merit, "reply": {key: reply[key] for key in KEPT if key in reply} if reference else reply}

    def _start(self, contestant: Contestant, variant: dict[str, Any], peers: str) -> tuple[Worker, dict[str, Any]]:
        worker = Worker(contestant, variant, peers, **self.make)
        try:
            return worker, self._ask(worker, self.start)
        except BaseException:
            worker.close()
            raise

    @staticmethod
    def _ask(worker: Worker, request: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        return worker.ask(request[0], **request[1])


def spread(values: list[float]) -> dict[str, Any]:
    """The median, least and greatest value of the rounds, and the number of rounds."""
    return {
        "median": statistics.median(values), "low": min(values), "high": max(values), "rounds": len(values),
    }  # fmt: skip
