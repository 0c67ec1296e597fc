"""What is compared, on one backend: each way to a derivative, with numbers that xgrad did not make.

A check raises `Mismatch`, or whatever xgrad raises.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import xgrad as xg
from tests.fuzz import oracle, plain_numpy
from tests.fuzz.grammar import REACH, directions_of, moved, weights_of
from tests.fuzz.program import Host, Program, Slices, weighted
from tests.support.arrays import dtype_name, make, to_numpy
from xgrad.nn import functional

# How near numbers must be, relative to the largest of them or to 1.
VALUE, DERIVATIVE, SECOND = 1e-10, 1e-8, 1e-7
DIFFERENCES = 2e-5
SINGLE = {VALUE: 3e-4, DERIVATIVE: 3e-3, SECOND: 3e-2, DIFFERENCES: 3e-3}

# Where a program of these kinds goes beyond what a library has, or the standard.
REFUSED: dict[str, set[str]] = {
    "strict": {"mixed kinds", "mixed precision", "partial masks", "fft of reals", "arrays beside slices"},
    "dask": {"shape by values", "partial masks", "repeat by an array"},
}


class MismatchError(AssertionError):
    """Two numbers that ought to be the same."""


@dataclass
class Fault:
    """What went wrong with a program."""

    program: Program
    check: str
    message: str

    @property
    def kind(self) -> str:
        """What a smaller program must show to be the same fault."""
        if self.message.startswith("MismatchError"):
            return self.check
        return f"{self.check} {re.sub(r'[^A-Za-z ]', '', self.message)[:24]}"


class Subject:
    """A program on a backend, with what it is called with and compared to."""

    def __init__(self, program: Program, backend: Any) -> None:
        self.program, self.backend, self.xp = program, backend, backend.view
        self.f = program.bind({"xp": backend.view, "xg": xg, "F": functional, "S": Slices()})
        self.single = "single" in program.tags
        self.exact = plain_numpy.run_exact(program, program.inputs)
        self.values = plain_numpy.run(program, program.inputs)
        self.weights = [w.astype(y.dtype) for w, y in zip(weights_of(program, self.values), self.exact, strict=True)]
        self.tangents = directions_of(program, 1)
        self.numbers = oracle.numbers(program)
        self._along: dict[int, list[Host]] = {}

    def tensors(self, arrays: Sequence[Host], *, requires_grad: bool = False) -> list[Any]:
        return [make(self.xp, a, requires_grad=requires_grad) for a in arrays]

    def inputs(self, *, requires_grad: bool = False) -> list[Any]:
        return self.tensors(self.program.inputs, requires_grad=requires_grad)

    def loss(self, *xs: Any) -> Any:
        """The weighted sum of the outputs."""
        ys = self.f(*xs)
        return weighted(self.xp, ys, self.cotangents(ys))

    def cotangents(self, ys: Sequence[Any]) -> tuple[Any, ...]:
        """The weights, in the outputs' dtypes: libraries differ in what mixed ones give."""
        ws = self.tensors(self.weights)
        return tuple(xg.astype(w, y.dtype, copy=False) for w, y in zip(ws, ys, strict=True))

    def along(self, number: int) -> list[Host]:
        """Each output's derivative in a direction, by differences."""
        if number not in self._along:
            self._along[number] = oracle.along(self.program, directions_of(self.program, number))
        return self._along[number]

    def slope(self, number: int) -> Host:
        """That of the weighted sum."""
        return np.asarray(weighted(np, self.along(number), self.weights))

    # --- comparisons ---

    def same(
        self, what: str, got: Sequence[Any], want: Sequence[Host], rtol: float, like: Sequence[Host] | None = None
    ) -> None:
        """`like` has the dtypes, where they are to be looked at."""
        rtol = SINGLE[rtol] if self.single else rtol
        if len(got) != len(want):
            raise MismatchError(f"{what}: {len(got)} arrays, not {len(want)}")
        for i, (g, w) in enumerate(zip(got, want, strict=True)):
            if not isinstance(g, xg.Tensor):
                raise MismatchError(f"{what}[{i}] is a {type(g).__name__}, not a tensor")
            if like is not None and self.same_dtypes and dtype_name(g.dtype) != like[i].dtype.name:
                raise MismatchError(f"{what}[{i}] is of {g.dtype}, not {like[i].dtype.name}")
            near(f"{what}[{i}]", to_numpy(g), w, rtol)

    @property
    def same_dtypes(self) -> bool:
        """Libraries differ in what mixed dtypes give."""
        return self.backend.name == "numpy" or not self.program.tags & {"mixed precision", "mixed kinds"}


