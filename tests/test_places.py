import os

from seq2seq import PairsTask, Solver, Text
from seq2seq.places import Place


def test_a_path_is_shown_as_it_was_given_where_that_leads_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = Place("runs/a")
    assert str(place.path) == "runs/a"
    os.chdir("/")
    assert place.path == tmp_path / "runs/a"
    assert str(Place(tmp_path).path) == str(tmp_path)


def test_a_folder_that_is_no_more_is_no_reason_to_fail(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert str(Place("a").path) == "a"
    assert PairsTask.of([("a", "b")]).count == 1


def test_a_relative_run_survives_a_change_of_folder(run_copy, monkeypatch):
    monkeypatch.chdir(run_copy.path.parent)
    solver = Solver(run_copy.path.name)
    assert repr(solver) == "Solver('copy')"
    os.chdir("/")
    assert solver.evaluate(10).held_out.n == 10
    assert (run_copy.path / "evaluation.json").is_file()


def test_a_file_to_learn_from_survives_a_change_of_folder(tmp_path, monkeypatch):
    (tmp_path / "pairs.tsv").write_text("one\t1\ntwo\t2\n")
    (tmp_path / "text.txt").write_text("the cat\n")
    monkeypatch.chdir(tmp_path)
    pairs, text = PairsTask("pairs.tsv"), Text("text.txt")
    os.chdir("/")
    assert (pairs.count, text.text) == (2, "the cat")
    assert pairs.options()["path"] == "pairs.tsv"
