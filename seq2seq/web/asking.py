"""What a person can ask an open run, as values for JSON. Only the thread of the worker calls these functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from seq2seq.decoding.onnx import graphs_for
from seq2seq.errors import SourceError, UsageError, require
from seq2seq.explaining import Explanation, explain, principal_components
from seq2seq.runs import Run
from seq2seq.values import whole

MOST_BEST = 20  # answers of a search
MOST_CHARACTERS = 2000  # written at a time
MOST_SOURCE = 4000  # characters
MOST_LOOKED_INTO = 200  # characters of a source that is explained, or after whose beginnings characters are expected
MOST_CALLS = 40  # explained of one working
MOST_OTHERS = 5  # symbols whose probabilities are sent, for each step
MOST_SYMBOLS = 500  # of an embedding


def described(solver: Any) -> dict[str, Any]:
    """What can be asked of a run, with an example of a source."""
    example = solver.example
    vocabulary = getattr(solver.codec, "vocabulary", ())
    return {
        "example": example,
        "engine": solver.engine,
        "model": solver.config.model.model,
        "options": repr(solver.task),
        "most_best": min(MOST_BEST, len(vocabulary) or MOST_BEST),
        "can": {
            "steps": _can(lambda: solver.work(example)),
            "best": not solver.task.stepwise and _can(lambda: solver.n_best(example, 1)),
            "explain": solver.engine == "mxnet" and _can(lambda: solver.explain(example)),
            "continue": _can(lambda: solver.continued(example, characters=0)),
            "embeddings": solver.engine == "mxnet",
        },
    }


def _can(call: Callable[[], Any]) -> bool:
    """Whether a run has an answer of this kind, whatever it is."""
    try:
        call()
    except SourceError:
        return True
    except UsageError:
        return False
    return True


def answered(solver: Any, source: str) -> dict[str, Any]:
    """The answer to a source, with its working where there is more than the answer."""
    _require_short(source, MOST_SOURCE)
    [answer] = solver.tried([source])
    if isinstance(answer, SourceError):
        raise answer
    values = {"source": source, **answer._asdict(), "unlike_training": answer.unlike_training}
    try:
        steps = solver.work(source)
    except UsageError:
        return values
    return {**values, "steps": steps} if len(steps) > 1 else values


def best(solver: Any, source: str, n: int) -> dict[str, Any]:
    """The n best answers to a source. A search finds those to one call, and a working has several."""
    _require_short(source, MOST_SOURCE)
    if solver.task.stepwise:
        raise UsageError("best: this run works in steps, and has one answer, which `ask` gives")
    n = whole("n", n, 1, MOST_BEST)
    return {"source": source, "answers": [answer._asdict() for answer in solver.n_best(source, n)]}


def explained(solver: Any, source: str) -> dict[str, Any]:
    """How an answer comes about: its calls of the model, or lines of text if these have no steps."""
    _require_short(source, MOST_LOOKED_INTO)
    if not hasattr(solver, "calls"):
        return {"source": source, "lines": solver.explain(source)}
    n = len(solver.calls(source))
    if n > MOST_CALLS:
        raise SourceError(f"the working has {n} steps, and at most {MOST_CALLS} are explained")
    return {"source": source, "calls": [_call(each) for each in explain(solver, source)]}


def _call(explanation: Explanation) -> dict[str, Any]:
    """One call of the model: what it wrote at each step, what else it might have written, and where it looked."""
    steps = []
    for symbol, row in zip(explanation.written, explanation.probabilities):
        likely = row.argsort()[::-1][:MOST_OTHERS].tolist()
        chosen = float(row[explanation.symbols.index(symbol)]) if symbol in explanation.symbols else None
        others = [(explanation.symbols[place], _rounded(row[place])) for place in likely]
        steps.append({"symbol": symbol, "probability": chosen, "likely": others})
    attention = explanation.attention
    return {
        "source": explanation.source,
        "answer": explanation.answer,
        "read": explanation.read,
        "steps": steps,
        "attention": None if attention is None else np.round(attention, 4).tolist(),
    }


def _rounded(probability: Any) -> float:
    return round(float(probability), 6)


def expected(solver: Any, source: str) -> dict[str, Any]:
    """The character that a run of a text expects after each beginning of a text."""
    _require_short(source, MOST_LOOKED_INTO)
    return {"source": source, "expected": [answer._asdict() for answer in solver.expected(source)]}


def written(solver: Any, source: str, characters: int, temperature: float, top_k: int, seed: int) -> Iterator[str]:
    """The continuation of a text, a character at a time: see `Writer.continued`."""
    _require_short(source, MOST_SOURCE)
    characters = whole("characters", characters, 1, MOST_CHARACTERS)
    found: Iterator[str] = solver.continued(
        source, characters=characters, temperature=temperature, top_k=top_k, seed=seed
    )
    return found


def embeddings(solver: Any) -> dict[str, Any]:
    """The two principal components of the learned embeddings, by input, kind or column."""
    found = []
    for name, (symbols, vectors) in solver.embeddings().items():
        coordinates, shares = principal_components(vectors)
        points = [(symbol, *place) for symbol, place in zip(symbols, np.round(coordinates, 4).tolist())]
        found.append({"name": name, "shares": shares.tolist(), "points": points[:MOST_SYMBOLS], "n": len(points)})
    return {"embeddings": found}


def samples(solvers: Callable[..., Any], run: Run) -> dict[str, Any]:
    """What the last weights of a training answer to validation examples, as the lines that it shows."""
    if graphs_for(run, "auto") is not None:
        raise UsageError("an export has no samples; its run folder has, where MXNet is installed")
    if run.is_packed:
        raise UsageError("a packed run has no samples: it holds the best weights alone, not those of the last epoch")
    return {"lines": solvers(run, "last").samples()}


def _require_short(source: str, most: int) -> None:
    require(isinstance(source, str), "source", source, "a string")
    if len(source) > most:
        raise SourceError(f"has {len(source)} characters, and this page asks at most {most}")
