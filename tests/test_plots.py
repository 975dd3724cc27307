import sys

import pytest

from seq2seq import Seq2SeqError, UsageError
from seq2seq.plots import plot_run


@pytest.fixture(scope="module")
def evaluation(solved):
    return solved.evaluate()


def test_a_picture_is_drawn(solved, evaluation, tmp_path):
    pytest.importorskip("matplotlib")
    plot_run(solved.run, evaluation, tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    plot_run(solved.run, evaluation, tmp_path / "run.svg")
    text = (tmp_path / "run.svg").read_text()
    assert "<svg" in text and text.count('<g id="axes_') == 3


def test_pictures_that_cannot_be_drawn(solved, evaluation, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    with pytest.raises(UsageError, match=r"plot: got .*run\.doc', but its ending must be one of .*png"):
        plot_run(solved.run, evaluation, tmp_path / "run.doc")
    with pytest.raises(Seq2SeqError, match="cannot be written: No such file or directory"):
        plot_run(solved.run, evaluation, tmp_path / "nowhere" / "run.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(Seq2SeqError, match=r"pip install 'seq2seq\[plot\]'"):
        plot_run(solved.run, evaluation, tmp_path / "run.png")
