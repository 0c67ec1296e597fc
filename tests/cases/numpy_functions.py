"""Calls of NumPy's own functions on tensors: for each differentiated function at least one, with every option that it has.

A call is `f(np, *arrays)`. Its arrays are real and distinct; `points` says which numbers they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Call(NamedTuple):
    """A call of one of NumPy's functions: its name, what is called, and the arrays."""

    name: str
    f: Callable[..., Any]
    arrays: tuple[Any, ...]


CALLS: list[Call] = []
EXACT_CALLS: list[Call] = []  # of functions without a derivative, and values at which the others have none


def call(name: str, f: Callable[..., Any], *arrays: Any) -> None:
    CALLS.append(Call(name, f, arrays))


def exact(name: str, f: Callable[..., Any], *arrays: Any) -> None:
    EXACT_CALLS.append(Call(name, f, arrays))


def points(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> Any:
    """Distinct numbers, evenly spaced and shuffled: no two are equal, and none is an integer or a half."""
    count = int(np.prod(shape))
    x = np.linspace(low, high, count + 2)[1:-1] + 0.0137
    return np.random.default_rng(seed + count).permutation(x).reshape(shape)


V, W = points(5), points(5, seed=1)
M, N = points(3, 4), points(3, 4, seed=2)
P = points(2, 3, 4)
SQUARE = points(3, 3) + 4 * np.eye(3)
SPD = points(3, 3) @ points(3, 3).T + 2 * np.eye(3)

MASK = np.array([[True, True, False, True], [True, False, True, True], [False, True, True, True]])

# --- shapes
call("reshape", lambda np, x: np.reshape(x, (4, 3)), M)
call("reshape", lambda np, x: np.reshape(x, (4, -1), order="F"), M)
call("ravel", lambda np, x: np.ravel(x), M)
call("ravel", lambda np, x: np.ravel(x, order="F"), M)
call("transpose", lambda np, x: np.transpose(x), M)
call("transpose", lambda np, x: np.transpose(x, (2, 0, 1)), P)
call("matrix_transpose", lambda np, x: np.matrix_transpose(x), P)
call("linalg.matrix_transpose", lambda np, x: np.linalg.matrix_transpose(x), P)
call("swapaxes", lambda np, x: np.swapaxes(x, 0, -1), P)
call("lib.stride_tricks.sliding_window_view", lambda np, x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=0), P)
call(
    "lib.stride_tricks.sliding_window_view",
    lambda np, x: np.lib.stride_tricks.sliding_window_view(x, (1, 2), (1, 0)),
    P,
)
call("moveaxis", lambda np, x: np.moveaxis(x, 0, -1), P)
call("moveaxis", lambda np, x: np.moveaxis(x, [0, 1], [-1, -2]), P)
call("rollaxis", lambda np, x: np.rollaxis(x, 2), P)
call("rollaxis", lambda np, x: np.rollaxis(x, 0, 2), P)
call("expand_dims", lambda np, x: np.expand_dims(x, (0, 2)), M)
call("squeeze", lambda np, x: np.squeeze(x[None, :, None]), M)
call("squeeze", lambda np, x: np.squeeze(x[None, :, None], axis=0), M)
call("broadcast_to", lambda np, x: np.broadcast_to(x, (2, 5)), V)
call("broadcast_arrays", lambda np, x, y: np.broadcast_arrays(x, y)[0] * 1.0, V, points(2, 1))
call("atleast_1d", lambda np, x: np.atleast_1d(x[0]), V)
call("atleast_2d", lambda np, x: np.atleast_2d(x), V)
call("atleast_3d", lambda np, x: np.atleast_3d(x), M)
call("concatenate", lambda np, x, y: np.concatenate([x, y]), M, N)
call("concatenate", lambda np, x, y: np.concatenate((x, y), axis=None), M, V)
call("concatenate", lambda np, x: np.concatenate([x, [1.0, 2.0]]), V)
call("stack", lambda np, x, y: np.stack([x, y], axis=-1), M, N)
call("vstack", lambda np, x, y: np.vstack([x, y]), V, W)
call("hstack", lambda np, x, y: np.hstack([x, y]), M, N)
call("hstack", lambda np, x: np.hstack([x[0], x, 3.0]), V)
call("dstack", lambda np, x, y: np.dstack([x, y]), M, N)
call("column_stack", lambda np, x, y: np.column_stack([x, y]), V, points(5, 2))
call("append", lambda np, x, y: np.append(x, y), M, V)
call("append", lambda np, x, y: np.append(x, y, axis=0), M, N)
call("block", lambda np, x, y: np.block([[x, y], [y, x]]), M, N)
call("block", lambda np, x: np.block([x, 2.0]), V)
call("meshgrid", lambda np, x, y: np.meshgrid(x, y)[0] * np.meshgrid(x, y, sparse=True)[1], V, points(3))
call("meshgrid", lambda np, x, y: np.meshgrid(x, y, indexing="ij")[1], V, points(3))
call("split", lambda np, x: np.split(x, 2, axis=1)[1], M)
call("split", lambda np, x: np.split(x, [1, 3], axis=1)[1], M)
call("array_split", lambda np, x: np.array_split(x, 3)[0], V)
call("vsplit", lambda np, x: np.vsplit(x, 3)[1], M)
call("hsplit", lambda np, x: np.hsplit(x, 2)[1], M)
call("dsplit", lambda np, x: np.dsplit(x, 2)[1], P)
call("unstack", lambda np, x: np.unstack(x, axis=1)[2], M)
call("flip", lambda np, x: np.flip(x, 1), M)
call("fliplr", lambda np, x: np.fliplr(x), M)
call("flipud", lambda np, x: np.flipud(x), M)
call("roll", lambda np, x: np.roll(x, 2), M)
call("roll", lambda np, x: np.roll(x, (1, -1), axis=(0, 1)), M)
for _k in range(4):
    call("rot90", lambda np, x, k=_k: np.rot90(x, k), M)
