"""Losses. Each is a sum over the learned characters, shape (1,)."""

from __future__ import annotations

from seq2seq.mx import Symbol, mx


def target_log_probabilities(log_probabilities: Symbol, target: Symbol, mask: Symbol | None) -> Symbol:
    """Log-probability of each learned character in the target, and 0 elsewhere.

    Parameters
    ----------
    log_probabilities : mxnet.Symbol
        Shape (T, N, V).
    target : mxnet.Symbol
        Ids, shape (T, N).
    mask : mxnet.Symbol, optional
        1 for learned characters, else 0, shape (T, N). By default all are learned.

    Returns
    -------
    mxnet.Symbol, shape (T, N)
    """
    return _masked(mx.sym.pick(log_probabilities, target, axis=-1), mask)


def cross_entropy(
    log_probabilities: Symbol, target: Symbol, mask: Symbol | None, label_smoothing: float = 0.0
) -> Symbol:
    """Negative log-probability of the target's learned characters (nats).

    Parameters
    ----------
    log_probabilities, target, mask
        As for `target_log_probabilities`.
    label_smoothing : float
        Fraction of each target's probability that is spread evenly over all V characters, from 0 to below 1: Szegedy
        et al., "Rethinking the Inception Architecture for Computer Vision" (2016), section 7.

    Returns
    -------
    mxnet.Symbol, shape (1,)
    """
    values = target_log_probabilities(log_probabilities, target, mask)
    if label_smoothing:
        even = _masked(mx.sym.mean(log_probabilities, axis=-1), mask)
        values = (1 - label_smoothing) * values + label_smoothing * even
    return mx.sym.make_loss(-mx.sym.sum(values), name="loss")


def _masked(values: Symbol, mask: Symbol | None) -> Symbol:
    return values if mask is None else values * mask
