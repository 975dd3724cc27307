import json
import shutil

import numpy as np
import pytest

from seq2seq import RunError, Solver, SourceError, UsageError, train
from seq2seq.applications import application_of
from seq2seq.encodings.table import Number, TableEncoding, Target
from seq2seq.estimator import Estimator
from seq2seq.explaining import order_correlation, principal_components
from seq2seq.tasks.table import Table
from tests import tables

OPTIONS = {"progress": False, "show_every": 0, "epochs": 15, "hidden_size": 16, "batch_size": 64}
ROWS = tables.cakes()
CAKE = '{"size": "large", "taste": "sour", "weight": 480}'


def cakes(**options):
    return Table(given=ROWS, **{"target": "price", "log": True, **options})


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    """A run of a table. Its folder is not to be changed."""
    return train(cakes(), tmp_path_factory.mktemp("runs") / "cakes", **OPTIONS)


@pytest.fixture(scope="module")
def classed(tmp_path_factory):
    """A run of a table whose target is a class."""
    return train(cakes(target="size", log=False), tmp_path_factory.mktemp("runs") / "sizes", **OPTIONS)


def test_a_number_is_learned_to_near_the_noise_and_the_hidden_order_shows(priced):
    score = priced.evaluate().held_out
    assert score.values["rmse"] < 0.2 < 0.7 < score.alone["rmse"] and score.values["r2"] > 0.9
    symbols, vectors = priced.embeddings()["size"]
    coordinates, _ = principal_components(vectors)
    assert abs(order_correlation(symbols, coordinates, tables.SIZES)[0]) > 0.99
    lines = priced.overview([tables.SIZES])
    assert any(line.startswith("size, component 1:") and "the order given" in line for line in lines)


def test_a_run_opens_as_an_estimator_and_answers_the_same(priced):
    again = Solver(priced.run.path)
    assert type(again) is Estimator is type(priced)
    assert again(CAKE) == priced(CAKE) == priced([CAKE])[0]
    [estimate] = priced.answer([CAKE])
    assert estimate.unlike_training is None and float(estimate.text) == pytest.approx(estimate.value, rel=1e-5)
    assert estimate.value == pytest.approx(np.exp(1 + 1.5 - 0.05), rel=0.3)
    assert priced(priced.example)


def test_a_class_is_learned_with_probabilities(classed):
    score = classed.evaluate().held_out
    assert score.values["accuracy"] > 0.5 > 0.3 > score.alone["accuracy"]
    row = '{"price": 3, "taste": "sour", "weight": 500}'
    best = classed.n_best(row, 9)
    assert {each.text for each in best} == set(tables.SIZES) and best[0].text == classed(row)
    assert sum(each.value for each in best) == pytest.approx(1, abs=1e-5)
    assert [each.value for each in best] == sorted((each.value for each in best), reverse=True)


def test_an_unknown_category_gets_the_mean_of_the_embeddings_and_the_answer_says_so(priced):
    row = priced.prepare('{"size": "vast", "taste": "sour", "weight": 480}')
    assert priced.unlike(row) == "has the unknown size 'vast': read as the mean of all"
    width = priced.weights["column0_embedding"].shape[1]
    np.testing.assert_allclose(priced.features([row])[0, :width], priced.weights["column0_embedding"].mean(axis=0))
    assert priced.answer([CAKE.replace("large", "vast")])[0].unlike_training
    assert priced.answer([CAKE.replace("480", "9999")])[0].unlike_training.startswith("has weight 9999; trained on")
    [both] = priced.answer(['{"size": "vast", "taste": "grim", "weight": 9999}'])
    vast, grim, heavy = both.unlike_training.split(", and ")
    assert vast == "has the unknown size 'vast': read as the mean of all" and "the unknown taste 'grim'" in grim
    assert heavy.startswith("has weight 9999; trained on")
    assert priced.answer([CAKE.replace("480", "null")])[0].unlike_training is None  # it is sometimes missing
    assert "the unknown taste missing value" in priced.answer(['{"size": "tiny", "weight": 480}'])[0].unlike_training


