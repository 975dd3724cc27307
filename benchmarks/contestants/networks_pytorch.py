"""PyTorch on the networks that people train, eager and compiled."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from network_worker import Batch, NetworkContestant, NetworkProblem
from torch import Tensor, nn
from worker import IGNORED, Array, serve

CELLS: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
OFFSETS, FASTER = 4, 10  # of the position bias: see seq2seq/models/attention.py


class Network(nn.Module):
    """The base class: gives layers with the weights of the problem."""

    def __init__(self, problem: NetworkProblem, written_out: bool) -> None:
        super().__init__()
        self.problem, self.written_out = problem, written_out
        settings = problem.settings
        self.vocabulary, self.pad = settings["vocabulary"], settings["pad"]
        self.dropout = nn.Dropout(settings["dropout"])

    def stack(self, name: str) -> nn.RNNBase:
        shape = self.problem.settings["stacks"][name]
        dropout = self.dropout.p if shape["layers"] > 1 else 0.0
        both = shape["directions"] == 2
        sizes = (shape["read"], shape["hidden"], shape["layers"])
        made: nn.RNNBase = CELLS[shape["cell"]](*sizes, dropout=dropout, bidirectional=both)
        arrays = [array for layer in self.problem.stack(name) for direction in layer for array in direction]
        self._fill(made, arrays)
        return made

    def linear(self, name: str) -> nn.Linear:
        weight = self.problem.weights[f"{name}_weight"]
        made = nn.Linear(weight.shape[1], weight.shape[0])
        self._fill(made, [weight, self.problem.weights[f"{name}_bias"]])
        return made

    def parameter(self, name: str) -> nn.Parameter:
        return nn.Parameter(torch.from_numpy(self.problem.weights[name].copy()))

    def run(self, stack: nn.RNNBase, inputs: Tensor, begin: Any = None) -> tuple[Tensor, Any]:
        """`torch.compile` does not look into `nn.LSTM`, so that it can be written out."""
        return written_out(stack, inputs, begin) if self.written_out else stack(inputs, begin)

    @staticmethod
    def _fill(module: nn.Module, arrays: list[Array]) -> None:
        parameters = list(module.parameters())
        assert len(parameters) == len(arrays)
        with torch.no_grad():
            for parameter, values in zip(parameters, arrays):
                parameter.copy_(torch.from_numpy(values))


class Attention(Network):
    """Bidirectional encoder, decoder, dot-product attention with a position bias."""

    def __init__(self, problem: NetworkProblem, written_out: bool) -> None:
        super().__init__(problem, written_out)
        self.encoder, self.decoder = self.stack("encoder"), self.stack("decoder")
        self.mix, self.output = self.linear("attention"), self.linear("output")
        self.from_first, self.from_last = self.parameter("from_first_bias"), self.parameter("from_last_bias")

    def forward(self, source: Tensor, target: Tensor, states: Any) -> tuple[Tensor, Any]:
        """Ids (N, S) and (N, T) to logits (T, N, V), with teacher forcing."""
        memory, states = self.encode(source)
        start = torch.full_like(target[:, :1], self.vocabulary)
        previous = torch.cat([start, target[:, :-1].clamp(min=0)], dim=1)
        return self.decode(previous, memory, states)

    def encode(self, source: Tensor) -> tuple[Any, Any]:
        """The encoder's outputs (N, S, D) and the padding (N, S), and the decoder's first states (1, N, D)."""
        outputs, states = self.run(self.encoder, F.one_hot(source.T, self.vocabulary).float())
        joined = tuple(state.transpose(0, 1).flatten(1)[None].contiguous() for state in states)
        return (outputs.transpose(0, 1), source == self.pad), joined

    def decode(self, previous: Tensor, memory: Any, states: Any, begin: int = 0) -> tuple[Tensor, Any]:
        """Logits (T, N, V) of the steps from `begin` on, from the characters before each (N, T)."""
        encoded, padding = memory
        vectors = F.one_hot(previous.T, self.vocabulary + 1)[..., : self.vocabulary].float()
        outputs, states = self.run(self.decoder, vectors, states)
        outputs = outputs.transpose(0, 1)  # (N, T, D)
        steps = torch.arange(begin, begin + previous.shape[1])
        scores = torch.baddbmm(self._bias(padding, steps), outputs, encoded.transpose(1, 2))
        attention = scores.masked_fill(padding[:, None], -1e9).softmax(dim=-1)
        mixed = torch.tanh(self.mix(torch.cat([attention @ encoded, outputs], dim=2)))
        return self.output(self.dropout(mixed)).transpose(0, 1), states

    def _bias(self, padding: Tensor, steps: Tensor) -> Tensor:
        """The bias of each step for each position of the source (N, T, S)."""
        length = padding.shape[1]
        places = torch.arange(length)
        from_first = self.from_first[(places[:, None] - steps).clamp(-OFFSETS, OFFSETS) + OFFSETS]  # (S, T)
        from_last = self.from_last[(length - 1 - places[:, None] - steps).clamp(-OFFSETS, OFFSETS) + OFFSETS]
        own = (places - padding.sum(dim=1, keepdim=True)).clamp(min=0)  # (N, S): counted from the first character
        return FASTER * (F.embedding(own, from_first) + from_last).transpose(1, 2)


class Text(Network):
    """Normalised embeddings, stacked layers whose states pass from batch to batch, and two dense layers."""

    def __init__(self, problem: NetworkProblem, written_out: bool) -> None:
        super().__init__(problem, written_out)
        self.embedding = nn.Embedding(*problem.weights["embedding_weight"].shape)
        self.normal = nn.LayerNorm(self.embedding.embedding_dim)
        self._fill(self.embedding, [problem.weights["embedding_weight"]])
        self._fill(self.normal, [problem.weights["normal_gamma"], problem.weights["normal_beta"]])
        self.layers = self.stack("rnn")
        self.dense, self.output = self.linear("dense"), self.linear("output")

    def forward(self, source: Tensor, target: Tensor, states: Any) -> tuple[Tensor, Any]:
        characters = self.dropout(self.normal(self.embedding(source.T)))
        outputs, states = self.run(self.layers, characters, states)
        return self.output(self.dropout(torch.relu(self.dense(self.dropout(outputs))))), states


class Aligned(Network):
    """Stacked bidirectional layers that read several characters at each place."""

    def __init__(self, problem: NetworkProblem, written_out: bool) -> None:
        super().__init__(problem, written_out)
        self.layers, self.output = self.stack("transducer"), self.linear("output")

    def forward(self, source: Tensor, target: Tensor, states: Any) -> tuple[Tensor, Any]:
        places = source.unflatten(1, (self.problem.settings["channels"], -1)).permute(2, 0, 1)  # (T, N, channels)
        outputs, _ = self.run(self.layers, F.one_hot(places, self.vocabulary).float().flatten(2))
        return self.output(self.dropout(outputs)), None


KINDS = {"attention": Attention, "text": Text, "aligned": Aligned}


def written_out(stack: nn.RNNBase, inputs: Tensor, begin: Any) -> tuple[Tensor, Any]:
    """What `stack(inputs, begin)` computes, (T, N, C) to (T, N, D), with the input products outside the loop."""
    directions = 2 if stack.bidirectional else 1
    parameters = list(stack.parameters())
    count = 2 if stack.mode == "LSTM" else 1
    zeros = torch.zeros(stack.num_layers * directions, inputs.shape[1], stack.hidden_size)
    begin = [zeros] * count if begin is None else list(begin) if count == 2 else [begin]
    finals: list[list[Tensor]] = []
    for layer in range(stack.num_layers):
        sides = []
        for direction in range(directions):
            place = layer * directions + direction
            input_weight, state_weight, input_bias, state_bias = parameters[4 * place : 4 * place + 4]
            states = [state[place] for state in begin]
            outside = input_bias if stack.mode == "GRU" else input_bias + state_bias
            projected = F.linear(inputs, input_weight, outside).unbind(0)
            outputs = []
            for step in reversed(projected) if direction else projected:
                states = after(stack.mode, step, states, state_weight, state_bias)
                outputs.append(states[0])
            sides.append(torch.stack(outputs[::-1] if direction else outputs))
            finals.append(states)
        inputs = torch.cat(sides, dim=2)
        if layer < stack.num_layers - 1:
            inputs = F.dropout(inputs, stack.dropout, stack.training)
    last = tuple(torch.stack(states) for states in zip(*finals))
    return inputs, last if count == 2 else last[0]


def after(mode: str, step: Tensor, states: list[Tensor], state_weight: Tensor, state_bias: Tensor) -> list[Tensor]:
    """The states after a step."""
    hidden = states[0]
    if mode == "LSTM":
        i, f, c, o = (step + F.linear(hidden, state_weight)).chunk(4, dim=1)
        cell = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(c)
        return [torch.sigmoid(o) * torch.tanh(cell), cell]
    if mode == "GRU":
        reset, update, new = step.chunk(3, dim=1)
        own_reset, own_update, own_new = F.linear(hidden, state_weight, state_bias).chunk(3, dim=1)
        update = torch.sigmoid(update + own_update)
        new = torch.tanh(new + torch.sigmoid(reset + own_reset) * own_new)
        return [new + update * (hidden - new)]
    return [torch.tanh(step + F.linear(hidden, state_weight))]


class PyTorch(NetworkContestant):
    def _made(self) -> Any:
        settings = self.problem.settings
        return KINDS[settings["kind"]](self.problem, self.variant.get("written_out", False))

    def prepare_training(self) -> None:
        problem = self.problem
        settings = problem.settings
        torch.manual_seed(self.options.get("seed", 0))
        self.model = self._made()
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), eps=settings["epsilon"], weight_decay=settings["weight_decay"], fused=True
        )
        self.data = [torch.from_numpy(array).long() for array in (problem.sources, problem.targets)]

        def loss(source: Tensor, target: Tensor, states: Any) -> tuple[Tensor, Any]:
            logits, states = self.model(source, target, states)
            value = F.cross_entropy(
                logits.flatten(0, 1), target.T.flatten(), ignore_index=IGNORED,
                label_smoothing=settings["label_smoothing"],
            )  # fmt: skip
            return value, states

        # Static shapes: each bucket is compiled. The smaller batches at a bucket's end are not worth it.
        self.eager = loss
        self.full = torch.compile(loss, dynamic=False) if self.variant["compile"] else loss

    def epoch(self, plan: list[Batch], rates: Array) -> float:  # type: ignore[override]
        settings = self.problem.settings
        total = torch.zeros(())
        terms = 0
        states = None
        self.model.train()
        for (rows, bucket), rate in zip(plan, rates.tolist()):
            widths = self.problem.widths[bucket]
            index = torch.from_numpy(rows)
            source, target = self.data[0][index, -widths[0] :], self.data[1][index, : widths[1]]
            if settings["stateful"] and states is None:
                states = self._zeros(len(rows))
            loss, states = (self.full if len(rows) == settings["batch"] else self.eager)(source, target, states)
            states = states if not settings["stateful"] else _detached(states)
            self.optimizer.zero_grad()
            loss.backward()
            if settings["clip_norm"]:
                nn.utils.clip_grad_norm_(self.model.parameters(), settings["clip_norm"])
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.step()
            learned = int((target != IGNORED).sum())
            total += loss.detach() * learned
            terms += learned
        return total.item() / terms

    def _zeros(self, n: int) -> Any:
        shape = self.problem.settings["stacks"]["rnn"]
        zeros = torch.zeros(shape["layers"], n, shape["hidden"])
        return (zeros, zeros) if shape["cell"] == "lstm" else zeros

    def prepare_answers(self) -> None:
        self.model = self._made()

    @torch.inference_mode()
    def forward(self, sources: Array) -> Any:
        model = self.model.eval()
        memory, states = model.encode(torch.from_numpy(sources).long())
        previous = torch.full((len(sources), 1), model.vocabulary)
        ended = torch.zeros_like(previous, dtype=torch.bool)
        written: list[Tensor] = []
        while len(written) < self.problem.settings["target_length"] and not ended.all():
            logits, states = model.decode(previous, memory, states, len(written))
            previous = logits[0].argmax(dim=-1, keepdim=True)
            ended |= previous == model.pad
            written.append(previous)
        return torch.cat(written, dim=1).numpy()

    @torch.inference_mode()
    def loss_of_text(self, sources: Array, targets: Array) -> float:
        model = self.model.eval()
        total = 0.0
        states = self._zeros(sources.shape[1])
        for source, target in zip(torch.from_numpy(sources).long(), torch.from_numpy(targets).long()):
            logits, states = model(source, target, states)
            total += F.cross_entropy(logits.flatten(0, 1), target.T.flatten()).item()
        return total / len(sources)


def _detached(states: Any) -> Any:
    return tuple(state.detach() for state in states) if isinstance(states, tuple) else states.detach()


if __name__ == "__main__":
    serve(PyTorch, NetworkProblem)
