"""Compares xgrad.optimize with SciPy: results and counts on the problems of minimizer_problems.py, and times on NumPy.

    python -m bench.minimizers             into bench/results/minimizers-DATE.{json,md}
    python -m bench.minimizers --no-save   prints, and writes nothing

SciPy gets the same exact gradients, Hessian products and Jacobians, from xgrad. Times are CPU times of one thread. The two run in
turns, and a ratio is the median of the pairs'.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import xgrad as xg
from bench import machine, report
from bench.minimizer_problems import FUNCTIONS, RESIDUALS, Problem, rosen

BEGIN, END = "<!-- minimizers:begin -->", "<!-- minimizers:end -->"
SCIPY = {"lbfgs": "L-BFGS-B", "bfgs": "BFGS", "newton-cg": "Newton-CG", "trust-ncg": "trust-ncg"}
SQUARES = "levenberg-marquardt"
COUNTS = ("nit", "nfev", "njev", "nhev")
TIMED = (  # method, variables, iterations, pairs
    ("lbfgs", 10, 200, 21),
    ("bfgs", 10, 200, 21),
    ("newton-cg", 10, 200, 7),
    ("trust-ncg", 10, 200, 7),
    ("lbfgs", 1_000_000, 15, 7),
    ("trust-ncg", 1_000_000, 4, 5),
)


def by_scipy(problem: Problem, method: str, x0: Any, **options: Any) -> Any:
    """SciPy's result, with derivatives from xgrad."""
    from scipy import optimize

    f = problem.f
    if method == SQUARES:
        return optimize.least_squares(
            lambda x: f(xg.asarray(x)).numpy(), x0, jac=lambda x: xg.jacobian(f)(x).numpy(), method="lm"
        )
    both = xg.value_and_grad(f)

    def value_and_gradient(x: Any) -> tuple[float, Any]:
        value, gradient = both(x)
        return value.item(), gradient.numpy()

    hessp = {"hessp": lambda x, v: xg.hvp(f, (x,), (v,))[0].numpy()} if method in ("newton-cg", "trust-ncg") else {}
    return optimize.minimize(value_and_gradient, x0, jac=True, method=SCIPY[method], options=options, **hessp)


def by_xgrad(problem: Problem, method: str, x0: Any, **options: Any) -> Any:
    if method == SQUARES:
        return xg.optimize.least_squares(problem.f, x0)
    return xg.optimize.minimize(problem.f, x0, method=method, options=options)


