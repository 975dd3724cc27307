"""Odd files to learn from, to answer, and to score."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from pathlib import Path

from tests.campaign.fixtures import TINY, Cache
from tests.campaign.mutations import damaged
from tests.campaign.runner import Check, Command
from tests.campaign.values import TEXTS, nested, value

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252", "utf-32", "shift_jis")
HEADERS = (
    "source\ttarget",
    "Source\tTarget",
    "\nsource\ttarget",
    "question\tanswer\tnote",
    "#",
    "\ufeffsource\ttarget",
)


def make(rng: random.Random, folder: Path, cache: Cache) -> Check:
    """A file that is drawn, and the commands that read it."""
    suffix = rng.choice([".tsv", ".txt", ".csv", ".jsonl"]) + rng.choice(["", "", ".gz"])
    count = rng.choice([0, 1, 3, 40, 40, 40])
    rows: list[tuple[str, ...]] = [(str(number), str(rng.randrange(100))) for number in range(count)]
    told = []
    for _ in range(rng.choice([0, 1, 1, 3])):
        odd = rng.choice([*TEXTS, '"', '"a', 'a"b', "a,b", "a\tb", "\u2028", "a\rb", "x" * 2_000_000])
        rows.insert(
            rng.randrange(len(rows) + 1), rng.choice([(odd, "1"), ("1", odd), (odd, odd), (odd,), (odd, "1", odd)])
        )  # type: ignore[arg-type]
        told.append(ascii(odd)[:40])
    if ".jsonl" in suffix:
        kind = rng.choice([list, lambda row: {"source": row[0], "target": row[-1]}])
        lines = [json.dumps(kind(row)) for row in rows]
        if rng.random() < 0.5:
            lines.append(json.dumps(rng.choice([value(rng), nested(900), {"source": value(rng), "target": "1"}])))
        if rng.random() < 0.1:
            lines.append("[" * 100_000)
    else:
        lines = [("," if ".csv" in suffix else "\t").join(row) for row in rows]
    if rng.random() < 0.2:
        lines.insert(0, rng.choice(HEADERS))
    encoding = rng.choice(ENCODINGS) if rng.random() < 0.3 else "utf-8"
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    content = rng.choice(["\n", "\n", "\r\n", "\r"]).join(lines).encode(encoding, errors)
    if rng.random() < 0.2:
        kind, content = damaged(rng, content)
        told.append(kind)
    if rng.random() < 0.05:
        content = bytes(2**29) if rng.random() < 0.5 else b"a\tb\n" * 10**5
        told.append("large")
    if suffix.endswith(".gz") and rng.random() < 0.9:
        content = gzip.compress(content, 1)
    path = folder / f"odd{suffix}"
    path.write_bytes(content[: 2**27])
    name = rng.choice(["attention", "repeat", "gru"])
    shutil.copytree(cache.run(name), folder / "run")
    task = rng.choice(["pairs", "pairs", "text", "pronunciation"])
    learn = ("--task", task, f"--task.path={path.name}", *TINY[:2], "--epochs", "1", "--run-dir", "new")
    commands = [
        Command("train", learn),
        Command("solve", ("--run", "run"), path.read_bytes()[: 2**18]),
        Command("evaluate", ("--run", "run", "--pairs", path.name)),
    ]
    return Check(f"{task}, {path.name}, {encoding}: {', '.join(told)}", commands)