call("rot90", lambda np, x: np.rot90(x, axes=(2, 0)), P)
call("repeat", lambda np, x: np.repeat(x, 2, axis=1), M)
call("repeat", lambda np, x: np.repeat(x, [1, 0, 2], axis=0), M)
call("tile", lambda np, x: np.tile(x, (2, 1, 2)), M)
call("resize", lambda np, x: np.resize(x, (3, 3)), V)
call("resize", lambda np, x: np.resize(x, (2,)), V)
call("pad", lambda np, x: np.pad(x, 2), M)
call("pad", lambda np, x: np.pad(x, ((1, 2), (0, 3)), constant_values=((1.0, 2.0), (3.0, 4.0))), M)
for _mode in ("edge", "reflect", "symmetric", "wrap", "maximum", "minimum", "mean", "median", "linear_ramp"):
    call("pad", lambda np, x, mode=_mode: np.pad(x, ((1, 2), (2, 1)), mode=mode), M)
    call("pad", lambda np, x, mode=_mode: np.pad(x, (7, 11), mode=mode), V)
call("pad", lambda np, x: np.pad(x, (2, 3), mode="linear_ramp", end_values=(5.0, -4.0)), V)
call("pad", lambda np, x: np.pad(x, (2, 3), mode="mean", stat_length=(2, 3)), V)
call("pad", lambda np, x: np.pad(x, (3, 3), mode="reflect", reflect_type="odd"), V)
call("pad", lambda np, x: np.pad(x, (9, 10), mode="reflect", reflect_type="odd"), V)
call("pad", lambda np, x: np.pad(x, (9, 12), mode="symmetric", reflect_type="odd"), V)

# --- elementwise
call("clip", lambda np, x: np.clip(x, -1.0, 1.0), M)
call("clip", lambda np, x: np.clip(x, None, 1.0), M)
call("nan_to_num", lambda np, x: np.nan_to_num(x), M)
call("angle", lambda np, x: np.angle(x), M)
call("angle", lambda np, x: np.angle(x + 1j * x[::-1], deg=True), M)
call("real", lambda np, x: np.real(x * (1 + 2j)), M)
call("imag", lambda np, x: np.imag(x * (1 + 2j)), M)
call("real_if_close", lambda np, x: np.real_if_close(x + 0j), M)
call("sinc", lambda np, x: np.sinc(x), M)
call("i0", lambda np, x: np.i0(x), M)
call("unwrap", lambda np, x: np.unwrap(x * 4.0, axis=1), M)
call("unwrap", lambda np, x: np.unwrap(x * 4.0, discont=4.0, period=4.0), V)
call("interp", lambda np, x, y, z: np.interp(x, np.sort(y), z), M, V, W)
call("interp", lambda np, x, y, z: np.interp(x, np.sort(y), z, left=3.0, right=4.0), M * 2, V, W)
call("interp", lambda np, x, y, z: np.interp(x, y, z, period=3.0), M, V, W)
call("astype", lambda np, x: np.astype(x, np.float64), M)
call("copy", lambda np, x: np.copy(x), M)

