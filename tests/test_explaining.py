import numpy as np
import pytest

from seq2seq import Addition, SourceError, train
from seq2seq.explaining import character_embeddings, explain, order_correlation, principal_components
from tests import reference
from tests.tasks.own import Greeting


def test_probabilities_and_attention_are_the_models(attentive):
    [explanation] = explain(attentive, "3+2+1")
    codec, config = attentive.codec, attentive.config.model
    assert explanation.source == "3+2+1" and explanation.answer == "5+1=6"
    assert explanation.written == list("5+1=6 ") and codec.target_length > 6  # nothing after what ends it
    assert explanation.read == list("3+2+1") and explanation.symbols == list(codec.characters)
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


def test_embeddings_are_the_columns_that_characters_pick(solved, tmp_path):
    characters, vectors = character_embeddings(solved)
    assert characters == list("0123456789+") and vectors.shape == (11, 4 * 32)
    layer = reference.unpack(solved.weights["encoder_parameters"], 12, 32, 1, 2)[0][0]
    one_hot = np.eye(12)[solved.codec.characters.index("7")]
    np.testing.assert_allclose(vectors[7], layer[0] @ one_hot)
    options = {"hidden_size": 4, "layers": 1, "epochs": 1, "examples": 100}
    aligned = train(Addition(2), tmp_path / "aligned", model="aligned", progress=False, **options)
    assert character_embeddings(aligned)[1].shape == (11, 16)


def test_components_are_the_directions_of_most_variance():
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    vectors = rng.normal(size=(50, 6)) * [9, 4, 0.1, 0.1, 0.1, 0.1] @ directions + 3
    coordinates, shares = principal_components(vectors)
    covariance = np.cov(vectors.T)
    values, axes = np.linalg.eigh(covariance)
    np.testing.assert_allclose(shares, values[::-1][:2] / values.sum())
    np.testing.assert_allclose(np.abs(coordinates), np.abs((vectors - vectors.mean(axis=0)) @ axes[:, ::-1][:, :2]))


def test_order_is_told_by_rank():
    values = np.array([[0, 1, 4, 9, 16, 25, 36, 49, 64, 81], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]).T
    assert order_correlation("0123456789", values) == pytest.approx([1, -1])
    mixed = order_correlation("+9876543210", np.append([[50, 50]], values, axis=0))
    assert mixed == pytest.approx([-1, 1])


def test_symbols_are_shown_one_a_step(tmp_path):
    solver = train(Greeting(), tmp_path / "run", progress=False, epochs=1, hidden_size=4)
    [explanation] = explain(solver, "ann x")
    assert explanation.source == "ann x" and explanation.read == ["ann", "x"] and len(explanation.written) == 5
    assert set(explanation.symbols) == {"ann", "bob", "eve", "hello", "x", " "}
    assert explanation.attention.shape == (5, 2)
    symbols, vectors = character_embeddings(solver)
    assert set(symbols) == {"ann", "bob", "eve", "hello", "x"} and vectors.shape == (5, 16)
