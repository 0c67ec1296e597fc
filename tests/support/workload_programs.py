"""The workloads W1 to W5 of bench/ as recorded programs: the whole step, with the inputs of its first run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from bench.peers.chain import chain
from bench.problems import WORKLOADS
from xgrad import nn
from xgrad.backends import load
from xgrad.compile.program import Program
from xgrad.compile.recorder import Recorder
from xgrad.engine.tensor import wrap

F = nn.functional
Step = tuple[Program, list[Any]]


class Recording:
    """Records a step on tensors of the tracing version of the NumPy backend."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.base = load("numpy")
        self.given: list[Any] = []

    def tensor(self, array: Any, requires_grad: bool = False) -> xg.Tensor:
        """An input of the program, as a tensor."""
        self.given.append(array)
        tensor = wrap(self.recorder.input(array, self.base), self.recorder.backend(self.base))
        return tensor.requires_grad_() if requires_grad else tensor

    def number(self, value: float) -> Any:
        self.given.append(value)
        return self.recorder.number(value)

    def gradient(self, tensor: xg.Tensor) -> xg.Tensor:
        assert tensor.grad is not None
        return tensor.grad

    def step(self, results: list[xg.Tensor], state: list[tuple[int, int]] = []) -> Step:  # noqa: B006
        numbers = [self.recorder.number_of(tensor.data) for tensor in results]
        return self.recorder.program(numbers, state), self.given


def workload(name: str, tiny: bool = False, dtype: str = "float32") -> Step:
    """The program of a workload, and its inputs."""
    row = WORKLOADS[name]
    make: dict[str, Callable[[Any], Step]] = {"w1": w1, "w2": w2, "w3": w3, "w4": w4, "w5": w5}
    return make[row.function](row.make(tiny, dtype))


def w1(p: Any) -> Step:
    r = Recording()
    x = r.tensor(p.x, requires_grad=True)
    a, b, c, d, seed = (r.tensor(v) for v in (p.a, p.b, p.c, p.d, p.seed))
    y = chain(xg, x, a, b, c, d, p.cycles)
    y.backward(seed)
    return r.step([y, r.gradient(x)])


def w2(p: Any) -> Step:
    r = Recording()
    x, y = r.tensor(p.x), r.tensor(p.y)
    weights = [r.tensor(w.T, requires_grad=True) for w in p.weights]
    biases = [r.tensor(b, requires_grad=True) for b in p.biases]
    lr = r.number(p.lr)
    h = _network(x, weights, biases, F.sigmoid if p.activation == "sigmoid" else F.relu)
    loss = F.mse_loss(h, y)
    loss.backward()
    params = weights + biases
    new = [wrap(q.data - lr * r.gradient(q).data, q.backend) for q in params]
    return r.step([loss, *new], [(2 + i, 1 + i) for i in range(len(params))])


def w3(p: Any) -> Step:
    r = Recording()
    x, labels = r.tensor(p.x), r.tensor(p.labels)
    weights = [r.tensor(w.T, requires_grad=True) for w in p.weights]
    biases = [r.tensor(b, requires_grad=True) for b in p.biases]
    params = weights + biases
    velocity = [r.tensor(0 * r.given[2 + i]) for i in range(len(params))]
    lr, momentum = r.number(p.lr), r.number(p.momentum)
    loss = F.cross_entropy(_network(x, weights, biases, F.relu), labels)
    loss.backward()
    v = [momentum * v.data + r.gradient(q).data for v, q in zip(velocity, params, strict=True)]
    new = [q.data - lr * v for v, q in zip(v, params, strict=True)]
    backend = params[0].backend
    results = [loss, *(wrap(y, backend) for y in new + v)]
    return r.step(results, [(2 + i, 1 + i) for i in range(2 * len(params))])


def w4(p: Any) -> Step:
    r = Recording()
    x = r.tensor(p.x, requires_grad=True)
    loss = xg.sum(F.sigmoid(p.a * x + p.b) * xg.tanh(x))
    loss.backward()
    return r.step([loss, r.gradient(x)])


def w5(p: Any) -> Step:
    r = Recording()
    x = r.tensor(p.x)
    weights = [r.tensor(w, requires_grad=True) for w in p.weights]
    h = x
    for w in weights:
        h = F.relu(h @ w)
    loss = xg.sum(h)
    loss.backward()
    return r.step([loss, *map(r.gradient, weights)])


def _network(x: Any, weights: Any, biases: Any, activation: Any) -> Any:
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = F.linear(activation(x) if i else x, w, b)
    return x