# --- reductions
for _name in ("sum", "prod", "mean", "std", "var", "max", "min", "amax", "amin", "ptp", "median", "nansum", "nanprod", "nanmean",
              "nanstd", "nanvar", "nanmax", "nanmin", "nanmedian"):  # fmt: skip
    call(_name, lambda np, x, name=_name: getattr(np, name)(x), M)
    call(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=(0, 2)), P)
    call(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=1, keepdims=True), M)
    if _name.startswith("nan"):
        call(_name, lambda np, x, name=_name: getattr(np, name)(np.where(MASK, x, np.nan), axis=0), M)
for _name in ("sum", "prod", "mean", "std", "var", "nansum", "nanmean", "nanvar"):
    call(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=0, where=MASK), M)
call("sum", lambda np, x: np.sum(x, initial=2.0), M)
call("max", lambda np, x: np.max(x, axis=0, initial=0.1, where=MASK), M)
call("min", lambda np, x: np.min(x, axis=0, initial=0.1, where=MASK), M)
for _name in ("std", "var", "nanstd", "nanvar"):
    call(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=0, ddof=1), M)
call("var", lambda np, x: np.var(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)), M)
for _name in ("cumsum", "cumprod", "nancumsum", "nancumprod"):
    call(_name, lambda np, x, name=_name: getattr(np, name)(x), M)
    call(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=1), M)
call("cumulative_sum", lambda np, x: np.cumulative_sum(x, axis=1, include_initial=True), M)
call("cumulative_prod", lambda np, x: np.cumulative_prod(x, axis=0), M)
call("diff", lambda np, x: np.diff(x, 2, axis=0), M)
call("diff", lambda np, x: np.diff(x, prepend=1.0, append=[2.0, 3.0]), V)
call("ediff1d", lambda np, x: np.ediff1d(x, to_end=[1.0, 2.0], to_begin=3.0), M)
call("gradient", lambda np, x: np.gradient(x), V)
call("gradient", lambda np, x: np.gradient(x, 2.0, edge_order=2), V)
call("gradient", lambda np, x: np.gradient(x, np.array([0.0, 1.0, 1.5, 3.0, 4.0]), edge_order=2), V)
call("gradient", lambda np, x: np.gradient(x, 0.5, 2.0)[1], M)
call("gradient", lambda np, x: np.gradient(x, axis=1), M)
call("trapezoid", lambda np, x: np.trapezoid(x, dx=0.5), M)
call("trapezoid", lambda np, x, y: np.trapezoid(x, y), M, points(4))
call("trapezoid", lambda np, x, y: np.trapezoid(x, y, axis=0), M, N)
call("average", lambda np, x: np.average(x, axis=1), M)
call("average", lambda np, x, w: np.average(x, weights=w), M, N + 3)
call("average", lambda np, x, w: np.average(x, axis=1, weights=w, keepdims=True), M, points(4) + 3)
for _method in ("linear", "lower", "higher", "nearest", "midpoint"):
    call("quantile", lambda np, x, m=_method: np.quantile(x, [0.13, 0.5, 0.91], axis=1, method=m), M)
call("quantile", lambda np, x: np.quantile(x, 0.3, axis=(0, 2), keepdims=True), P)
call("percentile", lambda np, x: np.percentile(x, [10.0, 73.0]), M)
call("nanquantile", lambda np, x: np.nanquantile(np.where(MASK, x, np.nan), [0.2, 0.6], axis=1), M)
call("nanpercentile", lambda np, x: np.nanpercentile(np.where(MASK, x, np.nan), 40.0), M)
call("cov", lambda np, x: np.cov(x), M)
call("cov", lambda np, x, y: np.cov(x, y, bias=True), V, W)
call("cov", lambda np, x: np.cov(x, rowvar=False, aweights=[1.0, 2.0, 0.5]), M)
call("cov", lambda np, x: np.cov(x, fweights=[1, 2, 1, 3]), M)
call("corrcoef", lambda np, x: np.corrcoef(x), M)
call("corrcoef", lambda np, x, y: np.corrcoef(x, y), V, W)
call("apply_along_axis", lambda np, x: np.apply_along_axis(lambda v: v[:2] * v.sum(), 0, x), M)
call("apply_over_axes", lambda np, x: np.apply_over_axes(np.sum, x, [0, 2]), P)
call("bincount", lambda np, w: np.bincount(np.array([0, 3, 1, 3, 0]), w, minlength=6), V)

