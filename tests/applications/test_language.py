import math

import numpy as np
import pytest

from seq2seq import Text, UsageError
from seq2seq.applications.language import CHARACTERS, TEXT_EPOCHS, Language
from seq2seq.decoding import Answers
from seq2seq.text_evaluation import TextEvaluation, TextScore

LANGUAGE = Language()


def test_a_text_is_split_by_position_and_read_in_fewer_epochs_the_longer_it_is():
    config = LANGUAGE.choose(Text(given="some text " * 10), {})
    assert config.data.split == "position" and config.training.epochs == TEXT_EPOCHS[1]
    assert LANGUAGE.choose(Text(given="some text " * 60_000), {}).training.epochs == CHARACTERS // 600_000
    batch_sizes = [LANGUAGE.choose(Text(given="some text " * n), {}).training.batch_size for n in (10, 1_234, 60_000)]
    assert batch_sizes == [1, 12, 64]
    assert LANGUAGE.describe(config, 11).startswith("100 characters of text, 7 different ones: ")
    assert f"embedding {config.model.embedding}" in LANGUAGE.describe(config, 11)
    small = LANGUAGE.choose(Text(given="some text " * 10), {"model": "rnn"}).model
    assert (config.model.model, config.model.layers, config.model.dropout) == ("gru", 2, 0.2)
    assert (small.model, small.layers, small.dropout) == ("rnn", 1, 0.0)


def test_an_option_that_the_model_does_not_have_is_not_told():
    config = LANGUAGE.choose(Text(given="some text " * 60), {"model": "rnn"}).with_options(layers=5)
    assert "layers" not in LANGUAGE.describe(config, 11) and "embedding" in LANGUAGE.describe(config, 11)


def test_the_model_of_a_text_is_one_that_reads_texts():
    assert [LANGUAGE.model_name(Text(given="a"), name) for name in ("auto", "rnn")] == ["gru", "rnn"]
    with pytest.raises(UsageError, match=r"model: repeat answers sources, but a text is read by one of char3, .*gru"):
        LANGUAGE.require_model(Text(given="a"), "repeat", "answering")


def test_an_epoch_is_measured_by_single_characters_and_chosen_by_the_loss():
    ids = np.array([[1, 2], [3, 4]])
    values = LANGUAGE.values(Answers(ids, np.ones(2), np.array([2.0, 2.0]), np.array([2, 2])), ids - [[0, 1], [0, 0]])
    assert values == {"loss": 1.0, "exact_match": 0.75, "bits": 1 / math.log(2)}
    assert LANGUAGE.metric(values) == "validation 1.0000 (1.443 bits)"
    assert [*LANGUAGE.best_by] == [("validation_loss", "min")]


def test_what_is_shown_goes_on_from_the_validation_text(reading):
    model, held_out = reading.predictor(1).model, reading.dataset.validation
    samples = [
        LANGUAGE.samples(model, reading.codec, held_out, None, reading.weights, reading.device, 0, epoch)
        for epoch in (1, 1, 2)
    ]
    assert samples[0] == samples[1] != samples[2]
    [prefix] = reading.codec.decode_sources(held_out.sources[:1])
    text = "\n".join(samples[0])
    assert text.startswith(prefix) and len(text) == len(prefix) + 200


def test_scores_are_told_in_a_line_each():
    score = TextScore(n=80, begin=900, end=981, nats=0.5, bits=0.5 / math.log(2), accuracy=0.875)
    evaluation = TextEvaluation(score, score)
    lines = LANGUAGE.report(evaluation)
    assert lines == LANGUAGE.summary(evaluation) == [
        f"{name}, 80 characters between 900 and 981 of the text: 0.5000 nats (0.7213 bits) a character, 87.5% right"
        for name in ("held out", "trained on")
    ]  # fmt: skip
