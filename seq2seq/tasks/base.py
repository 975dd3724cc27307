"""What a task is: options, and a random generator, in; pairs of strings out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Callable, ClassVar

import numpy as np


class Pairs:
    """N sources and their targets. A subclass may keep them in a smaller form than strings, and write them when asked.

    Parameters
    ----------
    sources, targets : ndarray of str, shape (N,)
        Right-justified with spaces to the task's source and target lengths.
    """

    def __init__(self, sources: np.ndarray, targets: np.ndarray) -> None:
        self._sources, self._targets = sources, targets

    @property
    def sources(self) -> np.ndarray:
        return self._sources

    @property
    def targets(self) -> np.ndarray:
        return self._targets

    def __len__(self) -> int:
        return len(self.sources)

    def __iter__(self) -> Iterator[np.ndarray]:
        yield self.sources
        yield self.targets

    def take(self, rows: Any) -> Pairs:
        """These rows alone: a slice or an array of numbers."""
        return Pairs(self.sources[rows], self.targets[rows])


class Task(ABC):
    """A rule that draws (source, target) pairs.

    Attributes
    ----------
    name : str
        What the command line and the run folder call it.
    keys : tuple of str
        The ways in which two sources can count as the same question, the weakest first.
    """

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]] = ("expression",)

    @property
    @abstractmethod
    def characters(self) -> str:
        """Every character of the sources and targets, the space among them."""

    @property
    @abstractmethod
    def source_length(self) -> int:
        """Width of the sources in characters (S)."""

    @property
    @abstractmethod
    def target_length(self) -> int:
        """Width of the targets in characters (T)."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many distinct sources there are, exactly."""

    @abstractmethod
    def list(self) -> Pairs:
        """All distinct pairs, in a fixed order. Raises `UsageError` when there are too many to list."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` pairs independently, so that some may come twice."""

    @abstractmethod
    def sample_distinct(self, n: int, rng: np.random.Generator) -> Pairs:
        """Draw `n` pairs with `n` distinct sources, without listing them all when they are many."""

    @property
    def stepwise(self) -> bool:
        """Whether a target is the next step of working its source out, and the answer what no longer changes."""
        return False

    @property
    def binary_operators(self) -> str | None:
        """The operators, where every source is two whole numbers with one of them between."""
        return None

    def head(self, source: str) -> int:
        """How many characters from the start a step of working a source out has to look at."""
        return len(source)

    def steps_of(self, pairs: Pairs) -> Pairs:
        """Of a stepwise task: every step of working these sources out, each once."""
        return pairs

    def final(self, target: str) -> str:
        """The part of a target that is the answer, where the working comes before it."""
        return target

    def key(self, sources: np.ndarray, key: str) -> np.ndarray:
        """One comparable value a source, shape (N,), equal where two sources are the same question."""
        return sources

    def normalise(self, source: str) -> str:
        """The source as the task would write it. Raises `SourceError` if it is not of the task's form.

        What has the form but is never drawn, such as a number out of range, may be asked all the same.
        """
        return source

    @property
    def breakdowns(self) -> Mapping[str, Callable[[np.ndarray], np.ndarray]]:
        """Ways to group sources in an evaluation: name to a function from sources (N,) to labels (N,)."""
        return {}

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What rebuilds this task: `type(task)(**task.options())`, in values that JSON can hold."""
