"""Spectral normalization: a weight divided by its largest singular value."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad import random
from xgrad.engine.casting import uncast
from xgrad.nn.module import Module
from xgrad.nn.utils.hooked import find, given_weight, removed
from xgrad.random import Generator


class SpectralNorm:
    """The hook that computes the weight before each forward. In training it first brings u and v nearer to singular vectors."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    @uncast
    def __call__(self, module: Module, args: Any) -> None:
        if module.training:
            self.iterate(module)
        setattr(module, self.name, self.weight(module))

    def part(self, module: Module, suffix: str) -> Any:
        return getattr(module, f"{self.name}_{suffix}")

    def matrix(self, weight: Any) -> Any:
        """The weight as a matrix with the axis `dim` first."""
        first = weight if self.dim == 0 else xg.moveaxis(weight, self.dim, 0)
        return xg.reshape(first, (first.shape[0], -1))

    def weight(self, module: Module) -> Any:
        """The weight as the module has it now: W / (u @ W @ v)."""
        weight = self.part(module, "orig")
        return weight / (self.part(module, "u") @ (self.matrix(weight) @ self.part(module, "v")))

    def iterate(self, module: Module) -> None:
        """Power iterations: v becomes W.T @ u, and u becomes W @ v, both of length 1."""
        with xg.no_grad():
            matrix, u, v = self.matrix(self.part(module, "orig")), self.part(module, "u"), self.part(module, "v")
            for _ in range(self.n_power_iterations):
                v = self.normalized(matrix.T @ u)
                u = self.normalized(matrix @ v)
            setattr(module, f"{self.name}_u", u)
            setattr(module, f"{self.name}_v", v)

    def normalized(self, vector: Any) -> Any:
        return vector / xg.maximum(xg.linalg.vector_norm(vector), self.eps)

    def drawn(self, draw: Generator, n: int, like: Any) -> Any:
        """A random vector of length 1, of the dtype and on the backend of `like`."""
        with xg.use_backend("numpy"):
            vector = self.normalized(draw.normal((n,), dtype="float64")).numpy()
        return like.__array_namespace__().asarray(vector, dtype=like.dtype)


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    rng: Generator | None = None,
) -> Any:
    """Divide a weight by an estimate of its largest singular value, so that the layer stretches no input by more than about 1.

    The parameter `weight` becomes `weight_orig`. A hook computes the weight before each forward, with two vectors, the buffers
    `weight_u` and `weight_v`. In training these come nearer to the singular vectors at each forward; in evaluation they stay.
    Miyato et al., https://arxiv.org/abs/1802.05957.

    Args:
        module: a module, which is changed.
        name: the name of its parameter. Axes other than `dim` count as one.
        n_power_iterations: how often the vectors are improved at each forward in training, 1 or more.
        eps: the least length that a vector is divided by.
        dim: the axis of the outputs; None means 1 for a transposed convolution, 0 for others.
        rng: where the first vectors are drawn from; None means the generator that `xgrad.random.seed` sets.

    Returns:
        The module itself.

    Raises:
        ValueError: for a module without such a parameter, no iterations, or an axis that it does not have.
        RuntimeError: for a parameter that is normalized already.

    >>> import xgrad as xg
    >>> layer = xg.nn.utils.spectral_norm(xg.nn.Linear(3, 2, bias=False), n_power_iterations=50)
    >>> list(layer.state_dict())
    ['weight_orig', 'weight_u', 'weight_v']
    >>> y = layer(xg.ones((1, 3)))
    >>> round(xg.max(xg.linalg.svdvals(layer.weight)).item(), 4)
    1.0

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.spectral_norm.html
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be 1 or more, got {n_power_iterations!r}")
    weight = given_weight("spectral_norm", SpectralNorm, module, name)
    if dim is None:
        dim = int(any(kind.__name__.startswith("ConvTranspose") for kind in type(module).__mro__))
    if not -weight.ndim <= dim < weight.ndim:
        raise ValueError(f"spectral_norm: {name} has {weight.ndim} axes, there is no axis {dim}")
    hook = SpectralNorm(name, n_power_iterations, dim % weight.ndim, eps)
    draw = random.default_generator() if rng is None else rng
    rows, columns = hook.matrix(weight).shape
    u, v = hook.drawn(draw, rows, weight), hook.drawn(draw, columns, weight)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Any:
    """Put a parameter with the normalized value in the place of what `spectral_norm` made.

    Args:
        module: the module, which is changed.
        name: the name of the weight.

    Returns:
        The module itself.

    Raises:
        ValueError: for a weight that is not normalized.

    >>> import xgrad as xg
    >>> layer = xg.nn.utils.remove_spectral_norm(xg.nn.utils.spectral_norm(xg.nn.Linear(3, 2)))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight']

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.remove_spectral_norm.html
    """
    hook = find("spectral_norm", SpectralNorm, module, name)
    with xg.no_grad():
        weight = hook.weight(module)
    return removed(module, hook, weight, (f"{name}_u", f"{name}_v", f"{name}_orig"))
