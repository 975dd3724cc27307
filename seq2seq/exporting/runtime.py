"""ONNX Runtime for the browser: two files of the npm package `onnxruntime-web`, which a static page needs.

They are too large for this package, so they come from a folder of yours, or from npm's registry: then they are kept in
the user's cache. Only files with the hashes below are used.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from seq2seq.errors import Seq2SeqError, cut
from seq2seq.files import read, shown
from seq2seq.places import PathLike, cache_folder

VERSION = "1.30.0"
PACKAGE = f"onnxruntime-web@{VERSION}"
FILES = {
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
MOST = 2**25  # bytes of a file
SECONDS = 300  # for npm
OTHERWISE = f"put {' and '.join(FILES)} of {PACKAGE} into a folder, and name it with --runtime"


def cache() -> Path:
    """The folder in which the files are kept."""
    return cache_folder() / f"onnxruntime-web-{VERSION}"


def runtime_files(folder: PathLike | None = None) -> dict[str, bytes]:
    """The files by name.

    Parameters
    ----------
    folder : path, optional
        The folder that holds them, such as `node_modules/onnxruntime-web/dist`. By default that of the cache, which
        npm fills if it does not hold them.

    Raises
    ------
    Seq2SeqError
        If they are not there or are others, or npm is not installed or cannot fetch them.
    """
    if folder is not None:
        return _read(Path(folder))
    kept = cache()
    try:
        return _read(kept)
    except Seq2SeqError:
        files = _fetched()
    kept.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        partial = kept / f".{name}.{os.getpid()}.tmp"
        partial.write_bytes(content)
        partial.replace(kept / name)
    return files


def _read(folder: Path) -> dict[str, bytes]:
    found = {}
    for name in FILES:
        try:
            found[name] = read(folder / name, MOST)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Seq2SeqError(f"runtime: {shown(folder / name)} cannot be read: {why}") from None
    return _checked(found, str(folder))


def _checked(files: Mapping[str, bytes], where: str) -> dict[str, bytes]:
    """The files, if they have their hashes."""
    for name, digest in FILES.items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise Seq2SeqError(f"runtime: {where}: {name} is not that of {PACKAGE} (its SHA-256 is another)")
    return dict(files)


def _fetched() -> dict[str, bytes]:
    """The files from the package that npm fetches."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--loglevel=error", "--ignore-scripts", "--pack-destination", folder, PACKAGE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder)
        except FileNotFoundError:
            raise Seq2SeqError(f"runtime: npm is not installed, which fetches {PACKAGE}; {OTHERWISE}") from None
        except subprocess.TimeoutExpired:
            raise Seq2SeqError(f"runtime: npm did not fetch {PACKAGE} in {SECONDS} seconds; {OTHERWISE}") from None
        [*packed] = Path(folder).glob("*.tgz")
        if done.returncode or len(packed) != 1:
            [said, *_] = [*done.stderr.splitlines(), f"status {done.returncode}"]
            raise Seq2SeqError(f"runtime: npm cannot fetch {PACKAGE}: {cut(said, 120)}; {OTHERWISE}")
        return _checked(_unpacked(packed[0]), PACKAGE)


def _unpacked(path: Path) -> dict[str, bytes]:
    """The files of the package."""
    found = {}
    try:
        with tarfile.open(path) as archive:
            for name in FILES:
                member = archive.extractfile(f"package/dist/{name}")
                assert member is not None
                found[name] = member.read(MOST)
    except (tarfile.TarError, OSError, KeyError, AssertionError, EOFError) as error:
        raise Seq2SeqError(f"runtime: {PACKAGE} does not have the files that are expected: {error}") from None
    return found
