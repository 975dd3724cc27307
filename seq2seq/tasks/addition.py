"""The task of the sums, differences and digit products of two numbers with any number of digits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seq2seq.arrays import hash_strings
from seq2seq.errors import SourceError, UsageError, is_range, is_whole, require, short
from seq2seq.tasks.arrays import Pairs
from seq2seq.tasks.base import Task
from seq2seq.tasks.measure import out_of_range
from seq2seq.typing import Array
from seq2seq.values import counted, require_truth, whole

MOST_DIGITS = 10_000
LIST_LIMIT = 1_000_000
ZERO = ord("0")
OPERATORS = "+-*"


@dataclass(frozen=True)
class Addition(Task):
    """Sums and differences of two whole numbers, and products with one digit.

    `907+15` is 922, `15-907` is -892, and `907*8` is 7256.

    The number of digits is drawn first, uniformly, as in the Keras example `addition_rnn`, and then the digits. The
    first digit is not 0 unless the number is 0.

    Parameters
    ----------
    digits : int or (int, int)
        The greatest number of digits, or the least and the greatest.
    operators : str
        Any of `+`, `-` and `*`. The second factor of a product has one digit.
    close : bool
        For sums and differences: whether both numbers begin with the same digits. They have the same length, and share
        at least the first digit and at most all. Each number of shared digits is equally likely, so the place that
        decides which number is greater is equally likely to be early or late.
    runs : bool
        Whether the numbers are drawn with runs of equal digits, in both at the same places, such as 4440000+2229999:
        these carry far. Every pair of numbers can still be drawn.
    alike : bool
        For sums and differences: whether the numbers have many equal digits at the same places, such as
        5240217-3240219: a difference borrows through them. The share of equal digits is drawn uniformly. Every pair of
        numbers can still be drawn.
    around : bool
        Whether one number is just above a round number and the other just below, such as 1020-973 or 4298-4305: the
        digits before the last zeros tell which is greater. Half of the round numbers are powers of ten. How much above
        and below is drawn like any number.

    Raises
    ------
    UsageError
        If an option is not allowed.
    """

    digits: int | tuple[int, int] = field(
        default=3, metadata={"help": "most digits of a number, or a range 1-20", "parse": "range"}
    )
    operators: str = field(default="+", metadata={"help": "any of + - *", "parse": str})
    close: bool = field(default=False, metadata={"help": "numbers that begin alike", "parse": bool})
    runs: bool = field(default=False, metadata={"help": "numbers with runs of equal digits", "parse": bool})
    alike: bool = field(default=False, metadata={"help": "numbers with many equal digits", "parse": bool})
    around: bool = field(
        default=False, metadata={"help": "numbers just above and just below a round number", "parse": bool}
    )

    name = "addition"
    keys = ("expression", "commutative")
    preset = "default"

    def __post_init__(self) -> None:
        super().__post_init__()
        digits: Any = (1, self.digits) if is_whole(self.digits, 1) else self.digits
        require(
            is_range(digits, 1, MOST_DIGITS),
            "digits",
            self.digits,
            f"a whole number from 1 to {MOST_DIGITS}, or a pair (least, most) of them",
        )
        operators = [operator for operator in OPERATORS if operator in str(self.operators)]
        known = isinstance(self.operators, str) and sorted(self.operators) == sorted(operators) != []
        require(known, "operators", self.operators, f"one or more of {' '.join(OPERATORS)}, each once")
        for name in ("close", "runs", "alike", "around"):
            require_truth(name, getattr(self, name))
        alone = not self.close and digits[0] == 1
        require(alone or not self.around, "around", self.around, "false with close, or without numbers of one digit")
        for name in ("close", "alike"):
            require(not (getattr(self, name) and "*" in operators), name, True, "false with the operator *")
        object.__setattr__(self, "digits", tuple(digits))
        object.__setattr__(self, "operators", "".join(operators))

    @property
    def _range(self) -> tuple[int, int]:
        assert isinstance(self.digits, tuple)
        return self.digits

    @property
    def characters(self) -> str:
        return "0123456789" + self.operators + " "

    @property
    def source_length(self) -> int:
        return 2 * self._range[1] + 1

    @property
    def target_length(self) -> int:
        return self._range[1] + 1

    @property
    def count(self) -> int:
        least, most = self._range
        numbers = 10**most - (10 ** (least - 1) if least > 1 else 0)
        if self.close:  # 0 begins like no other number
            pairs = sum(9 * 10 ** (2 * (digits - 1)) for digits in range(least, most + 1)) + (least == 1)
        else:
            pairs = numbers**2
        return sum(10 * numbers if operator == "*" else pairs for operator in self.operators)

    @property
    def binary_operators(self) -> str:
        return self.operators

    @property
    def digit_operators(self) -> str:
        return "*"

    # Drawing: numbers are rows of digits, the least significant first ---------------------------------------------

    def list(self) -> Pairs:
        if self.count > LIST_LIMIT:
            raise UsageError(f"list: there are {counted(self.count)} pairs, more than the {LIST_LIMIT} that are listed")
        least, most = self._range
        values = np.arange(10 ** (least - 1) if least > 1 else 0, 10**most)
        digits = values[:, None] // 10 ** np.arange(most) % 10
        first, second = (index.reshape(-1) for index in np.indices((len(values), len(values))))
        if self.close:
            length = np.char.str_len(values.astype(str))
            begin = 10 * length + values // 10 ** (length - 1)
            alike = begin[first] == begin[second]
            first, second = first[alike], second[alike]
        parts = []
        for operator in self.operators:
            if operator == "*":
                first, second = (index.reshape(-1) for index in np.indices((len(values), 10)))
                digit = np.where(np.arange(most) == 0, second[:, None], 0)
                parts.append(self._pairs(digits[first], digit, np.full(len(first), operator)))
            else:
                parts.append(self._pairs(digits[first], digits[second], np.full(len(first), operator)))
        return Pairs(*(np.concatenate([getattr(part, side) for part in parts]) for side in ("sources", "targets")))

    def sample(self, n: int, rng: np.random.Generator) -> Pairs:
        n = whole("n", n, 0)
        ends = self._ends(n, rng)
        first = self._draw(n, rng, ends)
        second = self._draw(n, rng, ends)
        if self.close:
            length = np.maximum(1, (first != 0).cumsum(axis=1).argmax(axis=1) + 1)  # up to the last digit that is not 0
            shared = 1 + (rng.random(n) * length).astype(int)
            again = second if self.runs else rng.integers(10, size=first.shape, dtype=np.int8)
            second = np.where(np.arange(first.shape[1]) < (length - shared)[:, None], again, first)
        if self.alike:
            equal = rng.random(first.shape) < rng.random((n, 1))
            second = np.where(equal, first, second)
        if self.around:
            first, second = _around(first, second, self._draw(n, rng, None), rng)
        operators = rng.choice([*self.operators], n)
        second = np.where((operators == "*")[:, None] & (np.arange(second.shape[1]) > 0), 0, second)
        return self._pairs(first, second, operators)

    def sample_distinct(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` pairs with distinct sources, distributed as closely as possible like those of `sample`."""
        n = whole("n", n, 0, self.count)
        if 2 * n >= self.count:  # at least half of all pairs: listing them is no slower
            return self.list().take(rng.permutation(self.count)[:n])
        drawn = self.sample(0, rng)
        while len(drawn) < n:
            missing = n - len(drawn)
            more = self.sample(missing + missing // 8 + 16, rng)
            drawn = Pairs(np.append(drawn.sources, more.sources), np.append(drawn.targets, more.targets))
            _, first = np.unique(hash_strings(drawn.sources), return_index=True)
            drawn = drawn.take(np.sort(first)[:n])
        return drawn

    def _ends(self, n: int, rng: np.random.Generator) -> Array | None:
        """The places where a run of equal digits ends, bool, shape (N, most); None without runs."""
        if not self.runs:
            return None
        ends = rng.random((n, self._range[1])) < rng.random((n, 1))
        ends[:, -1] = True
        return ends

    def _draw(self, n: int, rng: np.random.Generator, ends: Array | None) -> Array:
        """Numbers as digits (N, most), the least significant first."""
        least, most = self._range
        length = rng.integers(least, most, size=(n, 1), endpoint=True)
        digits = rng.integers(10, size=(n, most), dtype=np.int8)
        top = (length > 1) & (np.arange(most) == length - 1)
        digits = np.where(top, rng.integers(1, 10, size=(n, 1), dtype=np.int8), digits)
        if ends is not None:
            last = np.where(top | ends, np.arange(most), most)
            digits = np.take_along_axis(digits, np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1], axis=1)
        return np.where(np.arange(most) < length, digits, 0)

    def _pairs(self, first: Array, second: Array, operators: Array) -> Pairs:
        """Pairs from digits (N, most) and operators (N,)."""
        sources = np.char.add(np.char.add(_written(first), operators), _written(second))
        values, negative = _values(first, second, operators)
        targets = np.char.add(np.where(negative, "-", ""), _written(values))
        return Pairs(_justified(sources, self.source_length), _justified(targets, self.target_length))

    # Reading ------------------------------------------------------------------------------------------------------

    def key(self, sources: Array, key: str) -> Array:
        """`expression`: the string itself. `commutative`: the order of the numbers in a sum or product is ignored."""
        require(key in self.keys, "key", key, f"one of {', '.join(self.keys)}")
        if key == "expression":
            return sources
        keys = np.char.lstrip(sources)
        for operator in "+*":
            parts = np.char.partition(keys, operator)
            # The longer number comes first, or of two with the same length, the one that is first alphabetically.
            first, second = parts[:, 0], parts[:, 2]
            lengths = np.char.str_len(first) - np.char.str_len(second)
            turned = (parts[:, 1] == operator) & ((lengths < 0) | ((lengths == 0) & np.char.greater(first, second)))
            swapped = np.char.add(np.char.add(second, operator), first)
            keys = np.where(turned, swapped, keys)
        return _justified(keys, self.source_length)

    def normalise(self, source: str) -> str:
        squeezed = source.replace(" ", "")
        if not re.fullmatch(rf"(0|[1-9][0-9]*)[{re.escape(self.operators)}](0|[1-9][0-9]*)", squeezed, re.ASCII):
            raise SourceError(f"{short(source)} is not two whole numbers with {' or '.join(self.operators)} between")
        if re.search(r"\*..", squeezed):
            raise SourceError(f"{short(source)}: the second factor must have one digit")
        return squeezed

    def unlike_training(self, source: str, longer: bool = False) -> str | None:
        """Compare the numbers of digits. If `longer`, there is no upper limit."""
        try:
            numbers = re.split(r"\D", self.normalise(source).partition("*")[0])
        except SourceError as error:
            return str(error)
        for number in numbers:
            if reason := out_of_range(len(number), *self._range, "digit", longer):
                return f"has a number that {reason}"
        lengths = {len(number) for number in numbers}
        if self.close and not (len(lengths) == 1 and numbers[0][0] == numbers[1][0]):
            return "has numbers that do not begin alike; trained on those that do"
        return None


