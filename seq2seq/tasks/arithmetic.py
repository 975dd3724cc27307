"""The task of arithmetic: expressions such as `3*7+2`, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any, Callable

import numpy as np

from seq2seq.errors import SourceError, UsageError, is_range, is_whole, require, short
from seq2seq.lazy import cached_property
from seq2seq.tasks.alphabet import PAD
from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task
from seq2seq.tasks.expressions.batch import OPERATORS, Expressions, hash_in_order, stack
from seq2seq.tasks.expressions.bounds import INT64_MAX, exact, extremes
from seq2seq.tasks.expressions.membership import unlike
from seq2seq.tasks.expressions.pairs import ExpressionPairs
from seq2seq.tasks.expressions.space import LIST_LIMIT, Space
from seq2seq.tasks.expressions.steps import (
    heads,
    heads_by_digit,
    next_step,
    next_step_by_digit,
    write_step,
    write_step_by_digit,
    write_working,
)
from seq2seq.tasks.expressions.strings import answer, depth, lengths, operators_used, read
from seq2seq.tasks.expressions.values import hash_commutative
from seq2seq.tasks.stepwise import Steps, TooLong, Working
from seq2seq.typing import Array
from seq2seq.values import require_truth, whole

MOST_TERMS = 1000
MOST_SPLIT = 8  # terms with steps by digit
MOST_OPERAND = 10**60  # the exact limit is checked below; this one avoids numbers with thousands of digits
MOST_WORKED = 100  # terms with all steps in one answer, which is as long as all steps together
MOST_STEPPED = 200_000  # expressions up to which all steps are listed, to tell whether a source is one of them
MOST_NESTED = 10  # terms with parentheses, which can be set in 103,049 ways
STEPS = ("none", "answer", "call")
NUMBER = re.compile("-?[0-9]+")


@dataclass(frozen=True)
class Arithmetic(Task):
    """Expressions over whole numbers with the usual precedence: `3*7+2` is 23, and so is `2+3*7`.

    The three numbers from 1 to 10 are those of the notebook `E2_sequence_modeling_basic_math`
    (sunilmallya/dl-twitch-series, 2017), which used one operator in each expression (`mixed=False`).

    Parameters
    ----------
    operators : str
        Any of `+`, `-`, `*`, `/` and `%`. In the expressions that are drawn, every division is exact: the quotient is a
        whole number, and the divisor is not 0. All such expressions with the same number of terms are equally likely. A
        remainder has the sign of the divisor, as in Python: `-7%3` is 2.
    terms : int or (int, int)
        The number of terms in an expression, or the least and the greatest.
    operands : (int, int)
        The smallest and the largest number, from 0.
    mixed : bool
        Whether an expression may have several different operators.
    signed : bool
        Whether the first number may be negative: `-4+5`.
    steps : str
        How much of the working is in a target. `none`: only the value. `answer`: all steps in one answer, `21+2=23`.
        `call`: one step, written in place, ` 21+2`; the answer is asked again until it is a number.

        A step works out the first two terms, or the second and third if a product follows a sum. Of three factors the
        largest is left for last, so that every order of them gives the same result: `7*8*7` becomes `8* 49`. The next
        step depends on three terms at most. Parentheses count as one term and are worked out before they are combined
        with another: `(3+4)*2` becomes `    7*2`. A negative number has its own parentheses unless it comes first in
        the expression or in other parentheses: `3*(2-5)` becomes `3* (-3)`.
    by_digit : bool
        Whether a step multiplies by a single digit: `12*24` becomes `240+48`. Allowed with `steps="call"` and the
        operators `+`, `-` and `*`. Such a step can be longer than its source, so it is not written in place.
    parentheses : bool
        Whether expressions may have parentheses: `2*(3-(1+1))`. A pair of parentheses contains at least two terms, and
        is not around the whole expression nor directly around another pair. All placements, including no parentheses,
        are equally likely, except that expressions with inexact divisions are left out.

    Raises
    ------
    UsageError
        If an option is not allowed, or values could overflow 64-bit integers.
    """

    operators: str = field(default="+*", metadata={"help": f"any of {' '.join(OPERATORS)}", "parse": str})
    terms: int | tuple[int, int] = field(
        default=3, metadata={"help": "how many numbers, as 3 or as a range 2-4", "parse": "range"}
    )
    operands: tuple[int, int] = field(
        default=(1, 10), metadata={"help": "smallest and largest number, as 1-10", "parse": "range"}
    )
    mixed: bool = field(default=True, metadata={"help": "mix operators in one expression", "parse": bool})
    signed: bool = field(default=False, metadata={"help": "the first number may be negative", "parse": bool})
    steps: str = field(
        default="none", metadata={"help": "working: none, all of it in one answer, or a step a call", "parse": str}
    )
    by_digit: bool = field(default=False, metadata={"help": "steps multiply by a digit each", "parse": bool})
    parentheses: bool = field(default=False, metadata={"help": "expressions may have parentheses", "parse": bool})

    name = "arithmetic"
    keys = ("expression", "commutative")
    preset = "default"

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed_operators = isinstance(self.operators, str) and 0 < len(set(self.operators)) == len(self.operators)
        require(
            allowed_operators and set(self.operators) <= set(OPERATORS),
            "operators",
            self.operators,
            f"one or more of {' '.join(OPERATORS)}, each once",
        )
        for name in ("mixed", "signed", "parentheses"):
            require_truth(name, getattr(self, name))
        terms: Any = (self.terms, self.terms) if is_whole(self.terms, 1) else self.terms
        most_terms, where = MOST_TERMS, ""
        if self.steps == "answer":
            most_terms, where = MOST_WORKED, " with steps answer"
        if self.parentheses:
            most_terms, where = MOST_NESTED, " with parentheses"
        require(
            is_range(terms, 1, most_terms),
            "terms",
            self.terms,
            f"a whole number from 1 to {most_terms}{where}, or a pair (least, most) of them",
        )
        readable = is_range(self.operands, 0, MOST_OPERAND)
        require(readable, "operands", self.operands, "a pair (smallest, largest) from 0")
        require(self.steps in STEPS, "steps", self.steps, f"one of {', '.join(STEPS)}")
        can = self.steps == "call" and set(self.operators) <= set("+-*") and not self.parentheses
        require(
            self.by_digit is False or (self.by_digit is True and can and terms[1] <= MOST_SPLIT),
            "by_digit",
            self.by_digit,
            f"true or false; false but with steps call, up to {MOST_SPLIT} terms, and neither / nor % nor parentheses",
        )
        # A canonical form of the options, so that equal tasks draw equal data.
        object.__setattr__(self, "operators", "".join(o for o in OPERATORS if o in self.operators))
        least, most = terms
        object.__setattr__(self, "terms", least if least == most else (least, most))
        object.__setattr__(self, "operands", tuple(self.operands))
        if not exact(self._spaces[-1]):
            raise UsageError(
                f"operands: {most} terms up to {self.operands[1]} with operators {self.operators}{where} "
                f"can pass {INT64_MAX}, the largest value that is computed exactly"
            )

    # What the options allow ---------------------------------------------------------------------------------------

    @property
    def _term_range(self) -> range:
        least, most = self.terms if isinstance(self.terms, tuple) else (self.terms, self.terms)
        return range(least, most + 1)

    @property
    def characters(self) -> str:
        sign = "-" if self.signed and "-" not in self.operators else ""
        plus = "+" if self.by_digit and "+" not in self.operators else ""
        symbols = self.operators + sign + plus + ("()" if self.parentheses else "")
        return "0123456789" + symbols + ("=" if self.steps == "answer" else "") + " "

    @property
    def source_length(self) -> int:
        return self._longest_by_digit if self.by_digit else self._length

    @cached_property
    def _longest_by_digit(self) -> int:
        """The most characters in an expression or in one of its steps by digit: those of the expressions in which all
        digits are 9 and nothing is subtracted, plus a sign."""
        largest = 10 ** len(str(self.operands[1])) - 1  # has no digit 0, so no number takes more steps
        operators = "".join(sorted({*self.operators.replace("-", "+")}))
        worst = Space(operators, self._term_range[-1], (largest, largest), self.mixed, False).list()
        stages = self._stages(worst)
        longest = max(((lengths(stage) + 1) * (stage.operators != 0)).sum(axis=1).max() - 1 for stage in stages)
        return int(longest) + (self.signed or "-" in self.operators)

    @property
    def _length(self) -> int:
        most = self._term_range[-1]
        # At most one group for each operator, except the last one to be worked out, which is the whole expression.
        groups = max(0, most - 2) if self.parentheses else 0
        return most * len(str(self.operands[1])) + most - 1 + 2 * groups + (self.signed and self.operands[1] > 0)

    @property
    def step_length(self) -> int:
        if self.by_digit or self.parentheses:
            return self.source_length
        three = 3 * len(str(self.operands[1])) + 2
        two = self._longest_value + 2  # the digits of both numbers are at most one more than those of their product
        return min(self.source_length, max(three, two) + (self.signed or "-" in self.operators))

    @property
    def _longest_value(self) -> int:
        return max(len(str(value)) for space in self._spaces for value in extremes(space))

    @property
    def target_length(self) -> int:
        most = self._term_range[-1]
        if self.steps == "call":
            return self.source_length
        if self.steps == "answer" and most > 1:  # each step is shorter than the previous one
            return sum(self.source_length - step for step in range(1, most)) + most - 2
        return self._longest_value

    @cached_property
    def _spaces(self) -> list[Space]:
        options = (self.operands, self.mixed, self.signed, self.parentheses)
        return [Space(self.operators, terms, *options) for terms in self._term_range]

    @property
    def count(self) -> int:
        """The number of distinct expressions: exact without divisions.

        With divisions, all candidates with the same number of terms are tried if there are at most `LIST_LIMIT`. If
        there are more, the count is an upper bound, as if every division were exact, and drawing more expressions than
        can be found raises a `UsageError`.
        """
        return sum(space.count for space in self._spaces)

    @property
    def stepwise(self) -> bool:
        return self.steps == "call"

    @property
    def in_place(self) -> bool:
        return self.stepwise and not self.by_digit

    @property
    def binary_operators(self) -> str | None:
        return self.operators if self.terms == 2 and self.steps == "none" and not self.parentheses else None

    # Drawing ------------------------------------------------------------------------------------------------------

    def list(self) -> Pairs:
        if self.count > LIST_LIMIT:
            raise UsageError(f"list: there are {self.count} expressions, more than the {LIST_LIMIT} that are listed")
        return self._pairs(stack([space.list() for space in self._spaces]))

    def sample(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` pairs: the number of terms uniformly, then each number and operator, and the parentheses.

        Expressions with inexact divisions are left out; the others are equally likely.
        """
        n = whole("n", n, 0)
        if len(self._spaces) == 1:
            return self._pairs(self._spaces[0].draw(n, rng))
        chosen = rng.integers(len(self._spaces), size=n)
        parts = [space.draw(int((chosen == i).sum()), rng) for i, space in enumerate(self._spaces)]
        order = np.argsort(np.argsort(chosen, kind="stable"), kind="stable")
        return self._pairs(stack(parts).take(order))

    def sample_distinct(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` distinct pairs, as evenly as possible over the numbers of terms."""
        n = whole("n", n, 0, self.count)
        shares = _fair_shares(n, [space.count for space in self._spaces])
        drawn = stack([space.draw_distinct(share, rng) for space, share in zip(self._spaces, shares)])
        return self._pairs(drawn.take(rng.permutation(n)))

    def _pairs(self, expressions: Expressions) -> Pairs:
        target_of = partial(write_working, most=self.operands[1]) if self.steps == "answer" else answer
        return ExpressionPairs(expressions, self.source_length, self.target_length, target_of)

    # Working out --------------------------------------------------------------------------------------------------

    def working(self, source: str, steps: Steps) -> Working:
        """Ask again with the answer until it is a number: `3*7+2`, then `21+2`, which gives `23`.

        Of a long source only the head that a step depends on is asked, which is no longer than a training source; the
        rest waits. So the number of terms is not limited by that in the training examples. It also ends where an answer
        changes nothing, where a head has become too long to be read, and after two steps per character, which no
        correct calculation needs.

        Raises
        ------
        SourceError
            If the first head is too long.
        """
        left = source
        for _ in range(2 * len(source)):
            head = self.head(left)
            try:
                [answer] = yield [left[head]]
            except TooLong:
                if not steps:
                    raise
                break
            before = left
            left = left[: head.start] + answer.replace(PAD, "") + left[head.stop :]
            if left != before or not steps:
                steps.append(left)
            if left in ("", before) or NUMBER.fullmatch(left):
                break
        return left

    def head(self, source: str) -> slice:
        """What the next step depends on: the first terms, of which parentheses are one and, by digit, a product is one.

        Where the result of a step is among these, no more than the two terms that are joined, or than the product that
        has to be worked out first.
        """
        ends = [*self._ends(source), len(source)]
        if self.by_digit:
            whole = (end for end in ends[self._head_terms - 1 :] if source[end : end + 1] != "*")
            return slice(0, next(whole, len(source)))
        if self.parentheses or len(ends) < 3:
            return slice(0, ends[: self._head_terms][-1])
        begins = [0, *(end + 1 for end in ends)]
        large = [self._is_result(source[begin:end]) for begin, end in zip(begins, ends)]
        first = int(any(large[:3]) and self._waits(source, *ends[:2]))  # which term the head begins with
        two = any(large[first : first + 2])
        return slice(begins[first], ends[first:][: 2 if two else self._head_terms][-1])

    def _ends(self, source: str) -> Iterator[int]:
        """Where the terms outside all parentheses end, but for the last."""
        operators = self.operators + ("+-" if self.by_digit else "")
        level = 0
        for place, character in enumerate(source):
            level += (character == "(") - (character == ")")
            if level == 0 and place > 0 and character in operators:
                yield place

    def _waits(self, source: str, first: int, second: int) -> bool:
        """Whether a term that ends at `first` waits for a product, the next one ending at `second`."""
        return source[first] in "+-" and source[second] in "*/%"

    def _is_result(self, term: str) -> bool:
        most = str(self.operands[1])
        digits = term.lstrip("-")
        return (len(digits), digits) > (len(most), most)

    @property
    def _head_terms(self) -> int:
        """Two terms can be worked out unless a factor may follow: only then does a step depend on a third."""
        waits = "*" in self.operators or (set(self.operators) & set("+-") and set(self.operators) & set("/%"))
        return 3 if self.by_digit or waits else 2

    def steps_of(self, pairs: Pairs) -> Pairs:
        expressions = pairs.expressions if isinstance(pairs, ExpressionPairs) else read(pairs.sources)
        stages = self._stages(expressions)
        if self.by_digit:
            everything = stack([heads_by_digit(stage, self._head_terms) for stage in stages])
        else:
            everything = stack([heads(stage, self._head_terms, self.operands[1]) for stage in stages])
        _, first = np.unique(hash_in_order(everything), return_index=True)
        target_of = write_step_by_digit if self.by_digit else partial(write_step, most=self.operands[1])
        return ExpressionPairs(everything.take(np.sort(first)), self.step_length, self.step_length, target_of)

    def _stages(self, expressions: Expressions) -> Iterator[Expressions]:
        """The expressions, then the expressions after each step, until no operator is left."""
        step = next_step_by_digit if self.by_digit else partial(next_step, most=self.operands[1])
        yield expressions
        while expressions.numbers.shape[1] > 1:
            expressions = step(expressions)
            yield expressions

    def final(self, target: str) -> str:
        return target.rpartition("=")[2]

    # Reading ------------------------------------------------------------------------------------------------------

    def key(self, sources: Array, key: str) -> Array:
        """Keys that are equal where two sources are the same question.

        Parameters
        ----------
        sources : ndarray of str, shape (N,)
        key : str
            `expression`: the string itself. `commutative`: the order of terms and of factors is ignored, also within
            parentheses, so `3*7+2` and `2+7*3` have the same key, and so do `5-2+1` and `5+1-2`, `6*4/3` and `6/3*4`,
            and `(3+4)*2` and `2*(4+3)`. The two sides of a remainder are not exchanged.

        Returns
        -------
        ndarray, shape (N,)
        """
        require(key in self.keys, "key", key, f"one of {', '.join(self.keys)}")
        return sources if key == "expression" else hash_commutative(read(sources))

    @cached_property
    def _form(self) -> re.Pattern[str]:
        sign, number = "(-(?=[1-9]))?" if self.signed else "", "(0|[1-9][0-9]*)"
        before, behind = (r"\(*", r"\)*") if self.parentheses else ("", "")
        more = f"[{re.escape(self.operators)}]{before}{number}{behind}"
        return re.compile(f"{before}{sign}{number}{behind}({more})*", re.ASCII)

    def normalise(self, source: str) -> str:
        squeezed = source.replace(" ", "")
        if not self._form.fullmatch(squeezed):
            example = "7" if self._term_range[-1] == 1 else f"6{self.operators[0]}3"
            with_what = self.operators + (" and parentheses" if self.parentheses else "")
            raise SourceError(
                f"{short(source)} is not an expression of whole numbers and {with_what} such as {example}"
            )
        levels = list(accumulate((character == "(") - (character == ")") for character in squeezed))
        if min(levels) < 0 or levels[-1] != 0 or re.search(r"\(-?[0-9]+\)", squeezed):
            raise SourceError(
                f"{short(source)}: each parenthesis needs its other half, and two terms or more between them"
            )
        return squeezed

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        """Why a source is neither drawn nor a step of an expression that is drawn: see `Task.unlike_training`."""
        try:
            reason = unlike(self.normalise(source), self._spaces)
        except SourceError as error:
            reason = str(error)
        return None if reason and self.stepwise and source in self._steps else reason

    @cached_property
    def _steps(self) -> frozenset[str]:
        """The sources of all steps of all expressions; empty if there are too many expressions."""
        if sum(space.candidates for space in self._spaces) > MOST_STEPPED:
            return frozenset()
        return frozenset(np.char.lstrip(self.steps_of(self.list()).sources).tolist())

    @property
    def breakdowns(self) -> Mapping[str, Callable[[Array], Array]]:
        return {"operator": operators_used, **({"depth": depth} if self.parentheses else {})}


def _fair_shares(n: int, limits: list[int]) -> list[int]:
    """Split `n` as evenly as the limits allow. The first ones get the remainder."""
    shares = [0] * len(limits)
    while n > 0:
        unfilled = [i for i, limit in enumerate(limits) if shares[i] < limit]
        for position, i in enumerate(unfilled):
            share = -(-n // (len(unfilled) - position))
            taken = min(share, limits[i] - shares[i])
            shares[i] += taken
            n -= taken
    return shares
