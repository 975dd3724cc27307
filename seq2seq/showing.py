"""What a person typed or a model wrote, as a line of output, an error or a picture shows it."""

from __future__ import annotations

import re
import unicodedata
from typing import Callable, Literal

LINE_BREAKS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # where `str.splitlines` and other programs split
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
END, PADDING = "<end>", "<pad>"  # the symbol for padding: where it ends an answer, and where it fills one up


def one_line(text: str) -> str:
    """The text with every line break in it escaped: a line feed as `\\n`, and so on."""
    return LINE_BREAKS.sub(lambda match: _escaped(match[0]), text)


def printable(text: str) -> str:
    """The text with everything in it escaped that leaves no mark, but for spaces."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def named(character: str) -> str:
    """A character as an error names it: beyond ASCII with its code point, since others may look like it."""
    if character.isascii() and character.isprintable():
        return repr(character)
    name = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
    # A combining mark would stand over the quote before it.
    return name if unicodedata.combining(character) or not character.isprintable() else f"{character!r} ({name})"


def form_hint(text: str, is_known: Callable[[str], bool]) -> str:
    """The end of an error about an unknown character: the Unicode form in which the text is known, if there is one."""
    for form in FORMS:
        if is_known(unicodedata.normalize(form, text)):
            return f"; normalised to Unicode's form {form} it would be"
    return ""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
