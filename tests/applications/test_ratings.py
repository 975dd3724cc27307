import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from seq2seq import RunError, Solver, SourceError, UsageError, train
from seq2seq.applications import application_of
from seq2seq.encodings.ratings import RatingsEncoding
from seq2seq.ratings_evaluation import SHRINKAGES, Biases
from seq2seq.recommender import Recommender
from seq2seq.rows import Rows
from seq2seq.tasks.ratings import Ratings
from tests import tables

OPTIONS = {"progress": False, "show_every": 0, "epochs": 12, "penalty": 0.5, "embedding": 2}
ROWS, QUALITY = tables.ratings()


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """A run of ratings. Its folder is not to be changed."""
    return train(Ratings(given=ROWS), tmp_path_factory.mktemp("runs") / "ratings", **OPTIONS)


@pytest.mark.parametrize("model, part", [("dot", 0.85), ("neural", 1)])
def test_what_two_factors_make_is_learned_better_than_by_biases(model, part, tmp_path):
    more, _ = tables.ratings(6000)
    solver = train(Ratings(given=more), tmp_path / "run", model=model, **{**OPTIONS, "epochs": 20})
    score = solver.evaluate().held_out
    assert score.rmse < part * score.biases_rmse < score.mean_rmse


def test_a_run_opens_as_a_recommender_and_answers_the_same(rated):
    again = Solver(rated.run.path)
    assert type(again) is Recommender is type(rated)
    sources = ["u1,film 3", "u2,film 4"]
    assert again(sources) == rated(sources) == [rated(source) for source in sources]
    assert rated('["u1", "film 3"]') == rated("u1,film 3") == f"{rated.rate(['u1'], ['film 3'])[0]:.2f}"
    assert rated(' u1 , "film 3"') == rated('[" u1", "film 3 "]') == rated("u1,film 3")
    assert all(1 <= float(text) <= 5 for text in rated(sources))
    many = [f"u{user},film {film}" for user in range(60) for film in range(40)]
    assert rated(many)[::500] == [rated(source) for source in many[::500]]  # the number of sources changes nothing
    assert rated([]) == []


def test_unknown_names_get_the_mean_of_the_embeddings_and_the_answer_says_so(rated):
    known, user, both = rated.answer(["u1,film 3", "nobody,film 3", "nobody,nothing"])
    assert known.unlike_training is None
    assert user.unlike_training == "has the unknown user 'nobody': rated as the mean of all"
    assert "user 'nobody' and the unknown item 'nothing'" in both.unlike_training
    weights, item = rated.weights, rated.codec.items.index("film 3")
    score = weights["bias"] + weights["user_bias"].mean() + weights["item_bias"][item]
    score = score + weights["user_embedding"].mean(axis=0) @ weights["item_embedding"][item]
    assert user.value == pytest.approx(float((1 + 4 / (1 + np.exp(-score)))[0]), abs=1e-5)


def test_the_best_items_of_a_user_are_those_with_the_highest_ratings(rated):
    best = rated.n_best("u1", 3)
    ratings = rated.rate(["u1"] * len(rated.codec.items), rated.codec.items)
    assert [each.value for each in best] == sorted(ratings.tolist(), reverse=True)[:3]
    assert len(rated.n_best("u1", 1000)) == len(rated.codec.items)
    assert rated.n_best("nobody", 1)[0].unlike_training


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda run: run("u1"), "'u1': has no item; a pair is USER,ITEM"),
        (lambda run: run("u1,film 3,4"), "is neither USER,ITEM nor JSON"),
        (lambda run: run('{"user": "u1", "item": "film 3"}'), "is neither USER,ITEM nor JSON"),
        (lambda run: run.n_best('{"user": "u1"}', 2), "is neither USER,ITEM nor JSON"),
        (lambda run: run(""), "is neither USER,ITEM nor JSON"),
        (lambda run: run('["u1"'), "is neither USER,ITEM nor JSON"),
        (lambda run: run('["u1", true]'), "is neither USER,ITEM nor JSON"),
        (lambda run: run('u1,"film'), "is neither USER,ITEM nor JSON"),
        (lambda run: run.n_best("u1,film 3", 2), "has an item too; the best items are those of a user alone"),
    ],
)
def test_a_source_that_is_no_pair_is_refused(rated, ask, message):
    with pytest.raises(SourceError, match=message):
        ask(rated)


