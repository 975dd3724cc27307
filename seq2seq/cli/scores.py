"""Scores as lines of text."""

from __future__ import annotations

from typing import Any


def text_scores(evaluation: Any) -> str:
    """A line for each score of a `TextEvaluation`."""
    parts = {"held out": evaluation.held_out, "trained on": evaluation.train_distribution}
    return "\n".join(
        f"{name}, {part.n} characters between {part.begin} and {part.end} of the text: "
        f"{part.nats:.4f} nats ({part.bits:.4f} bits) a character, {part.accuracy:.1%} right"
        for name, part in parts.items()
    )