# --- products
call("dot", lambda np, x, y: np.dot(x, y), V, W)
call("dot", lambda np, x, y: np.dot(x, y.T), M, N)
call("dot", lambda np, x, y: np.dot(x, y), P, points(4, 3))
call("dot", lambda np, x, y: np.dot(x, y[0]), M, V)
call("vdot", lambda np, x, y: np.vdot(x, y), M, N)
call("inner", lambda np, x, y: np.inner(x, y), P, M)
call("outer", lambda np, x, y: np.outer(x, y), M, V)
call("linalg.outer", lambda np, x, y: np.linalg.outer(x, y), V, W)
call("kron", lambda np, x, y: np.kron(x, y), M, points(2, 2))
call("kron", lambda np, x, y: np.kron(x, y), V, M)
call("tensordot", lambda np, x, y: np.tensordot(x, y, axes=([1, 2], [0, 1])), P, points(3, 4, 2))
call("tensordot", lambda np, x, y: np.tensordot(x, y, axes=(2, 1)), P, M)
call("linalg.tensordot", lambda np, x, y: np.linalg.tensordot(x, y, axes=1), P, points(4, 2))
call("cross", lambda np, x, y: np.cross(x, y), points(4, 3), points(4, 3, seed=1))
call("cross", lambda np, x, y: np.cross(x, y, axis=0), points(3, 4), points(3, 4, seed=1))
call("linalg.cross", lambda np, x, y: np.linalg.cross(x, y), points(4, 3), points(4, 3, seed=1))
call("linalg.vecdot", lambda np, x, y: np.linalg.vecdot(x, y), M, N)
call("linalg.matmul", lambda np, x, y: np.linalg.matmul(x, y), P, points(4, 2))
call("linalg.multi_dot", lambda np, a, b, c: np.linalg.multi_dot([a, b, c]), M, points(4, 2), points(2, 5))
call("linalg.multi_dot", lambda np, a, b, c: np.linalg.multi_dot([a, b, c]), points(3), M, points(4))
for _text, _arrays in {
    "ij,jk->ik": (M, points(4, 2)),
    "ij,kj": (M, points(2, 4)),
    "ii->i": (SQUARE,),
    "ii": (SQUARE,),
    "ij->ji": (M,),
    "ij->": (M,),
    "i,j->ij": (V, W),
    "...i,i->...": (P, points(4)),
    "b...i,...i->b...": (P, M),
    "ij,jk,kl->il": (M, points(4, 2), points(2, 3)),
    "a,ab,b,c->c": (points(3), M, points(4), V),
    "iji,j->i": (points(3, 4, 3), points(4)),
    "ij,ij->i": (M, N),
    "ij": (M.T,),
}.items():
    call("einsum", lambda np, *a, text=_text: np.einsum(text, *a), *_arrays)
call("einsum", lambda np, x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0], optimize=True), M, points(4, 2))
for _mode in ("full", "same", "valid"):
    call("convolve", lambda np, x, y, mode=_mode: np.convolve(x, y, mode), points(6), points(3))
    call("convolve", lambda np, x, y, mode=_mode: np.convolve(x, y, mode), points(3), points(4))
    call("correlate", lambda np, x, y, mode=_mode: np.correlate(x, y, mode), points(6), points(3))
    call("correlate", lambda np, x, y, mode=_mode: np.correlate(x, y, mode), points(3), points(6))
    call("correlate", lambda np, x, y, mode=_mode: np.correlate(x, y, mode), points(6), points(4))
call("trace", lambda np, x: np.trace(x, offset=1), M)
call("trace", lambda np, x: np.trace(x, 0, 1, 2), P)
call("linalg.trace", lambda np, x: np.linalg.trace(x), P)
call("diagonal", lambda np, x: np.diagonal(x, 1, 0, 2), P)
call("linalg.diagonal", lambda np, x: np.linalg.diagonal(x, offset=-1), P)