def test_what_a_run_of_ratings_does_not_have_is_refused(rated):
    for ask in (rated.work, rated.expected, rated.continued):
        with pytest.raises(UsageError):
            ask("u1,film 3")
    with pytest.raises(UsageError, match="n: got 0"):
        rated.n_best("u1", 0)
    with pytest.raises(UsageError, match="source: got 5, but it must be a string"):
        rated.answer([5])
    for ask, message in (
        (lambda: rated(None), "sources: got None, but it must be a list of strings"),
        (lambda: rated.answer("u1,film 3"), "sources: got 'u1,film 3', but it must be a list of strings"),
        (lambda: rated.rate("u1", "film 3"), "users: got 'u1', but it must be a list of strings"),
        (lambda: rated.rate(["u1"], [None]), "item: got None, but it must be a string"),
        (lambda: rated.rate(["u1"], []), r"items: got \[\], but it must be as many as the users, 1"),
        (lambda: rated.unlike("u1", 5), "item: got 5, but it must be a string"),
        (lambda: rated.predict(5), "arrays: got 5, but it must be one row or more of each of user, item"),
        (lambda: rated.overview(5), "orders: got 5, but it must be a list of orders"),
    ):
        with pytest.raises(UsageError, match=f"^{message}"):
            ask()
    assert len(rated.rate([], [])) == 0
    with pytest.raises(UsageError, match=r"plot: an answer of .* has no steps to draw"):
        rated.plot("u1,film 3", "a.png")


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path):
    options = {**OPTIONS, "model": "neural", "dropout": 0.2, "schedule": "constant", "warmup_steps": 0}
    whole = train(Ratings(given=ROWS), tmp_path / "whole", **{**options, "epochs": 4})
    train(Ratings(given=ROWS), tmp_path / "parts", **{**options, "epochs": 2})
    parts = train(None, tmp_path / "parts", resume=True, epochs=4, progress=False)
    for name, array in whole.weights.items():
        assert (array == parts.weights[name]).all()
    assert [row["validation_loss"] for row in whole.run.read_metrics()] == [
        row["validation_loss"] for row in parts.run.read_metrics()
    ]


def test_a_run_folder_is_complete_in_itself_and_holds_plain_values(rated, tmp_path):
    shutil.copytree(rated.run.path, tmp_path / "copy")
    moved = Solver(tmp_path / "copy")
    assert moved.evaluate().held_out == rated.evaluate().held_out
    values = json.loads((tmp_path / "copy" / "config.json").read_text())
    assert values["data_outline"]["users"] == list(rated.codec.users)
    (tmp_path / "copy" / "table.csv.gz").unlink()
    without = Solver(tmp_path / "copy")
    assert without("u1,film 3") == rated("u1,film 3")  # answering reads no data
    with pytest.raises(RunError, match="the table it was trained on is not there"):
        _ = without.dataset


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda outline: outline.update(users=["b", "a"]), "its names are not a list of strings"),
        (lambda outline: outline.update(least=9), "its range is not one of ratings"),
        (lambda outline: outline.pop("items"), "it lacks 'items'"),
        (lambda outline: outline.update(users=outline["users"][1:]), "holds the weights of another model"),
    ],
)
def test_an_outline_that_was_edited_is_refused(rated, tmp_path, damage, message):
    shutil.copytree(rated.run.path, tmp_path / "copy")
    path = tmp_path / "copy" / "config.json"
    values = json.loads(path.read_text())
    damage(values["data_outline"])
    path.write_text(json.dumps(values))
    with pytest.raises(RunError, match=message):
        Solver(tmp_path / "copy")


