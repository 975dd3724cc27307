import json
import pickle

import numpy as np
import pytest

from seq2seq import Addition, PairsTask, Reverse, RunError, Solver, SourceError, UsageError, train
from seq2seq.tasks import Pairs
from tests.tasks.own import Greeting


def test_it_answers_one_and_many(solved):
    assert solved("3+4") == "7"
    assert solved(["3+4", "9+9", "0+0"]) == ["7", "18", "0"]
    assert solved([]) == []
    assert solved(source for source in ("3+4",)) == ["7"]
    assert solved(" 3 + 4 ") == "7"


def test_the_same_source_has_the_same_answer_in_any_company(solved):
    sources = [f"{i}+{j}" for i in range(10) for j in range(10)]
    alone = [solved(source) for source in sources]
    assert solved(sources) == alone
    assert solved(sources * 25)[:100] == alone  # through the largest batch, more than once
    assert solved(sources[:20]) == alone[:20]


def test_an_answer_does_not_depend_on_the_lengths_of_other_sources(tmp_path):
    task = Addition(10)
    solver = train(
        task, tmp_path / "run", examples=400, epochs=2, batch_size=16, hidden_size=12, layers=1, model="attention",
        learning_rate=0.02, progress=False,
    )  # fmt: skip
    assert solver.codec.widths == [10, 21]
    sources = ["1+2", "1234567890+1", "99+1", "1234567890+9876543210"]
    alone = [solver.answer([source])[0] for source in sources]
    together = solver.answer(sources * 10)
    assert [answer.text for answer in together] == [answer.text for answer in alone] * 10
    np.testing.assert_allclose(
        [answer.confidence for answer in together], [answer.confidence for answer in alone] * 10, rtol=1e-4
    )
    assert [solver.n_best(source, 1)[0].text for source in sources] == [answer.text for answer in alone]


def test_what_is_longer_than_it_was_trained_on_is_asked_of_a_task_of_any_length(tmp_path):
    options = {"epochs": 6, "hidden_size": 32, "batch_size": 16, "learning_rate": 0.01, "progress": False}
    solver = train(Reverse("abcdef", (1, 8)), tmp_path / "run", examples=4000, validation=100, test=100, **options)
    pairs = solver.task.shown(Reverse("abcdef", (10, 10)).sample(50, np.random.default_rng(1)))
    assert solver.codec.source_length == 8 and solver.score(pairs) > 0.9
    assert solver(pairs[0][0]) == solver([source for source, _ in pairs])[0] == solver.n_best(pairs[0][0], 2)[0].text


def test_answers_have_confidence(solved):
    answers = solved.answer(["3+4", "9+9"])
    assert [answer.text for answer in answers] == ["7", "18"]
    assert all(0.3 < answer.confidence <= 1 for answer in answers)


@pytest.mark.parametrize(
    "source, message",
    [
        ("", "the source is empty"),
        ("   ", "the source is empty"),
        ("3-4", "'3-4': '-' is not among the characters '0123456789\\+ '"),
        ("3+", "'3\\+' is not an expression of whole numbers and \\+ such as 6\\+3"),
        ("333+4", "'333\\+4' has 5 characters, but this run reads 3"),
        ("9" * 10**6, "has 1000000 characters, but this run reads 3"),
        ("3\x00", "is not among the characters"),
        ("三+4", r"'三' \(U\+4E09 .*\) is not among the characters"),
        (
            "３+4",
            r"'３' \(U\+FF13 FULLWIDTH DIGIT THREE\) is not among .*; normalised to Unicode's form NFKC it would be",
        ),
    ],
)
def test_sources_it_cannot_read(solved, source, message):
    with pytest.raises(SourceError, match=message) as caught:
        solved(source)
    assert len(str(caught.value)) < 200
    with pytest.raises(SourceError):
        solved(["1+1", source])


@pytest.mark.parametrize("source", [34, b"3+4", None, [3]])
def test_sources_that_are_no_strings(solved, source):
    with pytest.raises((UsageError, TypeError)):
        solved(source if isinstance(source, list) else [source])


