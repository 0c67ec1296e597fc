"""The steps that are timed, each written with xgrad, by hand with its library, with PyTorch and with JAX.

Each function returns a step of a given size, ready to be called. Everything is float32, without TF32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import xgrad as xg
from xgrad import nn, optim

Step = Callable[[], Any]

WIDTHS = (784, 512, 512, 10)
LR, MOMENTUM = 0.01, 0.9


def weights(widths: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    pairs = zip(widths[1:], widths, strict=False)
    return [(rng.standard_normal(pair) / pair[1] ** 0.5).astype(np.float32) for pair in pairs]


def batch(size: int, widths: tuple[int, ...]) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((size, widths[0])).astype(np.float32), rng.integers(0, widths[-1], size)


# --- xgrad, on its current backend --------------------------------------------------------------------


def xgrad_mlp(size: int, widths: tuple[int, ...] = WIDTHS) -> Step:
    layers: list[nn.Module] = []
    for w in weights(widths):
        layer = nn.Linear(w.shape[1], w.shape[0], dtype=xg.float32)
        with xg.no_grad():
            layer.weight[...] = xg.asarray(w)
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x, labels = (xg.asarray(array) for array in batch(size, widths))
    optimizer = optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def xgrad_chain(size: int) -> Step:
    x = xg.zeros((size,), dtype=xg.float32) + 0.5
    x.requires_grad = True

    def step() -> None:
        x.grad = None
        xg.sum(xg.sigmoid(x * 1.5 + 0.5) * xg.tanh(x)).backward()

    return step


def xgrad_adam(size: int) -> Step:
    p = xg.zeros((size,), dtype=xg.float32) + 0.5
    p.requires_grad = True
    p.grad = xg.zeros((size,), dtype=xg.float32) + 0.1
    return optim.Adam([p]).step


def xgrad_matmul(size: int) -> Step:
    x, w = (xg.zeros((size, size), dtype=xg.float32) + value for value in (0.5, 0.01))
    x.requires_grad = w.requires_grad = True
    seed = xg.zeros((size, size), dtype=xg.float32) + 1.0

    def step() -> None:
        x.grad = w.grad = None
        (x @ w).backward(seed)

    return step


XGRAD = {"mlp": xgrad_mlp, "chain": xgrad_chain, "adam": xgrad_adam, "matmul": xgrad_matmul}

# --- PyTorch ----------------------------------------------------------------------------------------------


def torch_steps(torch: Any, device: str, *, compiled: bool) -> dict[str, Callable[..., Step]]:
    def ready(f: Any) -> Any:
        return torch.compile(f) if compiled else f

    def mlp(size: int, widths: tuple[int, ...] = WIDTHS) -> Step:
        layers: list[Any] = []
        for w in weights(widths):
            layer = torch.nn.Linear(w.shape[1], w.shape[0], device=device)
            layer.weight.data.copy_(torch.from_numpy(w))
            layers += [layer, torch.nn.ReLU()]
        model = ready(torch.nn.Sequential(*layers[:-1]))
        x, labels = (torch.from_numpy(array).to(device) for array in batch(size, widths))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

        def step() -> Any:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        return step

    def chain(size: int) -> Step:
        x = torch.full((size,), 0.5, device=device, requires_grad=True)
        f = ready(lambda x: (torch.sigmoid(x * 1.5 + 0.5) * torch.tanh(x)).sum())

        def step() -> None:
            x.grad = None
            f(x).backward()

        return step

    def adam(size: int) -> Step:
        p = torch.full((size,), 0.5, device=device, requires_grad=True)
        p.grad = torch.full((size,), 0.1, device=device)
        step: Step = torch.optim.Adam([p], fused=device != "cpu").step
        return step

    def matmul(size: int) -> Step:
        x, w = (torch.full((size, size), value, device=device, requires_grad=True) for value in (0.5, 0.01))
        seed = torch.ones((size, size), device=device)
        f = ready(lambda x, w: x @ w)

        def step() -> None:
            x.grad = w.grad = None
            f(x, w).backward(seed)

        return step

    return {"mlp": mlp, "chain": chain, "adam": adam, "matmul": matmul}


# --- JAX --------------------------------------------------------------------------------------------------


def jax_steps(jax: Any) -> dict[str, Callable[..., Step]]:
    """Whole steps under jit, each waiting for its result, because JAX uses streams of its own."""
    jnp = jax.numpy

    def waited(f: Any, *state: Any) -> Step:
        held = [state]

        def step() -> None:
            held[0] = jax.block_until_ready(f(*held[0]))

        return step

    def mlp(size: int, widths: tuple[int, ...] = WIDTHS) -> Step:
        x, labels = map(jnp.asarray, batch(size, widths))
        params = [(jnp.asarray(w), jnp.zeros(w.shape[0])) for w in weights(widths)]

        def loss(params: Any) -> Any:
            h = x
            for w, b in params[:-1]:
                h = jax.nn.relu(h @ w.T + b)
            scores = jax.nn.log_softmax(h @ params[-1][0].T + params[-1][1])
            return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()

        @jax.jit
        def step(params: Any, velocity: Any) -> Any:
            velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, jax.grad(loss)(params))
            return jax.tree.map(lambda p, v: p - LR * v, params, velocity), velocity

        return waited(step, params, jax.tree.map(jnp.zeros_like, params))

    def chain(size: int) -> Step:
        gradient = jax.jit(jax.grad(lambda x: (jax.nn.sigmoid(x * 1.5 + 0.5) * jnp.tanh(x)).sum()))
        x = jnp.full((size,), 0.5)
        return lambda: jax.block_until_ready(gradient(x))

    def matmul(size: int) -> Step:
        x, w, seed = (jnp.full((size, size), value) for value in (0.5, 0.01, 1.0))
        pull = jax.jit(lambda x, w, seed: jax.vjp(jnp.matmul, x, w)[1](seed))
        return lambda: jax.block_until_ready(pull(x, w, seed))

    return {"mlp": mlp, "chain": chain, "matmul": matmul}
