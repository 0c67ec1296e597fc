"""The rules of the optimizers that PyTorch lacks, or computes in bfloat16, in plain NumPy from their papers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
Rule = Callable[[Numbers, Numbers, dict[str, Any], int, Any], Numbers]

OPTIONS: dict[str, dict[str, tuple[Any, ...]]] = {
    "Lion": {
        "lr": (0.01,),
        "betas": ((0.9, 0.99), (0.5, 0.8)),
        "weight_decay": (0, 0.1),
        "maximize": (False, True),
    },
    "LAMB": {
        "lr": (0.01,),
        "betas": ((0.9, 0.999), (0.5, 0.8)),
        "eps": (1e-6, 1e-2),
        "weight_decay": (0, 0.1),
        "bias_correction": (True, False),
        "maximize": (False, True),
    },
    "Muon": {
        "lr": (0.01,),
        "weight_decay": (0.1, 0),
        "momentum": (0.95, 0.5, 0),
        "nesterov": (True, False),
        "ns_coefficients": ((3.4445, -4.775, 2.0315), (1.5, -0.5, 0.0)),
        "eps": (1e-7, 1e3),
        "ns_steps": (5, 2),
        "adjust_lr_fn": (None, "original", "match_rms_adamw"),
    },
}


def lion(p: Numbers, g: Numbers, state: dict[str, Any], t: int, o: Any) -> Numbers:
    """Chen et al., https://arxiv.org/abs/2302.06675, Algorithm 2."""
    beta1, beta2 = o["betas"]
    m = state.setdefault("m", np.zeros_like(p))
    g = -g if o["maximize"] else g
    c = beta1 * m + (1 - beta1) * g
    state["m"] = beta2 * m + (1 - beta2) * g
    return np.asarray(p - o["lr"] * (np.sign(c) + o["weight_decay"] * p))


def lamb(p: Numbers, g: Numbers, state: dict[str, Any], t: int, o: Any) -> Numbers:
    """You et al., https://arxiv.org/abs/1904.00962, Algorithm 2."""
    beta1, beta2 = o["betas"]
    g = -g if o["maximize"] else g
    m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g**2
    if o["bias_correction"]:
        m, v = m / (1 - beta1**t), v / (1 - beta2**t)
    r = m / (np.sqrt(v) + o["eps"]) + o["weight_decay"] * p
    of_p, of_r = np.sqrt(np.sum(p**2)), np.sqrt(np.sum(r**2))
    ratio = of_p / of_r if of_p > 0 and of_r > 0 else 1.0
    return np.asarray(p - o["lr"] * ratio * r)


def muon(p: Numbers, g: Numbers, state: dict[str, Any], t: int, o: Any) -> Numbers:
    """Jordan et al., https://kellerjordan.github.io/posts/muon/, with the options of torch.optim.Muon, in the dtype of p."""
    a, b, c = o["ns_coefficients"]
    mu, (rows, columns) = o["momentum"], p.shape
    buffer = state["m"] = state.get("m", 0.0) * mu + (1 - mu) * g
    x = (1 - mu) * g + mu * buffer if o["nesterov"] else buffer
    x = x.T if rows > columns else x
    x = x / max(np.sqrt(np.sum(x**2)), o["eps"])
    for _ in range(o["ns_steps"]):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    x = x.T if rows > columns else x
    as_adamw = o["adjust_lr_fn"] == "match_rms_adamw"
    scale = 0.2 * np.sqrt(max(rows, columns)) if as_adamw else np.sqrt(max(1, rows / columns))
    return np.asarray(p * (1 - o["lr"] * o["weight_decay"]) - o["lr"] * scale * x)


RULES: dict[str, Rule] = {"Lion": lion, "LAMB": lamb, "Muon": muon}


def weights(name: str, o: Any, start: Numbers, gradients: Iterable[Numbers], snapshots: tuple[int, ...]) -> Numbers:
    """The weights at these steps."""
    state: dict[str, Any] = {}
    p, taken = start, []
    for t, g in enumerate(gradients, 1):
        p = RULES[name](p, g, state, t, o)
        if t in snapshots:
            taken.append(p)
    return np.array(taken)
