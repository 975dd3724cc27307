"""PyTorch, eager and compiled. `nn.LSTM` has the same gates, order and two biases as in MXNet."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from worker import IGNORED, Array, Contestant, Problem, serve


class Repeat(nn.Module):
    """The decoder reads only the last state of the encoder, repeated.

    With `written_out`, the function `lstm` below runs the LSTMs: `torch.compile` does not compile `nn.LSTM`, and breaks
    its graph there.
    """

    def __init__(self, problem: Problem, written_out: bool) -> None:
        super().__init__()
        self.vocabulary_size, self.target_length = problem.vocabulary_size, problem.target_length
        self.encoder = nn.LSTM(problem.vocabulary_size, problem.hidden)
        self.decoder = nn.LSTM(problem.hidden, problem.hidden)
        self.output = nn.Linear(problem.hidden, problem.vocabulary_size)
        self.run = lstm if written_out else lambda layer, inputs: layer(inputs)[0]
        with torch.no_grad():
            for name, layer in (("encoder", self.encoder), ("decoder", self.decoder)):
                for parameter, values in zip(layer.parameters(), problem.layer(name)):
                    parameter.copy_(torch.from_numpy(values))
            self.output.weight.copy_(torch.from_numpy(problem.weights["output_weight"]))
            self.output.bias.copy_(torch.from_numpy(problem.weights["output_bias"]))

    def forward(self, source: torch.Tensor) -> torch.Tensor:
        """Ids (N, S) to logits (T, N, V)."""
        state = self.run(self.encoder, F.one_hot(source.T, self.vocabulary_size).float())[-1]
        return self.output(self.run(self.decoder, state.expand(self.target_length, -1, -1)))


def lstm(layer: nn.LSTM, inputs: torch.Tensor) -> torch.Tensor:
    """Inputs (T, N, C) to outputs (T, N, H), with the input products outside the loop."""
    state_weight = layer.weight_hh_l0
    projected = F.linear(inputs, layer.weight_ih_l0, layer.bias_ih_l0 + layer.bias_hh_l0)
    hidden = cell = torch.zeros(inputs.shape[1], layer.hidden_size)
    outputs = []
    for step in projected.unbind(0):
        i, f, c, o = (step + F.linear(hidden, state_weight)).chunk(4, dim=1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(c)
        hidden = torch.sigmoid(o) * torch.tanh(cell)
        outputs.append(hidden)
    return torch.stack(outputs)


class PyTorch(Contestant):
    def _compiled(self, function: Any) -> Any:
        # Static shapes: the full batch and the last one are compiled separately.
        return torch.compile(function, dynamic=False) if self.variant["compile"] else function

    def prepare_training(self) -> None:
        model = Repeat(self.problem, self.variant.get("written_out", False))
        rate, epsilon = self.problem.learning_rate, self.problem.epsilon
        # Fused: at small sizes a step takes half the time of the default.
        self.optimizer = torch.optim.Adam(model.parameters(), lr=rate, eps=epsilon, fused=True)

        def loss(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(model(source).flatten(0, 1), target.T.flatten(), ignore_index=IGNORED)

        self.loss = self._compiled(loss)

    def epoch(self, sources: Array, targets: Array) -> float:
        total = torch.zeros(())
        batches = (torch.from_numpy(array).long().split(self.batch) for array in (sources, targets))
        for source, target in zip(*batches):
            loss = self.loss(source, target)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * (target != IGNORED).sum()
        return total.item() / (targets != IGNORED).sum()

    def prepare_answers(self) -> None:
        model = Repeat(self.problem, self.variant.get("written_out", False)).eval()
        self.ids = self._compiled(lambda source: model(source).argmax(dim=-1).T)

    @torch.inference_mode()
    def forward(self, sources: Array) -> Any:
        return self.ids(torch.from_numpy(sources).long()).numpy()


if __name__ == "__main__":
    serve(PyTorch)
