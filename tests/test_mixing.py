"""Batches that are mixed from several sources, in given shares."""

import gzip
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from seq2seq import (
    Arithmetic,
    Config,
    Copy,
    DataConfig,
    ModelConfig,
    Roman,
    RunError,
    Seq2SeqError,
    Solver,
    Text,
    TrainingConfig,
    UsageError,
    train,
)
from seq2seq.applications.learning import make_sampler
from seq2seq.config import PRESETS, Extra
from seq2seq.dataset import build_dataset
from seq2seq.engine.samplers import Contiguous
from seq2seq.models import make_codec, make_model
from seq2seq.recipes import load_recipe
from seq2seq.tasks.pairs import PairsTask
from tests.conftest import some_text

ROOT = Path(__file__).parent.parent
PAIRS = [(f"{a}{b}", f"{b}{a}") for a in "abcd" for b in "abcd"]
OTHERS = [("xyz", "zyx"), ("ab", "ba"), ("aa", "aa"), ("zz", "zz"), *((f"{a}z", f"z{a}") for a in "abcdxy")]
SMALL = {"epochs": 2, "hidden_size": 8, "layers": 1, "batch_size": 8, "show_every": 0, "progress": False}
CONSTANT = {**SMALL, "schedule": "constant", "warmup_steps": 0, "model": "attention"}


def write(path, pairs):
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs))
    return path


@pytest.fixture
def files(tmp_path):
    return write(tmp_path / "pairs.tsv", PAIRS), write(tmp_path / "others.tsv", OTHERS)


def dataset_of(task, extra, model="attention", **data):
    config = Config(task=task, extra=extra, data=DataConfig(**data))
    codec = make_codec(config.task, config.data, ModelConfig(model=model), config.extra)
    return build_dataset(config.task, config.data, 0, codec, config.extra), codec


def test_every_batch_has_its_share_of_each_source():
    dataset, codec = dataset_of(PairsTask.of(PAIRS), [Extra(PairsTask.of(OTHERS), share=0.25)], validation=2, test=2)
    model = make_model(PairsTask.of(PAIRS), ModelConfig(model="attention", hidden_size=4, layers=1), codec)
    sampler = make_sampler(model, codec, dataset.train, TrainingConfig(batch_size=8), dataset.mixed)
    batches = sampler.epoch(np.random.default_rng(0))
    first = len(dataset.train)
    assert first == len(PAIRS) - 4 and [len(batch.rows) for batch in batches] == [8, 8]
    assert [int((batch.rows >= first).sum()) for batch in batches] == [2, 2]
    own = np.concatenate([batch.rows[batch.rows < first] for batch in batches])
    assert sorted(own.tolist()) == [*range(first)]  # an epoch is one pass over the task's own examples


def test_held_out_questions_are_left_out_of_what_is_mixed_in():
    for seed in range(3):
        config = Config(task=PairsTask.of(PAIRS), extra=[Extra(PairsTask.of([*PAIRS, *OTHERS[3:]]), share=0.5)])
        codec = make_codec(config.task, config.data, ModelConfig(), config.extra)
        dataset = build_dataset(config.task, config.data, seed, codec, config.extra)
        [portion] = dataset.mixed
        held_out = {*codec.decode_sources(dataset.validation.sources), *codec.decode_sources(dataset.test.sources)}
        assert held_out and held_out.isdisjoint(codec.decode_sources(portion.examples.sources))
        assert len(portion.examples) == len(PAIRS) + len(OTHERS) - 3 - len(held_out)
        assert dataset.overlap(config.task) == 0 and set(codec.decode_sources(dataset.train.sources)) <= {
            source for source, _ in PAIRS
        }


def test_the_vocabulary_and_the_widths_cover_every_source():
    dataset, codec = dataset_of(PairsTask.of(PAIRS), [Extra(PairsTask.of(OTHERS), share=0.25)])
    assert set("abcdxyz") <= set(codec.characters) and codec.source_length == 3
    assert {"xyz", "az"} <= set(codec.decode_sources(dataset.mixed[0].examples.sources))
    assert dataset.sources.longest == 3 and "z" in dataset.sources.symbols
    assert dataset.overlap(PairsTask.of(PAIRS), np.array(["xyz", "dz", "yy"])) == pytest.approx(2 / 3)