# --- selection
call("where", lambda np, x, y: np.where(MASK, x, y), M, N)
call("where", lambda np, x: np.where(x > 0, x, 1.0), M)
call("select", lambda np, x: np.select([x < -1, x > 1], [x**2, -x], 5.0), M)
call("piecewise", lambda np, x: np.piecewise(x, [x < 0, x >= 1], [lambda v: v**2, 2.0, lambda v: np.exp(v)]), M)
call("piecewise", lambda np, x: np.piecewise(x, [x < 0.1], [lambda v: v * 3, lambda v: v**0.5]), V)
call("choose", lambda np, x, y: np.choose(np.array([0, 1, 1, 0, 1]), [x, y]), V, W)
call("take", lambda np, x: np.take(x, [0, -1, 5]), M)
call("take", lambda np, x: np.take(x, [[0, 3], [2, 1]], axis=1), M)
call("take", lambda np, x: np.take(x, [7, -9], axis=1, mode="wrap"), M)
call("take", lambda np, x: np.take(x, 1, axis=0, mode="clip"), M)
call("take_along_axis", lambda np, x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1), M)
call("compress", lambda np, x: np.compress([True, False, True], x, axis=0), M)
call("extract", lambda np, x: np.extract(MASK, x), M)
call("delete", lambda np, x: np.delete(x, [0, 2], axis=1), M)
call("delete", lambda np, x: np.delete(x, slice(1, 3)), V)
call("delete", lambda np, x: np.delete(x, -1), M)
call("insert", lambda np, x: np.insert(x, 1, 7.0), M)
call("insert", lambda np, x, y: np.insert(x, 1, y, axis=0), M, points(4))
call("insert", lambda np, x, y: np.insert(x, [1, 3], y, axis=1), M, points(3, 2))
call("insert", lambda np, x, y: np.insert(x, 2, y), V, W)
call("trim_zeros", lambda np, x: np.trim_zeros(np.concatenate([[0.0], x, [0.0, 0.0]])), V)
call("diag", lambda np, x: np.diag(x, 1), V)
call("diag", lambda np, x: np.diag(x, -1), M)
call("diagflat", lambda np, x: np.diagflat(x, -1), M)
call("tril", lambda np, x: np.tril(x, 1), P)
call("triu", lambda np, x: np.triu(x, -1), M)
call("vander", lambda np, x: np.vander(x, 4), V)
call("vander", lambda np, x: np.vander(x, increasing=True), V)
call("sort", lambda np, x: np.sort(x, axis=0), M)
call("sort", lambda np, x: np.sort(x, axis=None), M)
call("partition", lambda np, x: np.sort(np.partition(x, 2)), M)
call("full_like", lambda np, x: np.full_like(x, 2.0) * x, M)
call("linspace", lambda np, x: np.linspace(x[0], x[1], 5), V)
call("linspace", lambda np, x, y: np.linspace(x, y, 4, endpoint=False, axis=-1), V, W)
call("logspace", lambda np, x: np.logspace(x[0], x[1], 3), V)
call("geomspace", lambda np, x: np.geomspace(x[0], x[1], 4), V + 4)

# --- linear algebra
for _name in ("det", "inv", "slogdet", "svdvals", "cond"):
    call(f"linalg.{_name}", lambda np, x, name=_name: getattr(np.linalg, name)(x), SQUARE)
