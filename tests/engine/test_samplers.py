from collections import Counter

import numpy as np
import pytest

from seq2seq import Arithmetic, Config, Extra, ModelConfig, TrainingConfig, UsageError
from seq2seq.applications.learning import make_sampler
from seq2seq.dataset import Examples
from seq2seq.engine.network import Input, Network
from seq2seq.engine.samplers import Bucketed, Contiguous, InBlocks, Mixed
from seq2seq.models import RepeatModel
from seq2seq.vocabulary import Codec


class Counted(Network):
    """A network whose loss has as many terms as a row says."""

    @property
    def inputs(self):
        return {"x": Input(()), "n": Input(())}

    def loss(self, inputs, states):
        raise NotImplementedError

    def terms(self, arrays):
        return arrays["n"]


def arrays_of(n, first=0):
    return {"x": np.arange(first, first + n), "n": np.arange(n) % 3}


def bucketed(pairs, codec, batch_size, **options):
    sources, targets = zip(*pairs)
    model = RepeatModel(ModelConfig(hidden_size=4), codec.source_ids, codec.target_length, 3, padding=codec.padding)
    examples = Examples(codec.encode_sources(sources), codec.encode_targets(targets))
    return make_sampler(model, codec, examples, TrainingConfig(batch_size=batch_size, **options))


def test_every_row_comes_once_with_its_like_in_widths_that_hold_it():
    codec = Codec(" ab", 30, 20, reverse_target=False, pad_end=True)
    rng = np.random.default_rng(0)
    pairs = [("a" * int(rng.integers(1, 31)), "b" * int(rng.integers(1, 21))) for _ in range(500)]
    sampler = bucketed(pairs, codec, 32)
    assert codec.widths == [10, 20, 30]
    epochs = [sampler.epoch(np.random.default_rng(seed)) for seed in (0, 0, 1)]
    for epoch in epochs:
        assert len(epoch) == sampler.batches
        assert sorted(np.concatenate([batch.rows for batch in epoch]).tolist()) == list(range(500))
        for rows, widths, terms in epoch:
            assert 0 < len(rows) <= 32
            assert terms == sum(min(len(pairs[row][1]) + 1, 20) for row in rows)  # and the end of each
            assert {codec.fitting(pairs[row][0]).source_length for row in rows} == {widths["source"]}
            assert max(len(pairs[row][1]) for row in rows) < widths["target"] or widths["target"] == 20
    widths = [batch.widths["source"] for batch in epochs[0]]
    assert widths != sorted(widths)
    same, other = ([batch.rows.tolist() for batch in epoch] for epoch in epochs[1:])
    assert same == [batch.rows.tolist() for batch in epochs[0]] != other


def test_targets_are_cut_after_the_padding_that_ends_the_longest():
    codec = Codec(" ab", 16, 9, reverse_target=True, pad_end=True)
    sampler = bucketed([("a", "b"), ("aa", "bbbb"), ("a" * 16, "b" * 9)], codec, 1)
    found = {(*batch.widths.values(), batch.terms) for batch in sampler.epoch(np.random.default_rng(0))}
    assert found == {(8, 5, 2), (8, 5, 5), (16, 9, 9)}


@pytest.mark.parametrize(
    "longest, options, batches",
    [(50, {}, {2: 200, 3: 150, 5: 125, 9: 25}),  # too few of width 4 for batches of their own
     (1, {}, {2: 200, 3: 150, 9: 126}),  # the longest does not fill a batch
     (50, {"examples_per_epoch": 200}, {3: 70, 9: 30})],
)  # fmt: skip
def test_targets_of_similar_width_are_together_where_there_are_many(longest, options, batches):
    codec = Codec(" ab", 8, 9, reverse_target=False, pad_end=True)
    pairs = [("a", "b" * width) for width, n in ((1, 400), (2, 300), (3, 50), (4, 200), (8, longest)) for _ in range(n)]
    sampler = bucketed(pairs, codec, 2, **options)
    epoch = sampler.epoch(np.random.default_rng(0))
    assert Counter(batch.widths["target"] for batch in epoch) == batches
    for rows, widths, terms in epoch:
        assert widths["source"] == 8 and max(len(pairs[row][1]) for row in rows) < widths["target"]
        assert terms == sum(len(pairs[row][1]) + 1 for row in rows)
    assert len({*np.concatenate([batch.rows for batch in epoch]).tolist()}) == sampler.rows


def test_of_many_similar_widths_several_share_batches():
    codec = Codec(" ab", 8, 9, reverse_target=False, pad_end=True)
    pairs = [("a", "b" * width) for width in range(1, 8) for _ in range(100)] + [("a", "b" * 8)] * 300
    epoch = bucketed(pairs, codec, 1).epoch(np.random.default_rng(0))
    assert Counter(batch.widths["target"] for batch in epoch) == {3: 200, 5: 200, 7: 200, 9: 400}


