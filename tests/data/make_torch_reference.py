"""What PyTorch computes, for the tests of xgrad.optim and of the losses to compare with.

Where PyTorch is installed the tests ask it; elsewhere they read the numbers stored beside this file, which

    python -m tests.data.make_torch_reference

stores anew. The cases and their inputs are here, so that the tests and the stored numbers cannot disagree about them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support import optimizer_rules

HERE = Path(__file__).parent
HAVE_TORCH = importlib.util.find_spec("torch") is not None
Case = dict[str, Any]
Numbers = NDArray[Any]

# --- optimizers, fed recorded gradients -----------------------------------------------------------

STEPS = 200
SNAPSHOTS = (1, 2, 10, 200)
SHAPE = (3, 3)

OPTIONS: dict[str, dict[str, tuple[Any, ...]]] = {
    "SGD": {
        "lr": (0.05,),
        "momentum": (0, 0.9),
        "dampening": (0, 0.3),
        "weight_decay": (0, 0.1),
        "nesterov": (False, True),
        "maximize": (False, True),
    },
    "Adagrad": {
        "lr": (0.1,),
        "lr_decay": (0, 0.01),
        "weight_decay": (0, 0.1),
        "initial_accumulator_value": (0, 0.5),
        "eps": (1e-10, 1e-2),
        "maximize": (False, True),
    },
    "RMSprop": {
        "lr": (0.01,),
        "alpha": (0.99, 0.5),
        "eps": (1e-8, 1e-2),
        "weight_decay": (0, 0.1),
        "momentum": (0, 0.9),
        "centered": (False, True),
        "maximize": (False, True),
    },
    "Adam": {
        "lr": (0.01,),
        "betas": ((0.9, 0.999), (0.5, 0.8)),
        "eps": (1e-8, 1e-2),
        "weight_decay": (0, 0.1),
        "amsgrad": (False, True),
        "maximize": (False, True),
        "decoupled_weight_decay": (False, True),
    },
    "AdamW": {
        "lr": (0.01,),
        "betas": ((0.9, 0.999), (0.5, 0.8)),
        "eps": (1e-8, 1e-2),
        "weight_decay": (0.01, 0.1),
        "amsgrad": (False, True),
        "maximize": (False, True),
    },
    "Adadelta": {
        "lr": (1.0,),
        "rho": (0.9, 0.5),
        "eps": (1e-6, 1e-2),
        "weight_decay": (0, 0.1),
        "maximize": (False, True),
    },
    "Adamax": {
        "lr": (0.01,),
        "betas": ((0.9, 0.999), (0.5, 0.8)),
        "eps": (1e-8, 1e-2),
        "weight_decay": (0, 0.1),
        "maximize": (False, True),
    },
    "NAdam": {
        "lr": (0.01,),
        "betas": ((0.9, 0.999), (0.5, 0.8)),
        "eps": (1e-8, 1e-2),
        "weight_decay": (0, 0.1),
        "momentum_decay": (4e-3, 0.1),
        "decoupled_weight_decay": (False, True),
        "maximize": (False, True),
    },
    "RAdam": {
        "lr": (0.01,),
        "betas": ((0.9, 0.999), (0.5, 0.8)),
        "eps": (1e-8, 1e-2),
        "weight_decay": (0, 0.1),
        "decoupled_weight_decay": (False, True),
        "maximize": (False, True),
    },
    "Rprop": {
        "lr": (0.01,),
        "etas": ((0.5, 1.2), (0.25, 2.0)),
        "step_sizes": ((1e-6, 50), (1e-3, 0.02)),
        "maximize": (False, True),
    },
    "ASGD": {
        "lr": (0.01,),
        "lambd": (1e-4, 0.1),
        "alpha": (0.75, 0.5),
        "t0": (1e6, 5),
        "weight_decay": (0, 0.1),
        "maximize": (False, True),
    },
    "Adafactor": {
        "lr": (0.01,),
        "beta2_decay": (-0.8, -0.5),
        "eps": ((None, 1e-3), (1e-2, 0.5)),
        "d": (1.0, 2.0),
        "weight_decay": (0.0, 0.1),
        "maximize": (False, True),
    },
}


def optimizer_cases(name: str) -> list[Case]:
    """Every combination of the options that the optimizer takes; the first is nearest to the defaults."""
    options = OPTIONS.get(name) or optimizer_rules.OPTIONS[name]
    cases = [dict(zip(options, values, strict=True)) for values in product(*options.values())]
    return [c for c in cases if name != "SGD" or not c["nesterov"] or (c["momentum"] and not c["dampening"])]


@cache
def recorded() -> tuple[Numbers, Numbers]:
    """Starting weights, and a gradient for each step; some are a hundred thousand times larger than others."""
    rng = np.random.default_rng(20)
    scale = 10.0 ** rng.uniform(-3, 2, SHAPE)
    return rng.normal(size=SHAPE), scale * rng.normal(size=(STEPS, *SHAPE))


@contextmanager
def double_by_default() -> Iterator[None]:
    """PyTorch keeps the numbers of a state, such as NAdam's mu_product, in its default dtype."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def torch_weights(name: str, options: Case) -> Numbers:
    import torch

    start, gradients = recorded()
    with double_by_default():
        p = torch.tensor(start, requires_grad=True)
        optimizer = getattr(torch.optim, name)([p], **options)
        taken = []
        for step, g in enumerate(gradients, 1):
            p.grad = torch.tensor(g)
            optimizer.step()
            if step in SNAPSHOTS:
                taken.append(p.detach().numpy().copy())
    return np.array(taken)


