"""What the page can ask, without a socket."""

import json
import shutil

import numpy as np
import pytest

from seq2seq import Solver, UsageError, pack, train
from seq2seq.explaining import explain
from seq2seq.runs import Run
from seq2seq.tasks.ratings import Ratings
from seq2seq.web.app import App
from seq2seq.web.asking import described
from seq2seq.web.catalogue import Catalogue
from tests import tables
from tests.web.conftest import HOST


def test_the_runs_are_listed_with_what_they_are(served, get):
    runs = {each["name"]: each for each in get(served, "/api/runs").json["runs"]}
    assert [*runs] == ["sums", "attentive", "stepping", "reading"]
    assert runs["sums"] == {
        "name": "sums", "task": "arithmetic", "kind": "answering", "model": "repeat", "live": False, "export": False
    }  # fmt: skip
    assert runs["reading"]["kind"] == "language"


def test_a_run_says_what_can_be_asked_of_it(served, get):
    can = {name: get(served, f"/api/runs/{name}").json["can"] for name in ("sums", "attentive", "reading")}
    assert can["sums"] == {"steps": True, "best": False, "explain": True, "continue": False, "embeddings": True}
    assert can["attentive"]["best"] and not can["attentive"]["continue"]
    assert can["reading"]["continue"] and not can["reading"]["best"] and not can["reading"]["explain"]
    about = get(served, "/api/runs/attentive").json
    assert about["example"] and about["engine"] == "mxnet" and about["most_best"] <= 20


def test_an_answer_is_that_of_the_solver(served, post, attentive, stepping):
    for solver in (attentive, stepping):
        source = solver.example
        [answer] = solver.answer([source])
        reply = post(served, f"/api/runs/{solver.run.path.name}/ask", {"source": source}).json
        assert reply["text"] == answer.text and reply["confidence"] == pytest.approx(answer.confidence, rel=1e-5)
        assert reply["unlike_training"] is None and reply["steps"] == solver.work(source)
    reply = post(served, "/api/runs/attentive/ask", {"source": "3+3+3+3"}).json
    assert "error" in reply or reply["unlike_training"]


def test_a_source_that_cannot_be_read_is_answered_with_the_reason(served, post):
    for source in ("", "1+", "<img src=x onerror=alert(1)>"):
        reply = post(served, "/api/runs/sums/ask", {"source": source})
        assert reply.status == 200 and reply.json["source"] == source and reply.json["error"]


def test_the_best_answers_are_those_of_the_search(served, post, attentive):
    answers = post(served, "/api/runs/attentive/best", {"source": "1+2", "n": 3}).json["answers"]
    assert [each["text"] for each in answers] == [each.text for each in attentive.n_best("1+2", 3)]
    assert post(served, "/api/runs/sums/best", {"source": "1+2"}).status == 400


def test_a_run_that_works_in_steps_has_one_answer(served, get, post, stepping, monkeypatch):
    assert get(served, "/api/runs/stepping").json["can"]["best"] is False
    monkeypatch.setattr(stepping, "n_best", lambda source, n: [], raising=False)  # as a run with attention searches
    assert described(stepping)["can"]["best"] is False
    reply = post(served, "/api/runs/stepping/best", {"source": "1+2-3"})
    assert reply.status == 400 and "works in steps, and has one answer" in reply.json["error"]


def test_a_working_ends_between_two_steps_when_its_client_has_gone(served, post, stepping):
    assert len(stepping.work("1+2-3")) > 1
    looks = [False, False, True]  # in the queue, before the first step, before the second
    reply = post(
        served, "/api/runs/stepping/ask", {"source": "1+2-3"}, **{"waitress.client_disconnected": lambda: looks.pop(0)}
    )
    assert (reply.status, looks) == (504, [])
    assert post(served, "/api/runs/stepping/ask", {"source": "1+2-3"}).json["text"] == stepping("1+2-3")


def test_head_is_answered_like_get_without_the_body(served, get, head):
    for path in ("/", "/page/page.js", "/api/runs", "/nothing"):
        full, short = get(served, path), head(served, path)
        assert (short.status, short.text) == (full.status, "")
        assert short.headers == {**full.headers, "Content-Length": str(len(full.text.encode()))}


def test_each_call_is_explained_with_its_probabilities_and_attention(served, post, attentive):
    [call] = post(served, "/api/runs/attentive/explain", {"source": "1+2+3"}).json["calls"]
    [found] = explain(attentive, "1+2+3")
    assert call["answer"] == found.answer and call["read"] == found.read
    assert [step["symbol"] for step in call["steps"]] == found.written
    assert np.allclose(call["attention"], found.attention, atol=1e-4)
    first = call["steps"][0]
    assert first["likely"][0][1] == pytest.approx(found.probabilities[0].max(), abs=1e-5)
    assert [p for _, p in first["likely"]] == sorted((p for _, p in first["likely"]), reverse=True)


