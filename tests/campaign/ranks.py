"""Jobs of several processes of which a random one is killed at a random moment, and runs that are resumed after that.

    python -m tests.campaign.ranks FOLDER --count 100

Each job must end within 10 seconds of the kill, and its run must be resumed, by any number of processes, to the weights
of a run that was never killed. Results are lines in FOLDER/results.jsonl; what is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from seq2seq.runs import METRICS, WEIGHTS
from tests.engine.rank_job import SHARDS

ROOT = Path(__file__).parents[2]
MPIEXEC = shutil.which("mpiexec") or shutil.which("mpiexec", path=os.path.dirname(sys.executable)) or "mpiexec"
MOST_SECONDS = 10.0  # from the kill to the end of the job
LONGEST = 2.0  # seconds before a kill, from the start of the job or from the end of the run's first epoch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100, metavar="N")
    parser.add_argument("--seconds", type=float, default=1e9, metavar="X", help="begin no more after this time")
    arguments = parser.parse_args()
    began = time.monotonic()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    results = arguments.folder / "results.jsonl"
    done = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    whole = arguments.folder / "whole"
    if start(1, whole).wait():
        parser.error(f"{whole}: the run to compare with cannot be made or continued; clear the folder")
    for number in range(len(done), arguments.count):
        if time.monotonic() - began > arguments.seconds:
            break
        result = killed(number, arguments.folder / f"{number}", whole)
        done.append(result)
        with results.open("a") as file:
            print(json.dumps(result), file=file)
    slowest = max(each["seconds"] for each in done)
    wrong = [each["number"] for each in done if each["wrong"]]
    in_training = sum(each["epochs"] > 0 for each in done)
    print(f"{len(done)} kills, {in_training} after an epoch; slowest end {slowest:.1f} s; wrong: {wrong or 'none'}")
    return 1 if wrong else 0


def start(processes: int, folder: Path) -> subprocess.Popen[bytes]:
    command = [MPIEXEC, "-n", str(processes), sys.executable, "-m", "tests.engine.rank_job", str(folder), "long"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def killed(number: int, folder: Path, whole: Path) -> dict[str, Any]:
    """Kill a process of a job, resume its run, and compare that. Repeated if the job ends before the kill."""
    rng = random.Random(number)
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        processes = rng.randint(2, SHARDS)
        victim = rng.randrange(processes)
        in_training = rng.random() < 0.75
        delay = rng.uniform(0, LONGEST)
        job = start(processes, folder)
        while in_training and job.poll() is None and not (folder / "sums" / METRICS).exists():
            time.sleep(0.01)
        time.sleep(delay)
        pid = process_of(folder, victim)
        if pid is not None:
            break
        job.kill()
        job.wait()
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    wrong = []
    try:
        job.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        job.kill()
        job.communicate()
    seconds = time.monotonic() - began
    if seconds > MOST_SECONDS:
        wrong.append(f"ended after {seconds:.1f} s")
    path = folder / "sums" / METRICS
    epochs = len(path.read_text().splitlines()) - 1 if path.exists() else 0
    resumed_by = rng.randint(1, SHARDS)
    again = start(resumed_by, folder)
    said, _ = again.communicate(timeout=120)
    if again.returncode:
        wrong.append(f"not resumed: {said.decode(errors='replace')[-500:]}")
    else:
        wrong += [f"{name} differs" for name in WEIGHTS.values() if differs(folder, whole, name)]
    if not wrong:
        shutil.rmtree(folder)
    return {
        "number": number, "processes": processes, "victim": victim, "seconds": round(seconds, 2), "epochs": epochs,
        "resumed_by": resumed_by, "wrong": wrong,
    }  # fmt: skip


def process_of(folder: Path, number: int) -> int | None:
    """The process of a job that has a number, or None if there is none yet or any more."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (path / "cmdline").read_bytes().split(b"\0")
            environment = (path / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(folder) in arguments and b"PMI_RANK=%d" % number in environment:
            return int(path.name)
    return None


def differs(folder: Path, whole: Path, name: str) -> bool:
    ours, theirs = (load_file(each / "sums" / name) for each in (folder, whole))
    return any((ours[each] != theirs[each]).any() for each in theirs)


if __name__ == "__main__":
    sys.exit(main())
