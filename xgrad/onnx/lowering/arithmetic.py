"""Elementwise functions: arithmetic, comparisons, logic, conversions."""

from __future__ import annotations

from functools import partial
from typing import Any

from xgrad.onnx.dtypes import common, is_float, is_integer
from xgrad.onnx.lowering.table import lowers
from xgrad.onnx.nodes import Graph, Operand, Value


def result(g: Graph) -> str:
    """The dtype of the result."""
    found = g.results[0]
    assert found is not None
    return found.dtype


def both(g: Graph, x1: Any, x2: Any, dtype: str) -> tuple[str, str]:
    return g.scalar(x1, dtype), g.scalar(x2, dtype)


# --- functions that ONNX has ---------------------------------------------------------------------------------

UNARY = {
    "abs": "Abs", "acos": "Acos", "acosh": "Acosh", "asin": "Asin", "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh",
    "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "exp": "Exp", "floor": "Floor", "log": "Log", "negative": "Neg",
    "reciprocal": "Reciprocal", "round": "Round", "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh",
    "sign": "Sign", "relu": "Relu", "sigmoid": "Sigmoid", "special.expit": "Sigmoid", "special.erf": "Erf",
}  # fmt: skip
BINARY = {"add": "Add", "subtract": "Sub", "multiply": "Mul", "maximum": "Max", "minimum": "Min"}
COMPARISONS = {
    "equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less", "less_equal": "LessOrEqual",
}  # fmt: skip
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
BITS = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}


def _unary(op: str, g: Graph, x: Value) -> Operand:
    if op in ("Ceil", "Floor", "Round") and not is_float(x.dtype):
        return x
    return g.node(op, g.cast(x, x.dtype, result(g)))


def _binary(op: str, g: Graph, x1: Any, x2: Any) -> str:
    return g.node(op, *both(g, x1, x2, result(g)))


def _comparison(op: str, g: Graph, x1: Any, x2: Any) -> str:
    return g.node(op, *both(g, x1, x2, _compared(x1, x2)))


def _compared(x1: Any, x2: Any) -> str:
    """The dtype in which two operands are compared."""
    arrays = [x.dtype for x in (x1, x2) if isinstance(x, Value)]
    dtype = common(arrays)
    if any(isinstance(x, float) for x in (x1, x2)) and not is_float(dtype):
        return "float64"
    return "int64" if dtype == "bool" and len(arrays) == 1 and not any(isinstance(x, bool) for x in (x1, x2)) else dtype


def _logic(op: str, g: Graph, x1: Any, x2: Any) -> str:
    return g.node(op, *both(g, x1, x2, "bool"))


def _bits(op: str, g: Graph, x1: Any, x2: Any) -> str:
    dtype = result(g)
    return g.node(op if dtype == "bool" else f"Bitwise{op}", *both(g, x1, x2, dtype))


for _make, _rows in ((_unary, UNARY), (_binary, BINARY), (_comparison, COMPARISONS), (_logic, LOGIC), (_bits, BITS)):
    for _name, _op in _rows.items():
        lowers(_name)(partial(_make, _op))


# --- arithmetic ---------------------------------------------------------------------------------------------


@lowers("divide", "divide_into")
def divide(g: Graph, x1: Any, x2: Any) -> str:
    return g.node("Div", *both(g, x1, x2, result(g)))


@lowers("floor_divide")
def floor_divide(g: Graph, x1: Any, x2: Any) -> str:
    dtype = result(g)
    a, b = both(g, x1, x2, dtype)
    if not is_float(dtype):
        # ONNX rounds to zero, and its Mod has the sign of the divisor.
        return g.node("Div", g.node("Sub", a, g.node("Mod", a, b)), b)
    a, b, rest, apart, wide = _remainder(g, a, b, dtype)
    # a / b may round up to the next whole number. Without the rest it is whole but for rounding.
    whole = g.node("Round", g.node("Div", g.node("Sub", a, rest), b))
    whole = g.node("Sub", whole, g.cast(apart, "bool", wide))
    by_zero = g.node("Equal", b, g.number(0, wide))
    return g.cast(g.node("Where", by_zero, g.node("Div", a, b), whole), wide, dtype)


@lowers("remainder")
def remainder(g: Graph, x1: Any, x2: Any) -> str:
    dtype = result(g)
    a, b = both(g, x1, x2, dtype)
    if not is_float(dtype):
        return g.node("Mod", a, b)
    _, b, rest, apart, wide = _remainder(g, a, b, dtype)
    return g.cast(g.node("Where", apart, g.node("Add", rest, b), rest), wide, dtype)