call("linalg.cholesky", lambda np, x: np.linalg.cholesky(x @ x.T + np.eye(3)), SQUARE)
call("linalg.eigh", lambda np, x: np.linalg.eigh(x)[0], SPD)
call("linalg.eigvalsh", lambda np, x: np.linalg.eigvalsh(x, "U"), SPD)
call("linalg.eig", lambda np, x: np.sort(np.real(np.linalg.eig(x)[0])), SPD)
call("linalg.eigvals", lambda np, x: np.sort(np.real(np.linalg.eigvals(x))), SPD)
call("linalg.qr", lambda np, x: np.abs(np.linalg.qr(x)[1]), SQUARE)
call("linalg.qr", lambda np, x: np.abs(np.linalg.qr(x, mode="r")), SQUARE)
call("linalg.svd", lambda np, x: np.linalg.svd(x, full_matrices=False)[1], M)
call("linalg.svd", lambda np, x: np.linalg.svd(x, compute_uv=False), M)
call("linalg.pinv", lambda np, x: np.linalg.pinv(x), M)
call("linalg.solve", lambda np, x, y: np.linalg.solve(x, y), SQUARE, points(3, 2))
call("linalg.solve", lambda np, x, y: np.linalg.solve(x, y), SQUARE, points(3))
call("linalg.lstsq", lambda np, x, y: np.linalg.lstsq(x.T, y)[0], M, points(4))
call("linalg.lstsq", lambda np, x, y: np.linalg.lstsq(x.T, y)[1], M, points(4, 2))
call("linalg.matrix_power", lambda np, x: np.linalg.matrix_power(x, 3), SQUARE)
call("linalg.cond", lambda np, x: np.linalg.cond(x, 1), SQUARE)
for _ord in (None, "fro", "nuc", 1, 2, -2, np.inf):
    call("linalg.norm", lambda np, x, o=_ord: np.linalg.norm(x, o), points(3, 4, seed=3))
for _ord in (None, 1, 3, np.inf, -np.inf):
    call("linalg.norm", lambda np, x, o=_ord: np.linalg.norm(x, o, axis=1, keepdims=True), M)
call("linalg.norm", lambda np, x: np.linalg.norm(x), P)
call("linalg.norm", lambda np, x: np.linalg.norm(x, 2, axis=(0, 2), keepdims=True), P)
call("linalg.vector_norm", lambda np, x: np.linalg.vector_norm(x, axis=0, ord=3), M)
call("linalg.matrix_norm", lambda np, x: np.linalg.matrix_norm(x), P)
call("linalg.tensorinv", lambda np, x: np.linalg.tensorinv(x.reshape(4, 2, 2), ind=1), points(4, 4) + 4 * np.eye(4))
call(
    "linalg.tensorsolve",
    lambda np, x, y: np.linalg.tensorsolve(x.reshape(2, 2, 4), y),
    points(4, 4) + 4 * np.eye(4),
    points(2, 2),
)

# --- spectra
for _name in ("fft", "ifft", "rfft", "ihfft"):
    call(f"fft.{_name}", lambda np, x, name=_name: np.abs(getattr(np.fft, name)(x, 6, axis=1)), M)
for _name in ("irfft", "hfft"):
    call(f"fft.{_name}", lambda np, x, name=_name: getattr(np.fft, name)(x + 1j * x[::-1], norm="ortho"), M)
for _name in ("fftn", "ifftn", "rfftn", "fft2", "ifft2", "rfft2"):
    call(f"fft.{_name}", lambda np, x, name=_name: np.abs(getattr(np.fft, name)(x)), M)
for _name in ("irfftn", "irfft2"):
    call(f"fft.{_name}", lambda np, x, name=_name: getattr(np.fft, name)(x + 1j * x[::-1]), M)
call("fft.fftshift", lambda np, x: np.fft.fftshift(x, axes=1), M)
call("fft.ifftshift", lambda np, x: np.fft.ifftshift(x), M)

# --- polynomials
call("polyval", lambda np, p, x: np.polyval(p, x), V, M)
call("polyadd", lambda np, p, q: np.polyadd(p, q), V, points(3))
call("polysub", lambda np, p, q: np.polysub(p, q), points(3), V)
call("polymul", lambda np, p, q: np.polymul(p, q), V, points(3))
call("polydiv", lambda np, p, q: np.polydiv(p, q)[0], V, points(3))
call("polydiv", lambda np, p, q: np.polydiv(p, q)[1], V, points(3))
call("polyder", lambda np, p: np.polyder(p, 2), V)
call("polyint", lambda np, p: np.polyint(p, 2, [1.0, 2.0]), V)
call("poly", lambda np, z: np.poly(z), V)
call("roots", lambda np, z: np.sort(np.real(np.roots(np.poly(z)))), V)
call("polyfit", lambda np, x, y: np.polyfit(x, y, 2), V, W)
call("polyfit", lambda np, x, y: np.polyfit(x, y, 1, w=[1.0, 2.0, 1.0, 0.5, 1.0]), V, W)

# --- ufuncs that the standard does not have, and methods
for _name in ("cbrt", "exp2", "deg2rad", "rad2deg", "radians", "degrees", "fabs"):
    call(f"ufunc.{_name}", lambda np, x, name=_name: getattr(np, name)(x), M)