def test_an_evaluation_has_both_baselines_and_groups_by_how_often_an_item_was_rated(rated):
    evaluation = rated.evaluate()
    score = evaluation.held_out
    train_ratings, test_ratings = (part.arrays["rating"] for part in (rated.dataset.train, rated.dataset.test))
    assert score.mean_rmse == pytest.approx(np.sqrt(np.mean((test_ratings - train_ratings.mean()) ** 2)))
    assert score.rmse < score.biases_rmse < score.mean_rmse
    assert sum(group.n for group in evaluation.by_ratings.values()) == score.n == 150
    assert set(evaluation.by_ratings) <= {
        "never", "1 to 4 times", "5 to 19 times", "20 to 79 times", "80 times or more",
    }  # fmt: skip
    assert json.loads(json.dumps(evaluation.to_json()))["held_out"]["rmse"] == score.rmse
    assert any("20 to 79 times" in line for line in rated.application.report(evaluation))


def test_biases_are_those_of_alternating_least_squares():
    encoding = RatingsEncoding(("a", "b"), ("x", "y"), 1.0, 5.0, 3.0, 4)
    arrays = encoding.arrays(["a", "a", "b", "b"], ["x", "y", "x", "y"], np.array([5.0, 3, 3, 1]))
    rows = Rows(arrays, np.arange(4))
    biases = Biases(encoding, rows, rows)
    rated_by_unknown = biases(encoding.arrays(["c"], ["z"], np.zeros(1)))
    assert rated_by_unknown == [3]
    shrunk = 2 / (2 + SHRINKAGES[0])  # of a bias of 1, with two ratings
    assert biases(arrays) == pytest.approx([3 + 2 * shrunk, 3, 3, 3 - 2 * shrunk], abs=0.01)


def test_items_are_listed_by_bias_with_the_severity_of_users_taken_out(rated):
    biases = rated.weights["item_bias"][:, 0]
    true = [QUALITY[int(name.removeprefix("film "))] for name in rated.codec.items]
    assert np.corrcoef(biases, true)[0, 1] > 0.9
    lines = rated.overview()
    assert lines[0] == "items by bias, with the severity of their users taken out"
    assert repr(rated.codec.items[biases.argmin()]) in lines[1] and repr(rated.codec.items[biases.argmax()]) in lines[2]
    assert any(line.startswith("items, component 1:") for line in lines)
    assert {name: len(each.symbols) for name, each in rated.embeddings().items()} == {"users": 60, "items": 40}