def test_mixed_batches_are_read_in_one_width_and_so_are_questions(tmp_path):
    pairs = [(letter * length, letter) for letter in "abcd" for length in (3, 40)]
    solver = train(pairs, tmp_path / "run", mix=[(PairsTask.of(OTHERS), 0.25)], **CONSTANT)
    assert solver.codec.widths == [40] == solver.dataset.codec.widths
    assert len(train(pairs, tmp_path / "other", **CONSTANT).codec.widths) > 1


def test_symbols_of_several_characters_are_the_same_in_every_source():
    words = {"source_symbols": "words", "target_symbols": "words"}
    own = PairsTask.of([("one two", "two"), ("two one", "one"), ("two two", "two"), ("ant one", "one")], **words)
    other = PairsTask.of([("apple two", "two"), ("zebra one", "one")], **words)
    dataset, codec = dataset_of(own, [Extra(other, share=0.5)], validation=1, test=1)
    assert sorted(codec.decode_sources(dataset.mixed[0].examples.sources)) == ["apple two", "zebra one"]
    assert set(codec.decode_sources(dataset.train.sources)) <= {source for source, _ in own.given}


def test_examples_without_a_share_are_those_of_before():
    default = PRESETS["default"]
    extra = (Extra(Arithmetic("+", terms=2, operands=(1, 100), steps="call"), 2000),)
    codec = make_codec(default.task, default.data, default.model)
    dataset = build_dataset(default.task, default.data, 0, codec, extra)
    assert dataset.fingerprint.startswith("f52cfa07ec50366a") and not dataset.mixed
    assert "share" not in json.dumps(default.to_json())
    files = PairsTask.of(OTHERS)
    dataset, codec = dataset_of(PairsTask.of(PAIRS), [Extra(files)], validation=2, test=2)
    assert "xyz" in codec.decode_sources(dataset.train.sources) and len(codec.widths) == 1


def test_a_run_keeps_every_source_and_answers_without_reading_any(files, tmp_path):
    pairs, others = files
    solver = train(PairsTask(str(pairs)), tmp_path / "run", mix=[(others, 0.25)], **CONSTANT)
    path = solver.run.path
    [extra] = json.loads((path / "config.json").read_text())["extra"]
    assert extra["share"] == 0.25 and extra["task"]["path"] == str(others) and extra["task"]["digest"]
    files[0].unlink()
    files[1].unlink()
    again = Solver(path)
    assert again.evaluate().overlap == 0 and again(["xyz", "ab"]) == solver(["xyz", "ab"])
    assert again.answer(["xyz"])[0].unlike_training is None  # it is as long as a source that was mixed in
    kept = sorted(file.name for file in path.glob("*.jsonl.gz"))
    assert kept == ["extra-1.pairs.jsonl.gz", "pairs.jsonl.gz"]
    for name in kept:
        (path / name).unlink()
    assert Solver(path)(["xyz", "ab"]) == solver(["xyz", "ab"])


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda file: file.unlink(), "extra-1.pairs.jsonl.gz: the pairs it was trained on are not there"),
        (lambda file: file.write_bytes(b"no"), "extra-1.pairs.jsonl.gz: is damaged"),
        (
            lambda file: file.write_bytes(gzip.compress(b'["a", "b"]\n')),
            "extra-1.pairs.jsonl.gz: the data kept with it",
        ),
    ],
)
def test_damage_to_what_was_mixed_in_is_named(files, tmp_path, damage, message):
    path = train(PairsTask(str(files[0])), tmp_path / "run", mix=[(files[1], 0.25)], **CONSTANT).run.path
    damage(path / "extra-1.pairs.jsonl.gz")
    with pytest.raises(RunError, match=message):
        Solver(path).evaluate()
    with pytest.raises(RunError):
        train(run_dir=path, resume=True, progress=False, epochs=4)


def test_a_resumed_run_goes_on_bit_for_bit(files, tmp_path):
    task, mix = PairsTask(str(files[0])), [(files[1], 0.25)]
    whole = train(task, tmp_path / "whole", mix=mix, **{**CONSTANT, "epochs": 4})
    train(task, tmp_path / "run", mix=mix, **CONSTANT)
    files[1].unlink()
    resumed = train(run_dir=tmp_path / "run", resume=True, progress=False, epochs=4)
    last, other = (Solver(solver.run.path, weights="last").weights for solver in (whole, resumed))
    assert all((last[name] == other[name]).all() for name in last)
    write(files[1], OTHERS)
    with pytest.raises(UsageError, match=r"^extra: .* was made with .*; a resumed run keeps its options"):
        train(task, tmp_path / "run", mix=[(files[1], 0.5)], resume=True, **{**CONSTANT, "epochs": 4})


