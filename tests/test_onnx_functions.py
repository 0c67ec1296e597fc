"""Functions of the namespace as ONNX: the cases of every function, under ONNX Runtime. The others are refused, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES, few
from tests.cases.case import Case, Sample
from tests.support.onnx_runs import arrays_of, assert_equal, run

# Functions that no operator of ONNX computes, or whose results have shapes that depend on values.
REFUSED = {
    *("arange", "imag", "nextafter", "nonzero", "from_parts"),
    *(f"unique_{what}" for what in ("all", "counts", "inverse", "values")),
    *(
        f"linalg.{name}"
        for name in ("cholesky", "cofactors", "cofactors_jvp", "eig", "eigh", "eigvals", "eigvalsh", "inv")
    ),
    *(f"linalg.{name}" for name in ("matrix_rank", "pinv", "qr", "slogdet", "solve", "svd", "svdvals")),
    *(f"fft.{name}" for name in ("fft", "fftn", "hfft", "ifft", "ifftn", "ihfft", "irfft", "irfftn", "rfft", "rfftn")),
    *(f"special.{name}" for name in ("betainc", "betaln", "binom", "derivative", "digamma", "erfcx", "erfinv", "fdtr")),
    *(f"special.{name}" for name in ("fdtrc", "gamma", "gamma_slope", "gammainc", "gammaincc", "gammaln", "i0", "i0e")),
    *(f"special.{name}" for name in ("i1", "i1e", "j0", "j1", "log_ndtr", "ndtri", "polygamma", "psi")),
    *(
        f"special.{name}"
        for name in ("beta", "erfcinv", "iv", "ive", "jn", "jv", "multigammaln", "rgamma", "y0", "y1", "yn")
    ),
}
# Cases of other functions that are refused, by a part of the message.
REFUSALS = "complex|is printed|a mask in a key|singular values|linalg.inv|linalg.svdvals"


def export(case: Case, arrays: list[Any]) -> tuple[Any, Any]:
    """The model of a case, and its function."""

    def fixed(array: Any) -> Any:
        return xg.asarray(array.astype("float32") if array.dtype == np.float64 else array)

    def f(*xs: Any) -> Any:
        return case.run(xg, case.arguments(xs, fixed))

    return xg.onnx.export(f, tuple(arrays), dynamic_axes={}), f


def real_cases(name: str, most: int = 2) -> list[Case]:
    """Some of a function's cases, evenly spread: a graph has no complex numbers."""
    cases = [case for case in CASES[name] if not case.heavy]
    cases = [case for case in cases if not any(isinstance(arg, Sample) and arg.is_complex for arg in case.args)]
    return cases[:: -(-len(cases) // most)] if cases else []


@pytest.mark.parametrize("name", sorted(set(CASES) - REFUSED))
def test_a_function_gives_eagers_result(name):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    exported = 0
    with xg.use_backend("numpy"):
        for case in real_cases(name):
            arrays: list[Any] = case.inputs("float32")
            refusal = ""
            try:
                proto, f = export(case, arrays)
            except xg.onnx.ExportError as error:
                refusal = str(error)
            if refusal:
                assert any(part in refusal for part in REFUSALS.split("|")), (case, refusal)
                continue
            with xg.no_grad():
                want = arrays_of(f(*map(xg.asarray, arrays)))
            assert_equal(run(proto, arrays), want)
            exported += 1
    assert exported or not real_cases(name)


@pytest.mark.parametrize("name", sorted(set(CASES) & REFUSED))
def test_other_functions_are_refused_with_a_reason(name):
    pytest.importorskip("onnx")
    case = few(name, 1)[0]
    with xg.use_backend("numpy"), pytest.raises(xg.onnx.ExportError) as caught:
        export(case, case.inputs("float32"))
    assert "onnx.export: " in str(caught.value)
    assert "tests/" in str(caught.value)  # the user's line


INF = float("inf")
DIVIDENDS = [1, 0.3, -7.5, -1, 2, 5, -5, INF, -3, 1e4, -1e-30, 0.7]
DIVISORS = [0.1, 0.1, 2, INF, 0, -INF, -3, 2, -3, -0.7, 1e-30, -0.1]


def as_onnx(f: Any, *arrays: Any) -> Any:
    """What a function gives under ONNX Runtime."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    with xg.use_backend("numpy"):
        return run(xg.onnx.export(f, arrays, dynamic_axes={}), arrays)[0]


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_quotients_of_floats_are_rounded_as_numpys(dtype):
    a, b = (np.asarray(each).astype(dtype) for each in (DIVIDENDS, DIVISORS))
    for f, want in ((lambda x, y: x // y, np.floor_divide), (lambda x, y: x % y, np.remainder)):
        np.testing.assert_array_equal(as_onnx(f, a, b), want(a, b), strict=True)
    few = a[:4]  # a number takes the dtype of the array first
    np.testing.assert_array_equal(as_onnx(lambda x: x % 0.1, few), few % 0.1, strict=True)


def test_hypot_at_the_ends():
    a, b = np.asarray([INF, -INF, INF, 0.0, 3.0, 1e300]), np.asarray([INF, INF, float("nan"), 0.0, -4.0, 1e300])
    np.testing.assert_allclose(as_onnx(xg.hypot, a, b), np.hypot(a, b), rtol=1e-15)


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("correction", [1, 3, 4.5])
def test_a_variance_with_a_correction_above_the_number_of_elements(correction):
    x = np.asarray([[0.0, 1.0, 2.0], [5.0, 5.0, 5.0]])
    for f, want in ((xg.var, np.var), (xg.std, np.std)):
        got = as_onnx(lambda x, f=f: f(x, axis=1, correction=correction), x)
        np.testing.assert_array_equal(got, want(x, axis=1, ddof=correction))


def test_a_gradient_is_a_function_too():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    with xg.use_backend("numpy"):
        net = xg.nn.Sequential(xg.nn.Conv1d(2, 3, 2), xg.nn.GELU(), xg.nn.Flatten(), xg.nn.Linear(12, 1)).to(
            dtype="float32"
        )
        gradient = xg.grad(lambda x: xg.sum(net(x) ** 2))
        x, other = (np.random.default_rng(n).normal(size=(n, 2, 5)).astype("float32") for n in (3, 8))
        proto = xg.onnx.export(gradient, x)
        assert_equal(run(proto, [other]), [gradient(other).numpy()])
