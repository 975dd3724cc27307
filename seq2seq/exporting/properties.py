"""What programs need to know that use an export."""

from __future__ import annotations

from typing import Any

from seq2seq import __version__
from seq2seq.decoding.properties import FORMAT
from seq2seq.exporting.rule import rule_of
from seq2seq.options import model_name
from seq2seq.solver import Solver
from seq2seq.tasks.alphabet import PAD
from seq2seq.vocabulary import Codec


def properties_of(solver: Solver) -> dict[str, Any]:
    """The symbols in the order of their ids, the lengths, and so on, as plain values for JSON."""
    codec = solver.codec
    alphabet = codec.alphabet
    return {
        "format": FORMAT,
        "seq2seq": __version__,
        "application": solver.application.name,
        "task": solver.task.name,
        "model": model_name(solver.task, solver.config.model.model),
        "characters": symbols_of(codec),
        "pad": codec.vocabulary.pad,
        "start": len(codec.vocabulary),
        "source_separator": alphabet.source_separator,
        "target_separator": alphabet.target_separator,
        "reverse_target": codec.reverse_target,
        "widths": codec.widths,
        "source_length": codec.source_length,
        "target_length": codec.target_length,
        "any_length": codec.any_length,
        "states": [*solver.model(codec).state_shapes(1)],
        "rule": rule_of(solver.task),
    }


def symbols_of(codec: Codec) -> list[str]:
    """The symbols in the order of their ids; padding is an empty string."""
    return ["" if each == PAD else codec.alphabet.symbol(each) for each in codec.characters]
