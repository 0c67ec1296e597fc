"""What a step of training changes, kept to put it back: weights, buffers, gradients, the optimizer, and random generators."""

from __future__ import annotations

import itertools

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose.keeping import Generators, Modes, Tensors


class Snapshot:
    """Everything that training changes in a model and its optimizer."""

    def __init__(self, model: nn.Module, optimizer: optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.tensors = Tensors(*model.parameters(), *model.buffers())
        self.gradients = [(p, p.grad) for p in trained(model, optimizer)]
        self.state = optimizer.state_dict()
        self.generators = Generators(model)
        self.modes = Modes(model)

    def restore(self) -> None:
        """Put everything back."""
        self.tensors.restore()
        for p, gradient in self.gradients:
            p.grad = gradient
        self.optimizer.load_state_dict(self.state)
        self.generators.restore()
        self.modes.restore()


def trained(model: nn.Module, optimizer: optim.Optimizer) -> list[xg.Tensor]:
    """The parameters of the optimizer and of the model, each once."""
    of_optimizer = (p for group in optimizer.param_groups for p in group.params)
    return list({id(p): p for p in itertools.chain(of_optimizer, model.parameters())}.values())
