"""Sums of products by subscripts: `np.einsum`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xgrad.rules.numpy_functions.face import (
    linalg,
    not_given,
    tensor,
    tensors,
    xp,
)
from xgrad.rules.numpy_functions.table import numpy_function


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
                raise ValueError(
                    f"numpy.einsum: {term!r} has more subscripts than the {value.ndim} axes of its operand"
                )
            most = max(most, count)
            term = term.replace("...", "".join(free[64 - count :]))
        elif len(term) != value.ndim:
            raise ValueError(
                f"numpy.einsum: {term!r} has {len(term)} subscripts, and its operand has {value.ndim} axes"
            )
        found.append(term)
    broadcast = "".join(free[64 - most :]) if most else ""
    if arrow:
        output = right.replace("...", broadcast)
    else:
        every = "".join(found)
        output = broadcast + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in broadcast))
    wrong = set(output) - set("".join(found))
    if wrong or len(set(output)) != len(output):
        raise ValueError(
            f"numpy.einsum: the output of {subscripts!r} has a subscript twice, or one that no operand has"
        )
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
            if all(len(step) <= 2 for step in path):
                return [tuple(step) for step in path]
    return _left(values)


def _left(values: Sequence[Any]) -> list[tuple[int, ...]]:
    """From left to right: a product is put at the end, so the first pair is (0, 1), and then the last with the first."""
    n = len(values)
    return [(0, 1), *((0, n - 2 - i) for i in range(n - 2))]


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
        raise ValueError(
            f"numpy.einsum: one subscript stands for axes of {x.shape[one]} and of {x.shape[other]} elements"
        )
    return linalg.diagonal(xp.permute_dims(x, (*rest, one, other)))


def _pair(term1: str, x1: Any, term2: str, x2: Any, wanted: str) -> tuple[str, Any]:
    """The product of two terms, summed over what only they have: one matrix product."""
    term1, x1 = _single(term1, x1, wanted + term2, last=False, output="")
    term2, x2 = _single(term2, x2, wanted + term1, last=False, output="")
    sizes: dict[str, int] = {}
    for term, x in ((term1, x1), (term2, x2)):
        for letter, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(letter, n) not in (n, 1) and n != 1:
                raise ValueError(
                    f"numpy.einsum: the subscript {letter!r} stands for {sizes[letter]} and for {n} elements"
                )
            sizes[letter] = max(sizes[letter], n)
    both = [c for c in term1 if c in term2]
    batch, summed = [c for c in both if c in wanted], [c for c in both if c not in wanted]
    only1, only2 = [c for c in term1 if c not in term2], [c for c in term2 if c not in term1]

    def matrix(term: str, x: Any, rows: list[str], columns: list[str]) -> Any:
        order = [*batch, *rows, *columns]
        x = xp.permute_dims(x, tuple(term.index(c) for c in order))
        x = (
            xp.broadcast_to(x, tuple(sizes[c] for c in order))
            if tuple(x.shape) != tuple(sizes[c] for c in order)
            else x
        )
        return xp.reshape(
            x, (*(sizes[c] for c in batch), math.prod(sizes[c] for c in rows), math.prod(sizes[c] for c in columns))
        )

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