@pytest.mark.parametrize(
    "source, message",
    [
        ("large", "is not JSON such as"),
        ('["large"]', "is not JSON such as"),
        ('{"weight": 5, "size": "tiny", "weight": 6}', r"'\{\"weight\": 5, \"size\": .*: has 'weight' twice$"),
        ('{"sort": 5}', "has 'sort', but the columns are size, taste, weight"),
        ('{"weight": "heavy"}', "its weight is not a number"),
        ('{"weight": true}', "its weight is not a number"),
        ('{"size": ["large"]}', "its size is neither text nor a number"),
    ],
)
def test_a_source_that_is_no_row_is_refused(priced, source, message):
    with pytest.raises(SourceError, match=message):
        priced(source)


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda run: run(5), "sources: got 5, but it must be a list of strings"),
        (lambda run: run(None), "sources: got None, but it must be a list of strings"),
        (lambda run: run.answer(CAKE), "sources: got .*, but it must be a list of strings"),
        (lambda run: run.tried(5), "sources: got 5, but it must be a list of strings"),
        (lambda run: run.explain([CAKE]), "source: got .*, but it must be a string"),
        (lambda run: run.unlike(5), "row: got 5, but it must be a dict of cells by column"),
        (lambda run: run.unlike({"weight": "heavy"}), "row: its weight is not a number"),
        (lambda run: run.features(5), "rows: got 5, but it must be a list of rows"),
        (lambda run: run.features({"size": "tiny"}), "rows: got .*, but it must be a list of rows"),
        (lambda run: run.features([None]), "row: got None, but it must be a dict of cells by column"),
        (lambda run: run.features([{5: "tiny"}]), "row: has 5, but the columns are size, taste, weight"),
        (
            lambda run: run.features(places=[2000]),
            r"places: got \[2000\], but it must be positions of rows",
        ),
        (lambda run: run.features(places=["a"]), "places: got .*, but it must be positions of rows from 0 to 1999"),
        (lambda run: run.predict({}), "arrays: got {}, but it must be one row or more of each of categories, numbers"),
        (lambda run: run.overview("tiny"), "orders: got 'tiny', but it must be a list of orders, each a list of names"),
        (lambda run: run.overview([[5, "tiny"]]), "order: got .*, but it must be two names or more"),
    ],
)
def test_values_of_a_wrong_type_are_refused_in_a_line(priced, ask, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        ask(priced)


def test_a_row_may_lack_columns_and_may_have_the_numbers_of_numpy(priced):
    first, second = priced.features([{"size": "tiny", "weight": np.int64(480)}, priced.prepare('{"size": "tiny"}')])
    assert (first[:-2] == second[:-2]).all() and second[-1] == 1 != first[-1]
    assert len(priced.features([])) == len(priced.features(places=[])) == 0


def test_running_means_are_in_the_run_and_an_interrupted_run_goes_on_to_the_same_bits(tmp_path):
    options = {**OPTIONS, "dropout": 0.2, "schedule": "constant", "warmup_steps": 0}
    whole = train(cakes(), tmp_path / "whole", **{**options, "epochs": 4})
    train(cakes(), tmp_path / "parts", **{**options, "epochs": 2})
    parts = train(None, tmp_path / "parts", resume=True, epochs=4, progress=False)
    assert {"layer0_norm_moving_mean", "numbers_norm_moving_var"} <= set(whole.weights)
    for name, array in whole.weights.items():
        assert (array == parts.weights[name]).all(), name
    assert abs(whole.weights["layer0_norm_moving_mean"]).max() > 0


def test_a_run_folder_is_complete_in_itself_and_holds_plain_values(priced, tmp_path):
    shutil.copytree(priced.run.path, tmp_path / "copy")
    moved = Solver(tmp_path / "copy")
    assert moved.evaluate().held_out == priced.evaluate().held_out
    (tmp_path / "copy" / "table.csv.gz").unlink()
    assert Solver(tmp_path / "copy")(CAKE) == priced(CAKE)  # answering reads no data


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda outline: outline["numbers"][0].update(scale=0), "a scale is not one of numbers"),
        (lambda outline: outline["numbers"][0].update(least="0"), "a range is not one of numbers"),
        (lambda outline: outline["numbers"][0].update(flagged="yes"), "a flag is neither true nor false"),
        (lambda outline: outline["numbers"][0].update(more=1), "is damaged"),
        (lambda outline: outline.update(numbers=[], categories=[]), "no column is read"),
        (lambda outline: outline.update(categories=5), "is damaged"),
        (lambda outline: outline["categories"][0].update(name=5), "a name is not a string"),
        (lambda outline: outline["target"].pop("log"), "is damaged"),
    ],
)
def test_an_outline_that_was_edited_is_refused(priced, tmp_path, damage, message):
    shutil.copytree(priced.run.path, tmp_path / "copy")
    path = tmp_path / "copy" / "config.json"
    values = json.loads(path.read_text())
    damage(values["data_outline"])
    path.write_text(json.dumps(values))
    with pytest.raises(RunError, match=message):
        Solver(tmp_path / "copy")


