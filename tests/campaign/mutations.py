"""A run folder in which something is not as it was written: opened, asked, evaluated and trained on."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import socket
from pathlib import Path
from typing import Any, Callable

from tests.campaign.fixtures import RUNS, Cache
from tests.campaign.runner import Check, Command
from tests.campaign.values import NUMBERS, TEXTS, value

KEPT = ("pairs.jsonl.gz", "text.txt.gz")
Change = Callable[[random.Random, Path, Cache], str]  # changes a run, and says how


def make(rng: random.Random, folder: Path, cache: Cache) -> Check:
    """A run folder in this folder, changed; how, and the commands that use it."""
    name = rng.choice(list(RUNS))
    run = folder / "run"
    shutil.copytree(cache.run(name), run)
    # Most of what can be wrong with a run is wrong with its configuration.
    changes = rng.choices([bytes_, swapped, replaced, trap, config, tensors, metrics, kept, more],
                          [3, 1, 2, 1, 6, 3, 2, 2, 1])  # fmt: skip
    told = changes[0](rng, run, cache)
    question = RUNS[name][1]
    ask = ("--predict",) if rng.random() < 0.1 else ()
    commands = [
        Command("solve", ("--run", "run", *ask, "--", question)),
        Command("evaluate", ("--run", "run", "--samples", "20", *rng.choice([(), ("--json",)]))),
        Command("train", ("--run-dir", "run", "--resume", "--epochs", "3")),
    ]
    if rng.random() < 0.1:
        commands.append(Command("explain", ("--run", "run", "--", question)))
    if rng.random() < 0.1:
        commands.append(Command("evaluate", ("--run", "run", "--samples", "20", "--plot", "curves.png")))
    return Check(f"{name}: {told}", commands)


def _file(rng: random.Random, run: Path) -> Path:
    return rng.choice(sorted(path for path in run.iterdir() if path.is_file()))


def damaged(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Bytes that are not what they were."""
    kind = rng.choice(["flipped", "cut", "spliced", "inserted", "zeroed", "appended", "doubled", "empty", "noise"])
    begin = rng.randrange(len(content) + 1)
    end = min(len(content), begin + rng.choice([1, 8, 100, 10_000]))
    some = rng.randbytes(rng.choice([1, 8, 1000]))
    if kind == "flipped":
        changed = bytearray(content)
        for _ in range(rng.choice([1, 3, 30])):
            if changed:
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return kind, bytes(changed)
    return kind, {
        "cut": content[:begin], "spliced": content[:begin] + content[end:],
        "inserted": content[:begin] + some + content[begin:],
        "zeroed": content[:begin] + bytes(end - begin) + content[end:], "appended": content + some,
        "doubled": content + content, "empty": b"", "noise": some,
    }[kind]  # fmt: skip


def bytes_(rng: random.Random, run: Path, cache: Cache) -> str:
    path = _file(rng, run)
    kind, content = damaged(rng, path.read_bytes())
    path.write_bytes(content)
    return f"{path.name} {kind}"


def swapped(rng: random.Random, run: Path, cache: Cache) -> str:
    path, other = _file(rng, run), rng.choice(list(RUNS))
    source = rng.choice([cache.run(other) / path.name, _file(rng, cache.run(other))])
    if source.exists():
        shutil.copyfile(source, path)
    return f"{path.name} is {source.name} of {other}"


def _put(rng: random.Random, path: Path, content: bytes) -> str:
    """Something that is not an ordinary file."""
    outside = path.parent.parent / "outside"
    kind = rng.choice(["link", "device", "nowhere", "loop", "FIFO", "folder", "socket", "sparse", "none"])
    path.unlink(missing_ok=True)
    if kind == "link":
        (outside / "victim").write_bytes(content)
        path.symlink_to("../outside/victim")
    elif kind in ("device", "nowhere", "loop"):
        path.symlink_to(
            {"device": rng.choice(["/dev/zero", "/dev/full", "/dev/tty"]), "nowhere": "nowhere", "loop": path.name}[
                kind
            ]
        )
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        (path / "file").touch()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = os.getcwd()
            os.chdir(path.parent)
            server.bind(path.name)
            os.chdir(here)
    elif kind == "sparse":
        path.write_bytes(content)
        os.truncate(path, 2 ** rng.choice([28, 31, 40]))
    return kind


def replaced(rng: random.Random, run: Path, cache: Cache) -> str:
    path = _file(rng, run)
    return f"{path.name} is a {_put(rng, path, path.read_bytes())}"


def trap(rng: random.Random, run: Path, cache: Cache) -> str:
    """What lies where a temporary file may be written, or is taken for one."""
    name = rng.choice([*(path.name for path in run.iterdir()), "evaluation.json", "rates.png"])
    temporary = rng.choice([f"{name}.tmp", f".{name}.{'0' * 16}.tmp", ".unfinished", f"{name}~"])
    return f"{temporary} is a {_put(rng, run / temporary, b'mine')}"


def more(rng: random.Random, run: Path, cache: Cache) -> str:
    """Files that are missing, or too many, or in another place."""
    kind = rng.choice(["missing", "unfinished", "moved", "read-only", "linked", "odd name"])
    path = _file(rng, run)
    if kind == "missing":
        path.unlink()
    elif kind == "unfinished":
        (run / ".unfinished").write_text(rng.choice(["made\n", "taken\n", ""]))
    elif kind == "moved":
        path.rename(run / rng.choice(["config.json", "best.safetensors", "thesis.tex"]))
    elif kind == "read-only":
        path.chmod(0)
    elif kind == "linked":
        run.rename(run.with_name("elsewhere"))
        run.symlink_to("elsewhere")
    else:
        (run / rng.choice(["a\nb", "\udcff", "\x1b[31m"])).touch()
    return f"{path.name} {kind}"


