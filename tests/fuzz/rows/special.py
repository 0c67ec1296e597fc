"""Special functions, where they are smooth and of order 1."""

from __future__ import annotations

import numpy as np

from tests.fuzz.draw import Draw, broadcasts, need
from tests.fuzz.rows import row

DOMAINS = {
    "digamma": (0.5, 6),
    "psi": (0.5, 6),
    "gamma": (0.5, 4),
    "gammaln": (0.5, 10),
    "erf": (-3, 3),
    "erfc": (-3, 3),
    "erfcx": (-1, 5),
    "erfinv": (-0.8, 0.8),
    "entr": (0.2, 4),
    "expit": (-8, 8),
    "log_expit": (-8, 8),
    "logit": (0.15, 0.85),
    "i0": (-3, 3),
    "i1": (-3, 3),
    "i0e": (-6, 6),
    "i1e": (-6, 6),
    "j0": (-8, 8),
    "j1": (-8, 8),
    "ndtr": (-4, 4),
    "ndtri": (0.1, 0.9),
    "log_ndtr": (-6, 3),
}

for _name, (_low, _high) in DOMAINS.items():

    @row(f"special.{_name}")
    def _(d: Draw, name: str = _name, low: float = _low, high: float = _high) -> None:
        x = d.within(low, high)
        if name in ("i0e", "i1e"):  # functions of abs(x)
            need(not x.size or np.abs(x.array).min() > 0.1)
        d.let(f"xp.special.{name}({x})")


@row("special.polygamma")
def _(d: Draw) -> None:
    d.let(f"xp.special.polygamma({d.one_of([0, 1, 2])}, {d.within(0.6, 6)})")


# The first derivatives of these, by name.
DERIVATIVES = {
    "i0": "xp.special.i1({0})",
    "j0": "-xp.special.j1({0})",
    "erfcx": "2 * {0} * xp.special.erfcx({0}) - 1.1283791670955126",
    "i0e": "xp.special.i1e({0}) - xp.sign({0}) * xp.special.i0e({0})",
}


@row("special.derivative")
def _(d: Draw) -> None:
    of = d.one_of(list(DERIVATIVES))
    x = d.within(-1 if of == "erfcx" else -3, 3)
    need(of != "i0e" or not x.size or np.abs(x.array).min() > 0.1)
    d.let(f"xp.special.derivative({x}, of='{of}', order=1)", DERIVATIVES[of].format(x))


PAIRS = {
    "betaln": ((0.5, 5), (0.5, 5)),
    "binom": ((2.2, 5), (0.3, 1.9)),
    "kl_div": ((0.2, 4), (0.2, 4)),
    "rel_entr": ((0.2, 4), (0.2, 4)),
    "xlogy": ((-4, 4), (0.2, 6)),
    "xlog1py": ((-4, 4), (-0.6, 6)),
}

for _name, (_one, _other) in PAIRS.items():

    @row(f"special.{_name}")
    def _(d: Draw, name: str = _name, one: tuple[float, float] = _one, other: tuple[float, float] = _other) -> None:
        a = d.within(*one)
        b = d.within(*other, where=lambda v: broadcasts(a, v) and v.dtype == a.dtype)
        d.let(f"xp.special.{name}({a}, {b})")


@row("special.gammainc", "special.gammainc", "special.gammaincc")
def _(d: Draw) -> None:
    x = d.within(0.3, 5)
    a = d.constant(np.asarray(d.fraction(0.6, 3), dtype=x.dtype)) if d.chance(0.5) else d.fraction(0.6, 3)
    d.let(f"xp.special.{d.one_of(['gammainc', 'gammaincc'])}({a}, {x})")


@row("special.betainc")
def _(d: Draw) -> None:
    x = d.within(0.1, 0.9)
    d.let(f"xp.special.betainc({d.fraction(0.6, 3)}, {d.fraction(0.6, 3)}, {x})")


@row("special.fdtr", "special.fdtr", "special.fdtrc")
def _(d: Draw) -> None:
    x = d.within(0.3, 4)
    d.let(f"xp.special.{d.one_of(['fdtr', 'fdtrc'])}({d.fraction(2, 5)}, {d.fraction(3, 6)}, {x})")


for _name in ("softmax", "log_softmax", "logsumexp"):

    @row(f"special.{_name}")
    def _(d: Draw, name: str = _name) -> None:
        x = d.full("f")
        axis = d.one_of([None, d.axis(x)]) if x.ndim else None
        options = "" if axis is None else f", axis={axis}"
        if name == "logsumexp":
            options += d.keepdims() if x.ndim else ""  # SciPy has another shape there
            if d.chance(0.4):
                options += f", b={d.constant(d.numbers(x.shape, 0.2, 1.5, dtype=x.dtype))}"
        d.let(f"xp.special.{name}({x}{options})")
