"""How each function of the NumPy backend is computed in planned memory: the same arithmetic, bit for bit, as steps with `out`.

The eager functions are in backends/numpy.py and backends/rows.py. A rule adds the steps of an instruction. It returns False where
its function has another path, which is then called as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xgrad.backends import rows
from xgrad.backends.numpy import _BITS, _BLOCK, _WIDE, NumPyRaw, _of_sigmoid, _zero_view
from xgrad.backends.numpy_halves import NARROW
from xgrad.compile.engines.numpy_layouts import Layout
from xgrad.compile.engines.numpy_lowering import Lowering, Rule
from xgrad.compile.engines.numpy_steps import CONSTANT, Value, strides_of
from xgrad.compile.program import DType, Instruction, Ref, refs

_add_reduce = np.add.reduce


def _options(instruction: Instruction, *names: str, **defaults: Any) -> dict[str, Any] | None:
    """All arguments by name. None if there are others."""
    given = dict(zip(names, instruction.args, strict=False))
    if len(instruction.args) > len(names) or not set(instruction.options) <= {*names, *defaults}:
        return None
    return {**defaults, **given, **instruction.options}


# --- matrices -----------------------------------------------------------------------------------------------


def _is_matrix(x: Value | None) -> bool:
    """Whether this is a matrix that NumPy multiplies as it is. Half precision goes by way of float32 (numpy_halves.py)."""
    return x is not None and len(x.shape) == 2 and x.dtype not in NARROW


def _product(b: Lowering, x: Value, y: Value, out: Value) -> None:
    """x.dot(y) of two matrices. (np.matmul takes another way for vectors of odd strides, and rounds otherwise.)"""
    b.step(np.dot, x, y, out=out)


def _matmul(b: Lowering, i: Instruction) -> bool:
    """`dot` for two matrices, as in NumPyRaw."""
    x, y, out = b.of(i.args[0]), b.of(i.args[1]), b.result(i)
    if (
        i.options
        or out is None
        or x is None
        or y is None
        or not (_is_matrix(x) and _is_matrix(y))
        or x.dtype != y.dtype
    ):
        return False
    _product(b, x, y, out)
    return b.set(i, out)


def _linear(b: Lowering, i: Instruction) -> bool:
    given = _options(i, "x", "weight", "bias", bias=None)
    out = b.result(i)
    if given is None or out is None:
        return False
    x, w = b.of(given["x"]), b.of(given["weight"])
    bias = None if given["bias"] is None else b.of(given["bias"])
    if x is None or w is None or not (_is_matrix(x) and _is_matrix(w)) or x.dtype != w.dtype:
        return False
    if given["bias"] is not None and (bias is None or bias.dtype != x.dtype):
        return False
    _product(b, x, b.transposed(w), out)
    if bias is not None:
        b.ufunc(np.add, out, bias, out=out)
    return b.set(i, out)


def _weight_gradient(b: Lowering, i: Instruction) -> bool:
    """In the weight's memory order."""
    g, x = [b.of(arg) for arg in i.args[:2]]
    w = b.of(i.args[2]) if len(i.args) > 2 else None
    out = b.result(i)
    if out is None or g is None or x is None or not (_is_matrix(g) and _is_matrix(x)) or g.dtype != x.dtype:
        return False
    if w is None or w.is_c:
        _product(b, b.transposed(g), x, out)
    else:
        # The product's transpose is the result, as a new array in Fortran's order.
        out = b.made(out.shape, out.dtype, strides_of(out.shape[::-1], out.dtype.itemsize)[::-1])
        _product(b, b.transposed(x), g, b.transposed(out))
    return b.set(i, out)


# --- activations --------------------------------------------------------------------------------------------


def _unary(b: Lowering, i: Instruction) -> tuple[Value, Value] | None:
    """The array and the result of an instruction of one array."""
    x, out = b.of(i.args[0]), b.result(i)
    if x is None or out is None or len(i.args) != 1 or i.options or x.dtype != out.dtype:
        return None
    return x, out


def _sigmoid(b: Lowering, i: Instruction) -> bool:
    found = _unary(b, i)
    if found is None or found[0].dtype not in _of_sigmoid:
        return False
    x, out = found
    bound, one = (b.constant(number) for number in _of_sigmoid[x.dtype])
    b.ufunc(np.minimum, x, bound, out=out)
    b.ufunc(np.exp, out, out=out)
    more = b.made(out.shape, out.dtype, out.strides)
    b.ufunc(np.add, out, one, out=more)
    b.ufunc(np.divide, out, more, out=out)
    return b.set(i, out)


def _relu(b: Lowering, i: Instruction) -> bool:
    found = _unary(b, i)
    if found is None:
        return False
    x, out = found
    zero = b.constant(np.zeros((), x.dtype))
    if not out.is_c:
        b.ufunc(np.maximum, x, b.constant(_zero_view(x.shape, x.dtype)), out=out)
    else:
        b.ufunc(np.maximum, x, zero, out=out)
    return b.set(i, out)