def test_no_probability_that_is_explained_is_above_one(served, post, attentive, monkeypatch):
    def above(solver, symbol, inputs):  # as rounding leaves it
        return np.full((*inputs["target"].shape, len(attentive.codec.vocabulary)), 2e-6, np.float32)

    monkeypatch.setattr("seq2seq.explaining._forward", above)
    monkeypatch.setattr("seq2seq.models.AttentionModel.attention", lambda *_: None)
    [call] = post(served, "/api/runs/attentive/explain", {"source": "1+2"}).json["calls"]
    assert {step["probability"] for step in call["steps"]} == {1.0}
    assert {probability for step in call["steps"] for _, probability in step["likely"]} == {1.0}


def test_a_run_without_attention_is_explained_without_it(served, post):
    [call] = post(served, "/api/runs/sums/explain", {"source": "1+2"}).json["calls"]
    assert call["attention"] is None and call["steps"]


def test_a_text_is_continued_in_pieces(served, post, reading):
    body = {"source": "the cat", "characters": 50, "temperature": 0.5, "top_k": 3, "seed": 4}
    reply = post(served, "/api/runs/reading/continue", body)
    pieces = [json.loads(line)["text"] for line in reply.text.splitlines()]
    options = {"characters": 50, "temperature": 0.5, "top_k": 3, "seed": 4}
    assert len(pieces) == 4 and "".join(pieces) == "".join(reading.continued("the cat", **options))
    assert post(served, "/api/runs/reading/continue", {"source": "☃"}).json["error"]
    assert post(served, "/api/runs/sums/continue", {"source": "1+2"}).status == 400


def test_what_a_text_is_expected_to_go_on_with(served, post, reading):
    reply = post(served, "/api/runs/reading/expect", {"source": "the ca"}).json
    assert [each["text"] for each in reply["expected"]] == [each.text for each in reading.expected("the ca")]


def test_embeddings_are_points_with_names(served, get, reading):
    [first, *_] = get(served, "/api/runs/reading/embeddings").json["embeddings"]
    symbols = next(iter(reading.embeddings().values())).symbols
    assert [point[0] for point in first["points"]] == symbols and all(len(point) == 3 for point in first["points"])
    assert 0 < sum(first["shares"]) <= 1.0001


def test_samples_are_the_lines_that_training_shows(served, get, solved):
    lines = get(served, "/api/runs/sums/samples").json["lines"]
    assert lines == Solver(solved.run.path, weights="last").samples()
    assert len(lines) == 10 and all("✓" in line or "✗" in line for line in lines)
    assert "dog" in "".join(get(served, "/api/runs/reading/samples").json["lines"])


def test_a_run_of_ratings_is_asked_in_the_same_way(tmp_path, get, post):
    rows, _ = tables.ratings()
    train(Ratings(given=rows), tmp_path / "films", epochs=3, embedding=2, progress=False, show_every=0)
    app = App(Catalogue([tmp_path / "films"]), {HOST})
    assert get(app, "/api/runs/films").json["can"]["steps"] is False
    reply = post(app, "/api/runs/films/ask", {"source": "u1,film 3"}).json
    assert reply["text"] == f"{reply['value']:.2f}"
    assert len(post(app, "/api/runs/films/best", {"source": "u1", "n": 3}).json["answers"]) == 3
    assert post(app, "/api/runs/films/explain", {"source": "u1,film 3"}).json["lines"]
    assert {each["name"] for each in get(app, "/api/runs/films/embeddings").json["embeddings"]} == {"users", "items"}
    assert get(app, "/api/runs/films/samples").json["lines"]


def test_curves_are_sent_once_until_they_change(run_copy, get):
    app = App(Catalogue([run_copy.path]), {HOST})
    reply = get(app, "/api/runs/copy/metrics")
    assert [row["epoch"] for row in reply.json["rows"]] == [*range(1, 51)]
    assert (reply.json["epochs"], reply.json["live"], reply.json["seconds_left"]) == (50, False, None)
    tag = reply.headers["ETag"]
    again = get(app, "/api/runs/copy/metrics", HTTP_IF_NONE_MATCH=tag)
    assert (again.status, again.text) == (304, "")
    run_copy.write_metrics(run_copy.read_metrics()[:20])
    changed = get(app, "/api/runs/copy/metrics", HTTP_IF_NONE_MATCH=tag)
    assert changed.status == 200 and len(changed.json["rows"]) == 20


