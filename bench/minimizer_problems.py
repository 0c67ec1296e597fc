"""Test problems for minimizers, as plain functions of a vector: those of SciPy's tests and benchmarks, and of Moré et al.

The starts are those of SciPy's tests, or the standard ones. Sources: scipy/optimize/tests and benchmarks/benchmarks/
go_benchmark_functions of SciPy; J. J. Moré, B. S. Garbow and K. E. Hillstrom, Testing unconstrained optimization software,
https://doi.org/10.1145/355934.355936.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import xgrad as xg


class Problem(NamedTuple):
    """A function of a vector: one number, or residuals."""

    name: str
    f: Callable[[Any], Any]
    x0: list[float]


# --- one number -----------------------------------------------------------------------------------

FEATURES = [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
MEANS = [1.0, 0.3, 0.5]


def maximum_entropy(x: Any) -> Any:
    """The translation example of Berger et al., on which SciPy tests all its minimizers."""
    own = x.__array_namespace__()
    logs = own.asarray(FEATURES, dtype=x.dtype) @ x
    return xg.log(xg.sum(xg.exp(logs))) - own.asarray(MEANS, dtype=x.dtype) @ x


def rosen(x: Any) -> Any:
    return xg.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def himmelblau(x: Any) -> Any:
    return (x[0] ** 2 + x[1] - 11.0) ** 2 + (x[0] + x[1] ** 2 - 7.0) ** 2


def beale(x: Any) -> Any:
    a, b = x[0], x[1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


def booth(x: Any) -> Any:
    return (x[0] + 2.0 * x[1] - 7.0) ** 2 + (2.0 * x[0] + x[1] - 5.0) ** 2


def matyas(x: Any) -> Any:
    return 0.26 * xg.sum(x**2) - 0.48 * x[0] * x[1]


def three_hump_camel(x: Any) -> Any:
    return 2.0 * x[0] ** 2 - 1.05 * x[0] ** 4 + x[0] ** 6 / 6.0 + x[0] * x[1] + x[1] ** 2


def six_hump_camel(x: Any) -> Any:
    return (4.0 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3.0) * x[0] ** 2 + x[0] * x[1] + (4.0 * x[1] ** 2 - 4.0) * x[1] ** 2


def goldstein_price(x: Any) -> Any:
    a, b = x[0], x[1]
    one = 1.0 + (a + b + 1.0) ** 2 * (19.0 - 14.0 * a + 3.0 * a**2 - 14.0 * b + 6.0 * a * b + 3.0 * b**2)
    other = 30.0 + (2.0 * a - 3.0 * b) ** 2 * (18.0 - 32.0 * a + 12.0 * a**2 + 48.0 * b - 36.0 * a * b + 27.0 * b**2)
    return one * other


def colville(x: Any) -> Any:
    a, b, c, d = (x[i] for i in range(4))
    valleys = 100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 + 90.0 * (d - c**2) ** 2 + (1.0 - c) ** 2
    return valleys + 10.1 * ((b - 1.0) ** 2 + (d - 1.0) ** 2) + 19.8 * (b - 1.0) * (d - 1.0)


def zakharov(x: Any) -> Any:
    weighted = xg.sum(0.5 * counted(x) * x)
    return xg.sum(x**2) + weighted**2 + weighted**4


def dixon_price(x: Any) -> Any:
    return (x[0] - 1.0) ** 2 + xg.sum(counted(x)[1:] * (2.0 * x[1:] ** 2 - x[:-1]) ** 2)


def styblinski_tang(x: Any) -> Any:
    return xg.sum(x**4 - 16.0 * x**2 + 5.0 * x) / 2.0


def trid(x: Any) -> Any:
    return xg.sum((x - 1.0) ** 2) - xg.sum(x[1:] * x[:-1])


def powell_singular(x: Any) -> Any:
    return xg.sum(powell_residuals(x) ** 2)


def exponential(x: Any) -> Any:
    return -xg.exp(-0.5 * xg.sum(x**2))


def quartic_valley(x: Any) -> Any:
    """SciPy's test of the argument tol."""
    return x[0] ** 2 * x[1] ** 2 + x[0] ** 4 + 1.0


def counted(x: Any) -> Any:
    """1, 2, 3, ... for the elements of a vector."""
    return x.__array_namespace__().asarray([float(i + 1) for i in range(x.shape[0])], dtype=x.dtype)