def _mask(b: Lowering, i: Instruction) -> bool:
    """Bit patterns, as integers, times 0 or 1."""
    given = _options(i, "x", "condition")
    out = b.result(i)
    if given is None or out is None:
        return False
    x, condition = b.of(given["x"]), b.of(given["condition"])
    if x is None or condition is None or x.dtype not in _BITS or condition.dtype != bool or out.dtype != x.dtype:
        return False
    integer = _BITS[x.dtype]
    if x.kind == CONSTANT:
        bits = b.array_operand(b.constant(x.data.view(integer)))
        if condition.shape != out.shape:
            bits = b.constant(x.data.view(integer))
    else:
        bits = b.as_bits(x, integer)
    b.ufunc(np.multiply, bits, condition, out=b.as_bits(out, integer))
    return b.set(i, out)


# --- sums ---------------------------------------------------------------------------------------------------


def _sum_into(b: Lowering, x: Value, axis: Any, keepdims: Any, out: Value) -> bool:
    """The steps of a sum over all elements, or over the first axis of a matrix."""
    if x.dtype.char not in _WIDE or out.dtype != x.dtype:
        return False
    if axis in (0, (0,)) and axis is not False and len(x.shape) == 2 and 0 < x.shape[0] <= _BLOCK and not keepdims:
        b.step(np.dot, b.constant(rows.ones(x.shape[0], x.dtype)), x, out=out)
        return True
    if axis is None and not keepdims and x.shape:
        b.step(_add_reduce, x, out=out, options={"axis": None}, place="keyword", is_sum=True)
        return True
    return False


def _sum(b: Lowering, i: Instruction) -> bool:
    given = _options(i, "x", axis=None, dtype=None, keepdims=False)
    out = b.result(i)
    if given is None or out is None or given["dtype"] is not None:
        return False
    x = b.of(given["x"])
    return x is not None and _sum_into(b, x, given["axis"], given["keepdims"], out) and b.set(i, out)


def _mean(b: Lowering, i: Instruction) -> bool:
    given = _options(i, "x", axis=None, keepdims=False)
    out = b.result(i)
    if given is None or out is None:
        return False
    x = b.of(given["x"])
    if x is None or x.dtype.char not in "fd" or not x.size:
        return False
    if not _sum_into(b, x, given["axis"], given["keepdims"], out):
        return False
    count = b.constant(np.array(x.dtype.type(x.size / max(out.size, 1))))
    b.ufunc(np.divide, out, count, out=out)
    return b.set(i, out)


# --- softmax ------------------------------------------------------------------------------------------------


def softmax(x: Any, axis: int, y: Any, peak: Any) -> None:
    """NumPyRaw.softmax into y. `peak` is free memory of the shape of a maximum with keepdims."""
    np.maximum.reduce(x, axis=axis, keepdims=True, out=peak)
    with np.errstate(invalid="ignore"):
        np.subtract(x, peak, y)
    np.exp(y, y)
    _add_reduce(y, axis=axis, keepdims=True, out=peak)
    np.divide(y, peak, y)


def log_softmax(x: Any, axis: int, y: Any, peak: Any, exps: Any) -> None:
    """NumPyRaw.log_softmax into y. `exps` is free memory as well, of x's shape."""
    np.maximum.reduce(x, axis=axis, keepdims=True, out=peak)
    with np.errstate(invalid="ignore"):
        np.subtract(x, peak, y)
    np.exp(y, exps)
    _add_reduce(exps, axis=axis, keepdims=True, out=peak)
    np.log(peak, peak)
    np.subtract(y, peak, y)


def cross_entropy(
    plain: Any, x: Any, number: Any, axis: int, ignore: int, rows: Any, out: Any, y: Any, peak: Any, exps: Any
) -> None:
    """NumPyRaw.softmax_cross_entropy into `out`. The last three are free memory."""
    if np.minimum.reduce(number) < 0:
        out[...] = plain(x, number, axis, ignore)
        return
    log_softmax(x, axis, y, peak, exps)
    np.negative(y[rows, number], out)


def _softmax_of(kernel: Any, temporaries: int) -> Rule:
    def rule(b: Lowering, i: Instruction) -> bool:
        given = _options(i, "x", "axis")
        out = b.result(i)
        if given is None or out is None or type(given["axis"]) is not int:
            return False
        x, axis = b.of(given["x"]), given["axis"]
        if (
            x is None
            or x.dtype.char not in "fd"
            or not x.size
            or not x.is_c
            or not -len(x.shape) <= axis < len(x.shape)
        ):
            return False
        b.step(kernel, x, axis, out=out, scratch=_scratch(b, x, out, axis, temporaries), may_raise=True)
        return b.set(i, out)

    return rule


def _scratch(b: Lowering, x: Value, y: Value, axis: int, temporaries: int) -> list[Value]:
    axis %= len(x.shape)
    peak = b.made([1 if a == axis else n for a, n in enumerate(x.shape)], x.dtype)
    return [peak, *(b.made(y.shape, y.dtype, y.strides) for _ in range(temporaries))]


