"""Burgers' equation solved by a network: u_t + u u_x = (0.01 / pi) u_xx, with u(0, x) = -sin(pi x) and u(t, -1) = u(t, 1) = 0.

The network knows no values of the solution, only the equation: its loss is the mean square of u_t + u u_x - (0.01 / pi) u_xx at
points of the plane. The derivatives in it are xg.jvp and a jvp of a jvp; the gradient of the loss goes through them. The initial
values, the boundary values and the symmetry hold by construction.

Adam begins, and L-BFGS goes on, for longer and longer spans of time. (On the whole span at once, a random network can
end in a wrong minimum, with an error of 30 %: the front is too steep to be found.) The reference is the formula of Cole and Hopf.

M. Raissi, P. Perdikaris, G. Karniadakis, Physics-informed neural networks, https://arxiv.org/abs/1711.10561
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import xgrad as xg
from bench.examples import drawing
from xgrad import nn, optim

SEEDS, UNIT = 1, "relative L2 error"
VISCOSITY = 0.01 / np.pi
SPANS = (0.25, 0.4, 0.6, 0.8, 1.0)  # training is on t from 0 to each of these in turn
Weights = list[tuple[Any, Any]]  # of each layer: weight and bias


def solution(t: Any, x: Any, nodes: int = 100) -> Any:
    """The exact u(t, x) for t > 0, by Gauss-Hermite quadrature of the formula of Cole and Hopf.

    With f(y) = exp(-cos(pi y) / (2 pi VISCOSITY)), u is the ratio of two integrals over all z of exp(-z**2): of
    -sin(pi y) f(y), and of f(y), where y = x - z sqrt(4 VISCOSITY t).

    C. Basdevant et al., Spectral and finite difference solutions of the Burgers equation, Computers & Fluids 14 (1986).
    """
    z, weights = np.polynomial.hermite.hermgauss(nodes)
    y = np.pi * (x[..., None] - z * np.sqrt(4.0 * VISCOSITY * t[..., None]))
    f = weights * np.exp(
        -(np.cos(y) + 1.0) / (2.0 * np.pi * VISCOSITY)
    )  # the 1 cancels in the ratio, and avoids overflow
    return np.sum(-np.sin(y) * f, axis=-1) / np.sum(f, axis=-1)


def network(seed: int, width: int = 20) -> Weights:
    """Random weights and biases of four hidden layers, in float64."""
    rng = xg.random.Generator(seed)
    layers = [nn.Linear(n, m, rng=rng, dtype="float64") for n, m in [(2, width), *[(width, width)] * 3, (width, 1)]]
    return [(layer.weight, layer.bias) for layer in layers]


def u(weights: Weights, t: Any, x: Any) -> Any:
    """u(t, x) = -sin(pi x) + t (1 - x**2) (N(t, x) - N(t, -x)), at points of shape (n,).

    So the initial and the boundary values are exact for every network N. The difference makes u odd in x, as the solution is:
    without it, training can end with a front that has moved away from x = 0.
    """
    h = xg.stack([xg.concat([2.0 * t - 1.0, 2.0 * t - 1.0]), xg.concat([x, -x])], axis=1)
    for weight, bias in weights[:-1]:
        h = xg.tanh(nn.functional.linear(h, weight, bias))
    h = nn.functional.linear(h, *weights[-1])[:, 0]
    n = x.shape[0]
    return -xg.sin(xg.pi * x) + t * (1.0 - x**2) * (h[:n] - h[n:])


def loss(weights: Weights, t: Any, x: Any) -> Any:
    """The mean square of u_t + u u_x - VISCOSITY u_xx at the points (t, x), each of shape (N,)."""
    one = xg.ones_like(x)

    def along_x(x: Any) -> Any:
        return xg.jvp(lambda x: u(weights, t, x), (x,), (one,))

    _, u_t = xg.jvp(lambda t: u(weights, t, x), (t,), (one,))
    (value, u_x), (_, u_xx) = xg.jvp(along_x, (x,), (one,))
    return xg.mean((u_t + value * u_x - VISCOSITY * u_xx) ** 2)


def adam(weights: Weights, t: Any, x: Any, steps: int) -> list[float]:
    """Begin with Adam, which changes the weights. Returns the losses."""
    optimizer = optim.Adam([each for layer in weights for each in layer], lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(steps, 1), eta_min=5e-4)

    @xg.compile
    def step(t: Any, x: Any) -> Any:
        optimizer.zero_grad()
        value = loss(weights, t, x)
        value.backward()
        optimizer.step()
        return value

    losses = []
    for _ in range(steps):
        losses.append(step(t, x).item())
        schedule.step()
    return losses


def run(
    seed: int = 0, steps: int = 200, iterations: int = 300, points: int = 800, figure: Path | None = None
) -> dict[str, float]:
    """Solve the equation. Returns the relative L2 error against the exact solution, and the losses on the way."""
    rng = np.random.default_rng(seed)
    weights, compiled = network(seed), xg.compile(loss)
    losses: list[float] = []

    def keep(intermediate_result: Any) -> None:
        losses.append(intermediate_result.fun)

    for end in SPANS:
        t = xg.asarray(end * rng.uniform(size=points))
        x = xg.asarray(rng.uniform(size=points))  # what is at -x follows, as u is odd
        if end == SPANS[0]:
            losses += adam(weights, t, x, steps)
        maxiter = iterations if end < SPANS[-1] else 3 * iterations
        found = xg.optimize.minimize(
            compiled, weights, args=(t, x), method="lbfgs",
            options={"maxiter": maxiter, "maxfun": 10 * maxiter, "maxcor": 50, "ftol": 0.0, "gtol": 1e-8},
            callback=keep,
        )  # fmt: skip
        weights = found.x
    times, places = np.meshgrid(np.linspace(0.0, 1.0, 101)[1:], np.linspace(-1.0, 1.0, 257), indexing="ij")
    exact = solution(times, places)
    learned = u(weights, xg.asarray(times.reshape(-1)), xg.asarray(places.reshape(-1))).numpy().reshape(times.shape)
    error = float(np.linalg.norm(learned - exact) / np.linalg.norm(exact))
    if figure:
        draw(figure, times, places, learned, exact, losses, steps, error)
    return {"relative L2 error": error, "loss": float(found.fun)}


@drawing.styled
def draw(
    path: Path, times: Any, places: Any, learned: Any, exact: Any, losses: list[float], steps: int, error: float
) -> None:
    """u in the plane, three slices against the exact solution, and the loss."""
    figure = drawing.new(6.6)
    grid = figure.add_gridspec(3, 3, height_ratios=[3, 3, 2.4])
    plane = figure.add_subplot(grid[0, :])
    shown = plane.pcolormesh(times[:, 0], places[0], learned.T, cmap="RdBu_r", vmin=-1.0, vmax=1.0, rasterized=True)
    figure.colorbar(shown, ax=plane, label="u", pad=0.01)
    plane.set(xlabel="t", ylabel="x", title=f"Burgers' equation: u(t, x) of the network, relative L2 error {error:.1e}")
    plane.grid(False)
    for column, index in enumerate((24, 49, 99)):
        slice_ = figure.add_subplot(grid[1, column])
        slice_.plot(places[0], exact[index], color=drawing.GRAY, linewidth=3, alpha=0.6, label="exact")
        slice_.plot(places[0], learned[index], color=drawing.ORANGE, linewidth=1.2, linestyle="--", label="network")
        slice_.set(title=f"t = {times[index, 0]:.2f}", xlabel="x", ylim=(-1.15, 1.15), ylabel="" if column else "u")
        plane.axvline(times[index, 0] - (0.002 if index == 99 else 0.0), color="black", linewidth=0.7, linestyle=":")
        if column == 2:  # where there is room
            slice_.legend(loc="upper right", handlelength=1.5, borderaxespad=0.0)
    curve = figure.add_subplot(grid[2, :])
    curve.semilogy(range(1, len(losses) + 1), losses, color=drawing.BLUE, linewidth=1)
    curve.axvline(steps, color=drawing.GRAY, linestyle="--", linewidth=1)
    curve.text(steps, max(losses), " L-BFGS from here", color=drawing.GRAY, fontsize=8, va="top")
    curve.set(
        xlabel="step of Adam, or iteration of L-BFGS",
        ylabel="mean square residual",
        title="The loss: it jumps when the span of time grows",
    )
    drawing.save(figure, path, colors=256)
