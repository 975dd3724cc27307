"""What `solve.py` says of its answers."""

import json
import os
import pty
import subprocess

from tests.test_scripts import call, command


def test_what_is_unlike_training_is_answered_and_named(solved, stepping):
    result = call("solve", "--run", solved.run.path, input="3+4\n7\n", text=True)
    assert result.stdout.startswith("7\n") and result.returncode == 0
    assert result.stderr == "solve.py: line 2: unlike training: '7' has 1 term; trained on 2\n"
    result = call("solve", "--run", stepping.run.path, "--steps", "1+1+1", "3+3+3+3+3+3")
    assert result.stderr.startswith("solve.py: argument 2: unlike training: '3+3+3+3+3+3' leads to")
    assert result.stderr.count("\n") == 1


def test_a_json_object_for_each_source(solved, attentive, stepping, reading):
    def objects(solver, *arguments, status=0):
        result = call("solve", "--run", solver.run.path, "--json", *arguments)
        assert result.returncode == status and result.stdout.isascii()
        return [json.loads(line) for line in result.stdout.splitlines()]

    known, alone, unknown = objects(solved, "3+4", "7", "é", status=2)
    assert known == {"source": "3+4", "answer": "7", "confidence": known["confidence"], "unlike_training": None}
    assert 0.3 < known["confidence"] <= 1.001 and alone["unlike_training"] == "has 1 term; trained on 2"
    named = "'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE)"
    assert unknown == {"source": "é", "error": f"'é': {named} is not among the characters '0123456789+ '"}
    [working] = objects(stepping, "--steps", "3+2-1")
    assert working["steps"] == ["5-1", "4"] and working["answer"] == "4"
    [best] = objects(attentive, "--best", 2, "4+1")
    assert [*best["answers"][0]] == ["answer", "confidence"] and len(best["answers"]) == 2
    assert best["answer"] == best["answers"][0]["answer"] and best["unlike_training"].startswith("has the number 4")
    [text] = objects(reading, "--predict", "the ca")
    assert len(text["predictions"]) == 6 and text["answer"] == text["predictions"][-1]["answer"] == "t"
    result = call("solve", "--run", reading.run.path, "--json", "--continue", "the")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_a_json_object_for_each_line_of_stdin_in_every_way_of_asking(solved, attentive, stepping):
    for solver, shown, more in [
        (solved, [], []),
        (stepping, ["--steps"], ["steps"]),
        (attentive, ["--best", 3], ["answers"]),
    ]:
        result = call("solve", "--run", solver.run.path, "--json", *shown, input="1+2\n\nx\n3+1")
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        assert result.returncode == 2 and [each["source"] for each in objects] == ["1+2", "", "x", "3+1"]
        for asked in (objects[0], objects[3]):
            assert [*asked] == ["source", "answer", "confidence", "unlike_training", *more]
        assert [[*each] for each in objects[1:3]] == [["source", "error"]] * 2
        assert objects[1]["error"].startswith("the source is empty")


def test_the_help_names_each_part_of_a_json_object():
    text = call("solve", "--help").stdout
    for name in ("confidence", "unlike_training", "steps", "answers", "predictions", "error"):
        assert f"\n  {name} " in text


def test_the_prompt_says_it_too(solved):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("solve", "--run", solved.run.path), stdin=slave, stdout=slave, stderr=slave, close_fds=True,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(slave)
    os.write(master, b"7\n")
    shown = b""
    while not (b"trained on 2" in shown and shown.endswith(b"> ")):  # what is typed before the prompt may be lost
        shown += os.read(master, 1000)
    assert b"solve.py: unlike training: '7' has 1 term; trained on 2" in shown
    os.write(master, b"\x04")
    assert process.wait(60) == 0
    os.close(master)


def test_messages_come_in_the_order_of_the_sources(solved):
    result = call("solve", "--run", solved.run.path, "3+4", "12+4", "x", "13+4")
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == [
        "argument 2", "argument 3", "argument 4"
    ]  # fmt: skip


def test_none_of_the_most_probable_answers_is_refused(attentive):
    result = call("solve", "--run", attentive.run.path, "--best", "0", "1+2")
    assert (result.returncode, result.stdout) == (2, "") and "n: got 0, but it must be" in result.stderr


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "words.tsv").write_text("")
    result = call("solve", "--run", tmp_path / "words.tsv", "1")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"solve.py: {tmp_path}/words.tsv: is neither a run folder nor a packed run\n"