FUNCTIONS = (
    Problem("maximum entropy", maximum_entropy, [0.0, 0.0, 0.0]),
    Problem("rosen, 2, easy", rosen, [2.0, 2.0]),
    Problem("rosen, 2, hard", rosen, [-1.2, 1.0]),
    Problem("rosen, 5", rosen, [1.3, 0.7, 0.8, 1.9, 1.2]),
    Problem("rosen, 5, far", rosen, [10.3, 20.7, 10.8, 1.9, -1.2]),
    Problem("rosen, 10", rosen, [-1.2, 1.0] * 5),
    Problem("himmelblau", himmelblau, [-0.27, -0.9]),
    Problem("beale", beale, [1.0, 1.0]),
    Problem("booth", booth, [-5.0, 7.0]),
    Problem("matyas", matyas, [5.0, -3.0]),
    Problem("three-hump camel", three_hump_camel, [2.0, -1.0]),
    Problem("six-hump camel", six_hump_camel, [1.0, 0.5]),
    Problem("goldstein-price", goldstein_price, [0.5, -0.5]),
    Problem("colville (wood)", colville, [-3.0, -1.0, -3.0, -1.0]),
    Problem("zakharov, 4", zakharov, [1.0, 2.0, -1.0, 0.5]),
    Problem("dixon-price, 4", dixon_price, [1.0, 2.0, 3.0, 4.0]),
    Problem("styblinski-tang, 5", styblinski_tang, [-1.0, 2.0, -3.0, 1.0, -4.0]),
    Problem("trid, 6", trid, [0.0] * 6),
    Problem("powell singular", powell_singular, [3.0, -1.0, 0.0, 1.0]),
    Problem("exponential, 3", exponential, [0.5, -0.3, 0.2]),
    Problem("quartic valley", quartic_valley, [2.0, 2.0]),
)

# --- residuals ------------------------------------------------------------------------------------


def constant(x: Any, values: list[float]) -> Any:
    return x.__array_namespace__().asarray(values, dtype=x.dtype)


def rosenbrock_residuals(x: Any) -> Any:
    return xg.stack([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def freudenstein_roth(x: Any) -> Any:
    a, b = x[0], x[1]
    return xg.stack([-13.0 + a + ((5.0 - b) * b - 2.0) * b, -29.0 + a + ((b + 1.0) * b - 14.0) * b])


def powell_badly_scaled(x: Any) -> Any:
    return xg.stack([1e4 * x[0] * x[1] - 1.0, xg.exp(-x[0]) + xg.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x: Any) -> Any:
    return xg.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0])


def beale_residuals(x: Any) -> Any:
    a, b = x[0], x[1]
    return xg.stack([y - a * (1.0 - b**i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))])


def jennrich_sampson(x: Any) -> Any:
    i = constant(x, [float(k) for k in range(1, 11)])
    return 2.0 + 2.0 * i - (xg.exp(i * x[0]) + xg.exp(i * x[1]))


def helical_valley(x: Any) -> Any:
    angle = xg.atan(x[1] / x[0]) / (2.0 * math.pi) + xg.where(x[0] < 0, 0.5, 0.0)
    return xg.stack([10.0 * (x[2] - 10.0 * angle), 10.0 * (xg.hypot(x[0], x[1]) - 1.0), x[2]])


BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]


def bard(x: Any) -> Any:
    u = constant(x, [float(i) for i in range(1, 16)])
    v = 16.0 - u
    return constant(x, BARD) - (x[0] + u / (v * x[1] + xg.minimum(u, v) * x[2]))


GAUSSIAN = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989]


def gaussian(x: Any) -> Any:
    t = constant(x, [(8.0 - i) / 2.0 for i in range(1, 16)])
    return x[0] * xg.exp(-x[1] * (t - x[2]) ** 2 / 2.0) - constant(x, GAUSSIAN + GAUSSIAN[-2::-1])


MEYER = [34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0, 5147.0, 4427.0]
MEYER += [3820.0, 3307.0, 2872.0]


def meyer(x: Any) -> Any:
    t = constant(x, [45.0 + 5.0 * i for i in range(1, 17)])
    return x[0] * xg.exp(x[1] / (t + x[2])) - constant(x, MEYER)


def box(x: Any) -> Any:
    t = constant(x, [0.1 * i for i in range(1, 11)])
    return xg.exp(-t * x[0]) - xg.exp(-t * x[1]) - x[2] * (xg.exp(-t) - xg.exp(-10.0 * t))


