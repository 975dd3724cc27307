import pytest

from seq2seq import Arithmetic, Config, DataConfig, ModelConfig, TrainingConfig, UsageError
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
