import numpy as np
import pytest

from seq2seq import Arithmetic, DataConfig
from seq2seq.dataset import build_dataset
from seq2seq.decoding import Answer
from seq2seq.evaluation import MISTAKES, auc, evaluate
from tests.tasks.own import Greeting

TASK = Arithmetic("+*", terms=2, operands=(1, 10))
DATA = build_dataset(TASK, DataConfig(test=60), 0)


class WrongAbout:
    """Answers as the truth would, but for some sources, whose first written character it gets wrong."""

    def __init__(self, *wrong):
        self.wrong = wrong

    def __call__(self, sources):
        truth = {}
        for part in (DATA.train, DATA.test):
            truth.update(zip(DATA.codec.decode_sources(part.sources), DATA.codec.decode_targets(part.targets)))
        confidence = np.linspace(0.5, 0.9, len(sources)).tolist()
        answers = [truth[source] for source in sources]
        for row, source in enumerate(sources):
            if source in self.wrong:
                answers[row] = str((int(answers[row][0]) + 1) % 10) + answers[row][1:]
        return [Answer(answer, sure) for answer, sure in zip(answers, confidence)]


def test_scores_are_counted_by_hand():
    tested = DATA.codec.decode_sources(DATA.test.sources)
    wrong = [source for source in tested if "*" in source][:3]
    result = evaluate(WrongAbout(*wrong), DATA, TASK, samples=1000, seed=0)
    assert (result.held_out.n, result.held_out.exact_match) == (60, pytest.approx(57 / 60))
    symbols = sum(len(target) for target in DATA.codec.decode_targets(DATA.test.targets))
    assert result.held_out.character_accuracy == pytest.approx(1 - 3 / symbols)
    assert result.train_distribution.n == len(DATA.train) and result.train_distribution.exact_match == 1
    assert result.overlap == 0

    by_operator = result.breakdowns["operator"]
    products = sum("*" in source for source in tested)
    assert (by_operator["*"].n, by_operator["*"].exact_match) == (products, pytest.approx(1 - 3 / products))
    assert by_operator["+"].exact_match == 1
    lengths = [len(target) for target in DATA.codec.decode_targets(DATA.test.targets)]
    assert {label: score.n for label, score in result.breakdowns["length"].items()} == {
        str(length): lengths.count(length) for length in sorted(set(lengths))
    }

    assert {mistake.source for mistake in result.mistakes} == set(wrong)
    confidences = [mistake.confidence for mistake in result.mistakes]
    assert confidences == sorted(confidences, reverse=True)
    for mistake in result.mistakes:
        left, right = map(int, mistake.source.split("*"))
        assert int(mistake.target) == left * right and mistake.answer != mistake.target


def test_only_the_surest_mistakes_are_listed():
    result = evaluate(WrongAbout(*DATA.codec.decode_sources(DATA.test.sources)), DATA, TASK, 1000, 0)
    assert result.held_out.exact_match == 0 and len(result.mistakes) == MISTAKES


def test_samples_limit_both_scores_and_the_seed_decides_which():
    wrong = WrongAbout(*DATA.codec.decode_sources(DATA.test.sources)[:30])
    scores = [evaluate(wrong, DATA, TASK, samples=20, seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert all((score.held_out.n, score.train_distribution.n) == (20, 20) for score in scores)
    assert scores[0] == scores[1]
    assert len({tuple(mistake.source for mistake in score.mistakes) for score in scores}) > 1


def test_json_has_the_promised_keys():
    values = evaluate(WrongAbout(), DATA, TASK, 1000, 0).to_json()
    assert list(values) == ["held_out", "train_distribution", "by_operator", "by_length", "mistakes"]
    assert values["held_out"] == {"n": 60, "exact_match": 1.0, "character_accuracy": 1.0, "overlap": 0.0}


class Lenient(Greeting):
    """Any greeting of the right names is right; how many were greeted at all is measured."""

    def accepts(self, source, answer, target):
        return answer.endswith(source)

    def measures(self, sources, targets, answers):
        return {"greeted": sum(answer.startswith("hello") for answer in answers) / len(answers)}


def test_what_is_right_and_what_else_is_measured_is_for_the_task_to_say():
    task = Lenient()
    data = build_dataset(task, DataConfig(test=20), 0)

    def ask(sources):
        return [Answer(f"{'hello ' if row % 2 else ''}{source}", 0.5) for row, source in enumerate(sources)]

    result = evaluate(ask, data, task, 10, 0)
    assert result.held_out.exact_match == 1 and result.mistakes == []
    assert result.measures == {"held_out": {"greeted": 0.5}, "train_distribution": {"greeted": 0.5}}
    assert result.to_json()["held_out"]["greeted"] == 0.5 and "measures" not in result.to_json()
    strict = evaluate(ask, data, Greeting(), 10, 0)
    assert strict.held_out.exact_match == 0.5 and strict.measures == {"held_out": {}, "train_distribution": {}}


def test_symbols_are_counted_and_not_characters():
    task = Greeting()
    data = build_dataset(task, DataConfig(test=20), 0)
    targets = data.codec.decode_targets(data.test.targets)
    result = evaluate(lambda sources: [Answer("bob " + source, 0.5) for source in sources], data, task, 1000, 0)
    assert result.held_out.exact_match == 0 and result.mistakes[0].target.startswith("hello ")
    words = sum(len(target.split()) for target in targets)
    assert result.held_out.character_accuracy == pytest.approx(1 - 20 / words)  # the first word of each is wrong
    assert set(result.breakdowns["length"]) == {str(len(target.split())) for target in targets}


@pytest.mark.parametrize(
    "answer, accuracy",
    [
        (lambda target: target, 1),
        (lambda target: "9" + target, 0.5),  # one too many, of the two that it has
        (lambda target: "", 0),
        (lambda target: target + "99", 1 / 3),
    ],
)
def test_what_is_too_much_or_missing_is_not_right(answer, accuracy):
    """Sums of one digit: padding beside them counts for nothing."""
    task = Arithmetic("+", terms=2, operands=(0, 4))
    data = build_dataset(task, DataConfig(validation=1, test=10), 0)

    def ask(sources):
        return [Answer(answer(str(sum(map(int, source.split("+"))))), 0.5) for source in sources]

    result = evaluate(ask, data, task, 1000, 0)
    assert result.held_out.character_accuracy == pytest.approx(accuracy)
    [by_length] = result.breakdowns["length"].values()
    assert by_length.character_accuracy == pytest.approx(accuracy)


@pytest.mark.parametrize(
    "right, confidences, area",
    [
        ([1, 1, 0], [0.9, 0.8, 0.1], 1.0),
        ([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6], 0.75),
        ([0, 1], [0.9, 0.1], 0.0),
        ([0, 1], [0.5, 0.5], 0.5),
        ([1, 1], [0.5, 0.6], None),
        ([0], [0.5], None),
    ],
)
def test_the_area_under_the_curve_by_hand(right, confidences, area):
    assert auc(np.array(right, bool), np.array(confidences)) == area
