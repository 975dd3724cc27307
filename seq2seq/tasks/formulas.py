"""Reads expressions as people type them, and brings their operations into order.

    expression = product, any number of times + or - and a product
    product    = factor, any number of times *, /, // or % and a factor
    factor     = number, or ( expression ), or - and a factor

As in Python, operators of the same rank are worked out from left to right.
"""

from __future__ import annotations

import re

from seq2seq.errors import SourceError, short

RANKS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2}
NEGATIVE = "negative"  # the minus before a factor
TOKEN = re.compile(r"[0-9]+|//|[-+*/%()]")
TYPED = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-"})


def tokens_of(source: str) -> list[str]:
    """The numbers, operators and parentheses of an expression.

    Spaces between them and zeros before a number are left out; `×`, `·`, `÷` and `−` are read as well.

    Raises
    ------
    SourceError
        If it is not an expression; the message says where.
    """
    text = source.translate(TYPED)
    tokens: list[str] = []
    opened = 0
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = TOKEN.match(text, place)
        if match is None:
            raise _wrong(source, f"has {text[place]!r}, which is neither a digit nor one of + - * / // % ( )")
        token = match[0]
        place = match.end()
        if _ends_operand(tokens):
            if token.isdigit() or token == "(":
                raise _wrong(source, f"lacks an operator before its {len(tokens) + 1}. part, {short(token)}")
            opened -= token == ")"
            if opened < 0:
                raise _wrong(source, "has a ) without a (")
        elif token == ")" or (token in RANKS and token != "-"):
            raise _wrong(source, f"has {token} where a number is expected")
        else:
            opened += token == "("
        tokens.append((token.lstrip("0") or "0") if token.isdigit() else token)
    if not _ends_operand(tokens):
        raise _wrong(source, "ends where a number is expected" if tokens else "is empty")
    if opened:
        raise _wrong(source, "has a ( without a )")
    return tokens


def _ends_operand(tokens: list[str]) -> bool:
    return bool(tokens) and (tokens[-1].isdigit() or tokens[-1] == ")")


def _wrong(source: str, problem: str) -> SourceError:
    return SourceError(f"{short(source)} {problem}")


def postfix(tokens: list[str]) -> list[str]:
    """The numbers and operators in the order of work, each operator after its operands: `1+2*3` is `1 2 3 * +`.

    The shunting yard of Dijkstra (1961), without recursion, for parentheses of any depth.
    """
    done: list[str] = []
    waiting: list[str] = []
    before = "("
    for token in tokens:
        if token.isdigit():
            done.append(token)
        elif token == "(":
            waiting.append(token)
        elif token == ")":
            while (operator := waiting.pop()) != "(":
                done.append(operator)
        elif before == "(" or before in RANKS:
            waiting.append(NEGATIVE)
        else:
            while waiting and waiting[-1] != "(" and RANKS.get(waiting[-1], 3) >= RANKS[token]:
                done.append(waiting.pop())
            waiting.append(token)
        before = token
    return done + waiting[::-1]
