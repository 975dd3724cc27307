"""What training makes small. Each loss is a sum over the characters that are learned, shape (1,)."""

from __future__ import annotations

from seq2seq.mx import Symbol, mx


def target_log_probabilities(log_probabilities: Symbol, target: Symbol, mask: Symbol | None) -> Symbol:
    """Log-probability of each of the target's characters, 0 where none is learned, shape (T, N).

    Parameters
    ----------
    log_probabilities : mxnet.Symbol
        Shape (T, N, V).
    target : mxnet.Symbol
        Ids, shape (T, N).
    mask : mxnet.Symbol, optional
        1 where a character is learned, else 0, shape (T, N). Without it, all are.
    """
    return _masked(mx.sym.pick(log_probabilities, target, axis=-1), mask)


def cross_entropy(
    log_probabilities: Symbol, target: Symbol, mask: Symbol | None, label_smoothing: float = 0.0
) -> Symbol:
    """The negative log-probability of the target's characters (nats).

    Parameters
    ----------
    log_probabilities, target, mask
        As for `target_log_probabilities`.
    label_smoothing : float
        How much of each target's probability all V characters share evenly, from 0 to below 1: Szegedy et al.,
        "Rethinking the Inception Architecture for Computer Vision" (2016), section 7.
    """
    values = target_log_probabilities(log_probabilities, target, mask)
    if label_smoothing:
        even = _masked(mx.sym.mean(log_probabilities, axis=-1), mask)
        values = (1 - label_smoothing) * values + label_smoothing * even
    return mx.sym.make_loss(-mx.sym.sum(values), name="loss")


def _masked(values: Symbol, mask: Symbol | None) -> Symbol:
    return values if mask is None else values * mask