def test_evaluation_is_kept_in_the_run(solved):
    evaluation = solved.evaluate()
    assert (evaluation.held_out.n, evaluation.train_distribution.n) == (50, 2000)
    assert evaluation.held_out.exact_match == 1
    assert evaluation.overlap == 1
    kept = json.loads((solved.run.path / "evaluation.json").read_text())
    assert kept == {"seed": 0, **json.loads(json.dumps(evaluation.to_json()))}


def test_best_and_last_weights(solved):
    assert isinstance(Solver(solved.run.path, weights="last")("1+1"), str)
    with pytest.raises(UsageError, match="weights: got 'first', but it must be best or last"):
        Solver(solved.run.path, weights="first")


def test_no_run(tmp_path):
    with pytest.raises(RunError, match=r"nowhere: holds no run \(there is no config.json\)"):
        Solver(tmp_path / "nowhere")


def test_the_weights_asked_for_are_those_that_answer(solved, run_copy):
    arrays, state = run_copy.read_arrays("last.safetensors")
    run_copy.write_arrays("last.safetensors", {name: np.zeros_like(array) for name, array in arrays.items()}, state)
    characters = len(solved.codec.vocabulary)
    blank = Solver(run_copy.path, weights="last").answer(["1+1"])[0]
    assert blank.confidence == pytest.approx(characters**-2.0, rel=1e-4)
    assert Solver(run_copy.path).answer(["1+1"]) == solved.answer(["1+1"])


@pytest.mark.parametrize("options", [{"samples": 0}, {"samples": 1.5}, {"seed": -1}])
def test_evaluations_that_are_refused(solved, options):
    [name] = options
    with pytest.raises(UsageError, match=f"{name}: got .*, but it must be a whole number"):
        solved.evaluate(**options)


def test_working_in_the_answer(attentive):
    assert attentive("3+2+1") == "6"
    assert attentive.work("3+2+1") == ["5+1", "6"]
    assert attentive.evaluate().held_out.exact_match > 0.9


def test_working_a_step_a_call(stepping):
    assert stepping("3+2-1") == "4"
    assert stepping.work("3+2-1") == ["5-1", "4"]
    assert stepping.work("3") == ["3"]
    assert stepping(["1-3", "3+2-1"]) == ["-2", "4"]
    calls = [stepping._answer([head])[0].confidence for head in ("3+2", "5-1")]
    assert stepping.answer(["3+2-1"])[0].confidence == pytest.approx(np.prod(calls), rel=1e-4)
    evaluation, test = stepping.evaluate(), stepping.dataset.test
    sources, targets = stepping.codec.decode_sources(test.sources), stepping.codec.decode_targets(test.targets)
    right = [stepping(source) == target for source, target in zip(sources, targets)]
    assert evaluation.held_out.exact_match == sum(right) / 40 > 0.5
    assert evaluation.train_distribution.exact_match > 0.8
    assert evaluation.overlap == 0


def test_a_run_without_working_has_its_answer_alone(solved):
    assert solved.work("3+4") == ["7"]


def test_the_best_few_answers_in_order(attentive, solved):
    answers = attentive.n_best("2+1", 3)
    assert len(answers) == 3 and answers[0] == pytest.approx(attentive.answer(["2+1"])[0])
    assert answers[0].text == "3" and answers[0].confidence > answers[1].confidence >= answers[2].confidence
    most = len(attentive.codec.vocabulary)
    for n in (0, most + 1, 1.5):
        with pytest.raises(UsageError, match=f"n: got {n}, but it must be a whole number from 1 to {most}"):
            attentive.n_best("2+1", n)
    with pytest.raises(UsageError, match=r"n_best: the model of .* writes all characters at once"):
        solved.n_best("3+4", 2)


def test_longer_sources_than_any_trained_on_are_read(stepping):
    source = "1+1-1+1-1+1-1+1-1+1-1+1-1"
    alone = stepping.answer([source])
    together = stepping.answer([source, "3+2", source + "+1"])[0]
    assert together.text == alone[0].text and together.confidence == pytest.approx(alone[0].confidence, rel=1e-4)
    assert stepping.answer(["3+2"] * 3 + [source])[3].text == alone[0].text
    with pytest.raises(SourceError, match="has 100001 characters, but this run reads 100000"):
        stepping("1+" * 50_000 + "1")