def near(what: str, got: Host, want: Host, rtol: float) -> None:
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        raise MismatchError(f"{what} has shape {got.shape}, not {want.shape}")
    if not want.size:
        return
    error = np.abs(got - want)
    bound = rtol * max(1.0, float(np.abs(want).max()))
    if not (error <= bound).all():
        at = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), got.shape)
        raise MismatchError(f"{what} at {tuple(map(int, at))} is {got[at]}, not {want[at]}")


# --- the checks: first order -------------------------------------------------------------------------------------


def value(s: Subject) -> None:
    s.same("value", s.f(*s.inputs()), s.values, VALUE, s.exact)
    s.same("value, recorded", s.f(*s.inputs(requires_grad=True)), s.values, VALUE, s.exact)


def gradient(s: Subject) -> None:
    leaves = s.inputs(requires_grad=True)
    before = [to_numpy(x) for x in leaves]
    loss = s.loss(*leaves)
    if loss.requires_grad:  # not where all outputs are signs, say
        loss.backward(create_graph=s.program.seed % 3 == 0)
    got = [s.xp.zeros_like(x.detach()) if x.grad is None else x.grad for x in leaves]
    _is_the_gradient(s, "gradient", got)
    for i, (x, b) in enumerate(zip(leaves, before, strict=True)):
        if not np.array_equal(to_numpy(x), b):
            raise MismatchError(f"input x{i} was changed")


def _is_the_gradient(s: Subject, what: str, got: Sequence[Any]) -> None:
    if s.numbers is not None:
        s.same(f"{what}, against {s.numbers.who}", got, s.numbers.gradient, DERIVATIVE, s.program.inputs)
    for number in (1, 2):
        ds = directions_of(s.program, number)
        along = sum(float(np.sum((np.conj(to_numpy(g)) * d).real)) for g, d in zip(got, ds, strict=True))
        bound = SINGLE[DIFFERENCES] if s.single else DIFFERENCES
        near(f"{what} along direction {number}, against differences", np.asarray(along), s.slope(number), bound)


def gradient_by_vjp(s: Subject) -> None:
    ys, pull = xg.vjp(s.f, *s.inputs())
    _is_the_gradient(s, "vjp", pull(s.cotangents(ys)))


def jvp(s: Subject) -> None:
    ys, ts = xg.jvp(s.f, tuple(s.inputs()), tuple(s.tensors(s.tangents)))
    s.same("value of jvp", ys, s.values, VALUE, s.exact)
    if s.numbers is not None:
        s.same(f"jvp, against {s.numbers.who}", ts, s.numbers.jvp, DERIVATIVE, s.exact)
    s.same("jvp, against differences", ts, s.along(1), DIFFERENCES, s.exact)


# --- second order ---------------------------------------------------------------------------------------------------


def _gradient(s: Subject) -> Callable[..., Any]:
    return xg.grad(s.loss, argnums=tuple(range(len(s.program.inputs))))


def _hvp(s: Subject, what: str, got: Sequence[Any]) -> None:
    if s.numbers is not None:
        s.same(f"{what}, against {s.numbers.who}", got, s.numbers.hvp, SECOND, s.program.inputs)
    else:
        s.same(f"{what}, against differences of the gradient", got, _differences_of_gradient(s), DIFFERENCES)


def _differences_of_gradient(s: Subject) -> list[Host]:
    """Of xgrad's own gradient, which has been compared."""
    g = _gradient(s)
    step = 1e-4 if not s.single else 1e-2

    def at(h: float) -> list[Host]:
        return [to_numpy(a) for a in g(*s.tensors(moved(s.program.inputs, s.tangents, h)))]

    return [
        (8 * (a - b) - (c - d)) / (12 * step)
        for a, b, c, d in zip(at(step), at(-step), at(2 * step), at(-2 * step), strict=True)
    ]


def hvp(s: Subject) -> None:
    _hvp(s, "hvp", xg.hvp(s.loss, tuple(s.inputs()), tuple(s.tensors(s.tangents))))


def grad_of_grad(s: Subject) -> None:
    ts = s.tensors(s.tangents)

    def along(*xs: Any) -> Any:
        return weighted(s.xp, _gradient(s)(*xs), ts)

    _hvp(s, "grad of grad", xg.grad(along, argnums=tuple(range(len(ts))))(*s.inputs()))


# --- other ways of running it -------------------------------------------------------------------------------------------


def checkpoint(s: Subject) -> None:
    ys, pull = xg.vjp(xg.checkpoint(s.f), *s.inputs())
    _is_the_gradient(s, "vjp of checkpoint", pull(s.cotangents(ys)))


def checkpoint_hvp(s: Subject) -> None:
    inner = xg.checkpoint(s.loss)
    _hvp(s, "hvp of checkpoint", xg.hvp(inner, tuple(s.inputs()), tuple(s.tensors(s.tangents))))


