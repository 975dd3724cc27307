"""Written arithmetic: the order of work from digits to whole numbers, as it is taught in school.

Everything here is a working: it yields questions that the network is asked, and receives their answers. The questions
are sums and differences of two numbers from 0, and a number times one digit. What is given is which question comes
next, the rules of signs, the column of each product, and the digit that comes down. No digit is computed here.

Numbers are strings of any length, such as `-120`. Each step is appended to `steps` as on paper.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from seq2seq.errors import SourceError, short

Asking = Generator[list[str], list[str], str]
MARGIN = " " * 4
ALL_DIGITS = "123456789"


class NoNumber(Exception):
    """The network has answered a question with something that is not a number. Arguments: the question, the answer."""


def ask(*questions: str) -> Generator[list[str], list[str], list[str]]:
    """Ask several questions at once. Raises `NoNumber` unless each answer is a number, from 0 but for a difference."""
    answers = yield [*questions]
    for question, answer in zip(questions, answers):
        if not re.fullmatch("-?[0-9]+" if "-" in question else "[0-9]+", answer):
            raise NoNumber(question, answer)
    return answers


def add(first: str, second: str, steps: list[str]) -> Asking:
    """The sum of two numbers."""
    total = yield from _sum(first, second)
    steps.append(f"{first} + {_inner(second)} = {total}")
    return total


def subtract(first: str, second: str, steps: list[str]) -> Asking:
    """The difference of two numbers."""
    difference = yield from _sum(first, negate(second))
    steps.append(f"{first} - {_inner(second)} = {difference}")
    return difference


def _sum(first: str, second: str) -> Asking:
    """Of numbers with different signs, the sum is the difference of their magnitudes."""
    a = magnitude(first)
    b = magnitude(second)
    if is_negative(first) == is_negative(second):
        [total] = yield from ask(f"{a}+{b}")
        return negate(total) if is_negative(first) else total
    [difference] = yield from ask(f"{b}-{a}" if is_negative(first) else f"{a}-{b}")
    return difference


def multiply(first: str, second: str, steps: list[str]) -> Asking:
    """Long multiplication: the longer number times each digit of the other, and the sum of these products in their
    columns."""
    a, b = sorted((magnitude(first), magnitude(second)), key=len, reverse=True)
    digits = sorted({*b} - {"0"}) or ["0"]
    answers = yield from ask(*(f"{a}*{digit}" for digit in digits))
    products = dict(zip(digits, answers))
    rows = [(column, products[digit]) for column, digit in enumerate(reversed(b)) if digit in products]
    column, product = rows[0]
    total = product + "0" * column
    for column, product in rows[1:]:
        total = total.rjust(column, "0")
        above = total[: len(total) - column] or "0"
        [upper] = yield from ask(f"{product}+{above}")
        total = upper + total[len(total) - column :]  # the lower columns are done
    result = total if is_negative(first) == is_negative(second) else negate(total)
    steps.append(f"{first} * {_inner(second)} = {result}")
    if len(b) > 1:
        steps.append(_set_out_product(a, b, rows, total))
    return result


def _set_out_product(a: str, b: str, rows: list[tuple[int, str]], total: str) -> str:
    width = max(len(a), len(b) + 2, len(total))
    line = "-" * width
    lines = [a, f"* {b}", line, *(product + " " * column for column, product in rows)]
    if len(rows) > 1:
        lines += [line, total]
    return "\n".join(MARGIN + each.rjust(width).rstrip() for each in lines)


def floor_divide(first: str, second: str, steps: list[str]) -> Asking:
    """The quotient, rounded down as in Python."""
    quotient, _ = yield from _divided("//", first, second, steps)
    return quotient


def remainder(first: str, second: str, steps: list[str]) -> Asking:
    """The remainder, which has the sign of the divisor, as in Python."""
    _, left = yield from _divided("%", first, second, steps)
    return left


def divide(first: str, second: str, steps: list[str]) -> Asking:
    """The quotient. Raises `SourceError` if there is a remainder."""
    quotient, left = yield from _divided("/", first, second, steps)
    if left != "0":
        raise SourceError(f"{short(f'{first}/{second}')} does not come out; // gives the quotient, % the remainder")
    return quotient


def _divided(
    operator: str, first: str, second: str, steps: list[str]
) -> Generator[list[str], list[str], tuple[str, str]]:
    """The quotient and the remainder. With different signs, the quotient is one less, unless there is no remainder."""
    if magnitude(second) == "0":
        raise SourceError(f"{short(f'{first}{operator}{second}')}: a division by 0 has no answer")
    working: list[str] = []
    quotient, left = yield from _long_division(magnitude(first), magnitude(second), working)
    if is_negative(first) != is_negative(second):
        if left != "0":
            before = quotient, left
            quotient, left = yield from ask(f"{quotient}+1", f"{magnitude(second)}-{left}")
            working.append(
                f"{MARGIN}rounded down: {before[0]} + 1 = {quotient}, {magnitude(second)} - {before[1]} = {left}"
            )
        quotient = negate(quotient)
    left = negate(left) if is_negative(second) else left
    steps.append(f"{first} {operator} {_inner(second)} = {left if operator == '%' else quotient}")
    steps.extend(working)
    return quotient, left


def _long_division(a: str, b: str, steps: list[str]) -> Generator[list[str], list[str], tuple[str, str]]:
    """Long division from all nine multiples of the divisor. The digit of the quotient is that of the greatest multiple
    that can be subtracted: the network subtracts each, and the signs of the differences tell which ones can."""
    multiples = yield from ask(*(f"{b}*{digit}" for digit in ALL_DIGITS))
    first = min(len(a), len(b)) - 1  # the place where the quotient begins
    left = a[:first] or "0"
    quotient = ""
    rows = []
    for place in range(first, len(a)):
        current = (left + a[place]).lstrip("0") or "0"  # a digit comes down
        differences = yield from ask(*(f"{current}-{multiple}" for multiple in multiples))
        digit = _turn([is_negative(difference) for difference in differences])
        left = differences[digit - 1] if digit else current
        quotient += str(digit)
        if digit:
            rows.append((place, current, multiples[digit - 1]))
    quotient = quotient.lstrip("0") or "0"
    steps.append(_set_out_division(a, b, quotient, rows, left))
    return quotient, left


def _turn(negative: list[bool]) -> int:
    """The number of differences that come before those below 0. If a sign in between is wrong, the number that most of
    the signs agree with."""
    agree = [negative[:count].count(False) + negative[count:].count(True) for count in range(len(negative) + 1)]
    return agree.index(max(agree))


def _set_out_division(a: str, b: str, quotient: str, rows: list[tuple[int, str, str]], left: str) -> str:
    before = f"{b} ) "
    margin = len(before)
    lines = [quotient.rjust(margin + len(a)), " " * margin + "-" * len(a), before + a]
    for number, (place, current, multiple) in enumerate(rows):
        if number:
            lines.append(current.rjust(margin + place + 1))
        lines += [multiple.rjust(margin + place + 1), ("-" * len(current)).rjust(margin + place + 1)]
    lines.append(left.rjust(margin + len(a)))
    return "\n".join(MARGIN + line for line in lines)


def magnitude(number: str) -> str:
    return number.lstrip("-")


def is_negative(number: str) -> bool:
    return number.startswith("-")


def negate(number: str) -> str:
    """The number with the other sign; 0 has none."""
    return number[1:] if is_negative(number) else number if number == "0" else f"-{number}"


def _inner(number: str) -> str:
    return f"({number})" if is_negative(number) else number
