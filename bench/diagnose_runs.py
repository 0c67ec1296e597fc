"""The runs for measuring the diagnoses: the seed's three cases, healthy runs of many kinds, and runs with one fault."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import xgrad as xg
from xgrad import nn, optim
from xgrad.diagnose import Watch, watch
from xgrad.fit.network import ACTIVATIONS, build

F = nn.functional


@dataclass(frozen=True)
class Run:
    """One training run."""

    name: str
    kind: str  # "A", "B", "C", "healthy" or "fault"
    activation: str = "relu"
    output: str = "none"
    optimizer: Callable[..., optim.Optimizer] = optim.SGD
    lr: float = 0.01
    options: tuple[tuple[str, Any], ...] = ()
    hidden: tuple[int, ...] = (32, 32)
    span: float = 100.0  # x from -span to span
    points: int = 201
    function: Callable[[Any], Any] = xg.square
    standardize: bool = False
    batch: int | None = None
    init: str = "uniform"
    loss: Callable[[], Any] = nn.MSELoss
    dtype: str = "float64"
    seed: int = 0
    steps: int = 400
    classes: int = 0
    fault: str = ""
    expected: tuple[str, ...] = ()  # the rules that should report the fault


def seed_runs(seeds: int = 20) -> Iterator[Run]:
    cases = {"A": ("sigmoid", "none", 1000), "B": ("relu", "relu", 400), "C": ("leaky_relu", "leaky_relu", 30)}
    for case, (activation, output, steps) in cases.items():
        for dtype in ("float32", "float64"):
            for seed in range(seeds):
                yield Run(f"{case} {dtype} seed {seed}", case, activation, output, dtype=dtype, seed=seed, steps=steps)


def healthy_runs() -> Iterator[Run]:
    plain = Run("", "healthy", span=2.0, points=101, standardize=True, steps=600)
    optimizers: dict[str, tuple[Any, float, tuple[tuple[str, Any], ...]]] = {
        "sgd": (optim.SGD, 0.05, ()),
        "momentum": (optim.SGD, 0.02, (("momentum", 0.9),)),
        "adam": (optim.Adam, 0.003, ()),
        "rmsprop": (optim.RMSprop, 0.001, ()),
    }
    for activation in ("relu", "tanh", "sigmoid", "leaky_relu"):
        for name, (kind, lr, options) in optimizers.items():
            for dtype in ("float32", "float64"):
                yield replace(
                    plain, name=f"{activation} {name} {dtype}", activation=activation, optimizer=kind, lr=lr,
                    options=options, dtype=dtype, seed=len(activation),
                )  # fmt: skip
    adam: dict[str, Any] = {"optimizer": optim.Adam, "lr": 0.01}
    yield replace(plain, name="raw x to 2, sgd", standardize=False, lr=0.02)
    yield replace(
        plain, name="raw x to 2, tanh momentum", standardize=False, activation="tanh", options=(("momentum", 0.9),)
    )
    yield replace(
        plain, name="raw x to 100, adam (case E)", standardize=False, span=100.0, points=201, steps=2000, **adam
    )
    yield replace(
        plain, name="raw x to 50, adam (case E)", standardize=False, span=50.0, points=201, steps=2000, **adam
    )
    yield replace(
        plain, name="raw x to 50, rmsprop, batch (case D)", standardize=False, span=50.0, hidden=(100,), batch=10,
        optimizer=optim.RMSprop, steps=1000,
    )  # fmt: skip
    yield replace(
        plain, name="raw x to 50, adagrad, batch (case D)", standardize=False, span=50.0, hidden=(100,), batch=10,
        optimizer=optim.Adagrad, steps=1000,
    )  # fmt: skip
    for batch in (1, 8, 32):
        yield replace(plain, name=f"batch {batch}, sgd", batch=batch, lr=0.02, dtype="float32", seed=batch)
        yield replace(plain, name=f"batch {batch}, adam", batch=batch, dtype="float32", seed=batch, **adam)
    yield replace(plain, name="deep relu, he, sgd", hidden=(32,) * 6, init="kaiming_uniform", lr=0.01)
    yield replace(
        plain, name="deep relu, he, adam", hidden=(32,) * 6, init="kaiming_normal", optimizer=optim.Adam, lr=1e-3
    )
    yield replace(plain, name="deep tanh, xavier", activation="tanh", hidden=(32,) * 6, init="xavier_uniform", lr=0.02)
    yield replace(plain, name="he, x = 0 on the kink", init="kaiming_normal", lr=0.03, points=101)
    yield replace(plain, name="narrow relu", hidden=(4,), lr=0.02, seed=3)
    yield replace(plain, name="sin, tanh, adam", activation="tanh", function=lambda x: xg.sin(3 * x), **adam)
    yield replace(plain, name="l1 loss", loss=nn.L1Loss, **adam)
    yield replace(plain, name="huber loss", loss=nn.HuberLoss, lr=0.05)
    yield replace(plain, name="relu output, targets above 0", standardize=False, output="relu", seed=1, **adam)
    yield replace(plain, name="sigmoid output, targets in [0, 1]", standardize=False, output="sigmoid", function=lambda x: xg.square(x) / 4, lr=0.3)  # fmt: skip  # noqa: E501
    yield replace(plain, name="weight decay", options=(("weight_decay", 1e-4),), lr=0.05)
    for dtype in ("float32", "float64"):
        for activation in ("relu", "tanh"):
            yield replace(
                plain, name=f"classification, {activation} {dtype}", activation=activation, classes=3, dtype=dtype,
                optimizer=optim.Adam, lr=0.01, loss=nn.CrossEntropyLoss,
            )  # fmt: skip
    yield replace(plain, name="classification, sgd, batch", classes=3, loss=nn.CrossEntropyLoss, lr=0.2, batch=32)
    yield replace(plain, name="softplus, adam", activation="softplus", **adam)


def fault_runs() -> Iterator[Run]:
    calm = Run("", "fault", span=2.0, points=101, standardize=True, steps=300, optimizer=optim.Adam, lr=0.01)
    for seed in range(3):
        for fault, rule in {
            "wrong derivative": "GRADCHECK",
            "detached": "NO_GRADIENT",
            "no zero_grad": "FORGOT_ZERO_GRAD",
            "left out": "FROZEN",
        }.items():
            yield replace(calm, name=f"{fault} {seed}", fault=fault, expected=(rule,), seed=seed)
        yield replace(calm, name=f"sigmoid output {seed}", output="sigmoid", seed=seed, expected=("OUTPUT_RANGE",))
        yield replace(
            calm, name=f"tanh output {seed}", output="tanh", standardize=False, seed=seed, expected=("OUTPUT_RANGE",)
        )
        yield replace(calm, name=f"too few steps {seed}", seed=seed, lr=1e-3, steps=60, expected=("UNDERTRAINED",))
        yield replace(calm, name=f"log of zero {seed}", seed=seed, fault="log", expected=("NONFINITE",))
        yield replace(calm, name=f"too large lr {seed}", seed=seed, optimizer=optim.SGD, lr=20.0, steps=50, expected=("STEP_UNSTABLE",))  # fmt: skip  # noqa: E501


# --- running one ----------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    run: Run
    watch: Watch
    model: nn.Module
    x: xg.Tensor
    y: xg.Tensor


@xg.primitive
def wrong_relu(x: Any) -> Any:
    """The seed's ReLU, with its mistake: x as the derivative."""
    return xg.where(x > 0, x, x * 0)


