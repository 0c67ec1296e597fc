"""The same distributions in PyTorch and in xgrad, at random parameters: everything that they compute, with gradients."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.run import Torch
from tests.support.arrays import Host

Arguments = dict[str, Any]
Results = dict[str, Host]
STORED = Path(__file__).parents[1] / "data" / "distributions.json"
SEEDS = (0, 1)  # of the stored results


# --- random parameters and values


def positive(rng: Any, *shape: int) -> Host:
    return np.asarray(rng.uniform(0.4, 4.0, shape))


def real(rng: Any, *shape: int) -> Host:
    return np.asarray(rng.normal(size=shape) * 1.5)


def unit(rng: Any, *shape: int) -> Host:
    return np.asarray(rng.uniform(0.1, 0.9, shape))


def shares(rng: Any, *shape: int) -> Host:
    weights = rng.uniform(0.2, 1.0, shape)
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def triangle(rng: Any, *shape: int) -> Host:
    lower = np.tril(rng.normal(size=shape) * 0.5, -1)
    return np.asarray(lower + np.eye(shape[-1]) * rng.uniform(0.5, 2.0, shape[:-1])[..., None])


def covariances(rng: Any, *shape: int) -> Host:
    lower = triangle(rng, *shape)
    return np.asarray(lower @ lower.swapaxes(-1, -2))


def location(rng: Any) -> Arguments:
    return {"loc": real(rng, 2, 1), "scale": positive(rng, 3)}


def one_hot(rng: Any, *shape: int) -> Host:
    return np.asarray(np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])])


def whole(rng: Any, low: int, high: int, *shape: int) -> Host:
    return np.asarray(rng.integers(low, high, shape), dtype="float64")


def either(rng: Any, probs: Host) -> Arguments:
    return {"probs": probs} if rng.random() < 0.5 else {"logits": np.log(probs) + 0.3 * (probs.ndim > 1)}


def odds(rng: Any, *shape: int) -> Arguments:
    return {"probs": unit(rng, *shape)} if rng.random() < 0.5 else {"logits": real(rng, *shape)}


# name -> (the arguments; values for log_prob, of a shape that is broadcast)
CASES: dict[str, tuple[Callable[[Any], Arguments], Callable[[Any], Host]]] = {
    "Normal": (location, lambda r: real(r, 4, 2, 3)),
    "LogNormal": (location, lambda r: positive(r, 4, 1, 3)),
    "HalfNormal": (lambda r: {"scale": positive(r, 3)}, lambda r: positive(r, 2, 3)),
    "HalfCauchy": (lambda r: {"scale": positive(r, 3)}, lambda r: positive(r, 2, 3)),
    "Laplace": (location, lambda r: real(r, 4, 2, 3)),
    "Cauchy": (location, lambda r: real(r, 4, 2, 3)),
    "Gumbel": (location, lambda r: real(r, 4, 2, 3)),
    "Uniform": (lambda r: {"low": real(r, 2, 1) - 6, "high": positive(r, 3) + 6}, lambda r: real(r, 2, 3)),
    "Gamma": (lambda r: {"concentration": positive(r, 2, 1), "rate": positive(r, 3)}, lambda r: positive(r, 2, 3)),
    "Chi2": (lambda r: {"df": positive(r, 3)}, lambda r: positive(r, 2, 3)),
    "Exponential": (lambda r: {"rate": positive(r, 3)}, lambda r: positive(r, 2, 3)),
    "StudentT": (lambda r: {"df": positive(r, 2, 1), **location(r)}, lambda r: real(r, 2, 3)),
    "Beta": (
        lambda r: {"concentration1": positive(r, 2, 1), "concentration0": positive(r, 3)},
        lambda r: unit(r, 2, 3),
    ),
    "Dirichlet": (lambda r: {"concentration": positive(r, 2, 3)}, lambda r: shares(r, 4, 2, 3)),
    "Bernoulli": (lambda r: odds(r, 3), lambda r: whole(r, 0, 2, 4, 3)),
    "Binomial": (lambda r: {"total_count": np.asarray(7.0), **odds(r, 3)}, lambda r: whole(r, 0, 8, 4, 3)),
    "Geometric": (lambda r: odds(r, 3), lambda r: whole(r, 0, 5, 4, 3)),
    "Poisson": (lambda r: {"rate": positive(r, 3)}, lambda r: whole(r, 0, 6, 4, 3)),
    "Categorical": (lambda r: either(r, shares(r, 2, 4)), lambda r: r.integers(0, 4, (3, 2))),
    "OneHotCategorical": (lambda r: either(r, shares(r, 2, 4)), lambda r: one_hot(r, 3, 2, 4)),
    "Multinomial": (
        lambda r: {"total_count": 6, **either(r, shares(r, 2, 4))},
        lambda r: np.asarray(r.multinomial(6, [0.25] * 4, (3, 2)), dtype="float64"),
    ),
    "MultivariateNormal covariance_matrix": (
        lambda r: {"loc": real(r, 3), "covariance_matrix": covariances(r, 2, 3, 3)},
        lambda r: real(r, 4, 2, 3),
    ),
    "MultivariateNormal precision_matrix": (
        lambda r: {"loc": real(r, 2, 3), "precision_matrix": covariances(r, 3, 3)},
        lambda r: real(r, 4, 1, 3),
    ),
    "MultivariateNormal scale_tril": (
        lambda r: {"loc": real(r, 5, 1, 3), "scale_tril": triangle(r, 2, 3, 3)},
        lambda r: real(r, 2, 3),
    ),
}
# What is compared. PyTorch lacks some of them for some distributions; then it is compared with SciPy alone.
PROPERTIES = (
    "mean",
    "mode",
    "variance",
    "stddev",
    "probs",
    "logits",
    "scale_tril",
    "covariance_matrix",
    "precision_matrix",
)
WITH_QUANTILES = (
    "Normal",
    "LogNormal",
    "HalfNormal",
    "HalfCauchy",
    "Laplace",
    "Cauchy",
    "Gumbel",
    "Uniform",
    "Exponential",
)

PAIRS = [
    *((name, name) for name in CASES if name not in ("StudentT", "Multinomial", "HalfCauchy")),
    ("Bernoulli", "Poisson"), ("Poisson", "Bernoulli"), ("Poisson", "Binomial"),
    *(("Beta", q) for q in ("Exponential", "Gamma", "Normal", "Uniform")),
    *(("Exponential", q) for q in ("Beta", "Gamma", "Gumbel", "Normal", "Uniform")),
    *(("Gamma", q) for q in ("Beta", "Exponential", "Gumbel", "Normal", "Uniform")),
    *(("Gumbel", q) for q in ("Beta", "Exponential", "Gamma", "Normal", "Uniform")),
    *(("Laplace", q) for q in ("Beta", "Exponential", "Gamma", "Normal", "Uniform")),
    *(("Normal", q) for q in ("Beta", "Exponential", "Gamma", "Gumbel", "Laplace", "Uniform")),
    *(("Uniform", q) for q in ("Beta", "Exponential", "Gamma", "Gumbel", "Normal")),
]  # fmt: skip


def made(library: Any, name: str, rng: Any) -> tuple[Any, Arguments]:
    """A distribution, and its parameters as tensors by name."""
    given = CASES[name][0](rng)
    given = {key: library.tensor(value) if isinstance(value, np.ndarray) else value for key, value in given.items()}
    return getattr(library.distributions, name.partition(" ")[0])(**given), given


def gradient(library: Any, name: str, t: Any) -> Host:
    """The gradient of a parameter. That of the zeros of a triangle is PyTorch's choice."""
    found: Host = library.host(t.grad)
    return np.tril(found) if name.endswith("scale_tril") else found


