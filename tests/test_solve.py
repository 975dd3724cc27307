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
    assert unknown == {"source": "é", "error": "'é': 'é' is not among the characters '0123456789+ '"}
    [working] = objects(stepping, "--steps", "3+2-1")
    assert working["steps"] == ["5-1", "4"] and working["answer"] == "4"
    [best] = objects(attentive, "--best", 2, "4+1")
    assert [*best["answers"][0]] == ["answer", "confidence"] and len(best["answers"]) == 2
    assert best["answer"] == best["answers"][0]["answer"] and best["unlike_training"].startswith("has the number 4")
    [text] = objects(reading, "--predict", "the ca")
    assert len(text["predictions"]) == 6 and text["answer"] == text["predictions"][-1]["answer"] == "t"
    result = call("solve", "--run", reading.run.path, "--json", "--continue", "the")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_the_prompt_says_it_too(solved):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("solve", "--run", solved.run.path), stdin=slave, stdout=slave, stderr=slave, close_fds=True,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(slave)
    os.write(master, b"7\n")
    shown = b""
    while b"trained on 2" not in shown:
        shown += os.read(master, 1000)
    assert b"solve.py: unlike training: '7' has 1 term; trained on 2" in shown
    os.write(master, b"\x04")
    assert process.wait(60) == 0
    os.close(master)
