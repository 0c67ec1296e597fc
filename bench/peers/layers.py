"""The workloads of layer_problems.py, written once for PyTorch and xgrad: their names are the same.

A peer gives its `LIBRARY`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.layer_problems import Convolution, Digits, Filter, Layers, Step
from bench.problems import Array, Case


@dataclass(frozen=True)
class Library:
    """What differs between the two libraries."""

    xp: Any  # its namespace, which also has `linalg`
    nn: Any
    optim: Any
    tensor: Callable[..., Any]  # (array, requires_grad=False)
    host: Callable[[Any], Array]

    def network(self, module: Any, parameters: dict[str, Array]) -> Any:
        """The module with these parameters, in their dtype."""
        state = {name: self.tensor(value) for name, value in parameters.items()}
        module.to(next(iter(state.values())).dtype).load_state_dict(state)
        return module

    def grads(self, tensors: Iterable[Any]) -> list[Array]:
        return [self.host(t.grad) for t in tensors]


def w6(lib: Library, p: Convolution) -> Case:
    x, weight, bias = (lib.tensor(a, requires_grad=True) for a in (p.x, p.weight, p.bias))
    seed, F = lib.tensor(p.seed), lib.nn.functional

    def run() -> object:
        x.grad = weight.grad = bias.grad = None
        y = F.relu(F.conv2d(x, weight, bias, padding=1))
        y.backward(seed)
        return y

    return Case(run, lambda: lib.grads((x, weight, bias)))


def _block(lib: Library, channels: int, heads: int, attention: Callable[[Any, Any, Any], Any]) -> Any:
    nn, F = lib.nn, lib.nn.functional

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1 = nn.LayerNorm(channels)
            self.attention = nn.Linear(channels, 3 * channels)
            self.out = nn.Linear(channels, channels)
            self.norm2 = nn.LayerNorm(channels)
            self.up = nn.Linear(channels, 4 * channels)
            self.down = nn.Linear(4 * channels, channels)

        def forward(self, x: Any) -> Any:
            n, length, _ = x.shape
            parts = self.attention(self.norm1(x)).reshape(n, length, 3, heads, channels // heads)
            q, k, v = (parts[:, :, i].transpose(1, 2) for i in range(3))
            y = attention(q, k, v).transpose(1, 2).reshape(n, length, channels)
            x = x + self.out(y)
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    return Block()


def _gpt(lib: Library, p: Layers, attention: Callable[[Any, Any, Any], Any]) -> Case:
    channels = p.x.shape[-1]
    model = lib.network(_block(lib, channels, 4, attention), p.parameters)
    return _forward_and_backward(lib, p, model, model)


def _forward_and_backward(lib: Library, p: Layers, model: Any, forward: Callable[[Any], Any]) -> Case:
    x, seed = lib.tensor(p.x, requires_grad=True), lib.tensor(p.seed)
    parameters = list(model.parameters())

    def run() -> object:
        x.grad = None
        model.zero_grad()
        y = forward(x)
        y.backward(seed)
        return y

    return Case(run, lambda: lib.grads((x, *parameters)))


def w7(lib: Library, p: Layers) -> Case:
    xp, F = lib.xp, lib.nn.functional
    length = p.x.shape[1]
    future = xp.tril(xp.ones((length, length))) == 0

    def attention(q: Any, k: Any, v: Any) -> Any:
        scores = (q @ k.mT) * q.shape[-1] ** -0.5
        return F.softmax(scores.masked_fill(future, float("-inf")), dim=-1) @ v

    return _gpt(lib, p, attention)


def w7_sdpa(lib: Library, p: Layers) -> Case:
    F = lib.nn.functional
    return _gpt(lib, p, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True))


def w8(lib: Library, p: Filter) -> Case:
    xp, linalg = lib.xp, lib.xp.linalg
    a, c, q, r = (lib.tensor(array, requires_grad=True) for array in (p.a, p.c, p.q, p.r))
    seen = [lib.tensor(row[:, None]) for row in p.seen]
    eye, zero = lib.tensor(_eye(p.a)), lib.tensor(p.a[:, :1] * 0)

    def run() -> object:
        for tensor in (a, c, q, r):
            tensor.grad = None
        noise, error = q @ q.mT, r @ r.mT
        mean, covariance = zero, eye
        total: Any = 0.0
        for y in seen:
            mean, covariance = a @ mean, a @ covariance @ a.mT + noise
            surprise, variance = y - c @ mean, c @ covariance @ c.mT + error
            gain = linalg.solve(variance, c @ covariance).mT
            total = total - (xp.sum(surprise * linalg.solve(variance, surprise)) + linalg.slogdet(variance)[1]) / 2
            mean, covariance = mean + gain @ surprise, covariance - gain @ c @ covariance
        total.backward()
        return total

    return Case(run, lambda: lib.grads((a, c, q, r)))


def _eye(like: Array) -> Array:
    eye = like * 0
    eye[range(len(eye)), range(len(eye))] = 1
    return eye


def w9(lib: Library, p: Layers) -> Case:
    units = p.x.shape[-1]
    model = lib.network(lib.nn.LSTM(units, units), p.parameters)
    return _forward_and_backward(lib, p, model, lambda x: model(x)[0])


def w10(lib: Library, p: Digits) -> Case:
    nn, F = lib.nn, lib.nn.functional

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
            self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
            self.linear = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            return self.linear(x.flatten(1))

    model = lib.network(Net(), p.parameters)
    optimizer = lib.optim.Adam(model.parameters(), lr=p.lr)
    images, labels = lib.tensor(p.images), lib.tensor(p.labels)

    def run() -> object:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return Case(run, lambda: [lib.host(q) for q in model.parameters()])


def adam(lib: Library, p: Step) -> Case:
    parameters = [lib.tensor(a, requires_grad=True) for a in p.parameters]
    for parameter, g in zip(parameters, p.gradients, strict=True):
        parameter.grad = lib.tensor(g)
    optimizer = lib.optim.Adam(parameters)
    return Case(optimizer.step, lambda: [lib.host(q) for q in parameters])
