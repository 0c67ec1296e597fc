"""The comparison of the minimizers with SciPy's: its problems are the published ones, and its report says what was measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

import xgrad as xg
from bench import minimizers
from bench.minimizer_problems import FUNCTIONS, RESIDUALS

# The least sums of squares in the paper of Moré, Garbow and Hillstrom, where they are not zero.
LEAST = {
    "freudenstein-roth": 48.9842,
    "jennrich-sampson": 124.362,
    "bard": 8.21487e-3,
    "gaussian": 1.12793e-8,
    "kowalik-osborne": 3.07505e-4,
    "watson, 6": 2.28767e-3,
    "meyer": 87.9458,
    "brown-dennis": 85822.2,
}


@pytest.mark.parametrize("problem", [p for p in RESIDUALS if p.name in LEAST], ids=lambda p: p.name)
def test_the_problems_have_the_published_minima(problem):
    with xg.use_backend("numpy"):
        found = xg.optimize.least_squares(problem.f, np.asarray(problem.x0))
    assert 2 * found.cost == pytest.approx(LEAST[problem.name], rel=1e-5)


def test_the_functions_have_their_minima_where_they_are_published():
    places = {
        "rosen, 5": ([1.0] * 5, 0.0),
        "himmelblau": ([3.0, 2.0], 0.0),
        "beale": ([3.0, 0.5], 0.0),
        "booth": ([1.0, 3.0], 0.0),
        "goldstein-price": ([0.0, -1.0], 3.0),
        "colville (wood)": ([1.0] * 4, 0.0),
        "zakharov, 4": ([0.0] * 4, 0.0),
        "six-hump camel": ([0.08984201, -0.71265640], -1.03162845),
        "trid, 6": ([6.0, 10.0, 12.0, 12.0, 10.0, 6.0], -50.0),
        "styblinski-tang, 5": ([-2.903534] * 5, -39.16616570 * 5),
        "dixon-price, 4": ([1.0, 2**-0.5, 2**-0.75, 2**-0.875], 0.0),
    }
    problems = {problem.name: problem for problem in FUNCTIONS}
    with xg.use_backend("numpy"):
        for name, (x, least) in places.items():
            value, gradient = xg.value_and_grad(problems[name].f)(np.asarray(x))
            assert value.item() == pytest.approx(least, abs=1e-6), name
            np.testing.assert_allclose(gradient.numpy(), 0.0, atol=1e-3, err_msg=name)


def test_the_report(tmp_path):
    pytest.importorskip("scipy")
    with xg.use_backend("numpy"):
        row = minimizers.compared(FUNCTIONS[0], "lbfgs")
        squares = minimizers.compared(RESIDUALS[0], "levenberg-marquardt")
        times = minimizers.timed("lbfgs", 4, 3, 2)
    assert minimizers.is_same(row)
    other = {**row, "xgrad": {**row["xgrad"], "nfev": 99}, "success": [True, False]}
    where = {"cpu": "P", "python": "Py", "date": "D", "commit": "C"}
    results = {
        "machine": where,
        "versions": {"scipy": "1", "numpy": "2"},
        "problems": {"lbfgs": {"one": row, "two": other}, "levenberg-marquardt": {"three": squares}},
        "times": [{"method": "lbfgs", "size": 4, "maxiter": 3, **times}],
    }
    text = minimizers.markdown(results)
    assert "| `lbfgs` | 2 | 1 | " in text
    assert "| 1 | two: nit 4 nfev 99 njev 5, not nit 4 nfev 5 njev 5 |" in text
    assert "`lbfgs`, 4 variables" in text
    (tmp_path / "minimizers-2000-01-01.json").write_text(json.dumps(results), encoding="utf-8")
    tables = minimizers.readme(tmp_path)
    assert all(part in tables for part in (minimizers.summary(results), minimizers.times(results)))
    assert "Not measured yet" in minimizers.readme(tmp_path / "nothing")
