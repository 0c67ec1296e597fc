"""Times the gradients of survival models' likelihoods, with HIPS autograd and with xgrad.compat.autograd.

    python -m bench.likelihoods             into bench/results/likelihoods-DATE.{json,md}
    python -m bench.likelihoods --no-save   prints, and writes nothing

The models are those that lifelines and SurPyval fit to censored times: Weibull, log-normal and generalized gamma. Each text is
written once against `autograd.numpy` and `autograd.scipy`, and is given the modules of either. The two run in turns, and a ratio
is the median of the pairs'. Times are CPU times of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any, NamedTuple

import numpy

from bench import machine, report

SIZES = (100, 1000, 10_000)
PAIRS, LEAST = 15, 0.02  # pairs of runs, and seconds of one run at least


class Modules(NamedTuple):
    """What a model is written against."""

    np: Any
    special: Any
    norm: Any
    value_and_grad: Callable[..., Any]


def modules(root: str) -> Modules:
    """The modules of "autograd" or "xgrad.compat.autograd"."""
    return Modules(
        import_module(f"{root}.numpy"), import_module(f"{root}.scipy.special"), import_module(f"{root}.scipy.stats").norm,
        import_module(root).value_and_grad,
    )  # fmt: skip


def weibull(of: Modules, params: Any, times: Any, died: Any) -> Any:
    scale, shape = params
    hazard = (times / scale) ** shape
    log_rate = of.np.log(shape) - of.np.log(scale) + (shape - 1.0) * (of.np.log(times) - of.np.log(scale))
    return -of.np.mean(died * log_rate - hazard)


def log_normal(of: Modules, params: Any, times: Any, died: Any) -> Any:
    mean, log_sd = params
    z = (of.np.log(times) - mean) / of.np.exp(log_sd)
    density = of.norm.logpdf(z) - log_sd - of.np.log(times)
    return -of.np.mean(of.np.where(died, density, of.norm.logsf(z)))


def generalized_gamma(of: Modules, params: Any, times: Any, died: Any) -> Any:
    """Its shape in the gamma function is fixed: HIPS autograd has no derivative by it."""
    mean, log_sd = params
    k = 1.6
    z = (of.np.log(times) - mean) / of.np.exp(log_sd)
    u = of.np.exp(z) * k
    density = k * z + k * numpy.log(k) - of.special.gammaln(k) - u - log_sd - of.np.log(times)
    survival = of.np.log(of.np.maximum(of.special.gammaincc(k, u), 1e-300))
    return -of.np.mean(of.np.where(died, density, survival))


MODELS = {
    "Weibull": (weibull, numpy.array([2.0, 1.3])),
    "log-normal": (log_normal, numpy.array([0.4, -0.2])),
    "generalized gamma": (generalized_gamma, numpy.array([0.4, -0.2])),
}


def gradient(root: str, model: str, size: int) -> Callable[[], Any]:
    """A call that computes the value and the gradient of a model for so many times, a third of them censored."""
    likelihood, params = MODELS[model]
    rng, of = numpy.random.default_rng(0), modules(root)
    times, died = rng.weibull(1.4, size) * 2.0 + 1e-3, rng.uniform(size=size) < 2 / 3
    both = of.value_and_grad(lambda p: likelihood(of, p, times, died))
    return lambda: both(params)


def compared(model: str, size: int, pairs: int = PAIRS, least: float = LEAST) -> dict[str, Any]:
    """The seconds of a call with each library, and the median of the pairs' ratios."""
    theirs, ours = (gradient(root, model, size) for root in ("autograd", "xgrad.compat.autograd"))
    for one, other in zip(theirs(), ours(), strict=True):
        numpy.testing.assert_allclose(other, one, rtol=1e-9)
    count = max(1, round(least / _seconds(theirs, 3)))
    found = [(_seconds(theirs, count), _seconds(ours, count)) for _ in range(pairs)]
    return {
        "model": model,
        "size": size,
        "seconds": [median(row[i] for row in found) for i in (0, 1)],
        "ratio": median(a / b for a, b in found),
    }


def _seconds(call: Callable[[], Any], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - began) / count


def measure() -> dict[str, Any]:
    from importlib.metadata import version

    rows = [compared(model, size) for model in MODELS for size in SIZES]
    versions = {name: version(name) for name in ("autograd", "numpy", "scipy")}
    return {"machine": machine.describe(), "versions": versions, "rows": rows}


def markdown(results: dict[str, Any]) -> str:
    versions, where = results["versions"], results["machine"]
    rows = [
        [
            f"{row['model']}, {row['size']:,} times",
            *(f"{1e6 * s:.0f} us" for s in row["seconds"]),
            f"{row['ratio']:.1f}",
        ]
        for row in results["rows"]
    ]
    said = ", ".join(f"{name} {versions[name]}" for name in versions)
    return (
        "# Gradients of likelihoods, with HIPS autograd and with xgrad.compat.autograd\n\n"
        f"{said}, {where['python']}, {where['cpu']}, one thread, load {where['load average before']}; {where['date']}, commit "
        f"{where['commit']}.\n\n"
        + report.table(["value and gradient", "autograd", "xgrad", "times as fast"], rows)
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.likelihoods", description=str(__doc__).splitlines()[0])
    parser.add_argument("--no-save", action="store_true", help="print the report, write nothing")
    options = parser.parse_args()
    results = measure()
    text = markdown(results)
    print(text)
    if not options.no_save:
        report.write_both("likelihoods", results, text)


if __name__ == "__main__":
    main()
