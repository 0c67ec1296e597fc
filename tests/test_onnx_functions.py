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