def results(library: Any, name: str, seed: int) -> Results:
    """All that a distribution computes, each with its gradients by the parameters and the value."""
    rng = np.random.default_rng([seed, *name.encode()])
    d, given = made(library, name, rng)
    values = CASES[name][1](rng)
    found: Results = {"shapes": np.asarray([*d.batch_shape, -1, *d.event_shape])}

    def keep(key: str, compute: Callable[[Any], Any], value: Host | None = None) -> None:
        inputs = {k: v for k, v in given.items() if library.is_tensor(v)}
        for t in inputs.values():
            t.grad = None
        argument = None if value is None else library.tensor(value)
        try:
            y = compute(argument)
        except (NotImplementedError, AttributeError):
            return
        found[key] = library.host(y)
        if y.requires_grad and np.isfinite(found[key]).all() and key != "mode":
            try:
                library.sum(y * y).backward(retain_graph=True)  # the parameters were broadcast once
            except NotImplementedError:
                return
            if argument is not None:
                inputs = {**inputs, "value": argument}
            found.update({f"{key} by {k}": gradient(library, k, t) for k, t in inputs.items() if t.grad is not None})

    keep("log_prob", d.log_prob, values)
    for key in PROPERTIES:
        keep(key, partial(lambda name, _: getattr(d, name), key))
    keep("entropy", lambda _: d.entropy())
    if name in (*WITH_QUANTILES, "Gamma"):
        keep("cdf", d.cdf, values)
    if name in WITH_QUANTILES:
        keep("icdf", d.icdf, unit(rng, *values.shape))
    if d.has_enumerate_support:
        keep("support", lambda _: d.enumerate_support())
        keep("support, not expanded", lambda _: d.enumerate_support(expand=False))
    wider = d.expand((5, *d.batch_shape))
    found["shapes, expanded"] = np.asarray([*wider.batch_shape, -1, *wider.event_shape])
    keep("log_prob, expanded", wider.log_prob, values[:1])
    return found