def test_pairs_are_scored(solved):
    pairs = Pairs(np.array(["3+4", "1+1"]), np.array(["7", "3"]))
    assert solved.score(pairs) == 0.5


@pytest.fixture(scope="module")
def greeter(tmp_path_factory):
    """A run whose symbols are words."""
    options = {"epochs": 60, "hidden_size": 24, "batch_size": 16, "learning_rate": 0.01, "progress": False}
    return train(Greeting(), tmp_path_factory.mktemp("runs") / "greeter", **options)


def test_symbols_are_read_and_shown(greeter):
    sources = greeter.codec.decode_sources(greeter.dataset.train.sources[:20])
    right = [answer == f"hello {source}" for source, answer in zip(sources, greeter(sources))]
    assert sum(right) > 10
    assert greeter("ann  bob ") == greeter("ann bob") and set(greeter("ann bob").split()) <= set(greeter.task.symbols)
    assert greeter.n_best("ann bob", 2)[0].text == greeter("ann bob") == greeter.work("ann bob")[0]
    assert set(greeter.example.split()) <= {"ann", "bob", "eve", "x"}
    pairs = greeter.task.sample(200, np.random.default_rng(3))
    shown = greeter.task.shown(pairs)
    right = np.mean([greeter(source) == f"hello {source}" == target for source, target in shown])
    assert right > 0 and greeter.score(pairs) == greeter.score(iter(shown)) == right
    assert greeter.score([*shown, *((source, "bob") for source, _ in shown)]) == right / 2


@pytest.mark.parametrize(
    "source, message",
    [
        ("ann zoe", "'ann zoe': 'zoe' is not among the symbols 'ann bob eve hello'"),
        ("ann y", "'y' is not among the characters 'x '"),
        ("ann\ue001", "is a character that no string may have"),
        ("x x x x x", "has 5 characters, but this run reads 4"),
    ],
)
def test_symbols_it_cannot_read(greeter, source, message):
    with pytest.raises(SourceError, match=message):
        greeter(source)


def test_a_space_where_no_source_has_one(tmp_path):
    options = {"epochs": 1, "hidden_size": 4, "progress": False}
    solver = train([(letter, letter) for letter in "abcdef"], tmp_path / "run", **options)
    with pytest.raises(SourceError, match=r"^'a ': has a space, which no source that this run learned has$"):
        solver("a ")
    with pytest.raises(SourceError, match="'g': 'g' is not among the characters 'abcdef '"):
        solver("g")
    assert len(solver("a")) <= 2 and solver.codec.target_length == 2  # all targets have one character


@pytest.mark.parametrize("model", ["attention", "repeat"])
def test_white_space_is_learned_and_answered_like_any_other_symbol(tmp_path, model):
    pairs = [(".-", "a"), ("-...", "b"), ("-.-.", "c"), ("/", " "), (" ", "/"), ("\t", "  "), ("\u3000", "\xa0")]
    options = {"epochs": 150, "hidden_size": 24, "learning_rate": 0.02, "show_every": 0, "model": model}
    data = {"split": "none", "examples": 200, "validation": 20, "test": 20}
    solver = train(pairs, tmp_path / "run", progress=False, **options, **data)
    assert solver([source for source, _ in pairs]) == [target for _, target in pairs]
    assert Solver(solver.run.path)("/") == " " and solver.score(pairs) == 1
    for empty in ("", "\r", "\r "):
        with pytest.raises(SourceError, match=r"^the source is empty$"):
            solver(empty)


def test_what_a_task_accepts_is_scored(tmp_path):
    class Any(PairsTask):
        name = "any"

        def accepts(self, source, answer, target):
            return True

    task = Any.of([(letter, letter) for letter in "abcdef"])
    solver = train(task, tmp_path / "run", epochs=1, hidden_size=4, progress=False)
    assert solver.score(task.list()) == 1


# Texts ----------------------------------------------------------------------------------------------------------------


