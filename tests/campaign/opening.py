"""The damaged packs of `archives.py`, each opened and asked in this process, which takes a minute for all.

    python -m tests.campaign.opening --count 2000

An archive passes if its run answers, or if opening it raises an error of one line, and if nothing is written. The
largest growth of the memory that one archive causes is printed. `python -m tests.campaign --only archive:N` does the
same archive by the commands.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import sys
import tempfile
import warnings
from pathlib import Path

from seq2seq.errors import Seq2SeqError
from tests.campaign import archives
from tests.campaign.fixtures import RUNS, make_runs
from tests.campaign.runner import LONGEST, state_of


def asked(path: Path, source: str) -> str:
    """How opening a pack and asking it ends: `answered`, `refused`, or what is wrong with its end."""
    from seq2seq import Solver

    try:
        answer = Solver(path)(source)
    except Seq2SeqError as error:
        text = str(error)
        return (
            "refused" if len(text.splitlines()) == 1 and len(text) <= LONGEST else f"an error of several lines: {text}"
        )
    except Exception as error:  # whatever else it raises is wrong
        return f"raised {error!r}"
    return "answered" if isinstance(answer, str) else f"answered {answer!r}"


def most_memory() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.campaign.opening", description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="where the runs are, or are made (default: a folder for now)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    ends: collections.Counter[str] = collections.Counter()
    growth = 0.0
    wrong = []
    with tempfile.TemporaryDirectory() as above:
        cache = make_runs((arguments.cache or Path(above) / "cache").resolve())
        folder = Path(above) / "work"
        tempfile.tempdir = str(folder / "temporary")  # so that what is left there is seen
        os.makedirs(tempfile.tempdir)
        os.chdir(folder)
        path = folder / "run.zip"
        for number in range(arguments.count):
            name, told, content = archives.changed(random.Random(f"{arguments.seed}:archive:{number}"), cache)
            path.write_bytes(content)
            before = state_of(folder)
            memory = most_memory()
            end = asked(path, RUNS[name][1])
            if number:  # the first one loads MXNet
                growth = max(growth, most_memory() - memory)
            if state_of(folder) != before:
                end = "something was written"
            ends[end if end in ("answered", "refused") else "wrong"] += 1
            if end not in ("answered", "refused"):
                wrong.append(f"archive:{number}: {name}: {told}: {end}")
        os.chdir("/")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    counts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    print(f"{arguments.count} archives: {counts}; at most {most_memory():.0f} MB, of which one took {growth:.0f} MB")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
