"""The numbers to compare with: those that are stored, PyTorch's of other programs where it is installed, and differences.

The weights of the outputs, and the direction of the tangents, are made of the program's own shapes (see program.py).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz import plain_numpy, plain_torch
from tests.fuzz.grammar import directions_of, in_double, moved, weights_of
from tests.fuzz.program import Host, Program, weighted

HAVE_TORCH = importlib.util.find_spec("torch") is not None
STORED = Path(__file__).resolve().parent.parent / "data" / "fuzz.npz"


@dataclass
class Numbers:
    """Of the weighted sum of a program's outputs: its gradient and hvp; and each output's tangent."""

    who: str
    gradient: list[Host]
    jvp: list[Host]
    hvp: list[Host]


def numbers(program: Program) -> Numbers | None:
    """The stored numbers, or PyTorch's; None where there are neither, and for what writes through views."""
    if program.views:
        return None
    found = from_file(program)
    return from_torch(program) if found is None and HAVE_TORCH else found


# --- PyTorch ---------------------------------------------------------------------------------------------------------


def from_torch(program: Program) -> Numbers:
    import torch

    scope = plain_torch.names()
    xs = [plain_torch.to_torch(in_double(x)).requires_grad_() for x in program.inputs]
    outputs = program.bind(scope, plain=True)(*xs)
    hosts = [plain_torch.to_host(y) for y in outputs]
    ws = [plain_torch.to_torch(w).requires_grad_() for w in weights_of(program, hosts)]
    ts = [plain_torch.to_torch(in_double(d)) for d in directions_of(program, 1)]
    xp = scope["xp"]
    loss = weighted(xp, outputs, ws)
    gradient = _gradient(torch, loss, xs)
    along = sum((xp.sum(xp.real(xp.conj(t) * g)) for t, g in zip(ts, gradient, strict=True)), torch.zeros(()))
    found = _gradient(torch, along, [*ws, *xs])
    jvp, hvp = found[: len(ws)], found[len(ws) :]
    to_hosts = lambda arrays: [np.array(plain_torch.to_host(a)) for a in arrays]  # noqa: E731
    return Numbers("PyTorch", to_hosts(gradient), to_hosts(jvp), to_hosts(hvp))


def _gradient(torch: Any, y: Any, xs: Sequence[Any]) -> list[Any]:
    """Zeros where y does not hang on x."""
    if not y.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    found = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(xs, found, strict=True)]


# --- the stored numbers -----------------------------------------------------------------------------------------------


@cache
def stored() -> dict[int, tuple[int, Host]]:
    """For each seed that is stored, the key of its program, and its numbers one after the other."""
    with np.load(STORED) as file:
        ends = np.cumsum(file["lengths"])
        parts = np.split(file["numbers"], ends[:-1])
        return {int(s): (int(k), p) for s, k, p in zip(file["seeds"], file["keys"], parts, strict=True)}


def from_file(program: Program) -> Numbers | None:
    key, flat = stored().get(program.seed, (None, None))
    if key != program.key:
        return None
    outputs = plain_numpy.run(program, program.inputs)
    inputs = [in_double(x) for x in program.inputs]
    like = [*inputs, *outputs, *inputs]
    found = unpacked(flat, like)
    n, m = len(inputs), len(outputs)
    return Numbers("the stored numbers", found[:n], found[n : n + m], found[n + m :])


def packed(found: Numbers) -> Host:
    """All numbers one after the other; of complex ones, both parts."""
    flat = [np.asarray(a).reshape(-1) for a in (*found.gradient, *found.jvp, *found.hvp)]
    return np.concatenate([np.stack([a.real, a.imag], -1).reshape(-1) if np.iscomplexobj(a) else a for a in flat])


def unpacked(flat: Host, like: Sequence[Host]) -> list[Host]:
    found = []
    for a in like:
        size = a.size * (2 if np.iscomplexobj(a) else 1)
        part, flat = flat[:size], flat[size:]
        found.append((part.view(complex) if np.iscomplexobj(a) else part).reshape(a.shape))
    return found


# --- differences --------------------------------------------------------------------------------------------------------

STEP = 2e-4


def along(program: Program, directions: Sequence[Host]) -> list[Host]:
    """The derivative of each output in a direction, by differences of NumPy's values."""
    inputs, ds = [in_double(x) for x in program.inputs], [in_double(d) for d in directions]

    def at(step: float) -> list[Host]:
        return plain_numpy.run(program, moved(inputs, ds, step))

    samples = zip(at(STEP), at(-STEP), at(2 * STEP), at(-2 * STEP), strict=True)
    return [(8 * (a - b) - (c - d)) / (12 * STEP) for a, b, c, d in samples]
