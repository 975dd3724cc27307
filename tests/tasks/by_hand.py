"""Expressions read, evaluated and worked out by hand, one at a time: what the task is tested against."""

import re
from fractions import Fraction


def tree(source):
    """Nested tuples: a number, or ("sum", (sign, product), ...), a product being ((operator, factor), ...)."""
    tokens = re.findall(r"\d+|.", source.strip())

    def total():
        parts = [(tokens.pop(0) if tokens[0] == "-" else "+", product())]
        while tokens and tokens[0] in "+-":
            parts.append((tokens.pop(0), product()))
        return ("sum", *parts)

    def product():
        factors = [("*", factor())]
        while tokens and tokens[0] in "*/%":
            factors.append((tokens.pop(0), factor()))
        return tuple(factors)

    def factor():
        token = tokens.pop(0)
        if token != "(":
            return int(token)
        inner = total()
        assert tokens.pop(0) == ")"
        return inner

    whole = total()
    assert not tokens
    return whole


def value(source):
    """The value by Python's own parser, `/` coming out whole; `ZeroDivisionError` or `ArithmeticError` if it does not.

    Everything is a fraction, whose remainder is that of Python's whole numbers.
    """

    class Whole(Fraction):
        def __truediv__(self, other):
            if (quotient := Fraction(self) / Fraction(other)).denominator != 1:
                raise ArithmeticError(source)
            return Whole(quotient)

    for name in ("add", "sub", "mul", "mod", "neg"):
        operation = getattr(Fraction, f"__{name}__")
        setattr(Whole, f"__{name}__", lambda *sides, do=operation: Whole(do(*sides)))
    exact = eval(re.sub(r"\d+", r"Whole(\g<0>)", source.strip()), {"Whole": Whole})
    assert exact == eval(source.strip().replace("/", "//"))
    return int(exact)


def canonical(source):
    """The same for every order of terms and of factors within each level: products and sums sorted."""

    def of_sum(whole):
        (sign, first), *others = whole[1:]
        # The sign of the first number is taken away from what it is multiplied with, but divided with its number.
        signed = sign == "-" and any(operator == "%" for operator, _ in first)
        parts = [("+", of_product(first, ["-"])) if signed else (sign, of_product(first))]
        return ("sum", *sorted([*parts, *((sign, of_product(factors)) for sign, factors in others)], key=repr))

    def of_product(factors, done=()):
        done = list(done)
        for operator, factor in factors:
            here = (operator, factor if isinstance(factor, int) else of_sum(factor))
            done = [("%", tuple(sorted(done, key=repr)), here)] if operator == "%" else [*done, here]
        return tuple(sorted(done, key=repr))

    return of_sum(tree(source))


def shuffled(source, rng):
    """The same question with its terms and factors in another order, one without a sign staying first."""

    def of_sum(whole):
        parts = [whole[1 + place] for place in rng.permutation(len(whole) - 1)]
        parts.sort(key=lambda part: part[0] == "-")
        return "".join(sign + of_product(factors) for sign, factors in parts).removeprefix("+")

    def of_product(factors):
        done, free = "", []
        for operator, factor in factors:
            text = operator + (str(factor) if isinstance(factor, int) else f"({of_sum(factor)})")
            if operator == "%":
                done, free = in_any_order(done, free) + text, []
            else:
                free.append(text)
        return in_any_order(done, free)

    def in_any_order(done, free):
        free = [free[place] for place in rng.permutation(len(free))]
        if not done:
            free.sort(key=lambda text: text[0] == "/")
        return (done + "".join(free)).removeprefix("*")

    return of_sum(tree(source))


NUMBER = r"(?:(?:^|(?<=\())-\d+|\(-\d+\)|\d+)"
STEP = re.compile(rf"{NUMBER}(?:[*/%]{NUMBER}(?!\d)|[-+]{NUMBER}(?![*/%\d]))")
THREE_FACTORS = re.compile(rf"(\(*)({NUMBER})\*({NUMBER}\*{NUMBER}(?!\d))")


def next_step(source, most):
    """One step in its place: the first operation from the left that no `*`, `/` or `%` behind it comes before, but of
    three factors at the beginning the last two, the largest having gone first if none is negative.

    If one of the first two factors is greater than `most`, these two come first. Without parentheses, if one of the
    first three numbers is, the first stays aside while it waits for a product.
    """
    text = source.lstrip()
    aside = re.match(r"-?(\d+)[-+](?=(\d+)[*/%](\d+))", text)
    if aside and "(" not in text and any(int(number) > most for number in aside.groups()):
        return (aside[0] + next_step(text[aside.end() :], most)).rjust(len(source))
    found = THREE_FACTORS.match(text)
    if found and not any(int(factor) > most for factor in re.findall(r"\d+", found[0])[:2]):
        if "-" not in found[0]:
            factors = [int(factor) for factor in re.findall(r"\d+", found[0])]
            factors.insert(0, factors.pop(factors.index(max(factors))))
            text = found[1] + "*".join(map(str, factors)) + text[found.end() :]
            found = THREE_FACTORS.match(text)
        begin, end = found.span(3)
    elif found := STEP.search(text):
        begin, end = found.span()
    else:
        return source
    result = eval(text[begin:end].replace("/", "//"))
    if text[begin - 1 : begin] == "(" and text[end : end + 1] == ")":
        begin, end = begin - 1, end + 1
    first = begin == 0 or text[begin - 1] == "("
    written = str(result) if result >= 0 or first else f"({result})"
    return (text[:begin] + written.rjust(end - begin) + text[end:]).rjust(len(source))


def next_step_by_digit(source):
    """The first step of `+`, `-` and `*` without parentheses, multiplying by one digit: `12*24*3` to `240*3+48*3`."""
    source = source.strip()
    chain = re.match(r"(-?\d+[+-](?=\d+\*))?(-?\d+)\*(\d+)((?:\*\d+)*)(.*)", source)
    if chain is None:  # a sum
        both = re.match(r"(-?\d+)([+-]\d+)(.*)", source)
        return str(int(both[1]) + int(both[2])) + both[3] if both else source
    before, first, second, rest, after = (part or "" for part in chain.groups())
    tens = int(second[0]) * 10 ** (len(second) - 1)
    if int(second) == tens:
        return f"{before}{int(first) * tens}{rest}{after}"
    sign = "-" if "-" in (before[-1:], first[:1]) else "+"
    return f"{before}{int(first) * tens}{rest}{sign}{abs(int(first)) * (int(second) - tens)}{rest}{after}"


def any_expression(task, rng):
    """An expression of up to eight terms, with numbers of up to three digits."""
    numbers = [str(number) for number in rng.choice([*range(30), 100, 365], rng.integers(1, 9))]
    if task.parentheses and len(numbers) > 3:
        numbers[1] = f"({numbers[1]}"
        numbers[2] = f"{numbers[2]})"
    signs = rng.choice([*task.operators], len(numbers) - 1)
    return "-" * bool(task.signed and rng.random() < 0.5) + numbers[0] + "".join(map("".join, zip(signs, numbers[1:])))
