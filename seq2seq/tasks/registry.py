"""Tasks by name: those of the library and those that other packages provide. See `seq2seq/registry.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seq2seq.registry import Registry

if TYPE_CHECKING:
    from seq2seq.tasks.base import Task

BUILT_IN = {
    "arithmetic": "seq2seq.tasks.arithmetic:Arithmetic",
    "addition": "seq2seq.tasks.addition:Addition",
    "calculator": "seq2seq.tasks.calculator:Calculator",
    "long-arithmetic": "seq2seq.tasks.long_arithmetic:LongArithmetic",
    "copy": "seq2seq.tasks.strings:Copy",
    "reverse": "seq2seq.tasks.strings:Reverse",
    "sort": "seq2seq.tasks.strings:Sort",
    "dates": "seq2seq.tasks.dates:Dates",
    "roman": "seq2seq.tasks.roman:Roman",
    "spelling": "seq2seq.tasks.spelling:Spelling",
    "pronunciation": "seq2seq.tasks.pronunciation:Pronunciation",
    "pairs": "seq2seq.tasks.pairs:PairsTask",
    "text": "seq2seq.tasks.text:Text",
    "ratings": "seq2seq.tasks.ratings:Ratings",
    "table": "seq2seq.tasks.table:Table",
}

TASKS: Registry[Task] = Registry("task", BUILT_IN, "seq2seq.tasks.base:Task", named=True)