def test_the_terms_of_a_rating_add_up(rated):
    lines = rated.explain("u1,film 3")
    terms = [float(line.split()[0]) for line in lines[1:6]]
    assert sum(terms[:4]) == pytest.approx(terms[4], abs=0.003)
    assert lines[0] == f"u1,film 3 -> {rated('u1,film 3')}"
    assert "unlike training" in rated.explain("nobody,film 3")[-1]


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"model": "repeat", "embedding": 0, "penalty": 0},
            "model: repeat does not read ratings; they are read by one of dot, neural",
        ),
        ({"hidden_size": 8}, "hidden_size: got 8, but it must be left out with the model dot"),
        ({"split": "expression"}, "split: got 'expression', but it must be row or pair for ratings"),
        ({"examples": 10}, "examples: got 10, but it must be absent where a table is read"),
        ({"penalty": -1}, "penalty: got -1, but it must be a number from 0"),
        ({"validation_sets": {"few": []}}, "validation_sets few: pairs: the rows of a table are read"),
    ],
)
def test_options_that_do_not_go_with_ratings_are_refused_and_nothing_is_written(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        train(Ratings(given=ROWS), tmp_path / "run", **{**OPTIONS, **options})
    assert not (tmp_path / "run").exists()


def test_three_ratings_are_enough_and_two_too_few(tmp_path):
    few = [("a", "x", 1), ("b", "y", 2), ("b", "x", 2)]
    assert train(Ratings(given=[ROWS[0], *few]), tmp_path / "few", progress=False, epochs=1).evaluate().held_out.n == 1
    with pytest.raises(UsageError, match="ratings: has 2 rows, but three are the least"):
        train(Ratings(given=[ROWS[0], ("a", "x", 1), ("b", "y", 2)]), tmp_path / "run", progress=False)


def test_an_embedding_of_ratings_has_a_value(tmp_path):
    with pytest.raises(UsageError, match="embedding: got 0, but it must be a whole number from 1"):
        train(Ratings(given=ROWS), tmp_path / "run", **{**OPTIONS, "embedding": 0})


def test_all_ratings_of_a_pair_are_on_one_side(tmp_path):
    again = [(user, item, "1") for user, item, _ in ROWS[1:400]]  # the same users rate the same items once more
    task = Ratings(given=[*ROWS, *again])
    sides = {}
    for split in ("pair", "row"):
        dataset = train(task, tmp_path / split, **{**OPTIONS, "epochs": 1, "split": split}).dataset
        parts = (dataset.train, dataset.validation, dataset.test)
        sides[split] = [{*zip(part.arrays["user"].tolist(), part.arrays["item"].tolist())} for part in parts]
        assert sorted(np.concatenate([part.places for part in parts])) == [*range(len(ROWS) - 1 + len(again))]
    trained, chosen, held_out = sides["pair"]
    assert held_out and chosen and not trained & (held_out | chosen) and not chosen & held_out
    trained, _, held_out = sides["row"]
    assert trained & held_out


def test_the_split_by_pair_is_the_default_and_without_repeated_pairs_that_of_rows():
    once = [ROWS[0], *{row[:2]: row for row in ROWS[1:]}.values()]
    for rows, same in ((once, True), (ROWS, False)):
        task = Ratings(given=rows)
        application = application_of(task)
        config = application.choose(task, {})
        assert config.data.split == "pair"
        datasets = [
            application.build_dataset(task, replace(config.data, split=split), 0, None, (), print).fingerprint
            for split in task.keys
        ]
        assert (datasets[0] == datasets[1]) is same


def test_a_run_is_scored_on_other_ratings(rated, tmp_path):
    held_out = [ROWS[1 + place] for place in rated.dataset.test.places]
    evaluation = rated.evaluate_pairs([ROWS[0], *held_out])
    assert evaluation.score == rated.evaluate().held_out and evaluation.by_ratings == rated.evaluate().by_ratings
    assert (evaluation.overlap, evaluation.unknown_users, evaluation.unknown_items) == (0, 0, 0)
    trained = ROWS[1 + rated.dataset.train.places[0]]
    path = tmp_path / "more.csv"
    path.write_text("when,rating,item,user\n" + f"x,9,{trained[1]},{trained[0]}\n" + f"y,4,{trained[1]},nobody\n")
    evaluation = rated.evaluate_pairs(path)
    assert (evaluation.score.n, evaluation.overlap, evaluation.unknown_users) == (2, 0.5, 1)
    one = rated.evaluate_pairs([ROWS[0], ("nobody", "nothing", "3")])
    assert one.score.n == 1 and [*one.by_ratings] == ["never"] and one.unknown_items == 1
    for rows, message in (
        (None, "pairs: got None, but it must be a list of rows"),
        ([ROWS[0]], "table: has no rows below its header"),
        (
            [("user", "item"), ("u1", "film 3")],
            "rating: got 'rating', but it must be a column of the table: user, item",
        ),
        ([ROWS[0], ("u1", "film 3", "good")], "row 2: has 'good' in the column 'rating'"),
    ):
        with pytest.raises(UsageError, match=f"^{message}"):
            rated.evaluate_pairs(rows)