def powell_residuals(x: Any) -> Any:
    a, b, c, d = (x[i] for i in range(4))
    root = math.sqrt
    return xg.stack([a + 10.0 * b, root(5.0) * (c - d), (b - 2.0 * c) ** 2, root(10.0) * (a - d) ** 2])


def wood_residuals(x: Any) -> Any:
    a, b, c, d = (x[i] for i in range(4))
    root = math.sqrt
    valleys = [10.0 * (b - a**2), 1.0 - a, root(90.0) * (d - c**2), 1.0 - c]
    return xg.stack([*valleys, root(10.0) * (b + d - 2.0), (b - d) / root(10.0)])


KOWALIK = [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
AT = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]


def kowalik_osborne(x: Any) -> Any:
    u = constant(x, AT)
    return constant(x, KOWALIK) - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x: Any) -> Any:
    t = constant(x, [i / 5.0 for i in range(1, 21)])
    return (x[0] + t * x[1] - xg.exp(t)) ** 2 + (x[2] + x[3] * xg.sin(t) - xg.cos(t)) ** 2


def biggs(x: Any) -> Any:
    t = constant(x, [0.1 * i for i in range(1, 14)])
    y = xg.exp(-t) - 5.0 * xg.exp(-10.0 * t) + 3.0 * xg.exp(-4.0 * t)
    return x[2] * xg.exp(-t * x[0]) - x[3] * xg.exp(-t * x[1]) + x[5] * xg.exp(-t * x[4]) - y


def watson(x: Any) -> Any:
    n = x.shape[0]
    t = constant(x, [i / 29.0 for i in range(1, 30)])
    powers = [t**0]
    for _ in range(1, n):
        powers.append(powers[-1] * t)
    slope = sum((j * x[j] * powers[j - 1] for j in range(1, n)), 0.0 * t)
    value = sum((x[j] * powers[j] for j in range(n)), 0.0 * t)
    return xg.concat([slope - value**2 - 1.0, xg.stack([x[0], x[1] - x[0] ** 2 - 1.0])])


def broyden_tridiagonal(x: Any) -> Any:
    nothing = 0.0 * x[:1]
    return (3.0 - x) * x + 1.0 - xg.concat([nothing, x[:-1]]) - 2.0 * xg.concat([x[1:], nothing])


def exponential_fit(x: Any) -> Any:
    """SciPy's ExponentialFittingProblem, with a fixed disturbance in place of noise."""
    t = constant(x, [-1.0 + 0.2 * i for i in range(11)])
    y = 1.0 + xg.exp(2.0 * t) + 0.1 * xg.sin(37.0 * t)
    return x[0] + xg.exp(x[1] * t) - y


RESIDUALS = (
    Problem("rosenbrock", rosenbrock_residuals, [-1.2, 1.0]),
    Problem("rosenbrock, from -2", rosenbrock_residuals, [-2.0, 1.0]),
    Problem("freudenstein-roth", freudenstein_roth, [0.5, -2.0]),
    Problem("powell badly scaled", powell_badly_scaled, [0.0, 1.0]),
    Problem("brown badly scaled", brown_badly_scaled, [1.0, 1.0]),
    Problem("beale", beale_residuals, [1.0, 1.0]),
    Problem("jennrich-sampson", jennrich_sampson, [0.3, 0.4]),
    Problem("helical valley", helical_valley, [-1.0, 0.0, 0.0]),
    Problem("bard", bard, [1.0, 1.0, 1.0]),
    Problem("gaussian", gaussian, [0.4, 1.0, 0.0]),
    Problem("meyer", meyer, [0.02, 4000.0, 250.0]),
    Problem("box", box, [0.0, 10.0, 20.0]),
    Problem("powell singular", powell_residuals, [3.0, -1.0, 0.0, 1.0]),
    Problem("wood", wood_residuals, [-3.0, -1.0, -3.0, -1.0]),
    Problem("kowalik-osborne", kowalik_osborne, [0.25, 0.39, 0.415, 0.39]),
    Problem("brown-dennis", brown_dennis, [25.0, 5.0, -5.0, -1.0]),
    Problem("biggs", biggs, [1.0, 2.0, 1.0, 1.0, 1.0, 1.0]),
    Problem("watson, 6", watson, [0.0] * 6),
    Problem("broyden tridiagonal, 30", broyden_tridiagonal, [-1.0] * 30),
    Problem("exponential fit", exponential_fit, [0.0, 0.0]),
)
