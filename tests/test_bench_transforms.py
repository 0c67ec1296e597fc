"""The benchmark of the transforms: its programs run, and its report says what was measured."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from bench import transforms
from bench.transforms_worker import PROGRAMS, kalman, ways


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_ways_agree(name):
    with xg.use_backend("numpy"):
        each = ways(*PROGRAMS[name]())
        want = each["backward"]().numpy()
        for way in ("value_and_grad", "vjp"):
            np.testing.assert_allclose(each[way]().numpy(), want, rtol=1e-9)


def test_the_likelihood_against_finite_differences():
    with xg.use_backend("numpy"):
        f, x = kalman(steps=5)
        xg.check_grads(f, xg.asarray(x))


def test_the_report():
    one = {"median": 1.0, "low": 0.9, "high": 1.2}
    own = {
        "programs": [{"chain": {"backward": 0.002, "value_and_grad": 0.0021}}],
        "first": {"hessian": [{"import": 0.2, "first call": 0.02, "both": 0.22}]},
    }
    assert transforms.ratios(own)["chain"]["value_and_grad"]["median"] == pytest.approx(1.05)
    where = {
        "date": "D",
        "commit": "C",
        "cpu": "P",
        "cores": 2,
        "python": "Py",
        "blas": "B",
        "environment": {"OMP_NUM_THREADS": "1"},
    }
    results = {"machine": where, "numpy": "2", "load": 1.0, "checkouts": {"This": transforms.summary(own)}}
    text = transforms.markdown(results)
    assert "| chain | 2.00 | 1.05 (1.05-1.05) |" in text
    assert "| hessian | 200 (200) | 20 (20) | 220 (220) |" in text
    assert transforms._cell(one) == "1.00 (0.90-1.20)"