def test_a_file_of_pairs_can_be_mixed_into_a_task_with_a_rule(tmp_path):
    file = write(tmp_path / "more.tsv", [("XXXI", "31"), ("XXXII", "32")])
    solver = train(Roman(), tmp_path / "run", mix=[(file, 0.25)], examples=30, model="attention", **SMALL)
    assert solver.codec.decode_sources(solver.dataset.mixed[0].examples.sources)
    write(file, [("XXXI", "one"), ("XXXII", "two")])
    with pytest.raises(UsageError, match=r"^mix: .*more.tsv: 'one': has a symbol that the task roman lacks"):
        train(Roman(), tmp_path / "other", mix=[(file, 0.25)], examples=30, **SMALL)
    assert not (tmp_path / "other").exists()


@dataclass(frozen=True)
class Mine(PairsTask):
    """Pairs of a class that is found by no name."""

    name = "mine"


def test_a_task_of_ones_own_class_may_be_mixed_into_one_of_the_same_class_only(files, tmp_path):
    task = Mine(str(files[0]))
    path = train(task, tmp_path / "run", mix=[(files[1], 0.25)], **CONSTANT).run.path
    assert type(Solver(path, task=task).config.extra[0].task) is Mine
    with pytest.raises(
        UsageError, match=r"^mix: got 'mine', but it must be a task of the same class, or one that is f"
    ):
        train(PairsTask(str(files[0])), tmp_path / "other", mix=[(Mine(str(files[1])), 0.25)], **CONSTANT)


def test_what_is_mixed_in_is_said_before_training(files, tmp_path, capsys):
    options = {**CONSTANT, "progress": True}
    train(PairsTask(str(files[0])), tmp_path / "run", mix=[(files[1], 0.25)], **options)
    said = capsys.readouterr().err
    assert re.search(r"^16 examples of pairs, .*", said, re.M)
    line = re.search(
        r"^mixed in: (\d+) examples of pairs, 25% of every batch; left out: (\d+ held out|nothing)$", said, re.M
    )
    held_out = 0 if line[2] == "nothing" else int(line[2].split()[0])
    assert int(line[1]) + held_out == len(OTHERS)
    train(PairsTask(str(files[0])), tmp_path / "other", mix=[(files[0], 0.25)], validation=3, test=2, **options)
    said = capsys.readouterr().err
    assert "\nmixed in: 11 examples of pairs, 25% of every batch; left out: 5 held out\n" in said
    text = Text(given=some_text(300))
    train(text, tmp_path / "text", mix=[(text, 0.25)], model="gru", embedding=4, **{**SMALL, "progress": True})
    assert re.search(r"^mixed in: .* of every batch; left out: nothing$", capsys.readouterr().err, re.M)


@pytest.mark.parametrize("model", ["gru", "rnn"])
def test_a_second_text_is_read_beside_the_first(tmp_path, model):
    first, second = Text(given=some_text(300)), Text(given=some_text(200).replace("cat", "bird"))
    solver = train(first, tmp_path / "run", mix=[(second, 0.25)], model=model, embedding=4, **SMALL)
    assert {*"bird"} <= set(solver.codec.characters)
    again = Solver(solver.run.path)
    assert again.evaluate().held_out.nats > 0 and [*solver.run.path.glob("extra-1.text.txt.gz")]
    dataset = again.dataset
    assert len(dataset.mixed[0].examples) and dataset.mixed[0].share == 0.25
    assert "".join(again.continued("the bird", 5)) == "".join(solver.continued("the bird", 5))


