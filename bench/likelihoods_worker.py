"""The process of bench/likelihoods.py: it computes the gradients that lifelines and SurPyval ask for, with one of two autograds.

    python -m bench.likelihoods_worker autograd     HIPS autograd
    python -m bench.likelihoods_worker xgrad        xgrad, after xgrad.compat.autograd.install()

Both libraries give a likelihood with its gradient to SciPy's `minimize`. A fit is started, and stopped at the first call of
`minimize` that has a gradient. That call's function is what is timed, near the point where the call would start: at a new point
in each run, because SurPyval keeps the result of the last one.

Its first line says the versions and the fits. It answers each line {"fit": name, "runs": n} by one with the seconds of a run and
the numbers that came out.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from itertools import count
from typing import Any

import numpy

SIZES = (100, 1000, 10_000)
OF_LIFELINES = ("WeibullFitter", "LogNormalFitter", "GeneralizedGammaFitter")
OF_SURPYVAL = ("Weibull", "LogNormal", "Gamma", "LogLogistic", "Gumbel", "ExpoWeibull")


class GradientFoundError(Exception):
    """The gradient that a fit gave to SciPy."""

    def __init__(self, gradient: Callable[[], Any]) -> None:
        self.gradient = gradient


def stopping(minimize: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's `minimize`, which ends the fit where it is given a gradient."""

    def stop(fun: Any, x0: Any, args: Any = (), method: Any = None, jac: Any = None, **options: Any) -> Any:
        gradient = fun if jac is True and method != "Nelder-Mead" else jac
        if callable(gradient):
            places = count()
            raise GradientFoundError(lambda: gradient(numpy.asarray(x0) + 1e-9 * next(places), *args))
        return minimize(fun, x0, args=args, method=method, jac=jac, **options)

    return stop


def gradient_of(fit: Callable[[], Any]) -> Callable[[], Any]:
    """The gradient that a fit asks for first."""
    try:
        fit()
    except GradientFoundError as found:
        return found.gradient
    raise RuntimeError("the fit asked for no gradient")


def fits() -> dict[str, Callable[[], Any]]:
    """The gradients by name. A third of the times are censored."""
    optimize: Any = import_module("scipy.optimize")
    optimize.minimize = stopping(optimize.minimize)  # before the libraries import it
    lifelines, surpyval = import_module("lifelines"), import_module("surpyval")
    found: dict[str, Callable[[], Any]] = {}
    for size in SIZES:
        rng = numpy.random.default_rng(0)
        times, died = rng.weibull(1.4, size) * 2.0 + 1e-3, rng.uniform(size=size) < 2 / 3
        for name in OF_LIFELINES:
            found[f"lifelines {name}, {size:,} times"] = gradient_of(
                lambda name=name: getattr(lifelines, name)().fit(times, died)  # type: ignore[misc]  # noqa: B023
            )
        for name in OF_SURPYVAL:
            found[f"SurPyval {name}, {size:,} times"] = gradient_of(
                lambda name=name: getattr(surpyval, name).fit(times, (~died).astype(int))  # type: ignore[misc]  # noqa: B023
            )
    return found


def timed(gradient: Callable[[], Any], runs: int) -> dict[str, Any]:
    """The CPU seconds of a run, and the numbers that came out."""
    began = time.process_time()
    for _ in range(runs):
        y = gradient()
    seconds = (time.process_time() - began) / runs
    parts = y if isinstance(y, tuple) else (y,)
    return {"seconds": seconds, "numbers": numpy.concatenate([numpy.ravel(part) for part in parts]).tolist()}


def main(side: str) -> None:
    warnings.simplefilter("ignore")  # of the libraries, about bounds and convergence
    if side == "xgrad":
        from xgrad.compat.autograd import install

        install()
    gradients = fits()
    names = (
        "numpy",
        "scipy",
        "lifelines",
        "surpyval",
        "autograd-gamma",
        *(("autograd",) if side == "autograd" else ()),
    )
    print(json.dumps({"versions": {name: version(name) for name in names}, "fits": list(gradients)}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(timed(gradients[asked["fit"]], asked["runs"])), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
