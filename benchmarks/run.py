#!/usr/bin/env python3
"""Compare this library with its peers: see README.md in this folder."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import report
from contest import HERE, Failed
from results import Results
from sections import FULL, QUICK, SECTIONS, Session

NEEDS_PEERS = {"training", "answers", "accuracy", "networks", "busy", "held_out", "answers_attention"}
PEERS = ("torch", "jax", "optax", "keras", "onnxruntime", "numpy")
VERSIONS = "import sys, importlib.metadata as m; print(*[n + ' ' + m.version(n) for n in sys.argv[1:]], sep=', ')"


def about(session: Session, sections: list[str]) -> dict[str, Any]:
    """The machine and the versions."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.exists() else []
    facts: dict[str, Any] = {
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "mxnet": "1.9.1",
        "numpy": metadata.version("numpy"),
    }
    if NEEDS_PEERS & set(sections):
        command = [session.peers, "-c", VERSIONS, *PEERS]
        facts["peers"] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return facts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    names = ",".join(SECTIONS)
    parser.add_argument("--only", default=names, metavar="NAME,...", help=f"sections, of {names} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds per measurement (default: 5)")
    parser.add_argument("--quick", action="store_true", help="everything in a small form, to see that it runs")
    parser.add_argument("--again", action="store_true", help="discard saved measurements and measure again")
    parser.add_argument(
        "--peers", type=Path, default=HERE / ".venv-peers", metavar="DIR",
        help="the environment of the peers, created if missing (default: .venv-peers beside this file)",
    )  # fmt: skip
    parser.add_argument(
        "--text", type=Path, metavar="FILE",
        help="the text for models of a text; without it they read Python's manual, and held_out leaves the text out",
    )  # fmt: skip
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="the file of the results (default: results.json beside this file)"
    )
    arguments = parser.parse_args()
    sections = arguments.only.split(",")
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        parser.error(f"--only: got {', '.join(map(repr, unknown))}, but it must be of {names}")
    if arguments.rounds < 1:
        parser.error("--rounds: must be at least 1")
    if arguments.text and not arguments.text.is_file():
        parser.error(f"--text: {arguments.text} is not a file")

    stem = arguments.results or HERE / ("results-quick" if arguments.quick else "results")
    results = Results(stem.with_suffix(".json"))
    if arguments.again or arguments.quick:
        results.forget(sections)
    session = Session(
        QUICK if arguments.quick else FULL,
        2 if arguments.quick else arguments.rounds,
        results,
        arguments.peers,
        arguments.text and arguments.text.resolve(),
    )
    results.values["about"] = about(session, sections)
    failed = False
    for name in sections:
        try:
            SECTIONS[name](session)
        except Failed as failure:  # continue with the other sections
            print(f"{name}: {failure}", file=sys.stderr)
            failed = True
        except KeyboardInterrupt:
            print("run.py: stopped; the same command continues", file=sys.stderr)
            return 130
    print(report.text(results.values, sections))
    if "training" in sections and results.values.get("training"):
        report.plot(results.values, stem.with_suffix(".png"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
