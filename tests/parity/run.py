"""Runs a case in PyTorch or in xgrad. The results are arrays on the host, by name."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

import xgrad as xg
from tests.parity.case import Call, Host, Layer, drawn
from tests.support.arrays import make, to_numpy

Results = dict[str, Host]


class Torch:
    """PyTorch."""

    def __init__(self) -> None:
        import torch

        self.torch, self.nn, self.distributions = torch, torch.nn, torch.distributions

    def tensor(self, value: Host, differentiated: bool = True) -> Any:
        return self.torch.tensor(value, requires_grad=differentiated and value.dtype.kind == "f")

    def host(self, value: Any) -> Host:
        return np.asarray(value.detach().numpy())

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, self.torch.Tensor)

    def sum(self, value: Any) -> Any:
        return value.sum()

    def prepare(self, module: Any) -> Any:
        return module.double()

    def elsewhere(self) -> Any:
        return nullcontext()


class XGrad:
    """xgrad, on the current backend, in a dtype. If `calls_under` is given, that backend is current during the calls."""

    nn, distributions = xg.nn, xg.distributions

    def __init__(self, calls_under: str | None = None, dtype: str = "float64") -> None:
        self.calls_under, self.dtype = calls_under, dtype

    def elsewhere(self) -> Any:
        return xg.use_backend(self.calls_under) if self.calls_under else nullcontext()

    def tensor(self, value: Host, differentiated: bool = True) -> Any:
        is_float = value.dtype.kind == "f"
        return make(xg, value, self.dtype if is_float else None, requires_grad=differentiated and is_float)

    def host(self, value: Any) -> Host:
        return np.asarray(to_numpy(value))

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, xg.Tensor)

    def sum(self, value: Any) -> Any:
        return xg.sum(value)

    def prepare(self, module: Any) -> Any:
        return module.to(dtype=self.dtype)


def run(library: Any, name: str, seed: int) -> Results:
    """The results of a case."""
    it = drawn(name, seed)
    return _run_layer(library, name, it, seed) if isinstance(it, Layer) else _run_call(library, name, it)


def _run_call(library: Any, name: str, it: Call) -> Results:
    function = getattr(library.nn.functional, name.split()[0])
    leaves: dict[str, Any] = {}
    inputs = [_tensors(library, value, f"{i}", leaves, i in it.fixed) for i, value in enumerate(it.inputs)]
    keywords = {key: _tensors(library, value, key, leaves, key in it.fixed) for key, value in it.keywords.items()}
    with library.elsewhere():
        output = function(*inputs, **keywords)
    results = _outputs_and_backward(library, output, leaves)
    return {**results, **_gradients(library, leaves)}


def _run_layer(library: Any, name: str, it: Layer, seed: int) -> Results:
    nn = library.nn
    module = it.build(nn) if it.build else getattr(nn, name.split()[0])(*it.args, **it.options)
    module = library.prepare(module).train(it.training)
    state = {key: library.host(value) for key, value in module.state_dict().items()}
    module.load_state_dict({key: library.tensor(_value(key, value, it, seed), False) for key, value in state.items()})
    leaves: dict[str, Any] = {}
    inputs = [_tensors(library, value, f"{i}", leaves, False) for i, value in enumerate(it.inputs)]
    keywords = {key: _tensors(library, value, key, leaves, False) for key, value in it.keywords.items()}
    with library.elsewhere():
        for _ in range(it.calls):
            output = module(*inputs, **keywords)
    results = _outputs_and_backward(library, output, leaves, dict(module.named_parameters()))
    results |= _gradients(library, {**leaves, **dict(module.named_parameters())})
    results |= {f"state {key}": library.host(value) for key, value in module.state_dict().items()}
    return results


def _value(key: str, held: Host, it: Layer, seed: int) -> Host:
    """A value for a parameter or buffer: one of the case's, or a random one of its shape. Integers stay as they are."""
    if key in it.state:
        return it.state[key]
    if held.dtype.kind != "f":
        return held
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    return np.asarray(rng.uniform(0.5, 2.0, held.shape) if "var" in key else rng.normal(size=held.shape) / 2)


def _tensors(library: Any, value: Any, key: str, leaves: dict[str, Any], is_fixed: bool) -> Any:
    """The arrays of a value as tensors. Those to differentiate are added to `leaves`."""
    if isinstance(value, np.ndarray):
        differentiated = value.dtype.kind == "f" and not is_fixed
        tensor = library.tensor(value, differentiated)
        if differentiated:
            leaves[key] = tensor
        return tensor
    if isinstance(value, tuple | list):
        return type(value)(_tensors(library, v, f"{key}.{i}", leaves, is_fixed) for i, v in enumerate(value))
    return value


def _flat(library: Any, output: Any) -> Iterator[Any]:
    if isinstance(output, tuple | list):
        for part in output:
            yield from _flat(library, part)
    elif library.is_tensor(output):
        yield output


def _outputs_and_backward(
    library: Any, output: Any, leaves: dict[str, Any], parameters: dict[str, Any] | None = None
) -> Results:
    """The outputs. The gradient of their sum, with random weights, is computed."""
    outputs = list(_flat(library, output))
    total: Any = None
    for i, part in enumerate(outputs):
        if part.requires_grad:
            weights = np.asarray(np.random.default_rng([7, i]).normal(size=tuple(part.shape)))
            term = library.sum(part * library.tensor(weights, False))
            total = term if total is None else total + term
    if total is not None:
        with library.elsewhere():
            total.backward()
    return {f"output {i}": library.host(part) for i, part in enumerate(outputs)}


def _gradients(library: Any, leaves: dict[str, Any]) -> Results:
    """The gradients. One that was not computed is zero: xgrad and PyTorch may differ in which of them are None."""
    return {
        f"gradient {key}": library.host(leaf.grad) if leaf.grad is not None else np.zeros_like(library.host(leaf))
        for key, leaf in leaves.items()
    }
