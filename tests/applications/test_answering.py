from dataclasses import replace

import numpy as np
import pytest

from seq2seq import Addition, Arithmetic, Copy, PairsTask, Reverse, Roman, UsageError
from seq2seq.applications.answering import (
    EPOCHS,
    MOST_TEST,
    MOST_VALIDATION,
    PASSES,
    Answering,
    how_many,
)
from seq2seq.applications.reports import report_of_pairs
from seq2seq.config import DataConfig
from seq2seq.dataset import build_dataset
from seq2seq.decoding import Answers
from seq2seq.evaluation import Evaluation, Mistake, Score
from seq2seq.pairs_evaluation import PairsEvaluation
from tests.tasks.own import Double

ANSWERING = Answering()


def pairs(n):
    return PairsTask.of((str(i), str(i + 1)) for i in range(n))


def test_epochs_and_what_is_held_out_follow_from_the_number_of_examples():
    config = ANSWERING.choose(Roman(), {})
    assert (config.data.validation, config.data.test, config.data.examples) == (400, 400, None)
    assert config.training.epochs == round(PASSES / 3199) == 188 and config.model.model == "attention"
    config = ANSWERING.choose(Copy(), {"examples": 50_000})
    assert (config.data.validation, config.data.test) == (MOST_VALIDATION, MOST_TEST)
    assert config.training.epochs == round(PASSES / (50_000 - MOST_VALIDATION - MOST_TEST)) == 14
    assert ANSWERING.choose(Copy(), {"examples": 10**6}).training.epochs == EPOCHS[0]


def test_few_pairs_are_enough_and_three_the_least():
    config = ANSWERING.choose(pairs(3), {})
    assert (config.data.validation, config.data.test, config.data.examples) == (1, 1, 3)
    assert config.training.epochs == EPOCHS[1]
    with pytest.raises(UsageError, match="pairs: has 2 pairs, but three are the least"):
        ANSWERING.choose(pairs(2), {})


def test_a_file_is_used_whole_and_a_large_task_is_not():
    assert how_many(pairs(7)) == 7 and how_many(Roman()) == 3999
    assert how_many(Double()) == 100 and how_many(Double(10**9)) == 50_000
    assert ANSWERING.choose(PairsTask(given=pairs(60).given), {}).data.examples == 60


def test_what_was_chosen_is_told_in_a_line():
    line = ANSWERING.describe(ANSWERING.choose(Roman(), {}).with_options(hidden_size=7), 3999)
    assert line.startswith("3999 examples of roman, sources up to 15, targets up to 4 symbols: ") and "\n" not in line
    for part in ("validation 400", "test 400", "model attention", "hidden_size 7", "epochs 188", "batch_size 64"):
        assert part in line


def test_the_preset_is_of_arithmetic():
    assert Arithmetic.preset == Addition.preset == "default" and Copy.preset is None


def test_the_model_for_a_task_is_of_its_form():
    names = [ANSWERING.model_name(task, "auto") for task in (Reverse(), Arithmetic(), Arithmetic(steps="call"))]
    assert names == ["repeat", "repeat", "transducer"]
    assert ANSWERING.model_name(Arithmetic(steps="call", by_digit=True), "auto") == "attention"
    assert ANSWERING.model_name(Reverse(), "aligned") == "aligned"
    with pytest.raises(UsageError, match=r"model: gru reads a text, which Reverse.* is not"):
        ANSWERING.require_model(Reverse(), "gru", "language")


def answered(targets, wrong):
    """What is written if every target is right but for one character of some rows."""
    ids = targets.astype(np.int32)
    ids[wrong, -1] += 1
    n = len(ids)
    return Answers(ids, np.ones(n), np.full(n, 3.0), np.full(n, 2))


def test_an_epoch_is_measured_by_whole_answers():
    targets = np.ones((4, 3), int)
    values = ANSWERING.values(answered(targets, [1]), targets)
    assert values == {"loss": 1.5, "exact_match": 0.75}
    assert ANSWERING.metric(values) == "exact match 0.750"
    assert [*ANSWERING.best_by] == [("validation_exact_match", "max"), ("validation_loss", "min")]


def test_the_first_held_out_questions_are_shown_with_what_is_right():
    dataset = build_dataset(Arithmetic("+", 2, (1, 9)), DataConfig(validation=20), 0)
    held_out, codec = dataset.validation, dataset.codec
    answers = Answers(held_out.targets[[1, *range(1, 20)]], np.ones(20))
    lines = ANSWERING.samples(None, codec, held_out, answers, {}, None, seed=0, epoch=1)
    sources, targets = codec.decode_sources(held_out.sources), codec.decode_targets(held_out.targets)
    assert len(lines) == 10 and targets[0] != targets[1]
    assert lines[:2] == [f"{sources[0]} -> {targets[1]} ✗ ({targets[0]})", f"{sources[1]} -> {targets[1]} ✓"]


SCORE = Score(n=200, exact_match=0.905, character_accuracy=0.95)
MISTAKE = Mistake("1+\n1", "2", "3", 0.99)
EVALUATION = Evaluation(
    held_out=SCORE, train_distribution=replace(SCORE, n=300, exact_match=0.99), overlap=0.25,
    breakdowns={"length": {"1": SCORE}}, mistakes=[MISTAKE],
    measures={"held_out": {"word_error": 0.5}, "train_distribution": {"word_error": 0.25}},
)  # fmt: skip


def test_what_is_said_after_training():
    assert ANSWERING.summary(EVALUATION) == [
        "exact match on trained examples: 0.9900 (300 of them)",
        "held-out exact match: 0.9050 (181 of 200 right)",
        "held-out word error: 0.5000",
        "of the held-out examples, 25.0% had been trained on",
    ]


def test_a_report_has_scores_groups_measures_and_the_worst_mistakes():
    assert ANSWERING.report(EVALUATION) == [
        "                            n  exact match  character accuracy",
        "held out                  200       0.9050              0.9500",
        "trained on                300       0.9900              0.9500",
        "held out, length 1        200       0.9050              0.9500",
        "held out: word error 0.5000",
        "train distribution: word error 0.2500",
        "",
        "25.0% of the held-out examples had been trained on",
        "",
        "worst mistakes (the model's confidence in its answer):",
        "  1+\\n1 -> 2, answered '3' (99%)",
    ]
    assert (
        ANSWERING.report(replace(EVALUATION, mistakes=[]))[-1] == "25.0% of the held-out examples had been trained on"
    )


def test_a_report_of_pairs_says_which_cannot_be_read():
    evaluation = PairsEvaluation(SCORE, 1, ["a.tsv:3: why"], None, {}, [], {"word_error": 0.5})
    assert report_of_pairs(evaluation)[1:] == [
        "pairs                     200       0.9050              0.9500",
        "pairs: word error 0.5000",
        "",
        "how many of the sources had been trained on is not known: the run's data cannot be made again",
        "1 of 200 sources cannot be read and count as answered wrongly:",
        "  a.tsv:3: why",
    ]
    known = replace(evaluation, unreadable=0, problems=[], overlap=0.5)
    assert report_of_pairs(known)[-1] == "50.0% of the sources had been trained on"
