"""A packed run that a stranger may have made: other bytes, other headers, or other files in it."""

from __future__ import annotations

import functools
import json
import random
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Callable

from seq2seq import pack
from seq2seq.archives import LOCAL, Member, archive
from tests.campaign.fixtures import RUNS, Cache
from tests.campaign.mutations import bytes_, config, damaged, kept, metrics, swapped, tensors
from tests.campaign.runner import Check, Command

NAMES = (
    "../outside/mine", "/tmp/mine", "..", ".", "", "a\\b", "C:\\mine", "onnx/", "onnx/../../mine", "best.safetensors/x",
    "~/mine", "config.json\0", "config.json ", "CONFIG.JSON", "mine.py", "\udcff", "a" * 65_000, "README.md",
    "metrics.csv", "config.json", "text.txt.gz", "onnx/export.json", "onnx/model.onnx", "home/mine", "last.safetensors",
)  # fmt: skip
NUMBERS = (0, 1, 2, 8, 12, 41, 99, 255, 2**15, 2**16 - 1, 2**31, 2**32 - 1)
Change = Callable[[random.Random, bytes], "tuple[str, bytes]"]  # changes an archive, and says how


def make(rng: random.Random, folder: Path, cache: Cache) -> Check:
    """A pack in this folder, changed; how, and the commands that use it."""
    name, told, content = changed(rng, cache)
    (folder / "run.zip").write_bytes(content)
    question = RUNS[name][1]
    commands = [Command("solve", ("--run", "run.zip", "--", question))]
    if rng.random() < 0.3:
        card = rng.choice([(), ("--card", "card.md")])
        commands.append(Command("evaluate", ("--run", "run.zip", "--samples", "20", *card)))
    if rng.random() < 0.1:
        commands.append(Command("explain", ("--run", "run.zip", "--", question)))
    if rng.random() < 0.1:
        commands.append(Command("train", ("--run-dir", "run.zip", "--resume", "--epochs", "3")))
    before = {path.name for path in folder.iterdir()} | {"card.md"}
    return Check(f"{name}: {told}", commands, functools.partial(_unchanged, folder, before, content))


def changed(rng: random.Random, cache: Cache) -> tuple[str, str, bytes]:
    """A pack that is changed: the name of its run, how it was changed, and its bytes."""
    name = rng.choice(list(RUNS))
    with_data = rng.random() < 0.5
    if rng.random() < 0.4:
        return (name, *inside(rng, cache, name, with_data))
    changes: list[Change] = [noise, header, entry, end, members, another, bomb]
    return (name, *rng.choice(changes)(rng, _packed(cache, name, with_data)))


def _unchanged(folder: Path, before: set[str], content: bytes) -> list[str]:
    """What was written that should not be: files beside the pack, or the pack."""
    wrong = [f"made {path.name}" for path in folder.iterdir() if path.name not in before]
    return wrong if (folder / "run.zip").read_bytes() == content else [*wrong, "changed the pack"]


