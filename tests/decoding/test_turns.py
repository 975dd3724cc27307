import numpy as np
import pytest

from seq2seq.decoding.mxnet import MxnetPredictor


class Read:
    """An array on the device, which records when it is read."""

    def __init__(self, log, name, values):
        self.log, self.name, self.values = log, name, values

    def asnumpy(self):
        self.log.append(f"read {self.name}")
        return self.values


class Part:
    """A worker's part whose work reads `looks` arrays before its outputs."""

    def __init__(self, log, name, looks):
        self.log, self.name, self.looks = log, name, looks

    def run(self, rows):
        self.log.append(f"start {self.name}")
        for look in range(self.looks):
            [found] = yield [Read(self.log, self.name, np.array(look))]
            assert found == look
        return (yield [Read(self.log, self.name, np.arange(rows.start, rows.stop))])


def in_turn(looks, n, batch_size=2):
    log = []
    predictor = object.__new__(MxnetPredictor.__subclasses__()[0])
    predictor.batch_size = batch_size
    predictor._parts = [Part(log, name, each) for name, each in enumerate(looks)]
    found = {}
    for rows, [values] in predictor._in_turn(n, lambda part, rows: part.run(rows)):
        found.update(zip(range(rows.start, rows.stop), values.tolist()))
    return log, found


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8])
@pytest.mark.parametrize("looks", [[0], [2], [0, 0], [1, 1], [0, 3]])
def test_every_row_is_answered_once(looks, n):
    assert in_turn(looks, n)[1] == {row: row for row in range(n)}


def test_no_worker_is_waited_for_before_all_have_work_and_the_first_goes_on_last():
    log, _ = in_turn([0, 0], 8)
    assert log == ["start 1", "start 0", "read 1", "read 0", "start 1", "start 0", "read 1", "read 0"]


def test_a_worker_that_looks_lets_the_others_look_too():
    log, _ = in_turn([1, 1], 4)
    assert log == ["start 1", "start 0", "read 1", "read 0", "read 1", "read 0"]
