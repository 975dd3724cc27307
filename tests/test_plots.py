import sys

import numpy as np
import pytest

from seq2seq import Seq2SeqError, UsageError, plots
from seq2seq.engine.range_test import RangeTest
from seq2seq.explaining import Components, Explanation, explain
from seq2seq.plots import plot_embeddings, plot_explanations, plot_rates, plot_run


@pytest.fixture(scope="module")
def evaluation(solved):
    return solved.evaluate()


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn, which are not written."""
    figures = []
    matplotlib = pytest.importorskip("matplotlib.figure")
    monkeypatch.setattr(matplotlib.Figure, "savefig", lambda figure, file: figures.append(figure))
    return figures


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
    with pytest.raises(Seq2SeqError, match=r"pip install 'mxseq2seq\[plot\]'"):
        plot_run(solved.run, evaluation, tmp_path / "run.png")


def test_the_picture_has_the_curves_and_the_bars(solved, tmp_path, drawn):
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


def test_the_picture_of_a_text_has_its_accuracy(reading, tmp_path, drawn):
    evaluation = reading.evaluate()
    plot_run(reading.run, evaluation, tmp_path / "run.png")
    shown = [bar.get_width() for bar in drawn[0].axes[2].patches]
    assert shown == [evaluation.held_out.accuracy, evaluation.train_distribution.accuracy]


def test_an_explanation_has_a_row_and_attention_beside_it(attentive, stepping, tmp_path, drawn):
    looking, steps = explain(attentive, "3+2"), explain(stepping, "3+2-1")
    plot_explanations(looking, tmp_path / "a.png")
    plot_explanations(steps, tmp_path / "b.png")
    assert [len(figure.axes) for figure in drawn] == [2, 2]
    probabilities, attention = (axes.images[0].get_array() for axes in drawn[0].axes)
    assert (probabilities == looking[0].probabilities.T).all() and (attention == looking[0].attention).all()
    assert [axes.get_title() for axes in drawn[1].axes] == ["3+2: probability", "5-1: probability"]


TEXTS = ["$5-$10", "$5^$", "$x$ $y_$", "a\\$b\\frac{1}%_^#&~", "line\nbreak\t\x0b", "猫मर्सी🙂", "W" * 180]


def explanation(source, symbols):
    numbers = np.full((len(symbols), len(symbols)), 0.5)
    return Explanation(source, "", symbols, symbols, symbols, numbers, numbers)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "eps"])
def test_text_in_a_picture_is_shown_as_it_is(tmp_path, ending, recwarn):
    pytest.importorskip("matplotlib")
    with_words = [explanation(text, [text, "$w$", " ", "<end>"]) for text in TEXTS]
    plot_explanations([*with_words, explanation("$x_$", [*TEXTS[0]])], tmp_path / f"a.{ending}")
    parts = {"source": Components([*TEXTS, *"$^"], np.random.default_rng(0).normal(size=(9, 2)), np.ones(2))}
    plot_embeddings(parts, tmp_path / f"b.{ending}")
    assert not [warning for warning in recwarn if issubclass(warning.category, UserWarning)]


def test_no_text_is_taken_for_a_formula_or_is_wider_than_the_picture(tmp_path, drawn):
    matplotlib = pytest.importorskip("matplotlib")
    with matplotlib.rc_context({"text.usetex": True}):
        plot_explanations([explanation(text, [text, "$w$", " ", "<end>"]) for text in TEXTS], tmp_path / "a.png")
    titles = [axes.title for axes in drawn[0].axes[::2]]
    columns = drawn[0].axes[0].get_xticklabels()
    for label in [*titles, *columns, *drawn[0].axes[1].get_yticklabels()]:
        assert not label.get_parse_math() and not label.get_usetex()
    assert titles[0].get_text() == "$5-$10: probability" and titles[4].get_text() == r"line\nbreak\t\x0b: probability"
    assert [label.get_text() for label in columns] == ["$5-$10", "$w$", "␣", "<end>"]
    plot_explanations([explanation("W" * 180, [*"W" * 180])], tmp_path / "a.png")
    drawn[1].draw_without_rendering()
    assert drawn[1].axes[0].title.get_window_extent().x0 > 0
    assert drawn[1].get_size_inches()[0] > 2 * 180 * 0.1


@pytest.mark.parametrize("dimensions", [2, 3])
def test_symbols_are_drawn_where_they_are_and_all_axes_to_one_scale(dimensions, tmp_path, drawn):
    coordinates = np.random.default_rng(0).normal(size=(11, dimensions)) * [9, 4, 1][:dimensions]
    shares = np.array([0.5, 0.25, 0.1])[:dimensions]
    one = Components([*"+$"], np.eye(dimensions)[:2], shares)
    plot_embeddings({"source": Components([*"0123456789 "], coordinates, shares), "target": one}, tmp_path / "a.png")
    axes, other = drawn[0].axes
    assert (axes.get_title(), other.get_title()) == ("source", "target")
    assert {text.get_text() for text in other.texts} == {*"+$"}
    names = "xyz"[:dimensions]
    for name, share in zip(names, ("50%", "25%", "10%")):
        assert share in getattr(axes, f"get_{name}label")()
    lengths = [np.ptp(getattr(axes, f"get_{name}lim")()) for name in names]
    assert lengths == pytest.approx([lengths[0]] * dimensions) and len({*axes.bbox.size.round(3)}) == 1
    line = axes.lines[0].get_data_3d() if dimensions == 3 else axes.lines[0].get_data()
    np.testing.assert_array_equal(np.array(line).T, coordinates[:10])
    places = coordinates
    if dimensions == 3:
        seen = np.c_[coordinates, np.ones(11)] @ axes.get_proj().T  # homogeneous coordinates
        places = seen[:, :2] / seen[:, 3:]
    labels = {text.get_text(): text for text in axes.texts}
    np.testing.assert_allclose([labels[symbol].xy for symbol in "0123456789␣"], places)
    assert all(tuple(text.get_position()) == (0, 0) for text in other.texts)  # nothing in the way


def test_no_label_lies_over_another(tmp_path, drawn):
    text = pytest.importorskip("matplotlib.text")
    rng = np.random.default_rng(0)
    coordinates = rng.normal(size=(40, 3)).repeat(2, axis=0)  # each place twice
    symbols = ["phoneme"[: 1 + place % 7] + str(place) for place in range(80)]
    for dimensions in (2, 3):
        plot_embeddings({"target": Components(symbols, coordinates[:, :dimensions], rng.random(3))}, tmp_path / "a.png")
        [axes] = drawn.pop().axes
        boxes = [text.Text.get_window_extent(label) for label in axes.texts]  # without the line to its place
        assert {label.get_text() for label in axes.texts} == {*symbols}
        assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_of_very_many_symbols_those_furthest_out_are_labelled(tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(plots, "MOST_LABELS", 3)
    coordinates = np.array([[0, 0], [1, 0], [-5, 0], [0.5, 4], [0, -3]])
    plot_embeddings({"source": Components([*"abcde"], coordinates, np.ones(2))}, tmp_path / "a.png")
    assert {text.get_text() for text in drawn[0].axes[0].texts} == {*"cde"}


def test_of_many_symbols_the_likeliest_are_drawn():
    probabilities = np.zeros((5, 60))
    probabilities[2, 30:60:2] = 0.2
    probabilities[4, 3] = 0.9
    drawn = plots._worth_drawing(probabilities)
    assert len(drawn) == plots.MOST_ROWS and drawn == sorted(drawn) and {3, *range(30, 60, 2)} <= set(drawn)
    assert plots._worth_drawing(probabilities[:, :7]) == list(range(7))


def test_a_range_test_is_drawn_with_the_rate_it_suggests(tmp_path, monkeypatch):
    figures = pytest.importorskip("matplotlib.figure")
    drawn = []
    monkeypatch.setattr(figures.Figure, "savefig", lambda figure, file: drawn.append(figure))
    test = RangeTest([0.001, 0.01, 0.1, 1.0], [3.0, 2.0, 1.0, 90.0], [3.0, 2.5, 2.0, 30.0])
    plot_rates(test, tmp_path / "rates.png")
    [axes] = drawn[0].axes
    losses, smoothed, suggested = axes.lines
    assert axes.get_xscale() == "log" and axes.get_ylim() == (0, 4.5)
    assert list(losses.get_xdata()) == list(smoothed.get_xdata()) == test.rates
    assert (list(losses.get_ydata()), list(smoothed.get_ydata())) == (test.losses, test.smoothed)
    assert list(suggested.get_xdata()) == [0.1, 0.1] and suggested.get_label() == "suggested: 0.1"
