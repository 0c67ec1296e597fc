"""Products: of vectors and matrices, by subscripts, and of sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xgrad.rules.numpy_functions.face import is_complex, linalg, not_given, one_axis, tensor, tensors, xp
from xgrad.rules.numpy_functions.table import numpy_function


@numpy_function("dot")
def dot(a: Any, b: Any, out: None = None) -> Any:
    not_given("dot", out=out)
    a, b = tensors("dot", a, b)
    if not a.ndim or not b.ndim:
        return a * b
    return xp.tensordot(a, b, axes=((a.ndim - 1,), (max(b.ndim - 2, 0),)))


@numpy_function("vdot")
def vdot(a: Any, b: Any, /) -> Any:
    a, b = (xp.reshape(x, (-1,)) for x in tensors("vdot", a, b))
    return xp.sum((xp.conj(a) if is_complex(a) else a) * b)


@numpy_function("inner")
def inner(a: Any, b: Any, /) -> Any:
    a, b = tensors("inner", a, b)
    if not a.ndim or not b.ndim:
        return a * b
    return xp.tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


@numpy_function("outer")
def outer(a: Any, b: Any, out: None = None) -> Any:
    not_given("outer", out=out)
    a, b = tensors("outer", a, b)
    return xp.reshape(a, (-1, 1)) * xp.reshape(b, (1, -1))


@numpy_function("linalg.outer")
def vectors_outer(x1: Any, x2: Any, /) -> Any:
    return linalg.outer(*tensors("linalg.outer", x1, x2))


@numpy_function("kron")
def kron(a: Any, b: Any) -> Any:
    a, b = tensors("kron", a, b)
    ndim = max(a.ndim, b.ndim)
    m, n = (1,) * (ndim - a.ndim) + tuple(a.shape), (1,) * (ndim - b.ndim) + tuple(b.shape)
    wide_a = xp.reshape(a, tuple(k for pair in zip(m, (1,) * ndim, strict=True) for k in pair))
    wide_b = xp.reshape(b, tuple(k for pair in zip((1,) * ndim, n, strict=True) for k in pair))
    return xp.reshape(wide_a * wide_b, tuple(i * j for i, j in zip(m, n, strict=True)))


@numpy_function("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = tensors("tensordot", a, b)
    if not isinstance(axes, int):
        axes = tuple((axis,) if isinstance(axis, int) else tuple(axis) for axis in axes)
    return xp.tensordot(a, b, axes=axes)


@numpy_function("cross")
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = tensors("cross", a, b)
    a, b = xp.moveaxis(a, axisa, -1), xp.moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(f"numpy.cross: vectors have 2 or 3 components, not {a.shape[-1]} and {b.shape[-1]}")
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (x if x.shape[-1] == 3 else xp.concat([x, xp.zeros_like(x[..., :1])], axis=-1) for x in (a, b))
    a, b = xp.broadcast_arrays(a, b)
    return xp.moveaxis(linalg.cross(a, b, axis=-1), -1, axisc)


@numpy_function("linalg.cross")
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return cross(x1, x2, axis=axis)


@numpy_function("linalg.vecdot")
def linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return xp.vecdot(*tensors("linalg.vecdot", x1, x2), axis=axis)


@numpy_function("linalg.matmul")
def linalg_matmul(x1: Any, x2: Any, /) -> Any:
    return xp.matmul(*tensors("linalg.matmul", x1, x2))


@numpy_function("linalg.multi_dot")
def multi_dot(arrays: Any, *, out: None = None) -> Any:
    """The product of several matrices, in the order that takes the fewest multiplications."""
    not_given("linalg.multi_dot", out=out)
    parts = list(tensors("linalg.multi_dot", *arrays))
    if len(parts) < 2:
        raise ValueError("numpy.linalg.multi_dot takes two matrices or more")
    first, last = parts[0].ndim == 1, parts[-1].ndim == 1
    if first:
        parts[0] = xp.reshape(parts[0], (1, -1))
    if last:
        parts[-1] = xp.reshape(parts[-1], (-1, 1))
    y = _chain(parts, _best_order([part.shape[0] for part in parts] + [parts[-1].shape[1]]), 0, len(parts) - 1)
    if first and last:
        return y[0, 0]
    return y[0] if first else y[:, 0] if last else y


def _best_order(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each part of the chain."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


def _chain(parts: list[Any], split: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return parts[i]
    k = split[i, j]
    return xp.matmul(_chain(parts, split, i, k), _chain(parts, split, k + 1, j))


# --- einsum ---------------------------------------------------------------------------------------------------


@numpy_function("einsum")
def einsum(*operands: Any, out: None = None, optimize: Any = False, **options: Any) -> Any:
    """Sums of products by subscripts. More than two operands go pair by pair: by opt_einsum's path where it is installed."""
    not_given("einsum", out=out, dtype=options.pop("dtype", None))
    if isinstance(operands[0], str):
        subscripts, values = operands[0], list(tensors("einsum", *operands[1:]))
    else:
        subscripts, values = _interleaved(operands)
    inputs, output = _parsed(subscripts.replace(" ", ""), values)
    terms = list(zip(inputs, values, strict=True))
    for pair in _path(inputs, output, values):
        chosen = [terms.pop(i) for i in sorted(pair, reverse=True)][::-1]
        wanted = output if not terms else "".join(dict.fromkeys("".join(term for term, _ in terms) + output))
        if len(chosen) == 1:
            terms.append(_single(*chosen[0], wanted, last=not terms, output=output))
        else:
            terms.append(_pair(*chosen[0], *chosen[1], wanted))
    term, y = terms[0]
    term, y = _single(term, y, output, last=True, output=output)
    return y


