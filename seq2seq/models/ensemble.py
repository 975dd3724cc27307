"""An ensemble: a network made of other networks, which predicts the geometric mean of their probabilities.

At each step the log-probabilities of all members are averaged and normalised again. The ensemble is a model like any
other, so each way of answering works with it unchanged: the members read the same characters, also those that the
ensemble has chosen before, and each keeps its own states. Sutskever, Vinyals and Le, "Sequence to Sequence Learning
with Neural Networks" (2014), section 3.6, answer with an ensemble.

The parameters, states and memory of member I are named `I.NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from seq2seq.engine.network import variables
from seq2seq.errors import UsageError
from seq2seq.models.base import AutoregressiveModel, Model, ParallelModel
from seq2seq.mx import Symbol, mx

E = TypeVar("E", bound="_Ensemble")
V = TypeVar("V")


def ensemble_of(members: Sequence[Model]) -> Model:
    """Make the ensemble of some networks.

    Parameters
    ----------
    members : sequence of Model
        One or more, for the same lengths and vocabulary. Either all write one character at a time, or all write all
        characters at once.

    Returns
    -------
    Model

    Raises
    ------
    UsageError
        If some write one character at a time and others do not.
    """
    searches = {isinstance(member, AutoregressiveModel) for member in members}
    if len(searches) > 1:
        raise UsageError("ensemble: some of its models write one character at a time, and others all at once")
    return AutoregressiveEnsemble(members) if searches.pop() else ParallelEnsemble(members)


def joined(parts: Iterable[Mapping[str, V]]) -> dict[str, V]:
    """The values of all members, such as their parameters, in one dict with the names `I.NAME`."""
    return {f"{number}.{name}": value for number, part in enumerate(parts) for name, value in part.items()}


class _Ensemble(Model):
    """What both kinds of ensembles have in common.

    Parameters
    ----------
    members : sequence of Model
    """

    def __init__(self, members: Sequence[Model]) -> None:
        first = members[0]
        super().__init__(
            first.config,
            first.source_length,
            first.target_length,
            first.vocabulary_size,
            first.pad,
            first.padding,
        )
        self.members = list(members)

    def resized(self: E, source_length: int, target_length: int) -> E:
        return type(self)([member.resized(source_length, target_length) for member in self.members])

    def log_probabilities(self, source: Symbol, target: Symbol = None) -> Symbol:
        inputs = {"source": source} if target is None else {"source": source, "target": target}
        found = []
        for number, member in enumerate(self.members):
            own = _own({"found": member.log_probabilities(*variables(inputs).values())}, number, inputs)
            found.append(own["found"])
        return _mean(found)


class ParallelEnsemble(_Ensemble, ParallelModel):
    """An ensemble of networks that write all characters at once: see the module."""

    def logits(self, source: Symbol) -> Symbol:
        return self.log_probabilities(source)


class AutoregressiveEnsemble(_Ensemble, AutoregressiveModel):
    """An ensemble of networks that write one character at a time: see the module."""

    def __init__(self, members: Sequence[Model]) -> None:
        super().__init__(members)
        self._members = [cast(AutoregressiveModel, member) for member in members]
        self.memory_names = tuple(joined(dict.fromkeys(member.memory_names) for member in self._members))

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(joined(dict.fromkeys(member.state_names) for member in self._members))

    def encode(self, source: Symbol) -> dict[str, Symbol]:
        encoded = [member.encode(mx.sym.var("source")) for member in self._members]
        return joined(_own(part, number, {"source": source}) for number, part in enumerate(encoded))

    def step(
        self, previous: Symbol, states: dict[str, Symbol], memory: dict[str, Symbol]
    ) -> tuple[Symbol, dict[str, Symbol]]:
        found = []
        after = []
        for number, member in enumerate(self._members):
            own_states = {name: states[f"{number}.{name}"] for name in member.state_names}
            own_memory = {name: memory[f"{number}.{name}"] for name in member.memory_names}
            log_probabilities, new = member.step(mx.sym.var("previous"), variables(own_states), variables(own_memory))
            inputs = {"previous": previous, **own_states, **own_memory}
            own = _own({"found": log_probabilities, **new}, number, inputs)
            found.append(own.pop("found"))
            after.append(own)
        return _mean(found), joined(after)


def _mean(log_probabilities: Sequence[Symbol]) -> Symbol:
    """The logarithm of the normalised geometric mean of probabilities, of the same shape (..., V)."""
    return mx.sym.log_softmax(mx.sym.add_n(*log_probabilities) / len(log_probabilities), axis=-1)


def _own(symbols: Mapping[str, Symbol], number: int, inputs: Mapping[str, Symbol]) -> dict[str, Symbol]:
    """A member's graph with its parameters named as those of member `number`.

    Parameters
    ----------
    symbols : dict of str to mxnet.Symbol
        The outputs of one graph. Its inputs are variables, named as in `inputs`.
    number : int
    inputs : dict of str to mxnet.Symbol
        The symbols to put in their place.
    """
    graph = mx.sym.Group(list(symbols.values()))
    attributes = graph.attr_dict()
    places = {}
    for name in graph.list_arguments():
        if name in inputs:
            places[name] = inputs[name]
        else:  # a shape that MXNet cannot infer is an attribute
            places[name] = mx.sym.var(f"{number}.{name}", attr=attributes.get(name))
    return dict(zip(symbols, graph(**places)))
