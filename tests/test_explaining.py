import numpy as np
import pytest

from seq2seq import Addition, PairsTask, SourceError, UsageError, train
from seq2seq.explaining import (
    Embeddings,
    character_embeddings,
    explain,
    extremes,
    neighbours,
    order_correlation,
    principal_components,
)
from seq2seq.models import make_model
from tests import reference
from tests.tasks.own import Greeting


def test_probabilities_and_attention_are_the_models(attentive):
    [explanation] = explain(attentive, "3+2+1")
    codec, config = attentive.codec, attentive.config.model
    assert explanation.source == "3+2+1" and explanation.answer == "5+1=6"
    assert explanation.written == [*"5+1=6", "<end>"] and codec.target_length > 6  # nothing after what ends it
    assert explanation.read == list("3+2+1") and explanation.symbols == [*codec.characters[:-1], "<end>"]
    source, target = codec.encode_sources(["3+2+1"]), codec.encode_targets(["5+1=6"])
    size = len(codec.vocabulary)
    log_probabilities, looks = reference.attention(
        attentive.weights, source, target, size, config.hidden_size, 1, True, codec.vocabulary.pad
    )
    np.testing.assert_allclose(explanation.probabilities, np.exp(log_probabilities[0][:6]), atol=1e-4)
    np.testing.assert_allclose(explanation.attention, looks[0][:6, -5:], atol=1e-4)
    unsure = [step for step, row in enumerate(explanation.probabilities) if row.max() < 0.9]
    assert explanation.hesitations == unsure


def test_a_run_that_works_in_steps_has_an_explanation_for_each(stepping, solved):
    explanations = explain(stepping, "3+2-1")
    assert [each.source for each in explanations] == ["3+2", "5-1"]
    assert explanations[-1].answer == "4" and explanations[0].attention is None
    for each in explanations:
        np.testing.assert_allclose(each.probabilities.sum(axis=1), 1, rtol=1e-4)
    [plain] = explain(solved, "3+4")
    assert plain.answer == "7" and plain.probabilities.max(axis=1).prod() == pytest.approx(
        solved.answer(["3+4"])[0].confidence, rel=1e-4
    )
    with pytest.raises(SourceError):
        explain(solved, "3+x")


def test_a_blank_of_a_step_that_is_written_in_its_place_is_no_end(stepping):
    first, _ = explain(stepping, "3+2-1")
    assert "<pad>" in first.symbols and "<end>" not in first.symbols


@pytest.mark.parametrize("model", ["attention", "repeat"])
def test_a_space_is_told_from_the_end(tmp_path, model):
    pairs = [(f"{a}_{b}", f"{a} {b}") for a in "abcd" for b in ["a", "bc"]]
    solver = train(pairs, tmp_path / "run", progress=False, epochs=1, hidden_size=4, layers=1, model=model)
    [explanation] = explain(solver, "a_bc")
    assert sorted(explanation.symbols) == sorted([*"_abcd", " ", "<end>"])
    place = explanation.symbols.index("<end>")
    assert place == solver.codec.vocabulary.pad


DIGITS, LETTERS = " ".join("0123456789"), [(x + y, y + "z") for x in "abc" for y in "vwxy"]


@pytest.mark.parametrize(
    "task, model, reads",
    [
        (Greeting(), "repeat", {"source": "x ann bob eve"}),
        (Greeting(), "attention", {"source": "x ann bob eve", "target": "x ann bob eve hello"}),
        (PairsTask.of(LETTERS), "attention", {"source": "a b c v w x y", "target": "v w x y"}),  # nothing follows z
        (Addition(2, "+-"), "aligned", {"first number": DIGITS, "second number": DIGITS, "operator": "+ -"}),
    ],
)
def test_symbols_with_embeddings_are_those_that_training_changes(tmp_path, task, model, reads):
    options = {"model": model, "cell": "rnn", "hidden_size": 4, "layers": 1, "weight_decay": 0.0, "progress": False}
    solvers = [train(task, tmp_path / str(epochs), epochs=epochs, **options) for epochs in (1, 2)]
    codec, config = solvers[0].codec, solvers[0].config
    before, after = (make_model(task, config.model, codec).embeddings(solver.weights) for solver in solvers)
    found = character_embeddings(solvers[1])
    assert {name: " ".join(symbols) for name, (symbols, _) in found.items()} == reads
    for name, (symbols, vectors) in found.items():
        rows = [codec.characters.index(codec.alphabet.characters([symbol])[0]) for symbol in symbols]
        changed = np.flatnonzero((before[name] != after[name]).any(axis=1))
        assert {*changed} - {codec.vocabulary.pad} == {*rows}
        np.testing.assert_array_equal(vectors, after[name][rows])


