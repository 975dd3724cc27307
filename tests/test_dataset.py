from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq import (
    Arithmetic,
    DataConfig,
    Extra,
    ModelConfig,
    PairsTask,
    Spelling,
    Text,
    UsageError,
    splitting,
    vocabulary,
)
from seq2seq import dataset as dataset_module
from seq2seq.applications import pairs as pair_examples
from seq2seq.arrays import hash_strings
from seq2seq.dataset import build_dataset
from seq2seq.models import make_codec
from seq2seq.tasks import Pairs
from seq2seq.tasks.expressions import batch
from seq2seq.vocabulary import Codec
from tests.tasks.by_hand import canonical
from tests.tasks.own import Double, Greeting, Vowels
from tests.tasks.test_arithmetic import any_tasks, small_tasks

configs = st.builds(
    DataConfig,
    examples=st.sampled_from([40, 50, 200]),
    validation=st.sampled_from([0.1, 0.3, 4]),
    test=st.sampled_from([0.1, 0.25, 7]),
    split=st.sampled_from(["expression", "commutative"]),
    reverse_target=st.booleans(),
)


whole = st.tuples(small_tasks.filter(lambda task: task.count >= 50), configs.map(lambda c: replace(c, examples=None)))


@given(st.one_of(whole, st.tuples(any_tasks, configs)), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_splits_share_no_question(task_and_config, seed):
    task, config = task_and_config
    try:
        dataset = build_dataset(task, config, seed)
    except UsageError as error:  # a few large groups of reorderings can leave nothing for a split
        assert config.split == "commutative" and "leaves none" in str(error)
        return
    key = str if config.split == "expression" else canonical
    splits = [dataset.codec.decode_sources(part.sources) for part in (dataset.train, dataset.validation, dataset.test)]
    sources = list(chain(*splits))
    assert len(sources) == len(set(sources)) == (config.examples or task.count)
    train, validation, test = ({key(source) for source in split} for split in splits)
    assert not train & validation and not train & test and not validation & test
    assert dataset.overlap(task) == 0


def test_the_default_task_is_split_whole():
    dataset = build_dataset(Arithmetic(), DataConfig(), 0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (3200, 400, 400)
    assert dataset.train.sources.shape == (3200, 8) and dataset.train.targets.shape == (3200, 4)


def test_sources_keep_their_targets():
    dataset = build_dataset(Arithmetic("+", terms=2), DataConfig(), 3)
    for part in (dataset.train, dataset.validation, dataset.test):
        for source, target in zip(
            dataset.codec.decode_sources(part.sources), dataset.codec.decode_targets(part.targets)
        ):
            assert sum(map(int, source.split("+"))) == int(target)


def test_without_a_split_the_overlap_is_measured():
    dataset = build_dataset(
        Arithmetic(mixed=False), DataConfig(examples=10_000, validation=100, test=1000, split="none"), 0
    )
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (10_000, 100, 1000)
    trained = set(dataset.codec.decode_sources(dataset.train.sources))
    tested = dataset.codec.decode_sources(dataset.test.sources)
    assert dataset.overlap(Arithmetic(mixed=False)) == np.mean([source in trained for source in tested]) > 0.97


def test_the_seed_decides_and_the_fingerprint_tells():
    def fingerprint(seed, **options):
        return build_dataset(Arithmetic(), DataConfig(**options), seed).fingerprint

    assert fingerprint(1) == fingerprint(1)
    assert len({fingerprint(1), fingerprint(2), fingerprint(1, test=0.2), fingerprint(1, reverse_target=True)}) == 4


@pytest.mark.parametrize(
    "options, message",
    [
        ({"validation": 0.9, "test": 0.9}, "leaves none for train"),
        ({"validation": 100_000}, "leaves none for train"),
        ({"validation": 0.000001}, "leaves none for validation"),
        ({"examples": 5000}, "examples: got 5000, but it must be at most 4000"),
        ({"split": "length"}, "split: got 'length', but it must be none or one of expression, commutative"),
    ],
)
def test_what_cannot_be_split(options, message):
    with pytest.raises(UsageError, match=message):
        build_dataset(Arithmetic(), DataConfig(**options), 0)


def test_the_fingerprint_covers_every_array():
    data = build_dataset(Arithmetic("+", terms=2), DataConfig(), 0)
    for name in ("train", "validation", "test"):
        for array in ("sources", "targets"):
            part = getattr(data, name)
            other = getattr(part, array).copy()
            other[0, -1] ^= 1
            assert replace(data, **{name: replace(part, **{array: other})}).fingerprint != data.fingerprint


def test_how_many_are_drawn_by_default():
    large = build_dataset(Arithmetic("+", terms=2, operands=(0, 999)), DataConfig(), 0)
    assert [len(part) for part in (large.train, large.validation, large.test)] == [40_000, 5_000, 5_000]
    independent = build_dataset(Arithmetic(), DataConfig(split="none", validation=0.00001), 0)
    parts = (independent.train, independent.validation, independent.test)
    assert [len(part) for part in parts] == [50_000, 1, 5_000]


@pytest.mark.parametrize("split", ["expression", "commutative"])
def test_many_examples_are_split_a_block_at_a_time(monkeypatch, split):
    monkeypatch.setattr("seq2seq.splitting.LISTED", 100)  # more are compared by hash
    task, config = Arithmetic("+-", (2, 3), (0, 12)), DataConfig(examples=1500, split=split)
    whole = build_dataset(task, config, 5)
    for module in (dataset_module, pair_examples, splitting, vocabulary, batch):
        monkeypatch.setattr(module, "BLOCK", 37)
    parts = build_dataset(task, config, 5)
    assert whole.fingerprint == parts.fingerprint
    splits = [parts.codec.decode_sources(part.sources) for part in (parts.train, parts.validation, parts.test)]
    assert len(set(chain(*splits))) == 1500
    keys = [{canonical(source) if split == "commutative" else source for source in part} for part in splits]
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]
    for part in (parts.train, parts.test):
        for source, target in zip(parts.codec.decode_sources(part.sources), parts.codec.decode_targets(part.targets)):
            assert eval(source) == int(target)


def test_hashes_of_strings_tell_them_apart():
    strings = np.array([first + second for first in "abc1 " for second in ("", "a", "b", "ab", "ba", "é", "  ")])
    distinct = np.unique(strings)
    hashes = hash_strings(distinct)
    assert len(np.unique(hashes)) == len(distinct) and (hash_strings(distinct[::-1]) == hashes[::-1]).all()


def test_pairs_are_taken_by_row():
    rng = np.random.default_rng(0)
    for pairs in (Pairs(np.array(["a", "b", "c"]), np.array(["x", "y", "z"])), Arithmetic().sample(3, rng)):
        sources, targets = pairs
        some = pairs.take(np.array([2, 0]))
        assert (len(pairs), len(some)) == (3, 2)
        assert some.sources.tolist() == [sources[2], sources[0]] and some.targets.tolist() == [targets[2], targets[0]]
        assert pairs.take(slice(1, 9)).sources.tolist() == sources[1:].tolist()


def strings(dataset, part):
    return set(dataset.codec.decode_sources(getattr(dataset, part).sources))


def test_what_is_trained_on_beside_the_task_leaves_out_what_is_held_out():
    task = Arithmetic("+", terms=3, operands=(1, 4))
    wider = Arithmetic("+", terms=3, operands=(1, 6))
    config = DataConfig(split="commutative", validation=8, test=8)
    codec = Codec(wider.characters, wider.source_length, wider.target_length, False)
    dataset = build_dataset(task, config, 0, codec, [Extra(wider), Extra(Arithmetic("+", terms=2), 7)])
    plain = build_dataset(task, config, 0)
    for part in ("validation", "test"):
        assert strings(dataset, part) == strings(plain, part)
    assert strings(dataset, "questions") == strings(plain, "train")
    held_out = {canonical(source) for part in ("validation", "test") for source in strings(plain, part)}
    everything = {f"{a}+{b}+{c}" for a in range(1, 7) for b in range(1, 7) for c in range(1, 7)}
    trained = strings(dataset, "train")
    assert {source for source in trained if source.count("+") == 2} == {
        source for source in everything if canonical(source) not in held_out
    }
    assert sum(source.count("+") == 1 for source in trained) == 7
    assert dataset.overlap(task) == 0


@pytest.mark.parametrize(
    "task, split",
    [
        (Arithmetic("+*", terms=(1, 3), operands=(0, 4), steps="call"), "expression"),
        (Arithmetic("+-*/%", terms=(2, 3), operands=(0, 5), steps="call", parentheses=True), "commutative"),
    ],
)
def test_steps_that_are_held_out_as_questions_are_not_trained_on(task, split):
    dataset = build_dataset(task, DataConfig(split=split), 0)
    held_out = strings(dataset, "validation") | strings(dataset, "test")
    trained, questions = strings(dataset, "train"), strings(dataset, "questions")
    assert questions - trained == set() and trained - questions
    test = strings(dataset, "test")
    assert not trained & test and held_out
    every_step = task.steps_of(task.list())
    assert trained <= {source.strip() for source in every_step.sources.tolist()}
    assert dataset.overlap(task) == 0
    assert dataset.overlap(task, np.array([next(iter(trained)), next(iter(test))])) == 0.5


def test_steps_beside_the_task_can_be_longer():
    task = Arithmetic(operands=(1, 10), steps="call")
    longer = Extra(replace(task, terms=(4, 10)), 200)
    codec = make_codec(task, DataConfig(), ModelConfig(model="attention"), [longer])
    dataset = build_dataset(task, DataConfig(), 0, codec, [longer])
    trained = strings(dataset, "train")
    assert codec.widths == [8, 13] and not trained & strings(dataset, "test")
    assert max(map(len, trained)) > 8 > np.median([*map(len, trained)])
    widths = codec.source_widths(dataset.train.sources)
    lengths = np.char.str_len(np.char.strip(codec.read_sources(dataset.train.sources)))
    assert (widths == np.where(lengths > 8, 13, 8)).all()


def test_nothing_beside_the_task_where_nothing_is_held_out():
    with pytest.raises(UsageError, match=r"extra: got .*, but it must be absent where nothing is held out"):
        build_dataset(Arithmetic(), DataConfig(split="none"), 0, extra=[Extra(Arithmetic())])


def test_a_task_that_does_not_know_how_many_it_has():
    dataset = build_dataset(Double(), DataConfig(), 0)
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 100
    assert dataset.overlap(Double()) == 0
    assert len(build_dataset(Double(), DataConfig(examples=50), 0).train) == 40
    with pytest.raises(UsageError, match="examples: got 101, but it must be at most 100, all that could be found"):
        build_dataset(Double(), DataConfig(examples=101), 0)


def test_strings_are_shown_as_people_write_them():
    dataset = build_dataset(Vowels(), DataConfig(), 0)
    parts = (dataset.train, dataset.validation, dataset.test)
    sides = ([s for part in parts for s in decode(getattr(part, side))] for side, decode in
             (("sources", dataset.codec.decode_sources), ("targets", dataset.codec.decode_targets)))  # fmt: skip
    assert sorted(zip(*sides)) == sorted(Vowels().pairs())
    words = build_dataset(Greeting(), DataConfig(), 0)
    assert words.train.sources.shape[1] == 4
    sources, targets = words.codec.decode_sources(words.test.sources), words.codec.decode_targets(words.test.targets)
    assert [f"hello {source}" for source in sources] == targets


def test_symbols_that_only_held_out_examples_have():
    task = PairsTask.of([(f"a{i}", "b") for i in range(10)] + [("é ü", "bö")])
    for seed in range(30):
        dataset = build_dataset(task, DataConfig(validation=1, test=1), seed)
        held_out = strings(dataset, "validation") | strings(dataset, "test")
        digits = [source[1] for source in held_out if source[0] == "a"]
        assert set(dataset.unseen) == {*digits, *(" éüö" if "é ü" in held_out else "")}


def test_blanks_at_the_start_of_a_source_are_part_of_it():
    task = PairsTask.of([(blank + "a", "b") for blank in ("", " ", "\u3000", "\xa0", "\t")])
    for seed in range(5):
        assert build_dataset(task, DataConfig(validation=1, test=1), seed).overlap(task) == 0


def test_examples_beside_the_task_have_its_symbols():
    with pytest.raises(UsageError, match=r"extra: got .*, but it must be a source that has the symbols"):
        build_dataset(Double(), DataConfig(), 0, extra=[Extra(Greeting())])
    with pytest.raises(UsageError, match=r"extra: got .*, but it must be a source that has the symbols"):
        build_dataset(Double(), DataConfig(), 0, extra=[Extra(Text(given="1 2 3"))])


def test_a_small_task_that_can_be_listed_is_used_whole():
    dataset = build_dataset(Spelling((1, 2)), DataConfig(), 0)
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 100


# Texts ----------------------------------------------------------------------------------------------------------------

POSITION = DataConfig(validation=0.1, test=0.2, split="position")


def built(text, model, data=POSITION, length=None, **options):
    task = Text(given=text, length=length)
    return build_dataset(task, data, 0, make_codec(task, data, ModelConfig(model=model)), **options)


@pytest.mark.parametrize("model, steps", [("char3", 1), ("rnn-add", 1), ("rnn-sequence", 8)])
def test_a_text_is_read_once_in_its_order_and_no_window_leaves_its_part(model, steps):
    text = "".join(chr(33 + place) for place in range(90))  # each character says where it stands
    dataset = built(text, model)
    width = dataset.codec.source_length
    for part, whole in [(dataset.train, text[:63]), (dataset.validation, text[63:72]), (dataset.test, text[72:])]:
        sources = dataset.codec.decode_sources(part.sources)
        assert "".join(sources) == whole[: len(sources) * width] and len(whole) - 1 - len(sources) * width < width
        for start, target in zip(range(0, len(whole), width), dataset.codec.decode_targets(part.targets)):
            assert target == whole[start + 1 : start + width + 1][-steps:]


@pytest.mark.parametrize(
    "data, options, message",
    [
        (replace(POSITION, split="expression"), {}, "split: got 'expression', but it must be position"),
        (replace(POSITION, examples=5), {}, "examples: got 5, but it must be absent"),
        (replace(POSITION, validation=8), {}, "of 100 characters leaves too few for validation: the model reads 8 to"),
        (replace(POSITION, test=93), {}, "too few for training"),
        (POSITION, {"length": 20}, "too few for validation: the model reads 20"),
        (POSITION, {"extra": (Extra(Arithmetic()),)}, "extra: got"),
    ],
)
def test_texts_that_cannot_be_divided(data, options, message):
    with pytest.raises(UsageError, match=message):
        built("abcdefghij" * 10, "rnn", data, **options)
