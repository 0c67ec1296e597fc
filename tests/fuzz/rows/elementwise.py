"""Functions of each element, and operators."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, Value, away, away_from_integers, broadcasts, need
from tests.fuzz.rows import row

# --- of one array: where each is smooth and of order 1 -----------------------------------------------------------

ANYWHERE = [
    "conj",
    "cos",
    "sin",
    "exp",
    "expm1",
    "negative",
    "positive",
    "square",
    "sinh",
    "cosh",
    "tanh",
]  # complex arrays too
REAL = ["atan", "asinh"]
DOMAINS = {
    "acos": (-0.85, 0.85),
    "asin": (-0.85, 0.85),
    "acosh": (1.25, 20.0),
    "atanh": (-0.85, 0.85),
    "log": (0.2, 20.0),
    "log10": (0.2, 20.0),
    "log1p": (-0.7, 20.0),
    "log2": (0.2, 20.0),
    "sqrt": (0.15, 20.0),
    "tan": (-1.1, 1.1),
}
AWAY_FROM_0 = ["reciprocal"]
OPERATORS = {"negative": "-{}", "positive": "+{}", "square": "{0} * {0}"}


def _small(v: Value) -> bool:
    return not v.size or float(np.abs(v.array).max()) < 2.5


def _unary(name: str) -> None:
    @row(name)
    def _(d: Draw) -> None:
        if name in ANYWHERE:
            x = d.pick("ffc", where=_small)
        elif name in DOMAINS:
            x = d.within(*DOMAINS[name])
        else:
            x = d.pick("f")
        if name in AWAY_FROM_0:
            away(x.array, *np.linspace(-0.2, 0.2, 9))
        call = f"xp.{name}({x})"
        d.spelled_alike([call, OPERATORS.get(name, call).format(x)])


for _name in (*ANYWHERE, *REAL, *DOMAINS, *AWAY_FROM_0):
    _unary(_name)


@row("log of complex", "log", "sqrt")
def _(d: Draw) -> None:
    x = d.full("c")
    need(np.abs(x.array).min() > 0.2 and np.abs(np.angle(x.array)).max() < 3.0)
    d.let(f"xp.{d.one_of(['log', 'sqrt', 'log1p', 'atan', 'asinh'])}({x})") if d.chance(0.2) else d.let(
        f"xp.{d.one_of(['log', 'sqrt'])}({x})"
    )


@row("abs")
def _(d: Draw) -> None:
    x = d.pick("ffc")
    need(not x.size or np.abs(x.array).min() > 0.08)
    d.spelled_alike([f"xp.abs({x})", f"abs({x})"])


@row("real")
def _(d: Draw) -> None:
    d.let(f"xp.real({d.pick('c')})")


@row("imag")
def _(d: Draw) -> None:
    d.let(f"xp.imag({d.pick('c')})")


@row("sign")
def _(d: Draw) -> None:
    x = d.full("fc")
    need(np.abs(x.array).min() > 0.1)
    y = d.let(f"xp.sign({x})")
    d.let(f"{y} * {d.pick('f', where=lambda v: broadcasts(v, y))}")


@row("from_parts")
def _(d: Draw) -> None:
    a = d.pick("f")
    b = d.pick("f", where=lambda v: v.shape == a.shape and v.dtype == a.dtype)
    d.let(f"xp.from_parts({a}, {b})", f"{a} + 1j * {b}")


@row("to complex", "add", "multiply")
def _(d: Draw) -> None:
    a = d.pick("f")
    b = d.pick("f", where=lambda v: broadcasts(a, v))
    d.tags.add("mixed kinds")
    d.let(f"{a} + {b} * 1j")


# --- of two arrays ------------------------------------------------------------------------------------------------


def _pair(d: Draw, kinds: str = "ffc") -> tuple[Value, Value]:
    a = d.pick(kinds)
    same = d.chance(0.15)  # x * x and the like
    return a, d.pick(kinds, where=lambda v: broadcasts(a, v) and (same or v is not a))


def _same_kind(d: Draw, a: Value, b: Value) -> None:
    if a.kind != b.kind:
        d.tags.add("mixed kinds")


for _name, _symbol in {"add": "+", "subtract": "-", "multiply": "*"}.items():

    @row(_name)
    def _(d: Draw, name: str = _name, symbol: str = _symbol) -> None:
        a, b = _pair(d)
        _same_kind(d, a, b)
        d.spelled_alike([f"{a} {symbol} {b}", f"xp.{name}({a}, {b})"])

    @row(f"{_name} a number", _name)
    def _(d: Draw, symbol: str = _symbol) -> None:
        a = d.pick("ffc")
        d.spelled_alike(
            [f"{a} {symbol} {d.scalar()}", f"{d.scalar()} {symbol} {a}", f"{a} {symbol} {d.one_of([1, 2])}"]
        )


@row("divide")
def _(d: Draw) -> None:
    a, b = _pair(d)
    need(not b.size or np.abs(b.array).min() > 0.3)
    _same_kind(d, a, b)
    d.spelled_alike([f"{a} / {b}", f"xp.divide({a}, {b})"])


for _name, _symbol in {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}.items():

    @row(f"{_name} of complex", _name)
    def _(d: Draw, symbol: str = _symbol) -> None:
        a, b = _pair(d, "c")
        if symbol == "/":
            need(not b.size or np.abs(b.array).min() > 0.3)
        d.let(f"{a} {symbol} {b}")


@row("divide a number", "divide")
def _(d: Draw) -> None:
    a = d.pick("ffc")
    if d.chance(0.5):
        need(not a.size or np.abs(a.array).min() > 0.3)
        d.let(f"{d.scalar()} / {a}")
    else:
        d.let(f"{a} / {d.scalar(0.7)}")


@row("divide_into")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    need(not b.size or np.abs(b.array).min() > 0.3)
    need(a.dtype == b.dtype)
    d.let(f"xp.divide_into({a} * 1.5, {b})")


@row("gap")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    d.let(f"xp.gap({a}, {b})")


@row("over_squares")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    g = d.pick("f", where=lambda v: broadcasts(a, b, v))
    need(not a.size or not b.size or (a.array**2 + b.array**2).min() > 0.2)
    need(a.dtype == b.dtype == g.dtype)
    d.let(f"xp.over_squares({g}, {a}, {b})")


@row("pow")
def _(d: Draw) -> None:
    a = d.within(0.3, 4.0)
    b = d.within(-2.5, 2.5, where=lambda v: broadcasts(a, v))
    d.spelled_alike([f"{a} ** {b}", f"xp.pow({a}, {b})"])


@row("pow of a number", "pow")
def _(d: Draw) -> None:
    choice = d.one_of(["integer", "real", "base", "negative"])
    if choice == "integer":
        a = d.pick("ffc", where=_small)
        d.let(f"{a} ** {d.one_of([0, 1, 2, 2, 3, 4])}")
    elif choice == "negative":
        a = d.full("ffc")
        need(np.abs(a.array).min() > 0.4)
        d.let(f"{a} ** {d.one_of([-1, -2, -1.0])}")
    elif choice == "real":
        a = d.within(0.3, 6.0)
        d.let(f"{a} ** {d.one_of([0.5, -0.5, 1.5, 2.5, -1.5, 1.0, 3.0])}")
    else:
        a = d.within(-2.5, 2.5)
        d.spelled_alike([f"{abs(d.scalar(0.5))} ** {a}", f"xp.pow({abs(d.scalar(0.5))}, {a})"])


@row("pow of complex", "pow")
def _(d: Draw) -> None:
    a = d.full("c")
    need(np.abs(a.array).min() > 0.3 and np.abs(np.angle(a.array)).max() < 2.9)
    b = d.pick("c", where=lambda v: broadcasts(a, v) and _small(v))
    d.let(f"{a} ** {b}")


@row("atan2")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    need(not a.size or not b.size or (a.array**2 + b.array**2).min() > 0.15)
    need(not ((np.abs(a.array) < 0.1) & (b.array < 0)).any())
    d.let(f"xp.atan2({a}, {b})")


@row("hypot")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    need(not a.size or not b.size or (a.array**2 + b.array**2).min() > 0.1)
    d.let(f"xp.hypot({a}, {b})")


@row("logaddexp")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    d.let(f"xp.logaddexp({a}, {b})")


@row("copysign")
def _(d: Draw) -> None:
    a, b = _pair(d, "f")
    away(a.array, 0.0)
    away(b.array, 0.0)
    d.let(f"xp.copysign({a}, {b})")


for _name in ("maximum", "minimum"):

    @row(_name)
    def _(d: Draw, name: str = _name) -> None:
        a, b = _pair(d, "f")
        if a is b:
            d.let(f"xp.{name}({a}, {a})")
            return
        away(a.array - b.array, 0.0)
        d.let(f"xp.{name}({a}, {b})")

    @row(f"{_name} of a number", _name)
    def _(d: Draw, name: str = _name) -> None:
        a, s = d.pick("f"), d.fraction(-0.5, 0.5)
        away(a.array, s)
        d.spelled_alike([f"xp.{name}({a}, {s})", f"xp.{name}({s}, {a})"])


@row("clip")
def _(d: Draw) -> None:
    a = d.pick("f")
    low, high = d.fraction(-1, -0.2), d.fraction(0.2, 1)
    kind = d.one_of(["both", "low", "high", "arrays", "array"])
    if kind == "arrays":
        lo = d.pick(
            "f", where=lambda v: np.broadcast_shapes(v.shape, a.shape) == a.shape if broadcasts(v, a) else False
        )
        hi = d.let(f"{lo} + {d.fraction(0.4, 1)}")
        away(a.array - lo.array, 0.0)
        away(a.array - hi.array, 0.0)
        need(lo.dtype == a.dtype and hi.dtype == a.dtype)
        d.let(f"xp.clip({a}, {lo}, {hi})")
        return
    away(a.array, low, high)
    if kind == "array":
        d.let(f"xp.clip({a}, max={d.constant(np.asarray(high, dtype=a.dtype))})")
    else:
        bounds = {"both": f"{low}, {high}", "low": f"min={low}", "high": f"max={high}"}[kind]
        d.let(f"xp.clip({a}, {bounds})")


@row("remainder")
def _(d: Draw) -> None:
    a = d.pick("f")
    if d.chance(0.5):
        s = d.scalar(0.6)
        away_from_integers(a.array / s)
        d.spelled_alike([f"{a} % {s}", f"xp.remainder({a}, {s})"])
        return
    b = d.pick("f", where=lambda v: broadcasts(a, v))
    need(not b.size or np.abs(b.array).min() > 0.3)
    away_from_integers(a.array / b.array)
    d.spelled_alike([f"{a} % {b}", f"xp.remainder({a}, {b})"])


# --- constant almost everywhere -----------------------------------------------------------------------------------


@row("rounded", "floor", "ceil", "trunc", "round", "floor_divide")
def _(d: Draw) -> None:
    a = d.pick("f")
    away_from_integers(a.array)
    away_from_integers(a.array + 0.5)
    name = d.one_of(["floor", "ceil", "trunc", "round", "floor_divide"])
    y = d.let(f"xp.floor_divide({a}, 1.0)" if name == "floor_divide" else f"xp.{name}({a})")
    d.let(f"{y} + {a}")


@row("compared", "greater", "less", "greater_equal", "less_equal", "equal", "not_equal")
def _(d: Draw) -> None:
    a = d.pick("f")
    if d.chance(0.5):
        b = d.pick("f", where=lambda v: broadcasts(a, v))
        away(a.array - b.array, 0.0)
        d.let(f"{a} {d.one_of(['<', '>', '<=', '>=', '=='])} {b}")
    else:
        s = d.fraction(-0.5, 0.5)
        away(a.array, s)
        d.let(f"{a} {d.one_of(['<', '>', '<=', '>=', '!='])} {s}")


@row("logical", "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_invert", "bitwise_and")
def _(d: Draw) -> None:
    a = d.pick("b")
    b = d.pick("b", where=lambda v: broadcasts(a, v))
    d.spelled_alike([f"xp.logical_and({a}, {b})", f"{a} | {b}", f"{a} & ~{b}", f"xp.logical_xor({a}, {b})", f"~{a}"])


@row("with an integer array", "add", "multiply", "subtract", "pow")
def _(d: Draw) -> None:
    a = d.pick("fc", where=_small)
    shape = d.one_of([a.shape, a.shape[-1:], ()])
    c = d.constant(np.asarray(d.numbers(shape, 1, 4)).astype("int64"))
    d.tags.add("mixed kinds")
    if a.dtype in ("float32", "complex64"):
        d.tags.add("mixed precision")
    d.spelled_alike([f"{a} * {c}", f"{c} - {a}", f"{a} + {c}", f"{a} / {c}"])


@row("with a boolean array", "multiply", "add")
def _(d: Draw) -> None:
    b = d.pick("b")
    a = d.pick("fc", where=lambda v: broadcasts(v, b))
    d.tags.add("mixed kinds")
    d.spelled_alike([f"{a} * {b}", f"{b} + {a}"])
