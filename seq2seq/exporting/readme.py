"""The page in the folder of an export."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from seq2seq.exporting import rule
from seq2seq.exporting.programs import PROGRAMS, PROGRAMS_OF_TEXT

HEAD = """\
# {task}, by {model}

Graphs in ONNX (opset 18), which run in ONNX Runtime 1.19 and later, for example. `export.json` has the symbols in the
order of their ids, the lengths, some questions with their answers, and the SHA-256 of each file but this page. The same
is in the metadata of each graph, as the property `seq2seq`.

With the package `mxseq2seq[onnx]`, which needs no MXNet for it, the folder is asked like a run:

```sh
seq2seq solve --run . {shell}
```
"""
AT_ONCE = """
The model writes all symbols at once, so there is one answer and no search.
"""
ANSWERING = """
## model.onnx

| | name | type | shape |
|---|---|---|---|
| input | `source` | int64 | (batch, source_length) |
| output | `ids` | int64 | (batch, steps) |
| output | `score` | float32 | (batch): the logarithm of the answer's probability |
| output | `log_probabilities` | float32 | (batch, steps, {size}) |

The graph pads a source itself, to the width in which the model has learned to read it. So the sources of one call must
belong to one width: the smallest of `widths` in `export.json` that fits each of them. A shorter one among them has the
id of padding, {pad}, before it. `ids` has padding after or within an answer, which is dropped, and
{order}. A symbol that is not in `characters` has no id, and cannot be asked.
"""
SEARCHING = """
## beam.onnx

`model.onnx` writes the most probable symbol at each step. `beam.onnx` is a beam search, for the most probable answers.

| | name | type | shape |
|---|---|---|---|
| input | `source` | int64 | (batch, source_length), as above |
| input | `beam` | int64 | (1): the number of answers, and of beginnings that are kept at each step, from 1 to {size} |
| output | `ids` | int64 | (batch, beam, steps), the most probable answer first |
| output | `score` | float32 | (batch, beam): the logarithm of each answer's probability |

## encoder.onnx and decoder.onnx

These are for a search of your own: the encoder's outputs are the decoder's inputs, together with `previous`, the ids
before the step, at first {start}. Each output of the decoder with the name `NAME_after` is its input `NAME` at the next
step; `attention` is where it looked. `target_length` is the largest number of steps.
"""
WORKING = """
This run works in steps: an answer takes several calls, each with a question that depends on the answers before it.
`working` in `export.json` is an example; `seq2seq.Solver` does it for any source.
"""
HEADS = """
`rule` in `export.json` says what is asked next: the head of what is left, whose answer takes its place. `work` answers
an expression without spaces; its `ask` is a function from a question to the answer of the graph, as in the program
below.

```py
{steps}```
"""
COLUMNS = """
Sums, differences and products with one digit are asked, in the order of written arithmetic.
"""
TEXT = """
## model.onnx

It reads `source`, ids of type int64 and shape (batch, length), and gives `log_probabilities` of the next symbol,
float32 and shape (batch, {size}). {reads}
"""
STATES = """\
Its other inputs are states, zeros at the start of a text. Each output `NAME_after` is the input `NAME` with which it
reads on."""
WINDOW = "It reads the last {source_length} symbols at the most."


def readme(properties: Mapping[str, Any], files: Collection[str]) -> str:
    """The page.

    Parameters
    ----------
    properties : dict
        Those in `export.json`.
    files : collection of str
        Names of the other files.

    Returns
    -------
    str
    """
    text = properties["application"] == "language"
    parts = [HEAD, TEXT] if text else [HEAD, ANSWERING, SEARCHING if "beam.onnx" in files else AT_ONCE]
    if properties["working"]:
        parts.append(WORKING)
    if properties["rule"] is not None:
        parts.append(HEADS if properties["rule"]["kind"] == rule.HEAD else COLUMNS)
    parts.append(PROGRAMS_OF_TEXT if text else PROGRAMS)
    source = properties["examples"][0]["source"]
    return "".join(parts).format(
        **{name: value for name, value in properties.items() if name != "characters"},
        size=len(properties["characters"]),
        order="the symbols of the answer are in " + ("reverse order" if properties["reverse_target"] else "order"),
        quoted=json.dumps(source, ensure_ascii=False),
        shell=shlex.quote(source),
        steps=rule.STEPS,
        literals=", ".join(json.dumps(each, ensure_ascii=False) for each in properties["characters"]),
        reads=STATES if properties["states"] else WINDOW.format(**properties),
    )