@pytest.mark.parametrize("pad_end, length", [(False, 30), (True, 15)])
def test_where_there_is_one_width_batches_follow_the_permutation(pad_end, length):
    codec = Codec(" ab", length, 4, reverse_target=False, pad_end=pad_end)
    epoch = bucketed([("a" * (1 + i % length), "bbbb") for i in range(50)], codec, 7).epoch(np.random.default_rng(3))
    assert np.concatenate([batch.rows for batch in epoch]).tolist() == np.random.default_rng(3).permutation(50).tolist()
    assert {tuple(batch.widths.values()) for batch in epoch} == {(length, 4)}
    assert [len(batch.rows) for batch in epoch] == [7] * 7 + [1]


def test_without_widths_there_is_one_bucket():
    sampler = Bucketed(Counted(), arrays_of(10), 4)
    epoch = sampler.epoch(np.random.default_rng(0))
    assert (sampler.rows, sampler.batches) == (10, 3)
    assert [(len(batch.rows), batch.widths) for batch in epoch] == [(4, {}), (4, {}), (2, {})]
    assert [batch.terms for batch in epoch] == [sum(row % 3 for row in batch.rows) for batch in epoch]


def test_a_stream_is_read_in_its_order():
    sampler = Contiguous(Counted(), arrays_of(23), 5)
    epoch = sampler.epoch(np.random.default_rng(0))
    assert len(epoch) == sampler.batches == 4 and sampler.rows == 20
    rows = np.stack([batch.rows for batch in epoch], axis=1)
    assert rows.tolist() == [[4 * i + j for j in range(4)] for i in range(5)]
    with pytest.raises(UsageError, match="batch_size: got 24, but it must be at most 23, all rows that there are"):
        Contiguous(Counted(), arrays_of(23), 24)


