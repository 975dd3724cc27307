"""Continues a text with a trained run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NoReturn, cast

import numpy as np

from seq2seq.decoding import Answer, BaseReader, write
from seq2seq.errors import SourceError, UsageError, require, short
from seq2seq.pairs_evaluation import PairsEvaluation, SomePairs
from seq2seq.solver import LONGEST, Solver
from seq2seq.typing import Array
from seq2seq.values import HELD, MOST_SEED, is_held, plain, whole

if TYPE_CHECKING:
    from seq2seq.models import CharacterModel


class Writer(Solver):
    """Continues a text. It is a `Solver` whose sources are prefixes, which it answers with the next character.

    >>> writer = Writer("runs/book")
    >>> "".join(writer.continued("It is ", 20, temperature=0.7))
    'the same as the other'
    >>> writer("It i")
    's'

    It has the parameters of `Solver`, and can be used in threads, forks and copies in the same way.
    """

    kind = "language"

    def continued(
        self, prefix: str, characters: int = 200, temperature: float = 1.0, top_k: int = 0, seed: int = 0
    ) -> Iterator[str]:
        """Continue a text after a prefix, one character at a time.

        Parameters
        ----------
        prefix : str
        characters : int
            Number of characters to write.
        temperature : float
            Divides the log-probabilities. Below 1 probable characters become more frequent, above 1 less frequent; 0
            writes the most probable character.
        top_k : int
            Draw only from the `top_k` most probable characters; 0 draws from all.
        seed : int
            Seeds the random draws.

        Returns
        -------
        iterator of str

        Raises
        ------
        SourceError
            If the prefix is too short, or has a character outside the vocabulary.
        UsageError
            If an option is not allowed.
        """
        characters = whole("characters", characters, 0, sys.maxsize)
        top_k = whole("top_k", top_k, 0, sys.maxsize)
        seed = whole("seed", seed, 0, MOST_SEED)
        temperature = plain(temperature)
        require(is_held(temperature), "temperature", temperature, f"a number from 0 {HELD}")
        reader, ids = self._reading(self.prepare(prefix))
        drawn = write(reader, ids, temperature, top_k, np.random.default_rng(seed))
        return (self.codec.alphabet.symbol(self.codec.characters[each]) for each in islice(drawn, characters))

    def expected(self, source: str) -> list[Answer]:
        """The most probable next character after each prefix of a source.

        Parameters
        ----------
        source : str

        Returns
        -------
        list of Answer
            One per prefix that is long enough for the model; the last one is for the whole source.

        Raises
        ------
        SourceError
            If the source is too short, or has a character outside the vocabulary.
        """
        return self._expected(self.prepare(source))

    def _expected(self, prepared: str) -> list[Answer]:
        reader, ids = self._reading(prepared)
        fewest = self._model.fewest
        read = [reader.read(ids[:fewest]), *(reader.read(ids[place : place + 1]) for place in range(fewest, len(ids)))]
        best = [(int(each.argmax()), float(np.exp(each.max()))) for each in read]
        return [Answer(self.codec.alphabet.symbol(self.codec.characters[place]), p) for place, p in best]

    def prepare(self, source: str) -> str:
        require(isinstance(source, str), "source", source, "a string")
        prepared = self.codec.alphabet.read_source(source)
        fewest = self._model.fewest
        if len(prepared) < fewest:
            raise SourceError(
                f"{short(source)}: has {len(source)} characters, but the model has to read {fewest} first"
            )
        self.codec.vocabulary.check(prepared, LONGEST)
        return prepared

    def work(self, source: str) -> list[str]:
        """The next character as the only step."""
        return [self(source)]

    def calls(self, source: str) -> NoReturn:
        raise UsageError("a run of a text has no answers to explain; see `solve --predict`")

    def n_best(self, source: str, n: int) -> NoReturn:
        raise self._one_answer("n_best")

    def _one_answer(self, option: str) -> UsageError:
        why = "it answers with one character, the next, so there are no answers to search"
        return UsageError(f"{option}: the run {self.shown} has read a text: {why}")

    def evaluate_pairs(self, pairs: SomePairs) -> PairsEvaluation:
        raise UsageError(f"pairs: the run {self.run.shown} has read a text, and answers no sources")

    def _asked(self, prepared: list[str]) -> Iterator[tuple[Answer, list[str]]]:
        yield from ((self._expected(source)[-1], []) for source in prepared)

    def _reading(self, prepared: str) -> tuple[BaseReader, Array]:
        """A new reader, and the ids of a prepared prefix, shape (L,)."""
        [ids] = self.codec.vocabulary.encode([prepared], len(prepared))
        return self._reader(), ids

    @property
    def _model(self) -> CharacterModel:
        return cast("CharacterModel", self.model(self.codec))