# --- optimizers, training a network ---------------------------------------------------------------

TRAINING_STEPS = 20
TRAINING_RATE = {**dict.fromkeys(OPTIONS, 0.01), "SGD": 0.1, "Adagrad": 0.1, "Adadelta": 1.0}
HIDDEN = 8
ACTIVATIONS = ("Tanh", "ReLU")


def training_data() -> tuple[Numbers, Numbers]:
    """y = x^2, both standardised, as columns."""
    x = np.linspace(-100, 100, 41)[:, None]
    y = x**2
    return (x - x.mean()) / x.std(), (y - y.mean()) / y.std()


def starting_layers() -> list[tuple[Numbers, Numbers]]:
    """(weight, bias) of each layer of 1-8-8-1, drawn as xgrad's Linear draws them."""
    rng = np.random.default_rng(0)
    layers = []
    for fan_in, fan_out in ((1, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)):
        bound = 1 / np.sqrt(fan_in)
        weight = rng.uniform(-bound, bound, (fan_in, fan_out)).T
        layers.append((weight, rng.uniform(-bound, bound, fan_out)))
    return layers


def torch_training(name: str, activation: str) -> Numbers:
    """The loss before each step, then all the weights after the last."""
    with double_by_default():
        return _torch_training(name, activation)


def _torch_training(name: str, activation: str) -> Numbers:
    import torch

    x, y = (torch.tensor(a) for a in training_data())
    modules: list[Any] = []
    for weight, bias in starting_layers():
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            linear.bias.copy_(torch.tensor(bias))
        modules += [linear, getattr(torch.nn, activation)()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=TRAINING_RATE[name])
    losses = []
    for _ in range(TRAINING_STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.concatenate([losses, *(p.detach().numpy().ravel() for p in model.parameters())])


# --- losses ---------------------------------------------------------------------------------------

REDUCTIONS = ("mean", "sum", "none")
CLASSES = 5


def loss_cases(function: str) -> list[Case]:
    """Each case: "shape" of the input, "target" kind, and the options; an option given as True is an array."""
    if function in ("mse_loss", "l1_loss"):
        return _grid(shape=((7,), (3, 2)), target=("real",), reduction=REDUCTIONS)
    if function == "huber_loss":
        return _grid(shape=((7,),), target=("real",), reduction=REDUCTIONS, delta=(0.5, 1.0, 3.0))
    options: dict[str, tuple[Any, ...]] = {"reduction": REDUCTIONS, "weight": (None, True)}
    if function == "binary_cross_entropy_with_logits":
        return _grid(shape=((6,), (4, 3)), target=("chance",), pos_weight=(None, True), **options)
    shapes = ((CLASSES,), (7, CLASSES), (3, CLASSES, 2, 2))
    if function == "nll_loss":
        return _grid(shape=shapes[1:], target=("number",), ignore_index=(-100, 1), **options)
    options["label_smoothing"] = (0.0, 0.1)
    numbers = _grid(shape=shapes, target=("number",), ignore_index=(-100, 1), **options)
    return numbers + _grid(shape=shapes, target=("chances",), **options)


LOSSES = (
    "mse_loss",
    "l1_loss",
    "huber_loss",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "nll_loss",
)


def _grid(**choices: tuple[Any, ...]) -> list[Case]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def loss_arguments(case: Case) -> tuple[Numbers, Numbers, Case]:
    """The input, the target and the keyword arguments of a case, as NumPy arrays and numbers."""
    rng = np.random.default_rng(30)
    shape = case["shape"]
    x = np.asarray(3 * rng.normal(size=shape))
    axis = 0 if len(shape) == 1 else 1
    target: Any
    if case["target"] == "number":
        target = rng.integers(0, CLASSES, shape[:axis] + shape[axis + 1 :])
        if target.ndim:
            target.flat[0] = max(case["ignore_index"], 1)  # at least one is ignored, but not all
            target.flat[1:3] = 0, 3
        elif target == case["ignore_index"]:
            target = target + 1
    elif case["target"] == "chances":
        target = rng.dirichlet(np.ones(CLASSES), shape[:axis] + shape[axis + 1 :])
        target = np.moveaxis(target, -1, axis)
    else:
        target = rng.uniform(size=shape) if case["target"] == "chance" else 3 * rng.normal(size=shape)
    options = {k: v for k, v in case.items() if k not in ("shape", "target") and v is not None}
    for name in ("weight", "pos_weight"):
        if options.get(name) is True:
            size = CLASSES if case["target"] in ("number", "chances") else shape[-1]
            options[name] = rng.uniform(0.5, 2, size)
    return x, np.array(target, order="C"), options


def torch_loss(function: str, case: Case) -> Numbers:
    """The loss and the gradient of its sum by the input, flat, one after the other."""
    import torch

    x, target, options = loss_arguments(case)
    options = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    leaf = torch.tensor(x, requires_grad=True)
    loss = getattr(torch.nn.functional, function)(leaf, torch.tensor(target), **options)
    loss.sum().backward()
    assert leaf.grad is not None
    return np.concatenate([loss.detach().numpy().ravel(), leaf.grad.numpy().ravel()])


# --- stored and asked -----------------------------------------------------------------------------


@cache
def stored(file: str) -> dict[str, Numbers]:
    with np.load(HERE / file) as archive:
        return {name: archive[name] for name in archive.files}


def expected_weights(name: str, index: int) -> Numbers:
    """The weights of a case at each of SNAPSHOTS: PyTorch's, or those of a rule in NumPy where PyTorch lacks the optimizer."""
    if name in optimizer_rules.OPTIONS:
        start, gradients = recorded()
        return optimizer_rules.weights(name, optimizer_cases(name)[index], start, gradients, SNAPSHOTS)
    return stored_weights(name, index)


def stored_weights(name: str, index: int) -> Numbers:
    weights: Numbers = stored("optimizers.npz")[name][index]
    return weights


def stored_training(name: str, activation: str) -> Numbers:
    return stored("training.npz")[f"{name}_{activation}"]


def stored_loss(function: str, index: int) -> Numbers:
    numbers = stored("losses.npz")
    start = int(numbers[f"{function}_size"][:index].sum())
    return numbers[function][start : start + int(numbers[f"{function}_size"][index])]


@cache
def expected_loss(function: str, index: int) -> Numbers:
    if HAVE_TORCH:
        return torch_loss(function, loss_cases(function)[index])
    return stored_loss(function, index)


def main() -> None:
    weights: Any = {name: [torch_weights(name, c) for c in optimizer_cases(name)] for name in OPTIONS}
    np.savez_compressed(HERE / "optimizers.npz", **weights)

    runs: Any = {f"{name}_{a}": torch_training(name, a) for name in OPTIONS for a in ACTIVATIONS}
    np.savez_compressed(HERE / "training.npz", **runs)

    losses: Any = {}
    for function in LOSSES:
        values = [torch_loss(function, case) for case in loss_cases(function)]
        losses[function] = np.concatenate(values)
        losses[f"{function}_size"] = np.array([v.size for v in values], dtype=np.int32)
    np.savez_compressed(HERE / "losses.npz", **losses)


if __name__ == "__main__":
    main()