def _around(first: Array, second: Array, prefix: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A round number plus one number, and the round number minus the other, in either order, as digits (N, most).

    The round number is a power of ten in half of the rows, and else the last digits of `prefix` and zeros. Its place is
    drawn among those greater than both numbers; a number is left as it is where there is none.
    """
    n, most = first.shape
    places = np.arange(most)
    longest = most - ((first + second)[:, ::-1] != 0).argmax(axis=1)
    place = rng.integers(np.minimum(longest, most - 1), most)
    power = rng.random((n, 1)) < 0.5
    prefix = np.where(power | (prefix == 0).all(axis=1, keepdims=True), places == 0, prefix)
    moved = places - place[:, None]
    whole = np.where(moved >= 0, np.take_along_axis(prefix, np.maximum(moved, 0), axis=1), 0).astype(np.int8)
    possible = ((longest < most) & (whole != 0).any(axis=1))[:, None]
    below, _ = _values(whole, second, np.full(n, "-"))
    above = np.where(possible, first + whole, first)
    below = np.where(possible, below[:, :most], second).astype(np.int8)
    turned = rng.integers(2, size=(n, 1), dtype=bool)
    return np.where(turned, below, above), np.where(turned, above, below)


def _values(first: Array, second: Array, operators: Array) -> tuple[Array, Array]:
    """Digits (N, most + 1) of the absolute results, and a mask of the negative ones: a loop over places."""
    n, most = first.shape
    first = first.astype(np.int16)
    times = operators == "*"
    total = np.where(operators[:, None] == "-", first - second, first + second)
    total[times] = first[times] * second[times, :1]
    total = np.pad(total, ((0, 0), (0, 1)))
    top = most - (total[:, ::-1] != 0).argmax(axis=1)
    negative = total[np.arange(n), top] < 0  # the sign of the most significant digit that is not 0
    total[negative] *= -1
    carry = np.zeros(n, np.int16)
    for place in range(most + 1):
        carry, total[:, place] = np.divmod(total[:, place] + carry, 10)
    return total, negative


def _written(digits: Array) -> Array:
    """Rows of digits (N, places), the least significant first, as strings (N,) without leading zeros."""
    codes = np.ascontiguousarray(digits[:, ::-1].astype(np.uint32) + ZERO)
    strings = np.char.lstrip(codes.view(f"U{codes.shape[1]}").reshape(len(codes)), "0")
    return np.where(strings == "", "0", strings)


def _justified(strings: Array, width: int) -> Array:
    return np.char.rjust(strings, width).astype(f"U{width}")