def test_streams_of_two_texts_are_side_by_side_and_each_is_in_order():
    config = Config(
        task=Text(given=some_text(400), length=5),
        extra=[Extra(Text(given=some_text(60), length=5), share=0.25)],
        data=DataConfig(split="position"),
    )
    model_config = ModelConfig(model="rnn-stateful", hidden_size=4)
    codec = make_codec(config.task, config.data, model_config, config.extra)
    dataset = build_dataset(config.task, config.data, 0, codec, config.extra)
    model = make_model(config.task, model_config, codec)
    sampler = make_sampler(model, codec, dataset.train, TrainingConfig(batch_size=8), dataset.mixed)
    assert isinstance(sampler, Contiguous) and sampler.batches == len(dataset.train) // 6
    read = np.array([sampler.arrays["source"][batch.rows] for batch in sampler.epoch(np.random.default_rng(0))])
    own = read[:, :6].transpose(1, 0, 2).reshape(-1, 5)
    assert (own == dataset.train.sources[: len(own)]).all()
    other = dataset.mixed[0].examples.sources
    n = len(other)
    assert sampler.batches > n / 2  # so that the second of two streams goes on at the beginning
    for stream, start in ((read[:, 6], 0), (read[:, 7], n // 2)):
        assert (stream == other[(start + np.arange(sampler.batches)) % n]).all()


@pytest.mark.parametrize(
    "mix, message",
    [
        ([("no.tsv", 0.25)], "no.tsv: cannot be read"),
        ([(PairsTask.of(OTHERS), 1.0)], "mix: got 1.0, but it must be a fraction of a batch between 0 and 1"),
        ([(PairsTask.of(OTHERS), "all")], "mix: got 'all', but it must be a fraction of a batch between 0 and 1"),
        ([(PairsTask.of(OTHERS), 0.5)] * 2, "mix: got .*, but it must be fractions that leave a part of each batch"),
        ([(PairsTask.of(OTHERS), 0.01)], "batch_size: got 8, but it must be large enough to hold a row of each"),
        (
            [(PairsTask.of(OTHERS, source_symbols="words"), 0.25)],
            "mix: got 'pairs', but it must be a source that has the symbols",
        ),
        (["others.tsv"], "mix: got 'others.tsv', but it must be a list of"),
        ("others.tsv", "mix: got 'others.tsv', but it must be a list of"),
    ],
)
def test_what_cannot_be_mixed_is_refused_by_name(tmp_path, monkeypatch, mix, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Seq2SeqError, match=f"^{message}"):
        train(PairsTask.of(PAIRS), tmp_path / "run", mix=mix, **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_share_needs_examples_that_are_not_held_out_and_a_text_only_texts(tmp_path):
    dataset, codec = dataset_of(PairsTask.of(PAIRS), [])
    held_out = codec.decode_sources(dataset.test.sources)
    with pytest.raises(UsageError, match=r"^mix: got 'pairs', .* not held out"):
        dataset_of(PairsTask.of(PAIRS), [Extra(PairsTask.of([(each, each) for each in held_out]), share=0.25)])
    with pytest.raises(UsageError, match=r"^mix: got 'pairs', but it must be absent where a text is read, or another"):
        train(Text(given=some_text()), tmp_path / "run", mix=[(PairsTask.of(PAIRS), 0.25)], **SMALL)
    with pytest.raises(UsageError, match=r"^mix: got 'copy', but it must be absent where nothing is held out"):
        train(Copy("ab"), tmp_path / "run", mix=[(Copy("ab"), 0.25)], split="none", **SMALL)


def test_a_recipe_names_a_share(files, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(
        '[task]\nname = "pairs"\npath = "pairs.tsv"\n[[extra]]\nshare = 0.25\ntask = {path = "others.tsv"}\n'
    )
    [extra] = load_recipe(path).config.extra
    assert extra == Extra(PairsTask(str(files[1])), share=0.25)
    path.write_text(path.read_text().replace("0.25", '"a quarter"'))
    with pytest.raises(UsageError, match=r"recipe.toml: share: got 'a quarter', but it must be a fraction of a batch"):
        load_recipe(path)


def test_the_command_mixes_files(files, tmp_path):
    def call(*mix):
        options = ["--epochs", "1", "--hidden-size", "8", "--batch-size", "8", "--run-dir", str(tmp_path / "run")]
        command = [sys.executable, "-m", "seq2seq", "train", "--task", "pairs", "--task.path", str(files[0]), *options]
        return subprocess.run([*command, *mix], capture_output=True, text=True, timeout=300, cwd=ROOT)

    for mix in ("others.tsv", "others.tsv:many", ":0.25"):
        refused = call("--mix", mix)
        assert refused.returncode == 2
        assert f"argument --mix: got '{mix}', but it must be a file and a fraction, such as" in refused.stderr
    assert call("--mix", f"{files[1]}:0.25", "--mix", f"{files[1]}:0.5").returncode == 0
    extra = Solver(tmp_path / "run").config.extra
    assert [(each.task.path, each.share) for each in extra] == [(str(files[1]), share) for share in (0.25, 0.5)]


def test_a_mix_reads_all_examples_where_the_preset_reads_some():
    other = Arithmetic("+", terms=2, operands=(1, 5), steps="call")
    config = train(mix=[(other, 0.25)], epochs=1, hidden_size=2, progress=False, show_every=0).config
    assert PRESETS["default"].training.examples_per_epoch and config.training.examples_per_epoch is None