def _interleaved(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """The other form of the call: einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def text(axes: Any) -> str:
        return "".join("..." if axis is ... else letters[int(axis)] for axis in axes)

    values = list(tensors("einsum", *operands[: len(operands) // 2 * 2 : 2]))
    terms = [text(axes) for axes in operands[1 : len(operands) // 2 * 2 : 2]]
    output = f"->{text(operands[-1])}" if len(operands) % 2 else ""
    return ",".join(terms) + output, values


def _parsed(subscripts: str, values: Sequence[Any]) -> tuple[list[str], str]:
    """The letters of each operand and of the output. The axes of an ellipsis get letters of their own."""
    left, arrow, right = subscripts.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(values):
        raise ValueError(f"numpy.einsum: {subscripts!r} is for {len(inputs)} operands, and there are {len(values)}")
    free = [chr(i) for i in range(0x370, 0x370 + 64)]
    most = 0
    found = []
    for term, value in zip(inputs, values, strict=True):
        if "..." in term:
            count = value.ndim - len(term.replace("...", ""))
            if count < 0:
                raise ValueError(f"numpy.einsum: {term!r} has more subscripts than the {value.ndim} axes of its operand")
            most = max(most, count)
            term = term.replace("...", "".join(free[64 - count :]))
        elif len(term) != value.ndim:
            raise ValueError(f"numpy.einsum: {term!r} has {len(term)} subscripts, and its operand has {value.ndim} axes")
        found.append(term)
    broadcast = "".join(free[64 - most :]) if most else ""
    if arrow:
        output = right.replace("...", broadcast)
    else:
        every = "".join(found)
        output = broadcast + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in broadcast))
    wrong = set(output) - set("".join(found))
    if wrong or len(set(output)) != len(output):
        raise ValueError(f"numpy.einsum: the output of {subscripts!r} has a subscript twice, or one that no operand has")
    return found, output


def _path(inputs: Sequence[str], output: str, values: Sequence[Any]) -> list[tuple[int, ...]]:
    """Which terms are multiplied next, again and again."""
    if len(values) == 1:
        return [(0,)]
    if len(values) > 2:
        try:
            import opt_einsum
        except ImportError:
            pass
        else:
            shapes = [tuple(value.shape) for value in values]
            path, _ = opt_einsum.contract_path(",".join(inputs) + "->" + output, *shapes, shapes=True, optimize="auto")
            return [step for wide in path for step in _in_pairs(wide, 0)] if all(len(s) <= 2 for s in path) else _left(values)
    return _left(values)


def _in_pairs(step: tuple[int, ...], _: int) -> list[tuple[int, ...]]:
    return [step]


def _left(values: Sequence[Any]) -> list[tuple[int, ...]]:
    """From left to right: a product is put at the end, so the first pair is (0, 1), and then the last with the first."""
    n = len(values)
    return [(0, 1)] + [(0, n - 2 - i) for i in range(n - 2)]


def _single(term: str, x: Any, wanted: str, last: bool, output: str) -> tuple[str, Any]:
    """Diagonals for letters that occur twice, sums over those that are not wanted; in the order of the output at the end."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            one = term.index(letter)
            other = term.index(letter, one + 1)
            x = _diagonal(x, one, other)
            term = term[:one] + term[one + 1 : other] + term[other + 1 :] + letter
    dropped = tuple(i for i, letter in enumerate(term) if letter not in wanted)
    if dropped:
        x, term = xp.sum(x, axis=dropped), "".join(c for c in term if c in wanted)
    if last and term != output:
        x, term = xp.permute_dims(x, tuple(term.index(c) for c in output)), output
    return term, x


def _diagonal(x: Any, one: int, other: int) -> Any:
    """The elements whose indices along two axes are equal, as a last axis."""
    rest = [i for i in range(x.ndim) if i not in (one, other)]
    if x.shape[one] != x.shape[other]:
        raise ValueError(f"numpy.einsum: one subscript stands for axes of {x.shape[one]} and of {x.shape[other]} elements")
    return linalg.diagonal(xp.permute_dims(x, (*rest, one, other)))


def _pair(term1: str, x1: Any, term2: str, x2: Any, wanted: str) -> tuple[str, Any]:
    """The product of two terms, summed over what only they have: one matrix product."""
    term1, x1 = _single(term1, x1, wanted + term2, last=False, output="")
    term2, x2 = _single(term2, x2, wanted + term1, last=False, output="")
    sizes: dict[str, int] = {}
    for term, x in ((term1, x1), (term2, x2)):
        for letter, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(letter, n) not in (n, 1) and n != 1:
                raise ValueError(f"numpy.einsum: the subscript {letter!r} stands for {sizes[letter]} and for {n} elements")
            sizes[letter] = max(sizes[letter], n)
    both = [c for c in term1 if c in term2]
    batch, summed = [c for c in both if c in wanted], [c for c in both if c not in wanted]
    only1, only2 = [c for c in term1 if c not in term2], [c for c in term2 if c not in term1]

    def matrix(term: str, x: Any, rows: list[str], columns: list[str]) -> Any:
        order = [*batch, *rows, *columns]
        x = xp.permute_dims(x, tuple(term.index(c) for c in order))
        x = xp.broadcast_to(x, tuple(sizes[c] for c in order)) if tuple(x.shape) != tuple(sizes[c] for c in order) else x
        return xp.reshape(x, (*(sizes[c] for c in batch), math.prod(sizes[c] for c in rows), math.prod(sizes[c] for c in columns)))

    y = xp.matmul(matrix(term1, x1, only1, summed), matrix(term2, x2, summed, only2))
    letters = "".join([*batch, *only1, *only2])
    return letters, xp.reshape(y, tuple(sizes[c] for c in letters))


@numpy_function("einsum_path", exact=True)
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    """NumPy's path, from the shapes alone."""
    subscripts, values = (operands[0], operands[1:]) if isinstance(operands[0], str) else _interleaved(operands)
    shapes = [tensor("einsum_path", value) for value in values]
    inputs, output = _parsed(subscripts.replace(" ", ""), shapes)
    return ["einsum_path", *_path(inputs, output, shapes)], f"{','.join(inputs)}->{output}"


# --- sequences ------------------------------------------------------------------------------------------------


@numpy_function("convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = (xp.reshape(x, (-1,)) if x.ndim == 0 else x for x in tensors("convolve", a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ValueError(f"numpy.convolve takes two vectors that are not empty, not of shapes {a.shape} and {v.shape}")
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    return _slide(a, xp.flip(v), mode, "convolve")


@numpy_function("correlate")
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = (xp.reshape(x, (-1,)) if x.ndim == 0 else x for x in tensors("correlate", a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ValueError(f"numpy.correlate takes two vectors that are not empty, not of shapes {a.shape} and {v.shape}")
    v = xp.conj(v) if is_complex(v) else v
    if v.shape[0] > a.shape[0]:
        return xp.flip(_slide(v, a, mode, "correlate"))
    return _slide(a, v, mode, "correlate")


def _slide(a: Any, v: Any, mode: str, name: str) -> Any:
    """The products of v with each window of a, of which `mode` says how far they reach over the ends."""
    n, k = a.shape[0], v.shape[0]
    if mode == "full":
        before = after = k - 1
    elif mode == "same":
        before, after = k // 2 if name == "correlate" else k - 1 - (k - 1) // 2, 0
        before = k - 1 - (k - 1) // 2
        after = k - 1 - before
    elif mode == "valid":
        before = after = 0
    else:
        raise ValueError(f"numpy.{name}: mode is 'full', 'same' or 'valid', not {mode!r}")
    zeros = xp.zeros_like(a[:1])
    padded = xp.concat([xp.broadcast_to(zeros, (before,)), a, xp.broadcast_to(zeros, (after,))])
    count = n + before + after - k + 1
    y = None
    if k <= 64 or k * 8 < count:
        for i in range(k):
            part = padded[i : i + count] * v[i]
            y = part if y is None else y + part
        return y
    places = xp.reshape(xp.arange(count), (-1, 1)) + xp.arange(k)
    return xp.matmul(xp.reshape(xp.take(padded, xp.reshape(places, (-1,))), (count, k)), v)


@numpy_function("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    not_given("trace", out=out)
    return xp.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@numpy_function("diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = tensor("diagonal", a)
    one, other = one_axis("diagonal", axis1, a.ndim), one_axis("diagonal", axis2, a.ndim)
    if one == other:
        raise ValueError(f"numpy.diagonal: axis1 and axis2 are both {axis1}")
    rest = [i for i in range(a.ndim) if i not in (one, other)]
    return linalg.diagonal(xp.permute_dims(a, (*rest, one, other)), offset=offset)


@numpy_function("linalg.diagonal")
def linalg_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return linalg.diagonal(tensor("linalg.diagonal", x), offset=offset)


@numpy_function("linalg.trace")
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return linalg.trace(tensor("linalg.trace", x), offset=offset, dtype=dtype)
