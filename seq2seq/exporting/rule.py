"""The rule of a run that works in steps, for programs that have the graphs alone.

`rule` in `export.json` is null for a run that answers in one call, or whose rule is that of another package. Else its
`kind` says which rule it is:

`head` (`Arithmetic` with `steps="call"`)
    The head of what is left is asked, and its answer takes its place, until a number is left or nothing changes. A head
    is the first few terms: see `Arithmetic.head`. The other keys are

    | key | |
    |---|---|
    | `operators` | the characters that end a term, except for the first character of what is left, which is a sign |
    | `parentheses` | whether there are parentheses, which count as one term whatever they contain |
    | `by_digit` | whether a head ends before an operator that is not `*`, so that a product is in it as a whole |
    | `terms` | the number of terms in a head |
    | `largest` | the largest number that is drawn, as a string; a larger one is the result of a step |

`columns` (`Calculator`)
    Sums, differences and products with one digit are asked, in the order of written arithmetic: see
    `seq2seq/tasks/columns.py`.

`STEPS` is a program that follows the rule `head`. It is part of the README of an export.
"""

from __future__ import annotations

from typing import Any

from seq2seq.tasks import Task
from seq2seq.tasks.arithmetic import Arithmetic
from seq2seq.tasks.calculator import Calculator
from seq2seq.tasks.stepwise import stepwise

HEAD = "head"
COLUMNS = "columns"

STEPS = """\
def ends(text, rule):
    '''Where the terms end, but for the last.'''
    level = 0
    found = []
    for place, character in enumerate(text):
        level += (character == "(") - (character == ")")
        if level == 0 and place > 0 and character in rule["operators"]:
            found.append(place)
    return found


def head(text, rule):
    '''Where the head begins and ends, which is asked next.'''
    stops = [*ends(text, rule), len(text)]
    most = rule["terms"]
    if rule["by_digit"]:
        whole = [stop for stop in stops[most - 1 :] if text[stop : stop + 1] != "*"]
        return 0, (whole or [len(text)])[0]
    if rule["parentheses"] or len(stops) < 3:
        return 0, stops[:most][-1]
    starts = [0] + [stop + 1 for stop in stops]
    digits = [text[start:stop].lstrip("-") for start, stop in zip(starts, stops)]
    large = [(len(each), each) > (len(rule["largest"]), rule["largest"]) for each in digits]
    waits = text[stops[0]] in "+-" and text[stops[1]] in "*/%"  # the first term, for a product, as in 100+4*5
    first = int(any(large[:3]) and waits)
    two = any(large[first : first + 2])
    return starts[first], stops[first:][: 2 if two else most][-1]


def work(source, ask, rule):
    '''The answer, by a function that asks the graph.'''
    left = source
    for _ in range(2 * len(source)):
        start, stop = head(left, rule)
        before = left
        left = left[:start] + ask(left[start:stop]) + left[stop:]
        if left in ("", before) or left.removeprefix("-").isdigit():
            break
    return left
"""


def rule_of(task: Task) -> dict[str, Any] | None:
    """The rule by which a task works in steps, as plain values for JSON; None if it has none that is known here."""
    if isinstance(task, Calculator):
        return {"kind": COLUMNS}
    if not isinstance(task, Arithmetic) or stepwise(task) is None:
        return None
    return {
        "kind": HEAD,
        "operators": task.operators + "".join(sign for sign in "+-" if task.by_digit and sign not in task.operators),
        "parentheses": task.parentheses,
        "by_digit": task.by_digit,
        "terms": task._head_terms,
        "largest": str(task.operands[1]),
    }