@pytest.mark.parametrize("count", [2, 3])
def test_components_are_the_directions_of_most_variance(count):
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    vectors = rng.normal(size=(50, 6)) * [9, 4, 2, 0.1, 0.1, 0.1] @ directions + 3
    coordinates, shares = principal_components(vectors, count)
    values, axes = np.linalg.eigh(np.cov(vectors.T))
    np.testing.assert_allclose(shares, values[::-1][:count] / values.sum())
    projected = (vectors - vectors.mean(axis=0)) @ axes[:, ::-1][:, :count]
    np.testing.assert_allclose(np.abs(coordinates), np.abs(projected), atol=1e-12)


def test_components_that_there_are_not_have_no_variance():
    coordinates, shares = principal_components(np.array([[1.0], [4.0]]), 3)
    np.testing.assert_allclose(np.abs(coordinates), [[1.5, 0, 0]] * 2)
    np.testing.assert_allclose(shares, [1, 0, 0])
    coordinates, shares = principal_components(np.array([[1.0, 2.0]]))
    assert (coordinates == 0).all() and (shares == 0).all()


def test_extremes_are_the_outermost_at_either_end():
    values = np.array([0.5, -2, 3, 0.25, -1])
    assert extremes("abcde", values, 1) == ([("b", -2)], [("c", 3)])
    assert extremes("abcde", values) == ([("b", -2), ("e", -1)], [("c", 3), ("a", 0.5)])  # none is at both
    assert extremes("a", values[:1]) == ([], [])


def test_neighbours_point_the_same_way():
    rng = np.random.default_rng(0)
    source, target = Embeddings([*"abcdefgh"], rng.normal(size=(8, 5))), Embeddings([*"cxyz"], rng.normal(size=(4, 3)))
    found = neighbours({"source": source, "target": target}, "c", 4)
    for name, (symbols, vectors) in {"source": source, "target": target}.items():
        chosen = vectors[symbols.index("c")]
        cosines = {s: v @ chosen / np.sqrt((v @ v) * (chosen @ chosen)) for s, v in zip(symbols, vectors) if s != "c"}
        assert [symbol for symbol, _ in found[name]] == sorted(cosines, key=cosines.__getitem__, reverse=True)[:4]
        assert dict(found[name]) == pytest.approx({symbol: cosines[symbol] for symbol, _ in found[name]})
    assert list(neighbours({"source": source, "target": target}, "x")) == ["target"]
    with pytest.raises(UsageError, match=r"^symbol: got 'q', but it must be one of 'a b c d e f g h x y z'$"):
        neighbours({"source": source, "target": target}, "q")


def test_order_is_told_by_rank():
    values = np.array([[0, 1, 4, 9, 16, 25, 36, 49, 64, 81], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]).T
    assert order_correlation("0123456789", values) == pytest.approx([1, -1])
    mixed = order_correlation("+9876543210", np.append([[50, 50]], values, axis=0))
    assert mixed == pytest.approx([-1, 1])


def test_symbols_are_shown_one_a_step(tmp_path):
    solver = train(Greeting(), tmp_path / "run", progress=False, epochs=1, hidden_size=4)
    [explanation] = explain(solver, "ann x")
    assert explanation.source == "ann x" and explanation.read == ["ann", "x"] and len(explanation.written) == 5
    assert set(explanation.symbols) == {"ann", "bob", "eve", "hello", "x", "<end>"}
    assert explanation.attention.shape == (5, 2)