for _name in ("fmax", "fmin", "fmod", "logaddexp2"):
    call(f"ufunc.{_name}", lambda np, x, y, name=_name: getattr(np, name)(x, y), M, N)
call("ufunc.float_power", lambda np, x, y: np.float_power(x, y), M + 3, N)
call("ufunc.heaviside", lambda np, x, y: np.heaviside(x - x, y), M, N)
call("ufunc.ldexp", lambda np, x: np.ldexp(x, [1, 2, 3, -1]), M)
call("ufunc.modf", lambda np, x: np.modf(x)[0], M)
call("ufunc.divmod", lambda np, x, y: np.divmod(x, y)[1], M, N)
call("ufunc.matvec", lambda np, x, y: np.matvec(x, y) if hasattr(np, "matvec") else x @ y, P, points(4))
call("ufunc.vecmat", lambda np, x, y: np.vecmat(y, x) if hasattr(np, "vecmat") else y @ x, P, points(3))
for _name in ("add", "multiply", "maximum", "minimum", "logaddexp", "subtract", "hypot"):
    call(f"ufunc.{_name}.reduce", lambda np, x, name=_name: getattr(np, name).reduce(x), M)
    call(f"ufunc.{_name}.reduce", lambda np, x, name=_name: getattr(np, name).reduce(x, axis=1, keepdims=True), M)
    call(f"ufunc.{_name}.accumulate", lambda np, x, name=_name: getattr(np, name).accumulate(x, axis=1), M)
    call(f"ufunc.{_name}.outer", lambda np, x, y, name=_name: getattr(np, name).outer(x, y), M, points(2))
    call(f"ufunc.{_name}.reduceat", lambda np, x, name=_name: getattr(np, name).reduceat(x, [0, 3, 1]), V)
call("ufunc.add.reduce", lambda np, x: np.add.reduce(x, axis=(0, 2), initial=1.0), P)
call("ufunc.add.reduce", lambda np, x: np.add.reduce(x, axis=0, where=MASK), M)

# --- functions without a derivative, and ends at which the others have none
INTEGERS = np.array([[3, 1, 2, 3], [0, 3, 1, 1], [2, 2, 0, 5]])
STEPS = np.array([0.0, 1.0, 2.0, 2.5])
ENDS = np.array([1.0, np.inf, -np.inf, 0.0, -8.0])
WITH_NAN = np.array([np.nan, 1.0, np.nan, 0.5, 1.0])
for _name in ("all", "any", "count_nonzero", "argmax", "argmin", "argsort"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x), INTEGERS[0])
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=1), np.array([[3, 1, 2], [0, 3, 1]]))
for _name in ("argmax", "argmin", "all", "any"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x, axis=1, keepdims=1), M)
for _right in (False, True):
    exact("digitize", lambda np, x, r=_right: np.digitize(x, [2.0, 1.0, 0.0], right=r), STEPS)
    exact("digitize", lambda np, x, r=_right: np.digitize(x, [0.0, 1.0, 2.0], right=r), STEPS)
    exact(
        "searchsorted", lambda np, x, r=_right: np.searchsorted(x, [[1.0, 3.0]], side="right" if r else "left"), STEPS
    )
for _name in ("nanargmax", "nanargmin", "unique", "unique_values"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x), WITH_NAN if _name != "unique_values" else V)
exact("unique", lambda np, x: np.unique(x, return_index=True, return_inverse=True, return_counts=True), INTEGERS[0])
exact("unique", lambda np, x: np.unique(x, return_counts=True)[1], WITH_NAN)
for _name in ("unique_all", "unique_counts", "unique_inverse"):
    exact(_name, lambda np, x, name=_name: tuple(getattr(np, name)(x)), INTEGERS[0])
for _name in ("union1d", "intersect1d", "setdiff1d", "setxor1d", "isin"):
    exact(_name, lambda np, x, y, name=_name: getattr(np, name)(x, y), INTEGERS[0], INTEGERS[2])