wrong_relu.defvjp(lambda g, out, x: xg.where(x > 0, g * x, g * 0))


class Faulty(nn.Module):
    """A network with one fault."""

    def __init__(self, fault: str, dtype: Any, rng: Any) -> None:
        self.fault = fault
        self.first = nn.Linear(1, 32, dtype=dtype, rng=rng)
        self.second = nn.Linear(32, 32, dtype=dtype, rng=rng)
        self.last = nn.Linear(32, 1, dtype=dtype, rng=rng)

    def forward(self, x: Any) -> Any:
        h = self.first(x)
        h = wrong_relu(h) if self.fault == "wrong derivative" else F.relu(h)
        if self.fault == "detached":
            h = h.detach()
        h = self.second(h)
        h = xg.relu(xg.log(xg.relu(h))) if self.fault == "log" else F.relu(h)
        return self.last(h)


def data(run: Run, dtype: Any, rng: Any) -> tuple[xg.Tensor, xg.Tensor]:
    if run.classes:
        angle = rng.uniform((120,), low=0.0, high=2 * math.pi, dtype=dtype)
        kind = rng.integers(0, run.classes, (120,))
        radius = xg.astype(kind, dtype) + 0.6 * rng.uniform((120,), dtype=dtype)
        return xg.stack([radius * xg.cos(angle), radius * xg.sin(angle)], axis=1), kind
    x = xg.linspace(-run.span, run.span, run.points, dtype=dtype)[:, None]
    y = run.function(x)
    if run.standardize:
        x, y = (x - xg.mean(x)) / xg.std(x), (y - xg.mean(y)) / xg.std(y)
    return x, y


def network(run: Run, dtype: Any, rng: Any) -> nn.Module:
    if run.fault in ("wrong derivative", "detached", "log"):
        return Faulty(run.fault, dtype, rng)
    if run.classes:
        module: Any = ACTIVATIONS[run.activation]
        return nn.Sequential(
            nn.Linear(2, 32, dtype=dtype, rng=rng), module(), nn.Linear(32, run.classes, dtype=dtype, rng=rng)
        )
    return build(run.hidden, run.activation, run.output, init=run.init, dtype=dtype, rng=rng)[0]


def perform(run: Run) -> Outcome:
    """Train with a watcher."""
    rng, dtype = xg.random.Generator(run.seed), getattr(xg, run.dtype)
    model = network(run, dtype, rng)
    x, y = data(run, dtype, rng)
    trained = list(model.parameters())
    if run.fault == "left out":
        trained = trained[2:]
    optimizer, loss = run.optimizer(trained, lr=run.lr, **dict(run.options)), run.loss()
    w = watch(model, optimizer, loss=loss, x=x, y=y)
    for _ in range(run.steps):
        xb, yb = x, y
        if run.batch:
            chosen = rng.integers(0, x.shape[0], (run.batch,))
            xb, yb = xg.take(x, chosen, axis=0), xg.take(y, chosen, axis=0)
        if run.fault != "no zero_grad":
            optimizer.zero_grad()
        value = loss(model(xb), yb)
        value.backward()
        optimizer.step()
        w.step(value)
    return Outcome(run, w, model, x, y)
