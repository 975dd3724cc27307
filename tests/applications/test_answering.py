import pytest

from seq2seq import Arithmetic, Copy, PairsTask, Roman, Text, UsageError
from seq2seq.defaults import (
    CHARACTERS,
    EPOCHS,
    MOST_TEST,
    MOST_VALIDATION,
    PASSES,
    TEXT_EPOCHS,
    choose,
    has_preset,
    how_many,
    told,
)
from tests.tasks.own import Double


def pairs(n):
    return PairsTask.of((str(i), str(i + 1)) for i in range(n))


def test_epochs_and_what_is_held_out_follow_from_the_number_of_examples():
    config = choose(Roman(), {})
    assert (config.data.validation, config.data.test, config.data.examples) == (400, 400, None)
    assert config.training.epochs == round(PASSES / 3199) == 188 and config.model.model == "attention"
    config = choose(Copy(), {"examples": 50_000})
    assert (config.data.validation, config.data.test) == (MOST_VALIDATION, MOST_TEST)
    assert config.training.epochs == round(PASSES / (50_000 - MOST_VALIDATION - MOST_TEST)) == 14
    assert choose(Copy(), {"examples": 10**6}).training.epochs == EPOCHS[0]


def test_few_pairs_are_enough_and_three_the_least():
    config = choose(pairs(3), {})
    assert (config.data.validation, config.data.test, config.data.examples) == (1, 1, 3)
    assert config.training.epochs == EPOCHS[1]
    with pytest.raises(UsageError, match="pairs: has 2 pairs, but three are the least"):
        choose(pairs(2), {})


def test_a_file_is_used_whole_and_a_large_task_is_not():
    assert how_many(pairs(7)) == 7 and how_many(Roman()) == 3999
    assert how_many(Double()) == 100 and how_many(Double(10**9)) == 50_000
    assert choose(PairsTask(given=pairs(60).given), {}).data.examples == 60


def test_what_was_chosen_is_told_in_a_line():
    line = told(choose(Roman(), {}).with_options(hidden_size=7), 3999)
    assert line.startswith("3999 examples of roman, sources up to 15, targets up to 4 symbols: ") and "\n" not in line
    for part in ("validation 400", "test 400", "model attention", "hidden_size 7", "epochs 188", "batch_size 64"):
        assert part in line


def test_a_text_is_split_by_position_and_read_in_fewer_epochs_the_longer_it_is():
    config = choose(Text(given="some text " * 10), {})
    assert config.data.split == "position" and config.training.epochs == TEXT_EPOCHS[1]
    assert choose(Text(given="some text " * 60_000), {}).training.epochs == CHARACTERS // 600_000
    batch_sizes = [choose(Text(given="some text " * n), {}).training.batch_size for n in (10, 1_234, 60_000)]
    assert batch_sizes == [1, 12, 64]
    assert told(config, 11).startswith("100 characters of text, 7 different ones: ")
    assert f"embedding {config.model.embedding}" in told(config, 11)
    small = choose(Text(given="some text " * 10), {"model": "rnn"}).model
    assert (config.model.model, config.model.layers, config.model.dropout) == ("gru", 2, 0.2)
    assert (small.model, small.layers, small.dropout) == ("rnn", 1, 0.0)


def test_an_option_that_the_model_does_not_have_is_not_told():
    config = choose(Text(given="some text " * 60), {"model": "rnn"}).with_options(layers=5)
    assert "layers" not in told(config, 11) and "embedding" in told(config, 11)


def test_the_preset_is_of_arithmetic():
    assert has_preset(Arithmetic()) and not has_preset(Copy())