exact("setdiff1d", lambda np, x, y: np.setdiff1d(x, y, assume_unique=True), INTEGERS[0], INTEGERS[2])
exact("lexsort", lambda np, x, y: np.lexsort((x, y)), INTEGERS[0], INTEGERS[1])
exact("argpartition", lambda np, x: np.sort(x[np.argpartition(x, 2)][:2]), V)
for _name in ("nonzero", "flatnonzero", "argwhere"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x), INTEGERS)
for _name in ("round", "around"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x, 1), M)
exact("fix", lambda np, x: np.fix(x), M)
for _name in ("isneginf", "isposinf", "isreal", "iscomplex"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x), ENDS)
exact("isclose", lambda np, x: np.isclose(x, x[::-1] + 1e-9, equal_nan=True), WITH_NAN)
for _name in ("zeros_like", "ones_like"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x, shape=(2, 1)), M)
exact("full_like", lambda np, x: np.full_like(x, 2.5), INTEGERS)
exact("tril_indices_from", lambda np, x: np.tril_indices_from(x, 1), SQUARE)
exact("triu_indices_from", lambda np, x: np.triu_indices_from(x), SQUARE)
exact("diag_indices_from", lambda np, x: np.diag_indices_from(x), SQUARE)
exact("ix_", lambda np, x: tuple(each + 0 for each in np.ix_(x, [0, 1])), INTEGERS[0])
exact("ravel_multi_index", lambda np, x: np.ravel_multi_index((x, x), (4, 4)), INTEGERS[0])
exact("ravel_multi_index", lambda np, x: np.ravel_multi_index((x, x), (2, 3), mode=("wrap", "clip")), INTEGERS[0])
exact("unravel_index", lambda np, x: np.unravel_index(x, (2, 3)), INTEGERS)
exact("linalg.matrix_rank", lambda np, x: np.linalg.matrix_rank(x), M)
for _name in ("median", "nanmedian"):
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x[:3] ** 2), ENDS)
    exact(_name, lambda np, x, name=_name: getattr(np, name)(x[1:2]), ENDS)
exact("ufunc.modf", lambda np, x: np.modf(x), ENDS)
exact("ufunc.cbrt", lambda np, x: np.cbrt(x), ENDS)
exact("interp", lambda np, x: np.interp(x, [0.0, 1.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0]), STEPS)
exact("geomspace", lambda np, x: np.geomspace(x[0] * 1j, x[1] * 1j, 4), np.array([1.0, 8.0]))
exact("geomspace", lambda np, x: np.geomspace(x[0], x[1], 4, dtype=np.int64), np.array([1.0, 1000.0]))
exact("linspace", lambda np, x: np.linspace(x[0], x[1], 5, dtype=np.int64), np.array([-3.0, 0.0]))
for _mode in (
    "constant",
    "edge",
    "linear_ramp",
    "maximum",
    "mean",
    "median",
    "minimum",
    "reflect",
    "symmetric",
    "wrap",
):
    exact("pad", lambda np, x, mode=_mode: np.pad(x, ((1, 2), (2, 1)), mode=mode), INTEGERS)
exact("pad", lambda np, x: np.pad(x, 2, mode="linear_ramp", end_values=5), INTEGERS)
exact("pad", lambda np, x: np.pad(x, 2, constant_values=2.5), INTEGERS)
exact("ufunc.logical_and.reduce", lambda np, x: np.logical_and.reduce(x, initial=False), INTEGERS[0])
exact("ufunc.logical_or.reduce", lambda np, x: np.logical_or.reduce(x, initial=True), INTEGERS[0] * 0)
exact("ufunc.subtract.accumulate", lambda np, x: np.subtract.accumulate(x, dtype=np.float64), INTEGERS[0])
exact("ufunc.subtract.reduce", lambda np, x: np.subtract.reduce(x, dtype=np.float64), INTEGERS[0])
exact(
    "linalg.svd", lambda np, x: np.linalg.svd(x, compute_uv=False, hermitian=True), np.array([[2.0, 5.0], [1.0, 2.0]])
)
exact("linalg.pinv", lambda np, x: np.linalg.pinv(x, hermitian=True), np.array([[2.0, 5.0], [1.0, 3.0]]))
exact("polymul", lambda np, x: np.polymul(x, [1.0, 1.0]), np.array([0.0, 1.0]))
exact("split", lambda np, x: np.split(x, np.array([1, 3])), V)
exact("sinc", lambda np, x: np.abs(np.sinc(x + 1j * x)), M)
call("convolve", lambda np, x, y: np.convolve(x, y, "same"), points(200), points(90))