def test_an_edited_scale_is_noticed_when_the_data_are_made_again(priced, tmp_path):
    shutil.copytree(priced.run.path, tmp_path / "copy")
    path = tmp_path / "copy" / "config.json"
    values = json.loads(path.read_text())
    values["data_outline"]["numbers"][0]["mean"] += 1
    path.write_text(json.dumps(values))
    with pytest.raises(RunError, match="its data_outline does not match its data"):
        _ = Solver(tmp_path / "copy").dataset


def test_the_scale_is_that_of_the_training_rows_and_a_missing_number_has_a_flag(priced):
    dataset = priced.dataset
    weights = np.array([float(row[3] or "nan") for row in ROWS[1:]])
    [number] = priced.codec.numbers
    trained = weights[dataset.train.places]
    assert number.mean == pytest.approx(np.nanmean(trained)) and number.scale == pytest.approx(np.nanstd(trained))
    values, flags = dataset.test.arrays["numbers"].T
    missing = np.isnan(weights[dataset.test.places])
    assert missing.any() and (flags == missing).all() and (values[missing] == 0).all()


def test_an_encoding_is_the_same_from_json_and_numbers_come_back():
    target = Target.of_numbers("y", True, np.array([1.0, 10.0, 100.0]))
    assert target.restored(target.standardised(np.array([1.0, 10.0]))) == pytest.approx([1, 10])
    assert Number.of("x", np.array([2.0, np.nan, 2.0])) == Number("x", 2.0, 1.0, 2.0, 2.0, True)
    encoding = TableEncoding((), (Number.of("x", np.array([1.0, 3.0])),), target)
    assert TableEncoding.from_json(json.loads(json.dumps(encoding.to_json()))) == encoding


def test_what_a_run_of_a_table_does_not_have_is_refused(priced):
    with pytest.raises(UsageError, match=r"n_best: .* predicts a number: it has one answer"):
        priced.n_best(CAKE, 2)
    numbers = Table(given=[("a", "b"), *((i % 7, i) for i in range(50))], target="b")
    with pytest.raises(UsageError, match="its table has no categories"):
        train(numbers, priced.run.path.parent / "numbers", **OPTIONS).overview()


def table(*rows, **options):
    return Table(given=[("a", "b", "y"), *rows], **{"target": "y", **options})