def test_several_sources_are_mixed_in_their_shares():
    sources = [arrays_of(100), arrays_of(10, 1000), arrays_of(5, 2000)]
    sampler = Mixed(Counted(), sources, [0.5, 0.25, 0.25], 16)
    epoch = sampler.epoch(np.random.default_rng(0))
    assert sampler.counts == [8, 4, 4] and len(epoch) == sampler.batches == 13
    values = [sampler.arrays["x"][batch.rows] for batch in epoch]
    assert sum(map(len, values)) == sampler.rows
    for batch in values[:-1]:
        assert [int((batch // 1000 == source).sum()) for source in range(3)] == [8, 4, 4]
    every = np.concatenate(values)
    assert sorted(every[every < 1000].tolist()) == list(range(100))  # the first source once
    for source, size in ((1, 10), (2, 5)):
        of_it = every[every // 1000 == source]
        assert sorted(of_it[:size].tolist()) == sorted(of_it[size : 2 * size].tolist())  # again and again
        assert len(set(of_it.tolist())) == size
    assert [batch.terms for batch in epoch] == [int(sampler.arrays["n"][batch.rows].sum()) for batch in epoch]
    again, other = (sampler.epoch(np.random.default_rng(seed)) for seed in (0, 1))
    assert all((a.rows == b.rows).all() for a, b in zip(epoch, again)) and (other[0].rows != epoch[0].rows).any()


@pytest.mark.parametrize(
    "shares, batch_size, problem",
    [([0.5, 0.4], 8, "shares: got .* sum to 1"), ([1.0], 8, "shares: got"), ([0.0, 1.0], 8, "shares: got"),
     ([0.9, 0.1], 4, "batch_size: got 4, but it must be large enough to hold a row of each source")],
)  # fmt: skip
def test_shares_that_cannot_be_had(shares, batch_size, problem):
    with pytest.raises(UsageError, match=problem):
        Mixed(Counted(), [arrays_of(10), arrays_of(10)], shares, batch_size)


def test_an_epoch_of_fewer_rows_draws_its_share_of_each_width():
    codec = Codec(" ab", 30, 4, reverse_target=False, pad_end=True)
    pairs = [("a" * (1 + i % 30), "bb") for i in range(300)]
    sampler = bucketed(pairs, codec, 16, examples_per_epoch=91)
    assert (sampler.rows, sampler.batches) == (91, 6)
    epochs = [sampler.epoch(np.random.default_rng(seed)) for seed in range(40)]
    drawn = [np.concatenate([batch.rows for batch in epoch]) for epoch in epochs]
    assert all(len({*rows.tolist()}) == 91 for rows in drawn)
    assert {len(rows) for rows in drawn} == {91}
    of_each = [sum(len(batch.rows) for batch in epochs[0] if batch.widths["source"] == width) for width in codec.widths]
    assert of_each == [30, 31, 30]
    assert len({*np.concatenate(drawn).tolist()}) == 300  # each epoch draws others


def test_no_more_rows_are_drawn_than_there_are():
    assert bucketed([("a", "b")] * 5, Codec(" ab", 4, 4, reverse_target=False), 4, examples_per_epoch=9).rows == 5


def test_an_epoch_in_which_batches_are_mixed_is_one_pass():
    with pytest.raises(UsageError, match="examples_per_epoch: got 5, but it must be absent where batches are mixed"):
        Config(training=TrainingConfig(examples_per_epoch=5), extra=[Extra(Arithmetic(), share=0.2)])


def test_rows_in_blocks_come_once_an_epoch_and_from_several_places():
    sampler = InBlocks(Counted(), arrays_of(1003), 7, block=10, group=4)
    epoch = sampler.epoch(np.random.default_rng(0))
    assert len(epoch) == len([*epoch]) == sampler.batches == 144 and sampler.rows == 1003
    rows = np.concatenate([batch.rows for batch in epoch])
    assert sorted(rows.tolist()) == list(range(1003))
    assert [len(batch.rows) for batch in epoch] == [7] * 143 + [2]
    assert [batch.terms for batch in epoch] == [sum(row % 3 for row in batch.rows) for batch in epoch]
    for group in range(25):
        assert len({row // 10 for row in rows[group * 40 : group * 40 + 40].tolist()}) == 4
    assert (np.abs(np.diff(rows)) > 1).mean() > 0.9 and rows[:40].max() - rows[:40].min() > 100
    few = InBlocks(Counted(), arrays_of(1003), 7, block=10, group=4, rows=100)
    drawn = np.concatenate([batch.rows for batch in few.epoch(np.random.default_rng(0))])
    assert few.rows == 100 and drawn.tolist() == rows[:100].tolist()
    again, other = (sampler.epoch(np.random.default_rng(seed)) for seed in (0, 1))
    assert (again[100].rows == epoch[100].rows).all() and (other[100].rows != epoch[100].rows).any()


@pytest.mark.parametrize(
    "sampler", [Contiguous(Counted(), arrays_of(3000), 2), InBlocks(Counted(), arrays_of(3000), 2)]
)
def test_a_plan_is_read_like_a_list(sampler):
    plan = sampler.epoch(np.random.default_rng(0))
    whole = [*plan]
    assert len(whole) == 1500
    for part in (slice(700, None), slice(3, 300), slice(5, 5)):
        pairs = [*zip(plan[part], whole[part])]
        assert len(plan[part]) == len(whole[part]) == len(pairs)
        assert all((a.rows == b.rows).all() and a.terms == b.terms for a, b in pairs)
    assert (plan[-1].rows == whole[-1].rows).all() and plan[1234].terms == whole[1234].terms


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_rows_in_blocks_are_in_batches_of_similar_width(batch_size):
    n = 1003
    widths = {"x": np.random.default_rng(0).choice([2, 5, 9], n)}
    widths["n"] = np.where(widths["x"] == 2, 4, np.arange(n) % 3 + 1)
    sampler = InBlocks(Counted(), arrays_of(n), batch_size, widths, block=10, group=8)
    epoch = [*sampler.epoch(np.random.default_rng(0))]
    assert sorted(row for batch in epoch for row in batch.rows) == [*range(n)] and len(epoch) == sampler.batches
    assert [len(batch.rows) for batch in epoch[:-1]] == [batch_size] * (len(epoch) - 1)
    assert [batch.terms for batch in epoch] == [sum(row % 3 for row in batch.rows) for batch in epoch]
    for batch in epoch:
        assert batch.widths["x"] == widths["x"][batch.rows].max()
        assert batch.widths["n"] >= widths["n"][batch.rows].max()
    if batch_size == 1:  # there are enough rows of each width
        assert all(batch.widths["n"] == widths["n"][batch.rows].max() for batch in epoch)
    if batch_size == 7:
        assert sum(len({*widths["x"][batch.rows]}) > 1 for batch in epoch) <= 2 * 14
        order = [batch.widths["x"] for batch in epoch[:11]]  # of a group
        assert len({*order}) == 3 and order != sorted(order)
    few = InBlocks(Counted(), arrays_of(n), batch_size, widths, block=10, group=8, rows=300)
    drawn = np.concatenate([batch.rows for batch in few.epoch(np.random.default_rng(0))])
    assert drawn.tolist() == np.concatenate([batch.rows for batch in epoch])[:300].tolist()