def divergences(library: Any, names: tuple[str, str], seed: int) -> Results:
    """The divergence of two distributions, with its gradients."""
    rng = np.random.default_rng([seed, *"".join(names).encode()])
    if names == ("Uniform", "Beta"):
        given = {"low": unit(rng, 2, 3) * 0.3, "high": 1 - unit(rng, 2, 3) * 0.3}
    elif names in (("Uniform", "Gamma"), ("Uniform", "Exponential")):
        given = {"low": unit(rng, 2, 3), "high": 1 + unit(rng, 2, 3)}
    else:
        given = {}
    if given:
        of_p = {key: library.tensor(value) for key, value in given.items()}
        p = library.distributions.Uniform(**of_p)
    else:
        p, of_p = made(library, names[0], rng)
    q, of_q = made(library, names[1], rng)
    kl = library.distributions.kl_divergence(p, q)
    found = {"kl": library.host(kl)}
    if np.isfinite(found["kl"]).all():
        library.sum(kl * kl).backward()
        both = {**{f"p.{k}": v for k, v in of_p.items()}, **{f"q.{k}": v for k, v in of_q.items()}}
        both = {k: t for k, t in both.items() if library.is_tensor(t) and t.grad is not None}
        found.update({f"by {k}": gradient(library, k, t) for k, t in both.items()})
    return found


# --- stored results, for machines without PyTorch


def summary(array: Host) -> list[Any]:
    """The shape of an array, and sums that no permutation of it has."""
    flat = np.asarray(array, dtype="float64").reshape(-1)
    flat = np.where(np.isfinite(flat), flat, np.where(np.isnan(flat), 1e3, np.sign(flat) * 1e4))
    return [list(array.shape), float(flat.sum()), float(flat @ np.cos(np.arange(flat.size))), float(np.abs(flat).sum())]


def write() -> None:
    """Store PyTorch's results."""
    torch = Torch()
    stored = {
        f"{name}, {seed}": {k: summary(v) for k, v in results(torch, name, seed).items()}
        for name in CASES
        for seed in SEEDS
    }
    for p, q in PAIRS:
        stored[f"{p}, {q}"] = {k: summary(v) for k, v in divergences(torch, (p, q), 0).items()}
    STORED.write_text(json.dumps(stored, separators=(",", ":")).replace("},", "},\n") + "\n", encoding="utf-8")


def read() -> dict[str, dict[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = json.loads(STORED.read_text(encoding="utf-8"))
    return found