@pytest.mark.parametrize(
    "task, message",
    [
        (lambda: table((1, 2, ""), (1, 3, "")).require_learnable(), "table: the column 'y' is empty"),
        (lambda: table((1, 2, 5), (1, 3, "")).targets, "row 3: has no value in the column 'y'"),
        (lambda: table((1, 2, 5), (1, 3, 5)).require_learnable(), "has only '5' in the column 'y' to learn"),
        (lambda: table((1, 2, 5), (2, 3, 0), log=True).targets, "row 3: has 0 in the column 'y', which has no log"),
        (lambda: table((1, 2, "x"), (1, 3, "z"), log=True).targets, "has no numbers to take the logarithm of"),
        (lambda: table((1, 2, 5), (2, 3, 6), (3, 4, 7), ("4;0", 4, 7)).read,
         "row 5: has '4;0' in the column 'a', which is not a number up to 1e+30, though most are"),
        (lambda: table(("", 2, 5), ("", 2, 6)).read, "has no column to predict 'y' from"),
        (lambda: table((1, 2, 5), leave="c").require_learnable(),
         "leave: got 'c', but it must be a column of the table: a, b, y"),
        (lambda: table((1, 2, 5), categories="c").require_learnable(),
         "categories: got 'c', but it must be a column of"),
        (lambda: table(leave="y"), "leave: got 'y', but it must be without the target"),
        (lambda: table(categories="b, y"), "categories: got 'b, y', but it must be without the target; with --task.c"),
        (lambda: table(*((n, 2, f"n{n // 3 if n < 6 else n}") for n in range(10))).require_learnable(),
         "table: the column 'y' has 6 different values in 10 rows, too many for classes: a class needs several rows"),
        (lambda: table(log=True, classes=True), "log: got True, but it must be left out for a target of classes"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_learned_is_refused_in_a_line(task, message):
    with pytest.raises(UsageError) as error:
        task()
    assert message in str(error.value) and "\n" not in str(error.value)


def test_an_empty_column_and_a_single_category_are_left_out_and_told():
    task = Table(given=[("a", "b", "c", "y"), ("", "x", 1, 5), ("NA", "x", 2, 6)], target="y")
    assert task.read == {"c": "numbers"}
    assert task.notes == (
        "the column 'a' is empty, and left out", "the column 'b' has the one value 'x', and is left out",
    )  # fmt: skip


def test_a_target_has_at_most_half_as_many_classes_as_rows():
    table(*((n, 2, f"n{n // 2}") for n in range(10))).require_learnable()
    table((1, 2, "x"), (2, 3, "y"), (3, 3, "z")).require_learnable()


def test_numbers_can_be_categories_and_classes():
    task = table((1, 2, 5), (2, 3, 6), categories="a", classes=True)
    assert task.read == {"a": "categories", "b": "numbers"} and task.targets == ["5", "6"]


def test_rows_with_equal_columns_are_on_one_side(tmp_path):
    twice = [*ROWS[:301], *((number, *row[1:-1], "9") for number, row in enumerate(ROWS[1:101]))]
    task = Table(given=twice, target="price")
    assert any(cell == "" for cell in task.columns.cells["weight"][:100])  # a missing number is equal to another
    for split, together in (("columns", True), ("row", False)):
        dataset = train(task, tmp_path / split, **{**OPTIONS, "epochs": 1, "split": split}).dataset
        side = np.empty(400, int)
        for number, part in enumerate((dataset.train, dataset.validation, dataset.test)):
            side[part.places] = number
        assert (side[:100] == side[300:]).all() == together


def test_a_table_is_split_by_its_columns_unless_most_rows_repeat_others():
    application = application_of(cakes())
    assert application.choose(cakes(), {}).data.split == "columns"
    assert application.choose(cakes(leave="weight"), {}).data.split == "row"


def test_a_run_is_scored_on_other_rows(priced, classed):
    for run in (priced, classed):
        held_out = [ROWS[1 + place] for place in run.dataset.test.places]
        evaluation = run.evaluate_pairs([ROWS[0], *held_out])
        assert evaluation.score == run.evaluate().held_out
        assert (evaluation.unknown, evaluation.overlap) == (0, 0)
    trained = dict(zip(ROWS[0], ROWS[1 + priced.dataset.train.places[0]]))
    names = ("price", "taste", "size", "weight")  # in another order, and each category or number only once
    rows = [names, [trained[name] for name in names]]
    assert priced.evaluate_pairs(rows).overlap == 1
    rows[1][2] = "vast"
    evaluation = priced.evaluate_pairs(rows)
    assert (evaluation.score.n, evaluation.unknown, evaluation.overlap) == (1, 1, 0)
    for run, table, message in (
        (priced, [("price", "taste", "size"), (1, "sour", "tiny")], "table: has no column 'weight', which the model"),
        (priced, [names, (1, "sour", "tiny", "heavy")], "row 2: has 'heavy' in the column 'weight', which is not a"),
        (priced, [names, ("", "sour", "tiny", 500)], "table: the column 'price' is empty"),
        (priced, [names, (0, "sour", "tiny", 500)], "row 2: has 0 in the column 'price', which has no logarithm"),
        (classed, [names, (1, "sour", "tiny", 500), (1, "sour", "vast", 500)], "row 3: has the class 'vast', which is"),
    ):
        with pytest.raises(UsageError, match=f"^{message}"):
            run.evaluate_pairs(table)


def test_rows_of_a_class_that_is_not_the_runs_are_not_mixed_in(tmp_path):
    task = cakes(target="size", log=False)
    other = Table(given=[ROWS[0], ("1", "vast", "sour", "500", "3"), *ROWS[1:20]], target="size")
    [portion] = train(task, tmp_path / "run", mix=[(other, 0.25)], **{**OPTIONS, "epochs": 1}).dataset.mixed
    assert portion.unknown == 1 and len(portion.examples) + portion.held_out == 19


def test_categories_among_the_columns_that_are_left_out_are_refused_before_the_training(tmp_path):
    with pytest.raises(UsageError, match=r"^categories: got 'weight', but it must be a column that is not left out$"):
        train(cakes(leave="weight", categories="weight"), tmp_path / "run", **OPTIONS)
    assert not (tmp_path / "run").exists()


def test_a_run_that_leaves_out_a_column_keeps_nothing_of_it_and_needs_it_no_more(tmp_path):
    run = train(cakes(leave="weight"), tmp_path / "run", **{**OPTIONS, "epochs": 1})
    assert "weight" not in Solver(run.run.path).task.columns.cells and run.evaluate().held_out.n
    assert train(None, tmp_path / "run", resume=True, epochs=2, progress=False).evaluate().held_out.n
    assert run.evaluate_pairs([("size", "taste", "price"), ("tiny", "sour", 3)]).score.n == 1
