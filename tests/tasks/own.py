"""Tasks as a user of the library would write them."""

from dataclasses import dataclass

from seq2seq import ListTask, Task


@dataclass(frozen=True)
class Double(Task):
    """Numbers, doubled."""

    most: int = 99

    name = "double"

    def draw(self, rng):
        number = int(rng.integers(self.most + 1))
        return str(number), str(2 * number)


class Greeting(Task):
    """No dataclass, and words for symbols."""

    name = "greeting"
    source_separator = " "
    target_separator = " "

    def draw(self, rng):
        names = [["ann", "bob", "eve", "x"][place] for place in rng.integers(4, size=rng.integers(1, 5))]
        return " ".join(names), " ".join(["hello", *names])


@dataclass(frozen=True)
class Vowels(ListTask):
    """All pairs known; a space is a symbol."""

    name = "vowels"

    def pairs(self):
        return [(f"{a} {b}", b + a) for a in "aeiou" for b in "aeiouy"]
