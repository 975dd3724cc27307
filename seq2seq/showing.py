"""Formats user input and model output for lines of output, errors and plots."""

from __future__ import annotations

import re
import unicodedata
from typing import Callable, Literal

LINE_BREAKS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")  # for `str.splitlines` or other programs
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
END = "<end>"  # symbol for padding that ends an answer
PADDING = "<pad>"  # symbol for padding inside an answer


def one_line(text: str) -> str:
    """Escape all line breaks in a text: a line feed becomes `\\n`, and so on."""
    return LINE_BREAKS.sub(lambda match: _escaped(match[0]), text)


def printable(text: str) -> str:
    """Escape all characters in a text that are not printable."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def named(character: str) -> str:
    """A character for an error message: outside ASCII with its code point, since other characters may look the same."""
    if character.isascii() and character.isprintable():
        return repr(character)
    name = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
    # A combining mark would be drawn over the quote before it.
    return name if unicodedata.combining(character) or not character.isprintable() else f"{character!r} ({name})"


def form_hint(text: str, is_known: Callable[[str], bool]) -> str:
    """The end of an error about an unknown character: the Unicode form in which the text can be read, if there is one.

    Parameters
    ----------
    text : str
    is_known : callable
        Returns whether a text can be read.

    Returns
    -------
    str
        Empty if there is none.
    """
    for form in FORMS:
        if is_known(unicodedata.normalize(form, text)):
            return f"; normalised to Unicode's form {form} it would be"
    return ""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