def _remainder(g: Graph, a: str, b: str, dtype: str) -> tuple[str, str, str, str, str]:
    """C's remainder of floats, which is exact and has the sign of a.

    Returns a and b, their remainder, whether its sign is not that of b, and the dtype of these. NumPy divides float16 in float32.
    """
    wide = "float32" if dtype == "float16" else dtype
    a, b = g.cast(a, dtype, wide), g.cast(b, dtype, wide)
    rest = g.node("Mod", a, b, fmod=1)
    signs = g.node("Mul", g.node("Sign", rest), g.node("Sign", b))  # the product of the numbers may underflow
    return a, b, rest, g.node("Less", signs, g.number(0, wide)), wide


@lowers("pow", "_power")
def power(g: Graph, x1: Any, x2: Any) -> str:
    dtype = result(g)
    if isinstance(x1, Value) and isinstance(x2, int | float) and x2 in (1, 2, 0.5):
        x = g.cast(x1, x1.dtype, dtype)
        return g.node("Mul", x, x) if x2 == 2 else g.node("Sqrt", x) if x2 == 0.5 else x
    return g.node("Pow", *both(g, x1, x2, dtype))


@lowers("square")
def square(g: Graph, x: Value) -> str:
    return g.node("Mul", x, x)


@lowers("positive", "conj", "real")
def positive(g: Graph, x: Value) -> Value:
    return x


@lowers("hypot")
def hypot(g: Graph, x1: Any, x2: Any) -> str:
    """The larger one times sqrt(1 + ratio ** 2), so that no square overflows."""
    dtype = result(g)
    a, b = (g.node("Abs", x) for x in both(g, x1, x2, dtype))
    large, small = g.node("Max", a, b), g.node("Min", a, b)
    same = g.node("Equal", large, small)  # two zeros or two infinities have no ratio
    ratio = g.node("Where", same, g.number(1, dtype), g.node("Div", small, large))
    root = g.node("Sqrt", g.node("Add", g.node("Mul", ratio, ratio), g.number(1, dtype)))
    infinite = g.number(float("inf"), dtype)
    # Not by Max: the other one may be nan.
    is_infinite = g.node("Or", g.node("Equal", a, infinite), g.node("Equal", b, infinite))
    return g.node("Where", is_infinite, infinite, g.node("Mul", large, root))


@lowers("copysign")
def copysign(g: Graph, x1: Any, x2: Any) -> str:
    """Without the sign of a zero, which ONNX cannot look at: x2 = -0.0 counts as positive."""
    a, b = both(g, x1, x2, result(g))
    size = g.node("Abs", a)
    return g.node("Where", g.node("Less", b, g.number(0, result(g))), g.node("Neg", size), size)


@lowers("atan2")
def atan2(g: Graph, x1: Any, x2: Any) -> str:
    """From the arctangent of the smaller ratio. The sign of a zero is not looked at."""
    dtype = result(g)
    y, x = both(g, x1, x2, dtype)
    zero, half, whole = (g.number(value, dtype) for value in (0.0, 1.5707963267948966, 3.141592653589793))
    ay, ax = g.node("Abs", y), g.node("Abs", x)
    steep = g.node("Greater", ay, ax)
    large = g.node("Where", steep, ay, ax)
    small = g.node("Where", steep, ax, ay)
    safe = g.node("Where", g.node("Equal", large, zero), g.number(1.0, dtype), large)
    angle = g.node("Atan", g.node("Div", small, safe))
    angle = g.node("Where", steep, g.node("Sub", half, angle), angle)
    angle = g.node("Where", g.node("Less", x, zero), g.node("Sub", whole, angle), angle)
    return g.node("Where", g.node("Less", y, zero), g.node("Neg", angle), angle)


@lowers("trunc")
def trunc(g: Graph, x: Value) -> Operand:
    if not is_float(x.dtype):
        return x
    return g.node("Where", g.node("Less", x, g.number(0, x.dtype)), g.node("Ceil", x), g.node("Floor", x))


# --- exponentials and logarithms ----------------------------------------------------------------------------


@lowers("expm1")
def expm1(g: Graph, x: Value) -> str:
    """tanh(x / 2) * (exp(x) + 1), which is accurate near 0; exp(x) - 1 elsewhere."""
    one, exp = g.number(1, x.dtype), g.node("Exp", x)
    near = g.node("Mul", g.node("Tanh", g.node("Mul", x, g.number(0.5, x.dtype))), g.node("Add", exp, one))
    is_near = g.node("Less", g.node("Abs", x), one)
    return g.node("Where", is_near, near, g.node("Sub", exp, one))


