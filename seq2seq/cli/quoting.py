"""Words quoted for a shell."""

from __future__ import annotations

import codecs
import os
import shlex
import shutil
import string
import sys

from seq2seq.cli import invocation

PLAIN = f"{string.ascii_letters}{string.digits} ./_"  # characters without a special meaning for printf
LINE_FEED = "\n"


def option(name: str, value: bytes) -> str:
    """An option and its value, quoted for a shell."""
    return f"{name}{'=' if value.startswith(b'-') else ' '}{quote(value)}"


def quote(word: bytes) -> str:
    """A word quoted for a POSIX shell, in characters that stdout can write."""
    shown = word.decode(errors="surrogateescape")
    is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    if shown.isprintable() and (shown.isascii() or is_utf8):
        return shlex.quote(shown)
    body = word.rstrip(b"\n")  # `$()` strips line feeds at the end
    octal = "".join(chr(each) if chr(each) in PLAIN else f"\\{each:03o}" for each in body)
    return f"\"$(printf '{octal}')\"" + (f"'{LINE_FEED * (len(word) - len(body))}'" if body != word else "")


def call(command: str) -> str:
    """The command line for another command, from this folder and in the same way as this one was started."""
    if invocation.is_script():
        return f"{_python()} {_path(os.path.join(os.path.dirname(sys.argv[0]), f'{command}.py'))}"
    if invocation.is_module():
        return f"{_python()} -m seq2seq {command}"
    name = os.path.basename(sys.argv[0])
    found = shutil.which(name)
    is_found = found is not None and os.path.abspath(found) == os.path.abspath(sys.argv[0])
    return f"{_path(name if is_found else sys.argv[0])} {command}"


def _python() -> str:
    """This interpreter, by its name if that is enough."""
    for name in ("python", "python3"):
        found = shutil.which(name) or ""
        is_beside = os.path.dirname(found) == os.path.dirname(sys.executable)  # this distinguishes environments
        if is_beside and os.path.samefile(found, sys.executable):
            return name
    return _path(sys.executable)


def _path(path: str) -> str:
    return quote(os.fsencode(path))
