import json
import subprocess
import sys

import numpy as np
import pytest

from seq2seq import Calculator, LongArithmetic, Solver, SourceError, train


@pytest.fixture(scope="module")
def calculator(tmp_path_factory):
    """A run that has learned sums, differences and digit products of numbers with one or two digits."""
    path = tmp_path_factory.mktemp("runs") / "calculator"
    options = {"model": "aligned", "hidden_size": 48, "layers": 1, "epochs": 25, "batch_size": 64}
    data = {"validation": 200, "test": 500, "split": "commutative"}
    return train(Calculator(2), path, learning_rate=0.01, progress=False, show_every=0, **options, **data)


PAIRS = LongArithmetic("+-", terms=(2, 4), digits=(1, 2), depth=2).sample(50, np.random.default_rng(0))


def test_it_solves_what_people_type(calculator):
    assert calculator.evaluate().held_out.exact_match > 0.95
    typed = [("12*3+56", "92"), ("(7-2)*13", "65"), ("96/8", "12"), ("2*7+8+3", "25"), ("-5+ 3", "-2")]
    assert calculator.score(typed) >= 0.8
    assert calculator.score(PAIRS) > 0.8


def test_numbers_longer_than_those_trained_on_are_like_them(calculator):
    [answer] = calculator.answer(["111111+222222"])
    assert answer.unlike_training is None


def test_all_digits_come_from_the_weights(calculator):
    """With the weights in another order, the answers are wrong."""
    scrambled = Solver(calculator.run.path)
    rng = np.random.default_rng(0)
    for name, array in scrambled.weights.items():
        scrambled.weights[name] = rng.permutation(array.reshape(-1)).reshape(array.shape)
    assert calculator.score(PAIRS) > 0.8 and scrambled.score(PAIRS) < 0.05


def test_what_has_no_answer_is_an_error_and_the_others_are_answered(calculator):
    with pytest.raises(SourceError, match="'7//0': a division by 0 has no answer"):
        calculator("7//(3-3)")
    tried = calculator.tried(["7//(3-3)", "3+", "1+1"])
    assert [isinstance(each, SourceError) for each in tried] == [True, True, False]
    assert calculator.score([("7//(3-3)", "0"), ("1+1", "2")]) == 0.5
    with pytest.raises(SourceError, match="'7//0': a division by 0"):
        calculator.calls("7//(3-3)")
    with pytest.raises(SourceError, match="'5': there is nothing to work out"):
        calculator.calls("5")


def test_the_working_on_the_command_line(calculator):
    def solve(*arguments):
        command = [sys.executable, "scripts/solve.py", "--run", str(calculator.run.path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    steps = solve("--steps", "(7+5)*11").stdout.splitlines()
    assert steps[:2] == ["7 + 5 = 12", "12 * 11 = 132"] and steps[-1] == "(7+5)*11 = 132" and "    * 11" in steps
    wrong = solve("7/(3-3)", "1+1", "8/3")
    assert (wrong.stdout, wrong.returncode) == ("\n2\n\n", 2)
    assert wrong.stderr.splitlines() == [
        "solve.py: argument 1: '7/0': a division by 0 has no answer",
        "solve.py: argument 3: '8/3' does not come out; // gives the quotient, % the remainder",
    ]
    [line] = solve("--json", "--steps", "20-4*3").stdout.splitlines()
    assert json.loads(line)["answer"] == "8" and json.loads(line)["steps"][-1] == "20-4*3 = 8"
