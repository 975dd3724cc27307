"""The task of any expression, worked out from sums, differences and digit products that a network has learned."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from seq2seq.errors import SourceError
from seq2seq.tasks.addition import Addition
from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.columns import Asking, NoNumber, add, divide, floor_divide, multiply, negate, remainder, subtract
from seq2seq.tasks.formulas import NEGATIVE, postfix, tokens_of
from seq2seq.tasks.measure import out_of_range
from seq2seq.tasks.stepwise import Steps, Working

OPERATIONS: dict[str, Callable[[str, str, list[str]], Asking]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "//": floor_divide,
    "%": remainder,
}


@dataclass(frozen=True)
class Calculator(Addition):
    """Expressions of any length, with numbers of any length: `(12-5)*34+1000//8` is 363.

    What is drawn, learned and held out are the questions of `Addition`: sums, differences, and products with one digit.
    An expression with `+ - * / // %`, parentheses and signs is worked out from these as on paper: see
    `seq2seq/tasks/columns.py` for the order of work, which is given, and not learned.

    It has the options of `Addition`, with other defaults.
    """

    digits: int | tuple[int, int] = field(
        default=20, metadata={"help": "most digits of a number trained on, or a range", "parse": "range"}
    )
    operators: str = field(default="+-*", metadata={"help": "what is trained on: any of + - *", "parse": str})

    name = "calculator"

    @property
    def characters(self) -> str:
        return "0123456789+-*/%() "

    @property
    def stepwise(self) -> bool:
        return True

    @property
    def in_place(self) -> bool:
        return False

    def normalise(self, source: str) -> str:
        return "".join(tokens_of(source))

    def working(self, source: str, steps: Steps) -> Working:
        stack = []
        try:
            for token in postfix(tokens_of(source)):
                if token.isdigit():
                    stack.append(token)
                elif token == NEGATIVE:
                    stack.append(negate(stack.pop()))
                else:
                    second = stack.pop()
                    first = stack.pop()
                    stack.append((yield from OPERATIONS[token](first, second, steps)))
        except NoNumber as wrong:
            question, answer = wrong.args
            steps.append(f"{question} = {answer!r}, which is not a number")
            return answer
        [answer] = stack
        steps.append(f"{source} = {answer}")
        return answer

    def steps_of(self, pairs: Pairs) -> Pairs:
        """What is drawn are single steps."""
        return pairs

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        """Compare the numbers of digits. If `longer`, there is no upper limit."""
        try:
            numbers = re.findall("[0-9]+", self.normalise(source))
        except SourceError as error:
            return str(error)
        reasons = (out_of_range(len(number), 1, self._range[1], "digit", longer) for number in numbers)
        return next((f"has a number that {reason}" for reason in reasons if reason), None)
