import numpy as np
import pytest

from seq2seq import UsageError
from seq2seq.dataset import Examples
from seq2seq.engine.samplers import Batching, Streams
from seq2seq.vocabulary import Codec


def examples_of(codec, pairs):
    sources, targets = zip(*pairs)
    return Examples(codec.encode_sources(sources), codec.encode_targets(targets))


def test_every_example_comes_once_with_its_like_in_widths_that_hold_it():
    codec = Codec(" ab", 30, 20, reverse_target=False, pad_end=True)
    rng = np.random.default_rng(0)
    pairs = [("a" * int(rng.integers(1, 31)), "b" * int(rng.integers(1, 21))) for _ in range(500)]
    examples = examples_of(codec, pairs)
    batching = Batching(examples, codec, 32)
    assert codec.widths == [10, 20, 30]
    epochs = [batching.epoch(np.random.default_rng(seed)) for seed in (0, 0, 1)]
    for epoch in epochs:
        assert len(epoch) == batching.count
        assert sorted(np.concatenate([batch.rows for batch in epoch]).tolist()) == list(range(500))
        for rows, source_length, target_length, characters in epoch:
            assert 0 < len(rows) <= 32
            assert characters == sum(min(len(pairs[row][1]) + 1, 20) for row in rows)  # and the end of each
            assert {codec.fitting(pairs[row][0]).source_length for row in rows} == {source_length}
            assert max(len(pairs[row][1]) for row in rows) < target_length or target_length == 20
    assert [batch.source_length for batch in epochs[0]] != sorted(batch.source_length for batch in epochs[0])
    same, other = ([batch.rows.tolist() for batch in epoch] for epoch in epochs[1:])
    assert same == [batch.rows.tolist() for batch in epochs[0]] != other


def test_targets_are_cut_after_the_padding_that_ends_the_longest():
    codec = Codec(" ab", 16, 9, reverse_target=True, pad_end=True)
    examples = examples_of(codec, [("a", "b"), ("aa", "bbbb"), ("a" * 16, "b" * 9)])
    lengths = {batch[1:] for batch in Batching(examples, codec, 1).epoch(np.random.default_rng(0))}
    assert lengths == {(8, 5, 2), (8, 5, 5), (16, 9, 9)}


@pytest.mark.parametrize("pad_end, length", [(False, 30), (True, 15)])
def test_where_there_is_one_width_batches_follow_the_permutation(pad_end, length):
    codec = Codec(" ab", length, 4, reverse_target=False, pad_end=pad_end)
    examples = examples_of(codec, [("a" * (1 + i % length), "bbbb") for i in range(50)])
    epoch = Batching(examples, codec, 7).epoch(np.random.default_rng(3))
    assert np.concatenate([batch.rows for batch in epoch]).tolist() == np.random.default_rng(3).permutation(50).tolist()
    assert {batch[1:3] for batch in epoch} == {(length, 4)} and [len(batch.rows) for batch in epoch] == [7] * 7 + [1]


def test_a_text_is_read_in_its_order_by_streams():
    codec = Codec(" ab", 4, 4, reverse_target=False)
    examples = Examples(np.zeros((23, 4), np.uint8), np.zeros((23, 4), np.uint8))
    streams = Streams(examples, codec, 5)
    epoch = streams.epoch(np.random.default_rng(0))
    assert len(epoch) == streams.count == 4
    assert np.stack([batch.rows for batch in epoch], axis=1).tolist() == [
        [4 * i + j for j in range(4)] for i in range(5)
    ]
    assert {batch[1:] for batch in epoch} == {(4, 4, 20)}
    with pytest.raises(
        UsageError, match="batch_size: got 24, but it must be at most 23, all windows that the text has"
    ):
        Streams(examples, codec, 24)
