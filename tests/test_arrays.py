import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seq2seq import arrays
from seq2seq.arrays import edit_distances

words = st.lists(st.sampled_from("abc"), max_size=6)


def slow_distance(first, second):
    if not first or not second:
        return len(first) + len(second)
    changed = slow_distance(first[1:], second[1:]) + (first[0] != second[0])
    return min(changed, slow_distance(first[1:], second) + 1, slow_distance(first, second[1:]) + 1)


@given(st.lists(st.tuples(words, words), max_size=5))
def test_edit_distances_are_the_least_of_all_ways(pairs):
    first, second = [each for each, _ in pairs], [each for _, each in pairs]
    assert edit_distances(first, second).tolist() == [slow_distance(*pair) for pair in pairs]


def test_edit_distances_by_hand():
    pairs = {("94", "4"): 1, ("23", "23"): 0, ("", "12"): 2, ("123", "312"): 2, ("kitten", "sitting"): 3}
    assert edit_distances(*zip(*pairs)).tolist() == list(pairs.values())
    assert edit_distances([], []).shape == (0,)


def test_blocks_of_pairs_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    first, second = ([list(rng.choice(["ah", "b"], rng.integers(9))) for _ in range(30)] for _ in range(2))
    whole = edit_distances(first, second)
    monkeypatch.setattr(arrays, "COMPARED", 20)
    assert (edit_distances(first, second) == whole).all() and whole.any()