def places(values: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The keys on the way to every value within a JSON value."""
    inside: list[tuple[Any, ...]] = []
    if isinstance(values, (dict, list)):
        for key in values if isinstance(values, dict) else range(len(values)):
            inside += [(*before, key), *places(values[key], (*before, key))]
    return inside


def edit(rng: random.Random, values: Any) -> str:
    """Change something within a JSON value."""
    *way, last = rng.choice(places(values))
    parent = values
    for key in way:
        parent = parent[key]
    where = ".".join(map(str, (*way, last)))
    kind = rng.choice(["set", "set", "set", "set", "removed", "added", "moved"])
    if kind == "removed":
        del parent[last]
    elif kind == "added" and isinstance(parent, dict):
        parent[rng.choice(["x", "name", "digest", "model", "path", "given", "seed"])] = value(rng)
    elif kind == "moved":
        [*_, other] = rng.choice(places(values))
        if isinstance(parent, dict) and isinstance(other, str):
            parent[other] = parent[last]
    else:
        parent[last] = value(rng)
        return f"{where} = {repr(parent[last])[:60]}"
    return f"{where} {kind}"


def config(rng: random.Random, run: Path, cache: Cache) -> str:
    path = run / "config.json"
    values = json.loads(path.read_text())
    told = [edit(rng, values) for _ in range(rng.choice([1, 1, 1, 2, 4]))]
    path.write_bytes(json.dumps(values, ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass"))
    return "config.json " + ", ".join(told)


def metrics(rng: random.Random, run: Path, cache: Cache) -> str:
    path = run / "metrics.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    row, column = rng.randrange(len(rows)), rng.randrange(len(rows[0]))
    kind = rng.choice(
        ["set", "set", "set", "no column", "column twice", "row twice", "no row", "short row", "other order"]
    )
    if kind == "set":
        rows[row][column] = str(rng.choice([*NUMBERS, *TEXTS, "x" * 200_000, '"', '"a', "1" * 5000, "½", "１"]))
    elif kind == "no column":
        rows = [[*cells[:column], *cells[column + 1 :]] for cells in rows]
    elif kind == "column twice":
        rows = [[*cells, cells[column]] for cells in rows]
    elif kind == "row twice":
        rows.insert(row, rows[row])
    elif kind == "no row":
        del rows[row]
    elif kind == "short row":
        del rows[row][column]
    else:
        rng.shuffle(rows)
    path.write_bytes("".join(",".join(cells) + "\n" for cells in rows).encode(errors="surrogatepass"))
    return f"metrics.csv {kind} at {row}, {column}"


def tensors(rng: random.Random, run: Path, cache: Cache) -> str:
    """The header, the state or the values of a file of arrays."""
    path = run / rng.choice(["best.safetensors", "last.safetensors", "optimizer.safetensors"])
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    kind = rng.choice(["value", "value", "header", "state", "state", "dtype", "deep", "length"])
    told = kind
    if kind == "value":
        odd = rng.choice(
            [b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f", b"\x01\x00\x00\x00"]
        )
        for _ in range(rng.choice([1, 1, 100])):
            begin = rng.randrange(len(data) // 4) * 4
            data[begin : begin + 4] = odd
        told = f"value {odd.hex()}"
    elif kind == "header":
        told = edit(rng, header)
    elif kind == "state":
        state = json.loads(header["__metadata__"]["seq2seq"])
        told = edit(rng, state) if state else ""
        header["__metadata__"]["seq2seq"] = json.dumps(state)
    elif kind == "dtype":
        name = rng.choice([each for each in header if each != "__metadata__"])
        header[name]["dtype"] = told = rng.choice(["F64", "F16", "BF16", "I32", "BOOL", "F8_E4M3", "X", ""])
    elif kind == "deep":
        header["__metadata__"]["seq2seq"] = "[" * rng.choice([100, 10_000, 100_000])
    text = json.dumps(header).encode()
    if kind == "deep" and rng.random() < 0.5:
        text = b"[" * 100_000
    length = len(text) if kind != "length" else rng.choice([0, 1, len(text) - 1, 2**31, 2**63, 2**64 - 1])
    path.write_bytes(length.to_bytes(8, "little") + text + bytes(data))
    return f"{path.name} {kind}: {told}"


def kept(rng: random.Random, run: Path, cache: Cache) -> str:
    """Other pairs or another text, which `config.json` may even say are the right ones."""
    there = [run / name for name in KEPT if (run / name).exists()]
    path = there[0] if there else run / rng.choice(KEPT)
    content = gzip.decompress(path.read_bytes()) if there else b""
    kind = rng.choice(["damaged", "line", "line", "large", "repeated", "none"])
    told = kind
    if kind == "damaged":
        told, content = damaged(rng, content)
    elif kind == "line":
        odd = json.dumps(rng.choice([value(rng), [value(rng), value(rng)], {"source": value(rng)}]))
        odd = rng.choice([odd, odd, "[" * 10_000])
        lines = content.split(b"\n")
        lines[rng.randrange(len(lines))] = odd.encode(errors="surrogatepass")
        content, told = b"\n".join(lines), odd[:60]
    elif kind == "large":
        content = bytes(2**29)
    elif kind == "repeated":
        content = content * 1000
    else:
        content = b""
    path.write_bytes(gzip.compress(content, 1))
    right = rng.random() < 0.7
    if right:
        values = json.loads((run / "config.json").read_text())
        values["task"]["digest"] = hashlib.sha256(content).hexdigest()[:16]
        (run / "config.json").write_text(json.dumps(values))
    return f"{path.name} {told}" + (", with its digest" if right else "")