@functools.cache
def _packed(cache: Cache, name: str, with_data: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return pack(cache.run(name), Path(folder) / "run.zip", with_data=with_data).path.read_bytes()


def _files(content: bytes) -> dict[str, bytes]:
    """The files of a pack, by name."""
    found = {}
    at = 0
    while content.startswith(b"PK\3\4", at):
        *_, size, _, length, _ = LOCAL.unpack_from(content, at)
        begin = at + LOCAL.size + length
        found[content[at + LOCAL.size : begin].decode()] = content[begin : begin + size]
        at = begin + size
    return found


def _directory(content: bytes) -> int:
    """Where the directory begins."""
    return content.index(b"PK\1\2" + bytes([20, 3]))


def noise(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Other bytes anywhere, or near the end."""
    if rng.random() < 0.5:
        return damaged(rng, content)
    at = _directory(content)
    told, changed = damaged(rng, content[at:])
    return f"directory {told}", content[:at] + changed


def _put(rng: random.Random, content: bytes, at: int, size: int) -> tuple[str, bytes]:
    number = rng.choice([*NUMBERS, rng.randrange(2**32)]) % 2 ** (8 * size)
    return f"{number} of {size} bytes at {at}", content[:at] + number.to_bytes(size, "little") + content[at + size :]


def header(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Another number before a member."""
    starts = [at for at in range(_directory(content)) if content.startswith(b"PK\3\4", at)]
    offset, size = rng.choice([(4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)])
    return _put(rng, content, rng.choice(starts) + offset, size)


def entry(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Another number in the directory, such as a size, an offset, a method, or the rights of a link."""
    starts = [at for at in range(_directory(content), len(content)) if content.startswith(b"PK\1\2", at)]
    begin = rng.choice(starts)
    if rng.random() < 0.2:
        mode = rng.choice([stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK]) | 0o777
        rights = (mode << 16).to_bytes(4, "little")
        return f"mode {mode:o}", content[: begin + 38] + rights + content[begin + 42 :]
    offset, size = rng.choice(
        [(4, 1), (5, 1), (6, 1), (8, 2), (10, 2), (12, 2), (14, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2),
         (32, 2), (34, 2), (36, 2), (38, 4), (42, 4)]
    )  # fmt: skip
    return _put(rng, content, begin + offset, size)


def end(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Another number in the end, or a comment."""
    if rng.random() < 0.2:
        comment = rng.randbytes(rng.choice([1, 100, 65_535]))
        return "a comment", content[:-2] + struct.pack("<H", len(comment)) + comment
    offset, size = rng.choice([(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)])
    return _put(rng, content, len(content) - 22 + offset, size)


def members(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """Other members: of another name, twice, missing, in another order, or very many. The archive is whole."""
    files = [*_files(content).items()]
    kind = rng.choice(["name", "name", "twice", "missing", "order", "many", "none"])
    if kind == "name":
        name = rng.choice(NAMES)
        files.insert(rng.randrange(len(files) + 1), (name, rng.choice(files)[1]))
        return f"a file {name[:40]!r}", _written(files)
    if kind == "twice":
        files.append((files[rng.randrange(len(files))][0], rng.choice(files)[1]))
    elif kind == "missing":
        del files[rng.randrange(len(files))]
    elif kind == "order":
        rng.shuffle(files)
    elif kind == "many":
        files += [(f"{number}.gz", b"") for number in range(rng.choice([10, 60, 1000, 65_000]))]
    else:
        files = []
    return f"files: {kind}", _written(files)


def _written(files: list[tuple[str, bytes]]) -> bytes:
    """An archive with these members, whatever their names and order."""
    parts: list[bytes] = []
    entries: list[bytes] = []
    place = 0
    for name, content in files:
        raw = name.encode(errors="surrogateescape")
        plain = Member("", len(content), zlib.crc32(content), place)
        head = bytearray(plain.header + raw)
        head[26:28] = struct.pack("<H", len(raw))
        about = bytearray(plain.entry + raw)
        about[28:30] = struct.pack("<H", len(raw))
        parts += [bytes(head), content]
        entries.append(bytes(about))
        place += len(head) + len(content)
    directory = b"".join(entries)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(files), len(files), len(directory), place, 0)
    return b"".join([*parts, directory, last])


def another(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """The same files as another program packs them."""
    method = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.zip"
        with zipfile.ZipFile(path, "w", method) as made:
            for name, each in _files(content).items():
                made.writestr(rng.choice(["", "", "run/"]) + name, each)
        return f"by another program, with the method {method}", path.read_bytes()


def bomb(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """A file that is very large when it is unpacked, or says that it is."""
    name = rng.choice(["config.json", "metrics.csv", "best.safetensors", "text.txt.gz"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            with made.open(name, "w") as file:
                for _ in range(rng.choice([1, 30, 300])):
                    file.write(bytes(2**20))
            for other, each in _files(content).items():
                if other != name:
                    made.writestr(other, each)
        bombed = bytearray(path.read_bytes())
    if rng.random() < 0.5:  # it says that it is stored
        for start, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
            at = bombed.index(start) + offset
            bombed[at : at + 2] = b"\0\0"
    return f"a bomb in {name}", bytes(bombed)


def inside(rng: random.Random, cache: Cache, name: str, with_data: bool) -> tuple[str, bytes]:
    """A whole archive of files that are damaged themselves."""
    with tempfile.TemporaryDirectory() as above:
        run = Path(above) / "work" / "run"
        run.mkdir(parents=True)
        (Path(above) / "work" / "outside").mkdir()
        for each, content in _files(_packed(cache, name, with_data)).items():
            (run / each).write_bytes(content)
        for other in ("last.safetensors", "optimizer.safetensors"):  # which the changes look for
            shutil.copyfile(cache.run(name) / other, run / other)
        change = rng.choice([bytes_, swapped, config, config, config, tensors, metrics, kept, card])
        told = change(rng, run, cache)
        files = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    for other in ("last.safetensors", "optimizer.safetensors"):
        files.pop(other, None)
    try:
        return told, archive(files)
    except ValueError:  # of a name that none has
        return told, _written([*files.items()])


def card(rng: random.Random, run: Path, cache: Cache) -> str:
    """Another evaluation."""
    path = run / "evaluation.json"
    values = json.loads(path.read_text())
    values[rng.choice([*values])] = rng.choice([1, None, [], {}, "x", [[]], {"n": -1}])
    path.write_text(json.dumps(values))
    return "another evaluation"
