import gzip
import pickle

import pytest

from seq2seq import UsageError
from seq2seq.errors import DataError
from seq2seq.tasks.ratings import Ratings
from seq2seq.tasks.tables import as_number
from tests.tasks.test_files import written

HEADER = "user,item,rating\n"
ROWS = 'ann,"Alien, 1979",5\nbob,Up,1.5\nann,Up,2\n'


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.csv", HEADER + ROWS),
        ("a.tsv", "rating\tuser\titem\n5\tann\tAlien, 1979\n1.5\tbob\tUp\n2\tann\tUp\n"),
        ("a.csv.gz", '"","user","when","item","rating"\n1,ann,,"Alien, 1979",5\n2,bob,x,Up,1.5\n3,ann,,Up,2\n'),
    ],
)
def test_the_columns_of_a_table_are_found_by_their_names(tmp_path, name, content):
    known = Ratings(written(tmp_path, name, content)).known
    assert (known.users, known.items) == (["ann", "bob", "ann"], ["Alien, 1979", "Up", "Up"])
    assert known.ratings.tolist() == [5, 1.5, 2]


def test_a_run_keeps_the_columns_that_it_uses(tmp_path):
    task = Ratings(written(tmp_path, "a.csv", "x," + HEADER + ROWS.replace("ann", "7,ann").replace("bob", "8,bob")))
    assert task.keep() == '"user","item","rating"\n"ann","Alien, 1979","5"\n"bob","Up","1.5"\n"ann","Up","2"\n'
    again = Ratings.restored(task.options(), task.keep())
    assert again.known.users == task.known.users and again.keep() == task.keep()
    assert pickle.loads(pickle.dumps(again)).options() == task.options()
    with pytest.raises(ValueError, match="the table it was trained on is not there"):
        Ratings.restored(task.options(), None)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "a.csv: has no header with the names of its columns"),
        (HEADER, "a.csv: has no rows below its header"),
        ("user,item,item\nann,Up,3\n", "a.csv: has two columns with the name 'item'"),
        ("who,item,rating\nann,Up,3\n", "user: got 'user', but it must be a column of the table: who, item, rating"),
        ("\x7fELF\x02\n", r"user: got 'user', but it must be a column of the table: '\x7fELF\x02'"),
        ("user,\0\n", "a.csv:1: has a zero byte, so this is not a file of text"),
        (HEADER + "ann,Up\n", "a.csv:2: has 2 cells, but the header has 3"),
        (HEADER + 'ann,"Up,3\n', "a.csv:2: is not CSV"),
        (HEADER + "ann,Up,\nbob,Up,NA\n", "a.csv: the column 'rating' is empty"),
        (HEADER + "ann,Up,4\n,Up,3\n", "a.csv:3: has no value in the column 'user'"),
        (HEADER + "ann,Up,good\nbob,Us,bad\n", "a.csv:2: has 'good' in the column 'rating', which is not a number"),
        (HEADER + "ann,Up,inf\nbob,Us,1\n", "a.csv:2: has 'inf' in the column 'rating', which is not a number"),
        (HEADER + "ann,Up,1\nann,Us,2\n", "a.csv: has only 'ann' in the column 'user', but two are needed"),
        (HEADER + "ann,Up,2\nbob,Us,2\n", "a.csv: all ratings are 2, so there is nothing to learn"),
    ],
)
def test_a_table_that_cannot_be_learned_is_refused_in_a_line_that_names_the_place(tmp_path, content, message):
    with pytest.raises(UsageError) as error:
        Ratings(written(tmp_path, "a.csv", content)).require_learnable()
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_rating_out_of_range_is_refused_with_its_line(tmp_path):
    path = written(tmp_path, "a.csv", HEADER + "ann,Up,4\nbob,Us,7\n")
    with pytest.raises(UsageError, match=r"a.csv:3: has the rating 7, out of the range 1 to 5"):
        _ = Ratings(path, least=1, most=5).known
    assert len(Ratings(path, least=1, most=7).known.ratings) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"user": "item"}, "user: got 'item', but it must be another column than the other two"),
        ({"rating": ""}, "rating: got '', but it must be the name of a column"),
        ({"least": 5, "most": 5}, "least: got 5, but it must be below most, 5"),
        ({"most": "high"}, "most: got 'high', but it must be a number"),
        ({"given": "ann"}, "given: got 'ann', but it must be rows of cells"),
        ({"given": [5]}, "given: got 5, but it must be rows of cells"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Ratings(**options)


def test_the_file_must_be_there_and_be_a_table(tmp_path):
    with pytest.raises(UsageError, match="path: got '', but it must be the file of the task ratings"):
        _ = Ratings().known
    with pytest.raises(UsageError, match=r"path: got 'a.txt', but it must end in one of .csv, .tsv, each perhaps"):
        _ = Ratings("a.txt").known
    with pytest.raises(DataError, match="folder: does not exist"):
        _ = Ratings("folder").known
    with gzip.open(tmp_path / "a.csv.gz", "wb") as file:
        file.write(b"user,\xff")
    with pytest.raises(UsageError, match="is not UTF-8"):
        _ = Ratings(tmp_path / "a.csv.gz").known


def test_users_and_items_with_a_single_rating_are_told(tmp_path):
    rows = [("user", "item", "rating"), ("ann", "Up", 1), ("ann", "Us", 2), ("bob", "Up", 3), ("cid", "Us", 3)]
    assert Ratings(given=rows).notes == (
        "2 users have a single rating each: if it is held out, nothing is known of them",
    )


@pytest.mark.parametrize(
    "cell, number", [("1e30", 1e30), ("-1e31", None), ("1e999", None), ("nan", None), ("1_0", None)]
)
def test_a_number_is_one_that_a_network_can_compute_with(cell, number):
    assert as_number(cell) == number
