import sys

import numpy as np
import pytest

from seq2seq import Seq2SeqError, UsageError, plots
from seq2seq.explaining import explain
from seq2seq.plots import plot_embeddings, plot_explanations, plot_run


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


def test_the_picture_has_the_curves_and_the_bars(solved, tmp_path, monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figures.Figure, "savefig", lambda figure, file: drawn.append(figure))
    evaluation = solved.evaluate()
    plot_run(solved.run, evaluation, tmp_path / "run.png")
    loss, exact, groups = drawn[0].axes
    rows = solved.run.read_metrics()
    for line, column in zip([*loss.lines, *exact.lines], ["train_loss", "validation_loss", "validation_exact_match"]):
        assert list(line.get_xdata()) == [row["epoch"] for row in rows]
        assert list(line.get_ydata()) == [row[column] for row in rows]
    assert (len(loss.lines), len(exact.lines)) == (2, 1)
    scores = [score for scores in evaluation.breakdowns.values() for score in scores.values()]
    assert [bar.get_width() for bar in groups.patches] == [
        score.exact_match for score in [evaluation.held_out, *scores]
    ]


def test_an_explanation_has_a_row_and_attention_beside_it(attentive, stepping, tmp_path, monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figures.Figure, "savefig", lambda figure, file: drawn.append(figure))
    looking, steps = explain(attentive, "3+2"), explain(stepping, "3+2-1")
    plot_explanations(looking, tmp_path / "a.png")
    plot_explanations(steps, tmp_path / "b.png")
    assert [len(figure.axes) for figure in drawn] == [2, 2]
    probabilities, attention = (axes.images[0].get_array() for axes in drawn[0].axes)
    assert (probabilities == looking[0].probabilities.T).all() and (attention == looking[0].attention).all()
    assert [axes.get_title() for axes in drawn[1].axes] == ["3+2: probability", "5-1: probability"]


def test_characters_are_drawn_at_their_coordinates(tmp_path, monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figures.Figure, "savefig", lambda figure, file: drawn.append(figure))
    coordinates = np.arange(22.0).reshape(11, 2)
    plot_embeddings("0123456789+", coordinates, [0.5, 0.25], tmp_path / "a.png")
    [axes] = drawn[0].axes
    assert {text.get_text(): text.get_position() for text in axes.texts} == {
        character: tuple(place) for character, place in zip("0123456789+", coordinates)
    }
    assert "50%" in axes.get_xlabel() and "25%" in axes.get_ylabel()


def test_of_many_symbols_the_likeliest_are_drawn():
    probabilities = np.zeros((5, 60))
    probabilities[2, 30:60:2] = 0.2
    probabilities[4, 3] = 0.9
    drawn = plots._worth_drawing(probabilities)
    assert len(drawn) == plots.MOST_ROWS and drawn == sorted(drawn) and {3, *range(30, 60, 2)} <= set(drawn)
    assert plots._worth_drawing(probabilities[:, :7]) == list(range(7))