def test_a_text_is_gone_on_with(reading):
    written = "".join(reading.continued("the ca", 300, seed=1))
    assert len(written) == 300 and set(written) <= set(reading.task.text)
    assert written == "".join(reading.continued("the ca", 300, seed=1))
    assert written != "".join(reading.continued("the ca", 300, seed=2))
    assert written[:200] == "".join(reading.continued("the ca", seed=1))
    known, unknown = {"the", "cat", "and", "a", "dog", "sleep"}, []
    for options in ({"temperature": 0.3}, {"temperature": 5.0}, {"temperature": 5.0, "top_k": 1}):
        text = "".join(reading.continued("the ca", **options))
        unknown.append(len(set(text.replace(".", "").split()[1:-1]) - known))
    assert unknown[0] == unknown[2] == 0 and unknown[1] > 5


def test_the_next_character_after_each_beginning(reading):
    found = reading.expected("the ca")
    assert [answer.text for answer in found] == reading([("the ca")[:end] for end in range(1, 7)])
    assert found[5].text == reading("the ca") == "t" and found[5].confidence > 0.8
    assert reading.work("the ca") == ["t"] and next(reading.continued("the ca", temperature=0)) == "t"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"prefix": ""}, "'': has 0 characters, but the model has to read 1 first"),
        ({"prefix": "th3"}, "'th3': '3' is not among the characters"),
        ({"prefix": 3}, "source: got 3"),
        ({"prefix": "a", "characters": -1}, "characters: got -1"),
        ({"prefix": "a", "temperature": -1.0}, "temperature: got -1.0, but it must be a number from 0"),
        ({"prefix": "a", "temperature": float("nan")}, "temperature: got nan"),
        ({"prefix": "a", "top_k": 0.5}, "top_k: got 0.5"),
        ({"prefix": "a", "seed": None}, "seed: got None"),
    ],
)
def test_what_cannot_be_gone_on_with(reading, options, message):
    with pytest.raises(UsageError, match=message):
        reading.continued(**options)


def test_runs_of_pairs_have_no_text_to_go_on_with(solved):
    for ask in (solved.continued, solved.expected):
        with pytest.raises(UsageError, match="answers sources, and has no text to continue"):
            ask("1+1")


def test_answers_to_what_is_unlike_training_are_marked(solved, attentive, stepping, reading):
    assert [answer.unlike_training for answer in solved.answer(["3+4", "7"])] == [None, "has 1 term; trained on 2"]
    marked = attentive.n_best("4+1", 2)
    assert [each.unlike_training for each in marked] == ["has the number 4; trained on 0 to 3"] * 2
    assert attentive.n_best("3+1", 2)[0].unlike_training is None
    assert stepping.answer(["1+1-1+1-1+1"])[0].unlike_training is None
    assert "trained on" in stepping.answer(["3+3+3+3+3+3+3+3"])[0].unlike_training
    assert reading.answer(["the ca"])[0].unlike_training is None
    text, confidence = answer = solved.answer(["7"])[0]  # an answer is these two
    assert answer == (text, confidence) and "unlike_training='has 1 term" in repr(answer)
    assert pickle.loads(pickle.dumps(answer)).unlike_training == answer.unlike_training


def test_held_out_questions_are_not_marked(attentive, stepping, greeter):
    for solver in (attentive, stepping, greeter):
        held_out = solver.codec.decode_sources(solver.dataset.test.sources)
        assert {answer.unlike_training for answer in solver.answer(held_out)} == {None}


@pytest.mark.parametrize("ask", [
    lambda run: run(5), lambda run: run.answer(None), lambda run: run.answer("1+1"), lambda run: run.tried(5),
    lambda run: run.unmarked({"1+1": 2}), lambda run: run.evaluate_pairs(5), lambda run: run.evaluate_pairs(None),
])  # fmt: skip
def test_what_is_no_list_is_refused_by_the_name_of_the_argument(solved, ask):
    with pytest.raises(UsageError, match=r"^(sources|pairs): got .*, but it must be a list of (strings|pairs)$"):
        ask(solved)