def compared(problem: Problem, method: str) -> dict[str, Any]:
    """What the two found on a problem."""
    x0 = np.asarray(problem.x0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = by_scipy(problem, method, x0)
    ours = by_xgrad(problem, method, x0)
    value = "cost" if method == SQUARES else "fun"
    x, y = ours.x.numpy(), theirs.x
    return {
        "scipy": {name: int(theirs[name]) for name in COUNTS if name in theirs},
        "xgrad": {name: ours[name] for name in COUNTS if name in ours and name in theirs},
        "success": [bool(theirs.success), ours.success],
        "value": [float(theirs[value]), ours[value]],
        "apart": float(np.max(np.abs(x - y) / np.maximum(1.0, np.abs(y)))),
    }


def timed(method: str, size: int, maxiter: int, pairs: int) -> dict[str, Any]:
    """The seconds of the two on Rosenbrock's function, and their ratio."""
    problem = Problem("rosen", rosen, [])
    x0 = np.resize([-1.2, 1.0], size)
    ways: tuple[Callable[..., Any], ...] = (by_scipy, by_xgrad)
    seconds: list[list[float]] = [[], []]
    counts = [[0, 0], [0, 0]]
    for number in range(pairs + 1):
        for k in (0, 1) if number % 2 else (1, 0):
            start = time.process_time()
            found = ways[k](problem, method, x0, maxiter=maxiter)
            seconds[k].append(time.process_time() - start)
            counts[k] = [int(found.nit), int(found.nfev)]
    theirs, ours = (each[1:] for each in seconds)  # the first pair warms up
    return {
        "ratio": median(b / a for a, b in zip(theirs, ours, strict=True)),
        "seconds": [median(theirs), median(ours)],
        "counts": counts,
    }


def measure() -> dict[str, Any]:
    with xg.use_backend("numpy"):
        found = {method: {p.name: compared(p, method) for p in FUNCTIONS} for method in SCIPY}
        found[SQUARES] = {p.name: compared(p, SQUARES) for p in RESIDUALS}
        times = [{"method": m, "size": n, "maxiter": most, **timed(m, n, most, pairs)} for m, n, most, pairs in TIMED]
    versions = {name: version(name) for name in ("numpy", "scipy")}
    return {"machine": machine.describe(), "versions": versions, "problems": found, "times": times}


def is_same(row: dict[str, Any]) -> bool:
    """Whether all counts but that of Hessian products are SciPy's."""
    return all(row["xgrad"][name] == row["scipy"][name] for name in row["scipy"] if name != "nhev")


def summary(results: dict[str, Any]) -> str:
    """A row for each method: on how many problems the counts are SciPy's, and by how much they differ elsewhere."""
    rows = []
    for method, problems in results["problems"].items():
        each = problems.values()
        other = [
            f"{name}: {in_words(row['xgrad'])}, not {in_words(row['scipy'])}"
            for name, row in problems.items()
            if not is_same(row)
        ]
        rows.append(
            [
                f"`{method}`",
                f"{len(problems)}",
                f"{sum(row['success'][0] == row['success'][1] for row in each)}",
                f"{max(row['apart'] for row in each):.0e}",
                f"{sum(map(is_same, each))}",
                "; ".join(other) or "-",
            ]
        )
    header = ["method", "problems", "same success", "x apart, at most", "same counts", "the others"]
    return report.table(header, rows)


def in_words(counts: dict[str, int]) -> str:
    return " ".join(f"{name} {count}" for name, count in counts.items() if name != "nhev")


def times(results: dict[str, Any]) -> str:
    rows = [
        [
            f"`{row['method']}`, {row['size']:,} variables",
            f"{1e3 * row['seconds'][0]:.0f} ms",
            f"{1e3 * row['seconds'][1]:.0f} ms",
            f"{row['ratio']:.2f}",
            " / ".join(f"{nit} it, {nfev} f" for nit, nfev in row["counts"]),
        ]
        for row in results["times"]
    ]
    return report.table(["Rosenbrock's function on NumPy", "SciPy", "xgrad", "ratio", "SciPy / xgrad"], rows)


def where(results: dict[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    return (
        f"SciPy {versions['scipy']}, NumPy {versions['numpy']}, {machine['python']}, {machine['cpu']}, one thread; "
        f"{machine['date']}, commit {machine['commit']} (`python -m bench.minimizers`)."
    )


def readme(folder: Path = report.RESULTS) -> str:
    """The tables for README from the newest results, or a note that there are none."""
    paths = sorted(folder.glob("minimizers-*.json"))
    if not paths:
        return f"{BEGIN}\nNot measured yet: `python -m bench.minimizers`.\n{END}"
    results = json.loads(paths[-1].read_text(encoding="utf-8"))
    return "\n\n".join([f"{BEGIN}\n{summary(results)}", times(results), f"{where(results)}\n{END}"])


def markdown(results: dict[str, Any]) -> str:
    parts = ["# Minimizers, compared with SciPy's", where(results), summary(results), times(results)]
    for method, problems in results["problems"].items():
        rows = [
            [
                name,
                *(" ".join(str(count) for count in row[who].values()) for who in ("scipy", "xgrad")),
                *(f"{value:.3e}" for value in row["value"]),
                f"{row['apart']:.0e}",
            ]
            for name, row in problems.items()
        ]
        counts = " ".join(next(iter(problems.values()))["scipy"])
        header = [f"{method} ({counts})", "SciPy", "xgrad", "value, SciPy", "value, xgrad", "x apart"]
        parts.append(report.table(header, rows))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.minimizers", description=str(__doc__).splitlines()[0])
    parser.add_argument("--no-save", action="store_true", help="print the report, write nothing")
    options = parser.parse_args()
    results = measure()
    text = markdown(results)
    print(text)
    if not options.no_save:
        report.write_both("minimizers", results, text)


if __name__ == "__main__":
    main()
