"""Products of matrices and vectors, norms, and parts of matrices."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, Value, need
from tests.fuzz.rows import row
from tests.fuzz.rows.reductions import lines_along


def multiplies(a: Value, b: Value) -> bool:
    try:
        np.matmul(np.zeros(a.shape), np.zeros(b.shape))
    except ValueError:
        return False
    return True


@row("matmul", "matmul", "linalg.matmul")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(1, 4))
    b = d.pick("ffc", dims=(1, 4), where=lambda v: multiplies(a, v))
    if a.kind != b.kind:
        d.tags.add("mixed kinds")
    d.spelled_alike([f"{a} @ {b}", f"xp.matmul({a}, {b})", f"xp.linalg.matmul({a}, {b})"], f"xp.matmul({a}, {b})")


@row("matmul of complex", "matmul")
def _(d: Draw) -> None:
    a = d.pick("c", dims=(1, 4))
    b = d.pick("cf", dims=(1, 4), where=lambda v: multiplies(a, v))
    if a.kind != b.kind:
        d.tags.add("mixed kinds")
    d.spelled_alike([f"{a} @ {b}", f"xp.matmul({a}, {b})"], f"xp.matmul({a}, {b})")


@row("gram", "matmul", "matrix_transpose")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(2, 4))
    d.let(f"xp.matrix_transpose({a}) @ {a}" if d.chance(0.5) else f"{a} @ {a}.mT")


@row("tensordot", "tensordot", "linalg.tensordot")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(1, 3))
    b = d.pick(a.kind, dims=(1, 3), where=lambda v: v.dtype == a.dtype and set(v.shape) & set(a.shape))
    kind = d.one_of(["pairs", "pairs", "count", "0"])
    xp = d.one_of(["xp", "xp.linalg"])
    if kind == "0":
        d.let(f"{xp}.tensordot({a}, {b}, axes=0)")
    elif kind == "count":
        d.let(f"{xp}.tensordot({a}, {b}, axes=1)")
    else:
        i, j = d.one_of([(i, j) for i, n in enumerate(a.shape) for j, m in enumerate(b.shape) if n == m])
        d.let(f"{xp}.tensordot({a}, {b}, axes=(({i},), ({j - b.ndim},)))")


@row("vecdot", "vecdot", "linalg.vecdot")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(1, 3))
    b = d.pick(a.kind, dims=(1, 3), where=lambda v: v.shape[-1] == a.shape[-1] and v.dtype == a.dtype)
    d.let(f"{d.one_of(['xp', 'xp.linalg'])}.vecdot({a}, {b})")


@row("linalg.outer")
def _(d: Draw) -> None:
    a = d.pick("ffc", dims=(1, 1))
    b = d.pick(a.kind, dims=(1, 1), where=lambda v: v.dtype == a.dtype)
    d.let(f"xp.linalg.outer({a}, {b})")


@row("linalg.cross")
def _(d: Draw) -> None:
    a = d.pick("f", dims=(1, 3), where=lambda v: v.shape[-1] == 3)
    b = d.pick("f", dims=(1, 3), where=lambda v: v.shape == a.shape and v.dtype == a.dtype)
    d.let(f"xp.linalg.cross({a}, {b})")


@row("linalg.diagonal")
def _(d: Draw) -> None:
    d.let(f"xp.linalg.diagonal({d.full('ffc', dims=(2, 4))}{d.one_of(['', ', offset=1', ', offset=-1'])})")


@row("linalg.trace")
def _(d: Draw) -> None:
    d.let(f"xp.linalg.trace({d.full('ffc', dims=(2, 4))}{d.one_of(['', ', offset=1', ', offset=-1'])})")


@row("linalg.vector_norm")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(1, 4))
    order = d.one_of(["", "", "1", "3", "inf", "2.5"])
    axis = d.axes(x)
    if order:
        need(np.abs(x.array).min() > 0.06)
    if order == "inf":
        lines = np.sort(np.abs(lines_along(x.array, axis)), axis=-1)
        need(lines.shape[-1] < 2 or np.diff(lines, axis=-1)[..., -1].min() > 0.05)
    options = f", ord={'xp.inf' if order == 'inf' else order}" if order else ""
    y = d.let(f"xp.linalg.vector_norm({x}{'' if axis is None else f', axis={axis}'}{options}{d.keepdims()})")
    need(y.array.min() > 0.2)


@row("linalg.matrix_norm")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4))
    order = d.one_of(["", "'fro'", "'nuc'", "2", "1", "xp.inf"])
    s = np.linalg.svd(x.array, compute_uv=False)
    need(s.min() > 0.2 and (s.shape[-1] < 2 or np.abs(np.diff(s, axis=-1)).min() > 0.15))
    sums = np.abs(x.array).sum(axis=-2 if order == "1" else -1)
    need(np.abs(x.array).min() > 0.06 or order in ("", "'fro'", "'nuc'", "2"))
    need(sums.shape[-1] < 2 or np.diff(np.sort(sums, axis=-1), axis=-1)[..., -1].min() > 0.05)
    y = d.let(f"xp.linalg.matrix_norm({x}{f', ord={order}' if order else ''}{d.keepdims()})")
    need(y.array.min() > 0.2)


@row("linalg.matrix_power")
def _(d: Draw) -> None:
    x = d.full("ffc", dims=(2, 4), where=lambda v: v.shape[-1] == v.shape[-2])
    n = d.one_of([0, 1, 2, 3, -1])
    if n < 0:
        need(np.linalg.svd(x.array, compute_uv=False).min() > 0.4)
    d.let(f"xp.linalg.matrix_power({x}, {n})")
