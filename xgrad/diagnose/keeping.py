"""What running a network changes beside gradients, kept to put it back: buffers, random generators, and modes."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import nn
from xgrad.random import Generator


class Tensors:
    """The values of some tensors. The arrays are shared until someone writes to a tensor, so that this costs little."""

    def __init__(self, *tensors: xg.Tensor) -> None:
        self.kept = [(tensor, tensor.data) for tensor in tensors]

    def restore(self) -> None:
        """Put the values back."""
        for tensor, array in self.kept:
            if tensor.data is not array:
                tensor.data = array


class Modes:
    """Which parts of a model are in training, as `train()` and `eval()` set it."""

    def __init__(self, model: nn.Module) -> None:
        self.kept = [(module, module.training) for module in model.modules()]

    def restore(self) -> None:
        """Set the modes again."""
        for module, training in self.kept:
            if module.training is not training:
                module.training = training


class Generators:
    """The states of the random generators that a model draws from: the default one, and those of its layers."""

    def __init__(self, model: nn.Module) -> None:
        self.found: dict[str, Generator] = generators(model)
        self.states = self.state_dict()

    def state_dict(self) -> dict[str, Any]:
        """The states now, by the name of the layer and its attribute. The default generator is under ""."""
        return {"": xg.random.get_rng_state(), **{name: rng.get_state() for name, rng in self.found.items()}}

    def load_state_dict(self, states: dict[str, Any]) -> None:
        """Set the states. KeyError where a generator of the model has none."""
        for name, rng in self.found.items():
            rng.set_state(states[name])
        xg.random.set_rng_state(states[""])

    def restore(self) -> None:
        """Set the states that they had at first."""
        self.load_state_dict(self.states)


def generators(model: nn.Module) -> dict[str, Generator]:
    """The generators that layers of the model hold, by dotted name, each once."""
    found: dict[int, tuple[str, Generator]] = {}
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Generator):
                found.setdefault(id(value), (f"{path}.{name}" if path else name, value))
    return dict(found.values())


class Kept:
    """The buffers and random generators of a model: what a forward pass changes."""

    def __init__(self, model: nn.Module) -> None:
        self.buffers, self.generators = Tensors(*model.buffers()), Generators(model)

    def restore(self) -> None:
        """Put them back."""
        self.buffers.restore()
        self.generators.restore()
