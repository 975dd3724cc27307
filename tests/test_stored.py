import numpy as np
import pytest

from seq2seq import Seq2SeqError
from seq2seq.stored import StoredIds, Windows

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("near", [0, 50, 2**10])
@pytest.mark.parametrize("size, dtype", [(200, np.uint8), (300, np.int32), (70_000, np.int32)])
def test_windows_of_stored_ids_are_read_like_an_array(size, dtype, near, monkeypatch):
    monkeypatch.setattr("seq2seq.stored.NEAR", near)
    ids = RNG.integers(size, size=1000).astype(dtype)
    stored = StoredIds(size, dtype)
    for part in np.split(ids, [1, 400, 403]):
        stored.append(part)
    assert len(stored) == 1000 and (stored.read(5, 600) == ids[5:600]).all()
    windows = Windows(stored, 11, 97, 10, 4)
    array = ids[11:981].reshape(97, 10)[:, :4]
    assert (
        len(windows) == 97
        and windows.shape == array.shape
        and windows.dtype == array.dtype == np.asarray(windows).dtype
    )
    assert (np.asarray(windows) == array).all()
    rows = RNG.integers(97, size=(30, 5))  # in any order, some twice
    for place in (slice(0, 97), slice(90, 200), slice(5, 5), slice(9, 3), 96, rows, rows[:0], np.arange(97)[::-1]):
        found = windows[place]
        assert found.dtype == dtype and found.shape == array[place].shape and (found == array[place]).all()


def test_no_place_for_a_temporary_file_is_said(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(Seq2SeqError, match=r"^/nowhere: cannot hold the ids of the text: No such file.*TMPDIR"):
        StoredIds(5, np.uint8)