def test_a_training_under_way_says_how_long_it_will_take(run_copy, get):
    app = App(Catalogue([run_copy.path]), {HOST})
    rows = [{**row, "seconds": 2.0 * row["epoch"], "train_loss": float("inf")} for row in run_copy.read_metrics()[:30]]
    run_copy.write_metrics(rows)
    from seq2seq.folders import take

    with take(run_copy.path, ()):
        found = get(app, "/api/runs/copy/metrics").json
        assert found["live"] and found["seconds_left"] == 40 and found["rows"][0]["train_loss"] is None
        run_copy.write_metrics(rows[:1])
        assert get(app, "/api/runs/copy/metrics").json["seconds_left"] is None
        (run_copy.path / "metrics.csv").unlink()
        assert get(app, "/api/runs/copy/metrics").json["rows"] == []
        values = {
            "epoch": 1,
            "epochs": 50,
            "examples": 500,
            "examples_per_epoch": 2000,
            "loss": 2.5,
            "seconds_left": 60.0,
        }
        run_copy.write_progress(values)
        found = get(app, "/api/runs/copy/metrics").json
        assert (found["within_epoch"], found["seconds_left"]) == (values, 60.0)
        (run_copy.path / "progress.json").write_text('{"epoch": "<b>"}')
        assert get(app, "/api/runs/copy/metrics").json["within_epoch"] is None
        run_copy.write_progress(values)
    ended = get(app, "/api/runs/copy/metrics").json  # and the process was killed
    assert (ended["live"], ended["within_epoch"]) == (False, None)


def test_an_evaluation_is_that_of_the_run_folder(run_copy, get):
    (run_copy.path / "evaluation.json").unlink(missing_ok=True)  # another test may have scored the run
    app = App(Catalogue([run_copy.path]), {HOST})
    assert get(app, "/api/runs/copy/evaluation").json == {"evaluation": None}
    Solver(run_copy.path).evaluate(50)
    found = get(app, "/api/runs/copy/evaluation").json["evaluation"]
    assert found["held_out"]["n"] and "by_length" in found and "mistakes" in found


def test_the_newest_weights_answer(run_copy, post, solved):
    app = App(Catalogue([run_copy.path]), {HOST})
    first = post(app, "/api/runs/copy/ask", {"source": "3+4"}).json
    weights, state = run_copy.read_arrays("best.safetensors")
    run_copy.write_arrays("best.safetensors", {name: 0 * each for name, each in weights.items()}, state)
    second = post(app, "/api/runs/copy/ask", {"source": "3+4"}).json
    assert first["confidence"] > 0.5 > second["confidence"]


def test_a_run_that_is_deleted_under_the_page_is_named(run_copy, get, post):
    app = App(Catalogue([run_copy.path]), {HOST})
    assert post(app, "/api/runs/copy/ask", {"source": "3+4"}).status == 200
    shutil.rmtree(run_copy.path)
    assert "holds no run" in get(app, "/api/runs").json["runs"][0]["problem"]
    for reply in (post(app, "/api/runs/copy/ask", {"source": "3+4"}), get(app, "/api/runs/copy/metrics")):
        assert reply.status == 409 and "holds no run" in reply.json["error"]


def test_a_fault_shows_no_traceback(solved, post, capsys):
    def broken(run, weights="best"):
        raise KeyError("secret")

    reply = post(App(Catalogue([solved.run.path]), {HOST}, solvers=broken), "/api/runs/sums/ask", {"source": "1+2"})
    assert reply.status == 500 and "secret" not in reply.text
    assert capsys.readouterr().err == "seq2seq serve: KeyError: 'secret'\n"


def test_an_export_answers_without_mxnet(exported, get, post, attentive, tmp_path):
    app = App(Catalogue([exported("attentive")]), {HOST})
    about = get(app, "/api/runs/attentive").json
    assert about["engine"] == "onnx" and about["can"]["best"] and not about["can"]["explain"]
    assert post(app, "/api/runs/attentive/ask", {"source": "1+2"}).json["text"] == attentive("1+2")
    assert get(app, "/api/runs").json["runs"][0]["export"]
    reply = get(app, "/api/runs/attentive/samples")
    assert reply.status == 400 and reply.json["error"].startswith("an export has no samples")
    packed = pack(attentive.run.path, tmp_path / "attentive.zip").path
    reply = get(App(Catalogue([packed]), {HOST}), "/api/runs/attentive.zip/samples")
    assert reply.status == 400 and reply.json["error"].startswith("a packed run has no samples")
    reply = post(app, "/api/runs/attentive/explain", {"source": "1+2"})
    assert reply.status == 400 and "an explanation needs the engine mxnet" in reply.json["error"]
    with pytest.raises(UsageError, match="samples need the engine mxnet"):
        Solver(exported("attentive")).samples()


def test_runs_of_one_name_are_told_apart_and_those_of_the_folder_are_followed(run_copy, solved, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    shutil.copytree(run_copy.path, tmp_path / "runs" / "copy")
    assert Catalogue([run_copy.path, tmp_path / "runs" / "copy", run_copy.path]).names() == [
        "copy", "copy (2)", "copy (3)"
    ]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    followed = Catalogue()
    assert followed.names() == ["copy"]
    shutil.copytree(run_copy.path, tmp_path / "runs" / "another")
    assert followed.names() == ["another", "copy"] and followed.run("another").path == tmp_path / "runs" / "another"
    assert Run(followed.run("copy").path).exists
