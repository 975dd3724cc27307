"""The base class of predictors, and their results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from seq2seq.models import AutoregressiveModel, Model
from seq2seq.typing import Array

MOST_VALUES = 2**22  # largest size of an array; a large alphabet means smaller batches


def fitting(model: Model, batch_size: int, scored: bool = False) -> int:
    """Limit the batch size so that the array of log-probabilities is not too large.

    Parameters
    ----------
    model : Model
    batch_size : int
        The largest batch size to return.
    scored : bool
        Whether targets are scored. If they are not, an autoregressive model holds log-probabilities of one step only.

    Returns
    -------
    int
    """
    steps = 1 if isinstance(model, AutoregressiveModel) and not scored else model.target_length
    return max(1, min(batch_size, MOST_VALUES // (steps * model.vocabulary_size)))


def probability(scores: Array) -> Array:
    """The probabilities of log-probabilities, which rounding may have brought above 0."""
    return np.exp(np.minimum(scores, 0), dtype=np.float64)


class Answers(NamedTuple):
    """A model's answers to N sources.

    Attributes
    ----------
    ids : ndarray of int, shape (N, T)
        The most probable answer that was found.
    confidence : ndarray of float, shape (N,)
        Probability of the whole answer, the product of the probabilities of its characters, from 0 to 1.
    nats : ndarray of float, shape (N,), or None
        Negative log-probability of each target, summed over its learned characters, if targets were given.
    characters : ndarray of int, shape (N,), or None
        Number of learned characters in each target, including the end of an answer but no other padding.
    """

    ids: Array
    confidence: Array
    nats: Array | None = None
    characters: Array | None = None

    @property
    def loss(self) -> float:
        """Mean negative log-probability per learned character (nats); needs targets."""
        assert self.nats is not None and self.characters is not None
        return float(self.nats.sum() / self.characters.sum())


class Best(NamedTuple):
    """The K best answers to N sources, the most probable first.

    Attributes
    ----------
    ids : ndarray of int, shape (N, K, T)
    scores : ndarray of float, shape (N, K)
        Log-probability of each answer (nats).
    """

    ids: Array
    scores: Array


class _Answer(NamedTuple):
    text: str
    confidence: float


class Answer(_Answer):
    """An answer and its confidence; it unpacks and compares as the pair of these two.

    Attributes
    ----------
    text : str
    confidence : float
        Probability that the model gives to the answer, from 0 to 1.
    unlike_training : str or None
        The reason why the source is unlike all training examples, so that the answer is not reliable, such as `has 4
        terms; trained on 3`. None if the source is like the training examples.
    """

    unlike_training: str | None

    def __new__(cls, text: str, confidence: float, unlike_training: str | None = None) -> Answer:
        answer = super().__new__(cls, text, confidence)
        answer.unlike_training = unlike_training
        return answer

    def __repr__(self) -> str:
        mark = "" if self.unlike_training is None else f", unlike_training={self.unlike_training!r}"
        return f"Answer(text={self.text!r}, confidence={self.confidence!r}{mark})"


class Predictor(ABC):
    """Answers sources with a trained model.

    Attributes
    ----------
    model : Model
    batch_size : int
        Number of sources per forward pass (N).
    searches : bool
        Whether it can find several answers to a source: see `search`.
    """

    model: Model
    batch_size: int
    searches: bool = False

    def search(self, sources: Array) -> Best:
        """Find the K best answers to each source, if the predictor `searches`.

        Parameters
        ----------
        sources : ndarray of int, shape (N, S)

        Returns
        -------
        Best

        Raises
        ------
        NotImplementedError
            If the predictor has only one answer per source.
        """
        raise NotImplementedError(f"{type(self).__name__} has one answer to each source")

    @abstractmethod
    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        """Answer all sources; N need not be a multiple of the batch size.

        Parameters
        ----------
        sources : ndarray of int, shape (N, S)
        targets : ndarray of int, shape (N, T), optional
            Targets to score.

        Returns
        -------
        Answers
        """
