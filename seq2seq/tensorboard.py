"""Event files, whose curves TensorBoard draws: the numbers of `metrics.csv`, while a run is trained.

An event file is a sequence of records. Each has its length (8 bytes), a checksum of the length (4), an `Event` and a
checksum of that (4). The checksum is a masked CRC-32C. The messages are those of TensorFlow's `event.proto` and
`summary.proto`, of which a few fields are written here, in the encoding of protocol buffers.
"""

from __future__ import annotations

import time
from array import array
from functools import cache
from struct import pack
from typing import IO, Any

from seq2seq.engine.callbacks import Callback, Start
from seq2seq.errors import RunError, UsageError
from seq2seq.files import shown
from seq2seq.snapshots import RunStore

PREFIX = "events.out.tfevents."
VERSION = "brain.Event:2"
AXES = ("epoch", "step", "seconds")  # columns that are not curves


class TensorBoard(Callback):
    """Writes the values of each epoch to an event file in the run folder: `tensorboard --logdir runs` shows them.

    The step of a value is the number of examples seen, so that runs with other batch sizes can be compared. When a
    training is resumed, it begins a new file, with the epochs that the run has done, in place of the former ones. So no
    value is missing or comes twice, even if the process was killed after an epoch that was not saved. The former files
    are kept for a TensorBoard that reads them at the time.

    >>> train(task, "runs/sums", callbacks=[TensorBoard()])  # doctest: +SKIP
    """

    _file: IO[bytes] | None = None

    def on_start(self, start: Start) -> None:
        store = start.trainer.store
        if not isinstance(store, RunStore):
            raise UsageError("callbacks: TensorBoard writes into a run folder, and this training has none")
        now = time.time()
        self._path = store.run.path / f"{PREFIX}{now:.6f}"  # TensorBoard reads files in the order of their names
        self._rows = start.rows
        self._trainer = start.trainer
        try:
            self._file = open(self._path, "xb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise self._problem(error) from None
        restart = _message(7, _whole(1, 1))  # the start of a session: what former files say of later steps is dropped
        begin = _event(now, 0, _text(3, VERSION)) + _event(now, 0, restart)
        self._write(begin + b"".join(map(self._scalars, start.trainer.history)))

    def on_epoch(self, row: dict[str, Any]) -> None:
        self._write(self._scalars(row))

    def on_end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            del self._trainer  # it holds graphs, whose memory is free when nothing holds them

    def _scalars(self, row: dict[str, Any]) -> bytes:
        """The record with the values of an epoch, at the time at which it ended if training had never paused."""
        ended = time.time() - (self._trainer.state.seconds - row["seconds"])
        values = [_text(1, name) + _single(2, value) for name, value in row.items() if name not in AXES]
        summary = b"".join(_message(1, value) for value in values)
        return _event(ended, row["epoch"] * self._rows, _message(5, summary))

    def _write(self, content: bytes) -> None:
        assert self._file is not None
        try:
            self._file.write(content)
        except OSError as error:
            raise self._problem(error) from None

    def _problem(self, error: OSError) -> RunError:
        return RunError(f"{shown(self._path)}: cannot be written: {error.strerror}")


def _event(seconds: float, step: int, what: bytes) -> bytes:
    """A record with an `Event`: its time, its step and the field that says what it is."""
    event = pack("<Bd", 1 << 3 | 1, seconds) + _whole(2, step) + what
    length = pack("<Q", len(event))
    return length + _checksum(length) + event + _checksum(event)


def _varint(number: int) -> bytes:
    """A whole number, 7 bits a byte."""
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _whole(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _single(field: int, number: float) -> bytes:
    return _varint(field << 3 | 5) + array("f", [number]).tobytes()  # which makes a number that is too large infinite


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


@cache
def _table() -> list[int]:
    """The CRC-32C (Castagnoli) of each byte."""
    table = []
    for remainder in range(256):
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
        table.append(remainder)
    return table


def _checksum(content: bytes) -> bytes:
    """The masked CRC-32C, as it is stored."""
    table = _table()
    crc = 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