@lowers("log1p")
def log1p(g: Graph, x: Value) -> str:
    """log(u) * x / (u - 1) for u = 1 + x, which is accurate near 0."""
    one = g.number(1, x.dtype)
    u = g.node("Add", x, one)
    log, moved = g.node("Log", u), g.node("Sub", u, one)
    is_tiny = g.node("Equal", moved, g.number(0, x.dtype))
    ratio = g.node("Div", x, g.node("Where", is_tiny, one, moved))
    near = g.node("Where", is_tiny, x.name, g.node("Mul", log, ratio))
    return g.node("Where", g.node("Less", g.node("Abs", x), one), near, log)


@lowers("log2")
def log2(g: Graph, x: Value) -> str:
    return g.node("Div", g.node("Log", x), g.number(0.6931471805599453, x.dtype))


@lowers("log10")
def log10(g: Graph, x: Value) -> str:
    return g.node("Div", g.node("Log", x), g.number(2.302585092994046, x.dtype))


@lowers("logaddexp")
def logaddexp(g: Graph, x1: Any, x2: Any) -> str:
    """max(x1, x2) + softplus(-|x1 - x2|)."""
    a, b = both(g, x1, x2, result(g))
    same = g.node("Equal", a, b)  # two equal infinities have no difference
    apart = g.node("Where", same, g.number(0, result(g)), g.node("Sub", a, b))
    return g.node("Add", g.node("Max", a, b), g.node("Softplus", g.node("Neg", g.node("Abs", apart))))


# --- comparisons, logic and conversions ----------------------------------------------------------------------


@lowers("not_equal")
def not_equal(g: Graph, x1: Any, x2: Any) -> str:
    return g.node("Not", _comparison("Equal", g, x1, x2))


@lowers("logical_not")
def logical_not(g: Graph, x: Value) -> str:
    return g.node("Not", g.cast(x, x.dtype, "bool"))


@lowers("bitwise_invert")
def bitwise_invert(g: Graph, x: Value) -> str:
    return g.node("Not" if x.dtype == "bool" else "BitwiseNot", x)


@lowers("isnan")
def isnan(g: Graph, x: Value) -> str:
    return g.node("IsNaN", x) if is_float(x.dtype) else g.node("Not", g.node("Equal", x, x))


@lowers("isinf")
def isinf(g: Graph, x: Value) -> str:
    if not is_float(x.dtype):
        return g.node("Not", g.node("Equal", x, x))
    return g.node("IsInf", x)


@lowers("isfinite")
def isfinite(g: Graph, x: Value) -> str:
    if not is_float(x.dtype):
        return g.node("Equal", x, x)
    return g.node("Not", g.node("Or", g.node("IsInf", x), g.node("IsNaN", x)))


@lowers("signbit")
def signbit(g: Graph, x: Value) -> str:
    """Without the sign of a zero, which ONNX cannot look at."""
    return g.node("Less", x, g.number(0, x.dtype))


@lowers("astype", "cast", "asarray")
def astype(g: Graph, x: Any, *args: Any, **options: Any) -> Operand:
    dtype = result(g)
    if isinstance(x, Value) and is_float(x.dtype) and is_integer(dtype):
        return g.cast(
            g.node("Where", g.node("Less", x, g.number(0, x.dtype)), g.node("Ceil", x), g.node("Floor", x)),
            x.dtype,
            dtype,
        )
    return g.scalar(x, dtype)


# --- selection -----------------------------------------------------------------------------------------------


@lowers("where")
def where(g: Graph, condition: Any, x1: Any, x2: Any) -> str:
    return g.where(g.scalar(condition, "bool"), *both(g, x1, x2, result(g)), result(g))


@lowers("mask")
def mask(g: Graph, x: Value, condition: Any) -> str:
    return g.where(g.scalar(condition, "bool"), x, g.number(0, x.dtype), x.dtype)


@lowers("masked_fill")
def masked_fill(g: Graph, x: Value, condition: Any, value: Any) -> str:
    return g.where(g.scalar(condition, "bool"), g.scalar(value, x.dtype), x, x.dtype)


@lowers("clip")
def clip(g: Graph, x: Value, min: Any = None, max: Any = None) -> str:
    dtype = result(g)
    y = g.cast(x, x.dtype, dtype)
    if min is not None:
        y = g.node("Max", y, g.scalar(min, dtype))
    return y if max is None else g.node("Min", y, g.scalar(max, dtype))
