"""Networks as MXNet symbols. One file a family."""

from seq2seq.models.repeat import RepeatModel

__all__ = ["RepeatModel"]