def _examples(s: Subject) -> list[list[Host]]:
    """The inputs, and others near by, at which the program takes the same branches."""
    return [moved(s.program.inputs, s.tangents, h) for h in (0.0, REACH / 2, -REACH)]


def _mapped(s: Subject, what: str, f: Callable[..., Any], rtol: float) -> None:
    """vmap of a function that returns a tuple of arrays is a loop."""
    examples = _examples(s)
    loop = [f(*s.tensors(e)) for e in examples]
    stacked = s.tensors([np.stack(arrays) for arrays in zip(*examples, strict=True)])
    got = xg.vmap(f)(*stacked)
    for i, g in enumerate(got):
        want = np.stack([to_numpy(ys[i]) for ys in loop])
        s.same(f"{what}[{i}], against a loop", [g], [want], rtol)
        if dtype_name(g.dtype) != dtype_name(loop[0][i].dtype):
            raise MismatchError(f"{what}[{i}] is of {g.dtype}, not {loop[0][i].dtype}")


def vmap(s: Subject) -> None:
    _mapped(s, "vmap", s.f, VALUE)


def vmap_of_grad(s: Subject) -> None:
    _mapped(s, "vmap of grad", _gradient(s), DERIVATIVE)


def vmap_of_jvp(s: Subject) -> None:
    ts = tuple(s.tensors(s.tangents))
    _mapped(s, "vmap of jvp", lambda *xs: xg.jvp(s.f, xs, ts)[1], DERIVATIVE)


def vmap_of_checkpoint(s: Subject) -> None:
    inner = xg.checkpoint(s.loss)
    _mapped(s, "vmap of grad of checkpoint", xg.grad(inner, argnums=tuple(range(len(s.program.inputs)))), DERIVATIVE)


def grad_of_vmap(s: Subject) -> None:
    """The gradient of the sum over examples: each gets its own."""
    examples = _examples(s)
    argnums = tuple(range(len(s.program.inputs)))
    want = [_gradient(s)(*s.tensors(e)) for e in examples]
    stacked = s.tensors([np.stack(arrays) for arrays in zip(*examples, strict=True)])
    got = xg.grad(lambda *xs: xg.sum(xg.vmap(s.loss)(*xs)), argnums=argnums)(*stacked)
    for i, g in enumerate(got):
        s.same(f"grad of vmap[{i}]", [g], [np.stack([to_numpy(w[i]) for w in want])], DERIVATIVE)


def vmap_of_hvp(s: Subject) -> None:
    ts = tuple(s.tensors(s.tangents))
    _mapped(s, "vmap of hvp", lambda *xs: xg.hvp(s.loss, xs, ts), SECOND)


CHECKS = (value, gradient, gradient_by_vjp, jvp, hvp, grad_of_grad, checkpoint, vmap)
DEEPER = (checkpoint_hvp, vmap_of_grad, vmap_of_jvp, vmap_of_checkpoint, grad_of_vmap, vmap_of_hvp)
OF_VMAP = {c for c in (*CHECKS, *DEEPER) if "vmap" in c.__name__}


def checks_of(program: Program, *, deep: bool = False) -> list[Callable[[Subject], None]]:
    """What is tried on a program: all that is plain, and one or all of the compositions."""
    deeper = DEEPER if deep else (DEEPER[program.seed % len(DEEPER)],)
    found = [*CHECKS, *deeper]
    if "shape by values" in program.tags:  # vmap has no form for these
        found = [c for c in found if c not in OF_VMAP]
    return found


def fits(program: Program, backend_name: str) -> bool:
    """Whether the library has what the program needs."""
    return not program.tags & REFUSED.get(backend_name, set())


@contextmanager
def strictly() -> Any:
    """Warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*requires_grad now defaults")
        yield


REFUSALS: dict[str, tuple[type[Exception], ...]] = {
    "numpy": (),
    "strict": (NotImplementedError, IndexError),  # it refuses keys that the standard leaves open
    "torch": (NotImplementedError,),
}


class BeyondError(Exception):
    """The library does not have what the program needs, and xgrad says so."""


def first_fault(program: Program, backend: Any, *, deep: bool = False, only: str = "") -> Fault | None:
    """The first check that fails, if one does. Raises BeyondError where a library other than NumPy lacks a function."""
    subject = Subject(program, backend)
    for check in checks_of(program, deep=deep or bool(only)):
        if only and check.__name__ != only:
            continue
        try:
            with strictly():
                check(subject)
        except Exception as error:
            refusals = REFUSALS.get(backend.name, (NotImplementedError,))
            if isinstance(error, refusals) and check is value:
                raise BeyondError(str(error)) from error
            return Fault(program, check.__name__, f"{type(error).__name__}: {error}")
    return None
