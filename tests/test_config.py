import json

import numpy as np
import pytest

from seq2seq import Arithmetic, Config, Copy, DataConfig, Extra, ModelConfig, TrainingConfig, UsageError
from seq2seq.config import PARTS, PRESETS


def test_json_and_back():
    for config in PRESETS.values():
        assert Config.from_json(config.to_json()) == config


def test_a_task_that_was_written_before_it_had_an_option_has_its_default():
    values = Config().to_json()
    del values["task"]["parentheses"]
    assert Config.from_json(values) == Config()


def test_options_find_their_part():
    config = Config().with_options(epochs=7, hidden_size=5, split="commutative", seed=3)
    assert (config.training.epochs, config.model.hidden_size) == (7, 5)
    assert (config.data.split, config.seed) == ("commutative", 3)
    assert config.task == Config().task
    with pytest.raises(UsageError, match=r"unknown option 'epoch'; the options are .*batch_size, .*epochs"):
        Config().with_options(epoch=7)


def test_no_two_parts_share_a_name():
    names = [name for part in PARTS.values() for name in part.__dataclass_fields__]
    assert len(names) == len(set(names))


def test_the_notebook_to_the_number():
    notebook = PRESETS["notebook"]
    assert notebook.task == Arithmetic("+*", terms=3, operands=(1, 10), mixed=False)
    assert notebook.model == ModelConfig(hidden_size=32, layers=1, dropout=0.0, bidirectional=False)
    assert (notebook.data.examples, notebook.data.split, notebook.data.reverse_target) == (10_000, "none", False)
    training = notebook.training
    assert (training.optimizer, training.learning_rate, training.schedule) == ("adam", 0.001, "constant")
    assert (training.batch_size, training.epochs, training.warmup_steps, training.clip_norm) == (32, 100, 0, 0)
    assert training.epsilon == 32e-8


@pytest.mark.parametrize(
    "config, option, value",
    [
        (ModelConfig, "hidden_size", 0),
        (ModelConfig, "hidden_size", 1.5),
        (ModelConfig, "layers", -1),
        (ModelConfig, "dropout", 1),
        (ModelConfig, "dropout", float("nan")),
        (ModelConfig, "bidirectional", "yes"),
        (TrainingConfig, "epochs", 0),
        (TrainingConfig, "batch_size", "32"),
        (TrainingConfig, "optimizer", "lion"),
        (TrainingConfig, "schedule", "step"),
        (TrainingConfig, "cycles", 0),
        (TrainingConfig, "learning_rate", 0),
        (TrainingConfig, "learning_rate", float("inf")),
        (TrainingConfig, "clip_norm", -1),
        (TrainingConfig, "momentum", 1.0),
        (TrainingConfig, "patience", -1),
        (DataConfig, "examples", 0),
        (DataConfig, "validation", 0.0),
        (DataConfig, "test", 1.0),
        (DataConfig, "test", 0),
        (DataConfig, "reverse_target", 1),
        (Config, "seed", -1),
        (Config, "task", "arithmetic"),
    ],
)
def test_an_error_names_the_option_its_value_and_what_is_allowed(config, option, value):
    with pytest.raises(UsageError, match=f"^{option}: got .*, but it must be"):
        config(**{option: value})


def test_json_keeps_the_seed():
    assert Config.from_json(Config(seed=7).to_json()) == Config(seed=7)


def test_the_notebook_holds_out_a_hundred():
    assert (PRESETS["notebook"].data.validation, PRESETS["notebook"].data.test) == (100, 100)


@pytest.mark.parametrize(
    "option, value",
    [
        ("examples", np.int64(30)),
        ("validation", np.float64(0.25)),
        ("test", np.uint8(3)),
        ("split", np.str_("expression")),
        ("reverse_target", np.bool_(True)),
        ("hidden_size", np.int32(8)),
        ("dropout", np.float32(0.5)),
        ("bidirectional", np.bool_(False)),
        ("epochs", np.array(7)),
        ("batch_size", np.int16(4)),
        ("learning_rate", np.float32(0.25)),
        ("seed", np.int64(3)),
    ],
)
def test_numpy_scalars_are_kept_as_plain_values(option, value):
    config = Config().with_options(**{option: value})
    assert config == Config().with_options(**{option: value.item()})
    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config
    [kept] = [getattr(part, option) for part in (config, config.data, config.model, config.training)
              if hasattr(part, option)]  # fmt: skip
    assert type(kept) is type(value.item())


def test_numpy_scalars_that_are_no_numbers_are_refused():
    for value in (np.float32("nan"), np.float64("inf"), np.bool_(True), np.array([0.5, 0.5])):
        with pytest.raises(UsageError, match=r"^learning_rate: got .*, but it must be"):
            TrainingConfig(learning_rate=value)
    with pytest.raises(UsageError, match=r"^epochs: got 2\.0"):
        TrainingConfig(epochs=np.float64(2))


def test_extra_examples_may_be_a_numpy_number():
    assert type(Extra(Copy(), np.int64(5)).examples) is int


@pytest.mark.parametrize(
    "option, value",
    [
        ("clip_norm", 1e-320),
        ("learning_rate", 1e-45),
        ("learning_rate", 10**400),
        ("epsilon", 1e308),
        ("momentum", 1e-40),
        ("momentum", 1 - 1e-12),
        ("dropout", 1 - 1e-12),
        ("dropout", 5e-324),
    ],
)
def test_numbers_that_no_32_bit_float_holds_are_refused(option, value):
    with pytest.raises(UsageError, match=f"^{option}: got .* a 32-bit float holds"):
        Config().with_options(**{option: value})


COUNTS = ["epochs", "warmup_steps", "patience", "show_every", "cycles", "batch_size", "layers", "hidden_size",
          "embedding", "examples", "validation", "test", "seed"]  # fmt: skip


@pytest.mark.parametrize("option", COUNTS)
@pytest.mark.parametrize("value", [10**40, 10**5000], ids=["1e40", "1e5000"])
def test_counts_that_nothing_can_count_are_refused(option, value):
    with pytest.raises(UsageError, match=f"^{option}: got .* to [0-9]+$"):
        Config().with_options(**{option: value})


@pytest.mark.parametrize(
    "change, message",
    [
        ({"data": 3}, "data: got 3, but it must be a table"),
        ({"model": {"hidden": 3}}, "model: has 'hidden', but can have only model, cell, hidden_size"),
        ({"model": {"x" * 10**5: 3}}, "model: has 'xxx"),
        ({"model": {"cell": ["lstm"] * 10**5}}, "cell: got .'lstm', 'lstm'"),
        ({"training": {"optimizer": "a\n" * 10**5}}, "optimizer: got 'a"),
        ({"extra": 3}, "extra: got 3, but it must be a list"),
        ({"extra": [3]}, "extra: got 3, but it must be a table"),
        ({"extra": [{"task": [], "examples": 3}]}, "task: got .*, but it must be a table"),
        ({"extra": [{"task": {"name": []}, "examples": 3}]}, "task: got .*, but it must be one of"),
        ({"task": {"name": "copy", "letter": "abc"}}, "task: has 'letter', but can have only letters, length"),
        ({"task": {"name": "copy", "length": [1, 10**5000]}}, "length: got"),
    ],
)
def test_what_a_file_cannot_say_is_one_short_line(change, message):
    with pytest.raises(UsageError, match=f"^{message}") as error:
        Config.from_json({**Config().to_json(), **change})
    assert len(str(error.value)) < 300 and "\n" not in str(error.value)
