"""Words as a person may type them at a shell."""

from __future__ import annotations

import codecs
import shlex
import string
import sys

PLAIN = f"{string.ascii_letters}{string.digits} ./_"  # characters that mean themselves to printf
LINE_FEED = "\n"


def option(name: str, value: bytes) -> str:
    """An option and its value as a person may type them at a shell."""
    return f"{name}{'=' if value.startswith(b'-') else ' '}{quote(value)}"


def quote(word: bytes) -> str:
    """A word as a person may type it at a POSIX shell, in characters that stdout can write."""
    shown = word.decode(errors="surrogateescape")
    is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    if shown.isprintable() and (shown.isascii() or is_utf8):
        return shlex.quote(shown)
    body = word.rstrip(b"\n")  # `$()` strips line feeds at the end
    octal = "".join(chr(each) if chr(each) in PLAIN else f"\\{each:03o}" for each in body)
    return f"\"$(printf '{octal}')\"" + (f"'{LINE_FEED * (len(word) - len(body))}'" if body != word else "")
