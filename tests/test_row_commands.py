"""The commands with runs of ratings and of tables."""

import csv
import gzip
import json

import pytest

from tests import tables
from tests.test_scripts import call


def written(path, rows):
    with gzip.open(path, "wt", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


RATINGS = ["--task", "ratings", "--task.user", "who", "--task.item", "what", "--task.rating", "stars"]
QUICK = ["--epochs", 3, "--show-every", 0]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two tables, and a run of each."""
    folder = tmp_path_factory.mktemp("tables")
    header = ("who", "what", "stars")
    written(folder / "films.csv.gz", [header, *tables.ratings(600)[0][1:]])
    written(folder / "cakes.csv.gz", tables.cakes(400))
    result = call("train", *RATINGS, "--task.path", folder / "films.csv.gz", *QUICK, "--run-dir", folder / "films")
    assert result.returncode == 0, result.stderr
    assert "600 rows of ratings: validation 0.05, test 0.1, split pair, model dot" in result.stderr
    assert "held-out RMSE: " in result.stdout and "of regularised biases alone: " in result.stdout
    options = ["--task", "table", "--task.target", "price", "--task.log", "--hidden-size", 8]
    result = call("train", *options, "--task.path", folder / "cakes.csv.gz", *QUICK, "--run-dir", folder / "cakes")
    assert result.returncode == 0, result.stderr
    assert "held-out log price: RMSE" in result.stdout
    return folder


def test_a_pair_is_rated_and_the_best_items_of_a_user_are_listed(files):
    result = call("solve", "--run", files / "films", "u1,film 3", "nobody,film 3", "--json")
    known, unknown = map(json.loads, result.stdout.splitlines())
    assert 1 <= float(known["answer"]) <= 5 and set(known) == {"source", "answer", "value", "unlike_training"}
    assert "unknown user 'nobody'" in unknown["unlike_training"] and "argument 2: unlike training" in result.stderr
    best = call("solve", "--run", files / "films", "u1", "--best", 2).stdout
    assert best.count("film ") == 2 and best.count("(") == 2
    result = call("solve", "--run", files / "films", "u1")
    assert result.returncode == 2 and "has no item" in result.stderr and result.stderr.count("\n") == 1


def test_a_row_is_answered_on_stdin_too(files):
    row = '{"size": "tiny", "taste": "sour", "weight": 500}'
    result = call("solve", "--run", files / "cakes", input=f"nonsense\n{row}\n")
    lines = result.stdout.splitlines()
    assert lines[0] == "" and float(lines[1]) > 0 and result.returncode == 2
    assert "line 1: 'nonsense': is not JSON" in result.stderr
    result = call("solve", "--run", files / "cakes", row, "--best", 2)
    assert result.returncode == 2 and "predicts a number" in result.stderr


def test_both_are_evaluated_and_explained_with_pictures(files, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("films", "cakes"):
        result = call("evaluate", "--run", files / name, "--json", "--plot", tmp_path / "a.png")
        assert json.loads(result.stdout)["held_out"]["n"] > 0, result.stderr
        assert "held" in call("evaluate", "--run", files / name).stdout
        result = call("explain", "--run", files / name, "--embeddings", tmp_path / "b.png")
        assert result.returncode == 0 and "component 1" in result.stdout, result.stderr
        assert all((tmp_path / each).read_bytes().startswith(b"\x89PNG") for each in ("a.png", "b.png"))
    result = call("explain", "--run", files / "films", "--neighbours", "film 3", "u1,film 3")
    assert "the item's bias" in result.stdout and "items, nearest to 'film 3'" in result.stdout
    assert call("explain", "--run", files / "films").stdout.startswith("items by bias")
    order = ",".join(tables.SIZES)
    assert "the order given" in call("explain", "--run", files / "cakes", "--order", order).stdout
    result = call("explain", "--run", files / "cakes", "--order", "tiny")
    assert result.returncode == 2 and "--order: got 'tiny', but it must be two or more names" in result.stderr


def test_both_are_scored_on_another_file_and_the_run_is_left_as_it_is(files, tmp_path):
    before = {path: path.read_bytes() for name in ("films", "cakes") for path in (files / name).iterdir()}
    films = written(tmp_path / "films.csv.gz", [("who", "what", "stars"), ("u1", "film 3", 4), ("nobody", "film 3", 2)])
    cakes = written(tmp_path / "cakes.csv.gz", tables.cakes(50, seed=1))
    result = call("evaluate", "--run", files / "films", "--pairs", films)
    assert "RMSE: " in result.stdout and "of unknown users: 1, of unknown items: 0" in result.stdout, result.stderr
    values = json.loads(call("evaluate", "--run", files / "films", "--pairs", films, "--json").stdout)
    assert [*values] == ["run", "task", "file", "pairs", "by_ratings"] and values["pairs"]["n"] == 2
    result = call("evaluate", "--run", files / "cakes", "--pairs", cakes)
    assert "log price: RMSE " in result.stdout and "rows with an unknown category: 0" in result.stdout, result.stderr
    assert json.loads(call("evaluate", "--run", files / "cakes", "--pairs", cakes, "--json").stdout)["pairs"]["n"] == 50
    assert {path: path.read_bytes() for path in before} == before
    result = call("evaluate", "--run", files / "cakes", "--pairs", films)
    assert result.returncode == 2 and "target: got 'price', but it must be a column of the table: who" in result.stderr


def test_an_order_with_a_name_that_is_not_there_is_refused_with_the_names_that_are(files, tmp_path):
    pytest.importorskip("matplotlib")
    run = ["--run", files / "cakes"]
    there = "among size: huge, large, middling, small, tiny; taste: bitter, sour, sweet\n"
    for more in ([], ["--embeddings", tmp_path / "a.png"]):
        result = call("explain", *run, *more, "--order", "tiny,vast,huge,grim")
        assert (result.returncode, result.stdout) == (2, "") and not (tmp_path / "a.png").exists()
        said = "explain.py: order: got 'tiny,vast,huge,grim', but there is no 'vast' and no 'grim' "
        assert result.stderr == said + there
    result = call("explain", *run, "--order", "tiny,sour")
    assert result.stderr == f"explain.py: order: got 'tiny,sour', but its names belong to different ones {there}"
    result = call("explain", *run, "--order", "tiny,huge,tiny")
    assert result.stderr == "explain.py: order: got 'tiny,huge,tiny', but 'tiny' is twice in it\n"
    result = call("explain", *run, '{"size": "tiny"}', "--order", "tiny,huge")
    assert result.returncode == 2 and "--order: goes with --embeddings, or without SOURCE" in result.stderr


TABLE = ["--task", "table"]


@pytest.mark.parametrize(
    "columns, options, message",
    [
        ({"who": "a", "what": "x", "stars": ["good"]}, RATINGS, "gz:2: has 'good' in the column 'stars'"),
        ({"who": "abb", "what": "xxz", "stars": "912"}, [*RATINGS, "--task.most", 5], "gz:2: has the rating 9, out of"),
        ({"a": ["", "", ""], "y": "123"}, [*TABLE, "--task.target", "y"], "has no column to predict 'y' from"),
        ({"a": "123", "y": "123"}, TABLE, "target: got 'target', but it must be a column of the table: a, y"),
    ],
)
def test_a_file_that_cannot_be_learned_is_refused_in_a_line(tmp_path, columns, options, message):
    path = written(tmp_path / "table.csv.gz", [[*columns], *zip(*columns.values())])
    result = call("train", *options, "--task.path", path, "--run-dir", tmp_path / "run")
    assert result.returncode == 2 and result.stderr.count("\n") == 1 and message in result.stderr
    assert not (tmp_path / "run").exists()
