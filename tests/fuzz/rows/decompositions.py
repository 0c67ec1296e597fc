"""Decompositions, of matrices that they are smooth at; of factors, what does not hang on their signs and phases."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, Value, need
from tests.fuzz.program import Host
from tests.fuzz.rows import row

GAP = 0.25


def square(d: Draw, kinds: str = "ffc") -> Value:
    """A matrix, or a stack of them."""
    if d.chance(0.4):
        return d.full(kinds, dims=(2, 4), where=lambda v: v.shape[-1] == v.shape[-2])
    x = d.full(kinds, dims=(1, 3))
    n = x.shape[-1]
    if x.ndim == 1:  # an outer product, made regular
        need(n <= 4)
        return d.let(f"{x}[:, None] * xp.sin({x})[None, :] + xp.eye({n}, dtype={x}.dtype)")
    return d.let(f"xp.matrix_transpose({x}) @ xp.sin({x}) + xp.eye({n}, dtype={x}.dtype)")


def regular(matrix: Host) -> None:
    s = np.linalg.svd(matrix, compute_uv=False)
    need(s.min() > GAP and s.max() < 12)


def apart(numbers: np.ndarray) -> None:
    """All eigenvalues, or singular values, differ."""
    differences = np.abs(numbers[..., :, None] - numbers[..., None, :])
    n = numbers.shape[-1]
    need((differences + 10 * np.eye(n)).min() > GAP)


def hermitian(d: Draw) -> Value:
    """A Hermitian matrix with eigenvalues far from each other."""
    x = square(d)
    n = x.shape[-1]
    spread = (
        f"xp.astype(xp.arange({n}, dtype=xp.float64), {x}.dtype)"
        if x.kind == "c"
        else f"xp.arange({n}, dtype={x}.dtype)"
    )
    h = d.let(f"{x} + {_adjoint(x)} + 2.5 * {spread} * xp.eye({n}, dtype={x}.dtype)", wide=True)
    apart(np.linalg.eigvalsh(h.array))
    return h


def _adjoint(x: Value) -> str:
    return f"xp.conj(xp.matrix_transpose({x}))"


@row("linalg.inv")
def _(d: Draw) -> None:
    x = square(d)
    regular(x.array)
    d.let(f"xp.linalg.inv({x})")


@row("linalg.det")
def _(d: Draw) -> None:
    x = square(d)
    regular(x.array)
    d.let(f"xp.linalg.det({x})")


@row("linalg.cofactors")
def _(d: Draw) -> None:
    x = square(d)
    regular(x.array)
    by_inverse = f"xp.linalg.det({x})[..., None, None] * xp.linalg.inv({x}).mT"
    d.let(f"xp.linalg.cofactors({x}, xp.linalg.det({x}))", by_inverse)


@row("linalg.cofactors_jvp")
def _(d: Draw) -> None:
    x = square(d)
    regular(x.array)
    t = d.pick(x.kind, where=lambda v: v.shape == x.shape and v.dtype == x.dtype)
    i, det = f"xp.linalg.inv({x})", f"xp.linalg.det({x})[..., None, None]"
    by_inverse = f"{det} * (xp.linalg.trace({i} @ {t})[..., None, None] * {i}.mT - ({i} @ {t} @ {i}).mT)"
    d.let(f"xp.linalg.cofactors_jvp({t}, {x})", by_inverse)


@row("linalg.slogdet")
def _(d: Draw) -> None:
    x = square(d)
    regular(x.array)
    sign, log = d.several(2, f"xp.linalg.slogdet({x})")
    d.let(f"{log} * xp.real({sign})" if x.kind == "c" else f"{log} * {sign}")


@row("linalg.solve")
def _(d: Draw) -> None:
    a = square(d)
    regular(a.array)
    b = d.pick(a.kind, dims=(1, 4), where=lambda v: v.dtype == a.dtype and v.shape[max(v.ndim - 2, 0)] == a.shape[-1])
    need(b.ndim == 1 or b.ndim >= 2)
    d.let(f"xp.linalg.solve({a}, {b})")


@row("linalg.pinv")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4))
    regular(x.array)
    d.let(f"xp.linalg.pinv({x})")


@row("linalg.cholesky")
def _(d: Draw) -> None:
    x = square(d)
    h = d.let(f"{x} @ {_adjoint(x)} + 0.7 * xp.eye({x.shape[-1]}, dtype={x}.dtype)", wide=True)
    d.let(f"xp.linalg.cholesky({h}{d.one_of(['', ', upper=True'])})")


@row("linalg.eigvalsh")
def _(d: Draw) -> None:
    d.let(f"xp.linalg.eigvalsh({hermitian(d)})")


@row("linalg.eigh")
def _(d: Draw) -> None:
    h = hermitian(d)
    w, v = d.several(2, f"xp.linalg.eigh({h})")
    d.hide(v)
    weights = f"xp.sin({w})[..., None, :]"
    if h.kind == "c":
        d.tags.add("mixed kinds")
    d.let(f"({v} * {weights}) @ {_adjoint(v)}")
    if d.chance(0.5):
        d.let(f"xp.real({v} * xp.conj({v}))" if h.kind == "c" else f"{v} ** 2")


@row("linalg.svdvals")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4))
    s = np.linalg.svd(x.array, compute_uv=False)
    need(s.min() > GAP)
    apart(s)
    d.let(f"xp.linalg.svdvals({x})")


@row("linalg.svd")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4))
    s = np.linalg.svd(x.array, compute_uv=False)
    need(s.min() > GAP)
    apart(s)
    u, sv, vh = d.several(3, f"xp.linalg.svd({x}, full_matrices=False)")
    d.hide(u, vh)
    if x.kind == "c":
        d.tags.add("mixed kinds")
    d.let(f"({u} * xp.tanh({sv})[..., None, :]) @ {vh}")
    if d.chance(0.5):
        f = d.one_of([u, vh])
        d.let(f"xp.real({f} * xp.conj({f}))" if x.kind == "c" else f"{f} ** 2")


@row("linalg.qr")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4))
    n = min(x.shape[-2:])
    regular(np.asarray(x.array)[..., :n])  # of more columns than rows, the first ones
    q, r = d.several(2, f"xp.linalg.qr({x}{d.one_of(['', ', mode=_reduced_'.replace('_', chr(39))])})")
    d.hide(q, r)
    for f in (q, r):
        d.let(f"xp.real({f} * xp.conj({f}))" if x.kind == "c" else f"{f} ** 2")
    if d.chance(0.5) and x.kind == "f":
        d.let(
            f"{q} @ xp.sin({r} * xp.linalg.diagonal({r})[..., :, None])" if x.shape[-2] == x.shape[-1] else f"{q} @ {r}"
        )


def general(d: Draw) -> Value:
    x = square(d)
    n = x.shape[-1]
    y = d.let(
        f"{x} + 3.0 * xp.eye({n}, dtype={x}.dtype) * xp.asarray({[k + 0.5 * (k % 2) for k in range(n)]}, dtype={x}.dtype)",
        wide=True,
    )
    w, v = np.linalg.eig(y.array)
    apart(w)
    need(np.linalg.cond(v).max() < 30)
    return y


@row("linalg.eigvals")
def _(d: Draw) -> None:
    w = d.let(f"xp.linalg.eigvals({general(d)})")
    d.hide(w)
    d.let(f"xp.sum(xp.sin({w} * 0.5), axis=-1)")


@row("linalg.eig")
def _(d: Draw) -> None:
    x = general(d)
    w, v = d.several(2, f"xp.linalg.eig({x})")
    d.hide(w, v)
    d.let(f"({v} * xp.sin({w} * 0.3)[..., None, :]) @ xp.linalg.inv({v})")
