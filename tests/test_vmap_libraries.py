"""vmap through other people's code: a library gives for a batch what it gives for each example, or an error says why not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from bench.libraries import LIBRARIES, row, rows
from tests.support.arrays import assert_close, to_numpy

# What ends in an error for the examples here: their number of steps or of different elements is another for each.
VARIES = {
    "SciPy": {"integrate.tanhsinh (limit)", "optimize.elementwise.find_root", "differentiate.hessian"},
    "array-api-extra": {"nunique", "setdiff1d", "union1d"},
}


def each_row() -> Any:
    for library in LIBRARIES:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # theirs, on import
                found = rows(library)
        except ImportError:
            skip = pytest.mark.skip(f"{library} is not installed: pip install 'xgrad[libraries]'")
            yield pytest.param(library, None, marks=skip, id=library)
            continue
        yield from (pytest.param(library, each, id=f"{library}: {each}") for each in found if not each.because)


def examples(x: Any) -> list[Any]:
    """Two, in one domain."""
    return [x, x * 0.97 + 0.01] if x.dtype.kind == "f" else [x, x]


@pytest.mark.parametrize(("library", "tried"), list(each_row()))
def test_row(library: str, tried: row.Row) -> None:
    def gradient(*xs: xg.Tensor) -> Any:
        y, pull = xg.vjp(tried.call, *xs)
        return y, pull(xg.ones_like(y))

    with xg.use_backend("numpy"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batches = [examples(x) for x in tried.inputs]
        stacked = [xg.asarray(np.stack(batch)) for batch in batches]
        if str(tried) in VARIES.get(library, ()):
            with pytest.raises(NotImplementedError, match="vmap"):
                xg.vmap(gradient)(*stacked)
            return
        got, gradients = xg.vmap(gradient)(*stacked)
        for i in range(2):
            want, pulled = gradient(*(xg.asarray(batch[i], copy=True) for batch in batches))
            for y, w in zip((got, *gradients), (want, *pulled), strict=True):
                assert_close(to_numpy(y)[i], to_numpy(w), 1e-9, f"{tried}, example {i}", floor=1.0)
