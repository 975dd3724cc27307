"""Run a campaign: see `tests/campaign/__init__.py`."""

from __future__ import annotations

import argparse
import collections
import importlib
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.campaign import archives, commands, data, kills, mutations
from tests.campaign.fixtures import Cache, make_runs, write_files
from tests.campaign.runner import Command, Ended, fault, run, state_of

# Loaded once, here, and never used in this process: its children begin with them.
for name in ("experiment", "explaining", "pairs_evaluation", "plots", "recipes", "solver"):
    importlib.import_module(f"seq2seq.{name}")

KINDS = {
    "mutation": (mutations.make, 10_000), "command": (commands.make, 5_000), "file": (data.make, 500),
    "kill": (kills.make, 200), "archive": (archives.make, 2_000),
}  # fmt: skip


@dataclass
class Result:
    """What came of a check: how its commands ended, and what was wrong, if anything."""

    name: str
    told: str
    statuses: list[int | None]
    wrong: list[str]
    seconds: float
    memory: int


def check(kind: str, number: int, seed: int, cache: Cache, keep: Path, verbose: bool = False) -> Result:
    """Do one check. Its folder is kept in `keep` if something is wrong."""
    rng = random.Random(f"{seed}:{kind}:{number}")
    above = Path(tempfile.mkdtemp(prefix="campaign-"))
    folder = above / "work"
    for name in ("outside", "home"):
        (folder / name).mkdir(parents=True)
    (folder / "outside" / "mine").write_text("mine")
    write_files(folder)
    drawn = KINDS[kind][0](rng, folder, cache)
    before = [state_of(folder / name) for name in ("outside", "home")]
    result = Result(f"{kind}:{number}", drawn.told, [], [], 0.0, 0)
    for command in drawn.commands:
        ended = run(command, folder)
        if verbose:
            show(command, ended)
        result.statuses.append(ended.status)
        result.seconds = max(result.seconds, ended.seconds)
        result.memory = max(result.memory, ended.memory)
        problem = fault(command, ended)
        if problem:
            result.wrong.append(f"{command}: {problem}")
    result.wrong += drawn.after()
    if before != [state_of(folder / name) for name in ("outside", "home")]:
        result.wrong.append("something outside of the run was changed")
    if result.wrong:
        shutil.move(str(above), keep / f"{kind}-{number}")
    else:
        shutil.rmtree(above)
    return result


def show(command: Command, ended: Ended) -> None:
    print(f"$ {command}")
    sys.stdout.write(ended.out.decode(errors="replace") + ended.err.decode(errors="replace"))
    print(f"status {ended.status}, {ended.seconds:.2f} s, {ended.memory / 2**20:.0f} MB\n")


def campaign(arguments: Any, kind: str, cache: Cache) -> list[Result]:
    """The checks of a kind, as many as were asked for or as there is time for."""
    count = arguments.count or (10**9 if arguments.seconds else KINDS[kind][1])
    end = time.monotonic() + arguments.seconds if arguments.seconds else float("inf")
    results = []
    for number in range(arguments.first + arguments.job, arguments.first + count, arguments.jobs):
        if time.monotonic() > end:
            break
        result = check(kind, number, arguments.seed, cache, arguments.keep)
        results.append(result)
        if result.wrong:
            print(f"{result.name}: {result.told}", *result.wrong, sep="\n    ", flush=True)
    return results


def table(kind: str, results: list[Result]) -> str:
    """A line: how many checks, how their commands ended, and what was the most."""
    statuses = collections.Counter(status for result in results for status in result.statuses)
    ends = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items(), key=str))
    return (
        f"{kind}: {len(results)} checks, {sum(bool(result.wrong) for result in results)} wrong; "
        f"{sum(statuses.values())} commands ended, {ends}; "
        f"at most {max((result.seconds for result in results), default=0):.1f} s "
        f"and {max((result.memory for result in results), default=0) / 2**20:.0f} MB"
    )


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.campaign", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"some of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--count", type=int, default=0, help="checks of each kind")
    parser.add_argument("--seconds", type=float, default=0, help="for each kind, instead of a count")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first check (default: 0)")
    parser.add_argument("--only", metavar="KIND:N", help="one check, and all that it prints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument("--cache", type=Path, help="where the runs are, or are made (default: a folder for now)")
    parser.add_argument("--keep", type=Path, default=Path("campaign-failures"), help="for folders of checks that fail")
    arguments = parser.parse_args()
    arguments.job = 0
    arguments.keep.mkdir(parents=True, exist_ok=True)
    arguments.keep = arguments.keep.resolve()
    with tempfile.TemporaryDirectory() as made:
        cache = make_runs((arguments.cache or Path(made)).resolve())
        kills.prepare(cache)
        if arguments.only:
            kind, _, number = arguments.only.partition(":")
            result = check(kind, int(number), arguments.seed, cache, arguments.keep, verbose=True)
            print(result.told, *(result.wrong or ["good"]), sep="\n    ")
            return int(bool(result.wrong))
        children = []
        for job in range(1, arguments.jobs):
            child = os.fork()
            if child == 0:
                arguments.job, children = job, []
                break
            children.append(child)
        wrong = False
        for kind in arguments.kinds or KINDS:
            results = campaign(arguments, kind, cache)
            print(table(kind, results), flush=True)
            wrong |= any(result.wrong for result in results)
        if arguments.job:
            os._exit(int(wrong))
        for child in children:
            wrong |= os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