def _cross_entropy(b: Lowering, i: Instruction) -> bool:
    given = _options(i, "x", "number", "axis", "ignore_index", axis=-1, ignore_index=-100)
    out = b.result(i)
    if given is None or out is None:
        return False
    x, number, axis, ignore = b.of(given["x"]), b.of(given["number"]), given["axis"], given["ignore_index"]
    if x is None or number is None or not isinstance(ignore, int) or ignore >= 0 or type(axis) is not int:
        return False
    if not _is_matrix(x) or axis % 2 != 1 or x.dtype.char not in "fd" or not x.size or not number.size or not x.is_c:
        return False
    if len(number.shape) != 1 or number.dtype.kind not in "iu" or x.dtype != out.dtype:
        return False
    plain = super(NumPyRaw, b.xp).softmax_cross_entropy
    y = b.made(x.shape, x.dtype)
    scratch = [y, *_scratch(b, x, y, axis, 1)]
    b.step(
        cross_entropy, plain, x, number, axis, ignore, np.arange(x.shape[0]), out=out, scratch=scratch, may_raise=True
    )
    return b.set(i, out)


# --- the rest -----------------------------------------------------------------------------------------------


def _divide_into(b: Lowering, i: Instruction) -> bool:
    return not i.options and b.apply(np.divide, i)


def _astype(b: Lowering, i: Instruction) -> bool:
    given = _options(i, "x", "dtype", copy=True)
    out = b.result(i)
    if given is None or out is None or type(given["dtype"]) is not DType:
        return False
    x = b.of(given["x"])
    if x is None or x.dtype.kind == "c" or (x.dtype.kind == "f" and out.dtype.kind != "f"):
        return False
    b.step(np.copyto, x, out=out, options={"casting": "unsafe"}, place="first", is_elementwise=True)
    return b.set(i, out)


def _pow(b: Lowering, i: Instruction) -> bool:
    """A square and a root, which NumPy's operator has for these exponents; other powers are called as they are."""
    if i.options or type(i.args[0]) is not Ref or type(i.args[1]) not in (int, float):
        return False
    x = b.of(i.args[0])
    if x is None or x.dtype.char not in "fd" or not x.shape or i.args[1] != 2:
        return False
    out = b.result(i)
    if out is None:
        return False
    b.ufunc(np.square, x, out=out)
    return b.set(i, out)


def _filled(b: Lowering, i: Instruction) -> bool:
    """An array that depends on a shape only is a constant."""
    number = i.results[0]
    shape, dtype, strides, _ = b.layouts[number]
    others = [*i.args[1:], *i.options.values()]
    if not is_small(shape) or any(True for _ in refs(tuple(others))):
        return False
    options = {key: getattr(b.xp, o.name) if type(o) is DType else o for key, o in i.options.items()}
    like = np.empty(shape, b.layouts[i.args[0].number].dtype if type(i.args[0]) is Ref else dtype)
    array = getattr(b.xp, i.name)(like, *i.args[1:], **options)
    if array.strides != strides or array.dtype != dtype:
        return False
    return b.set(i, b.constant(array))


def is_small(shape: tuple[int, ...]) -> bool:
    return int(np.prod(shape)) <= _BLOCK


def _view(b: Lowering, i: Instruction) -> bool:
    """A view of an operand with the same function, if the eager result was one."""
    number = i.results[0]
    layout = b.layouts[number]
    x = b.of(i.args[0])
    if x is None or i.several or layout.shares is None or type(i.args[0]) is not Ref:
        return False
    if any(True for _ in refs((i.args[1:], tuple(i.options.values())))) or layout.dtype != x.dtype:
        return False
    if i.name == "matrix_transpose" and len(x.shape) == 2:
        return b.set(i, b.transposed(x))
    function = getattr(b.xp, i.name)
    args = tuple(b._given(arg) for arg in i.args[1:])
    options = {key: b._given(option) for key, option in i.options.items()}
    if x.kind == CONSTANT:
        return b.set(i, b.constant(function(x.data, *args, **options)))
    view = b.view(x, function, *args, like=Layout(layout.shape, layout.dtype, layout.strides))
    b.steps[-1].options = options
    return b.set(i, view)


VIEWS = (
    *("matrix_transpose", "permute_dims", "reshape", "expand_dims", "squeeze", "broadcast_to", "getitem", "moveaxis"),
    *("flip", "swapaxes"),
)

RULES: dict[str, Rule] = {
    "matmul": _matmul,
    "linear": _linear,
    "weight_gradient": _weight_gradient,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "mask": _mask,
    "sum": _sum,
    "mean": _mean,
    "softmax": _softmax_of(softmax, 0),
    "log_softmax": _softmax_of(log_softmax, 1),
    "softmax_cross_entropy": _cross_entropy,
    "divide_into": _divide_into,
    "astype": _astype,
    "pow": _pow,
    "zeros_like": _filled,
    "ones_like": _filled,
    "full_like": _filled,
    **dict.fromkeys(VIEWS, _view),
}
