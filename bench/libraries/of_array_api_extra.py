"""Rows for array-api-extra."""

from __future__ import annotations

import array_api_extra as xpx
import numpy as np
from array_api_compat import array_namespace

from bench.libraries.row import MATRIX, POSITIVE, Row, X

INNER = slice(2, 4)

ROWS = [
    Row("angle", lambda x: xpx.angle(x + 1j), X),
    Row(
        "apply_where", lambda x, y: xpx.apply_where(x > 0, (x, y), lambda a, b: a * b, lambda a, b: a - b), X, POSITIVE
    ),
    *(
        Row(f"at(...).{name}", lambda x, y, name=name: getattr(xpx.at(x)[INNER], name)(y[INNER]), X, POSITIVE)
        for name in ("set", "add", "subtract", "multiply", "divide", "power", "min", "max")
    ),
    Row("at(mask).multiply", lambda x: xpx.at(x)[x > 0].multiply(2.0), X),
    Row("atleast_nd", lambda x: xpx.atleast_nd(x, ndim=3), X),
    Row("cov", lambda x: xpx.cov(x.T), MATRIX),
    Row("create_diagonal", xpx.create_diagonal, X),
    Row("isclose", lambda x: array_namespace(x).where(xpx.isclose(x, x), x, 0.0), X),
    Row("kron", xpx.kron, X, POSITIVE),
    Row("nan_to_num", xpx.nan_to_num, X),
    Row("nunique", lambda x: x * xpx.nunique(x), X),
    Row("one_hot", lambda x: xpx.one_hot(array_namespace(x).argsort(x), 7, dtype=x.dtype) @ x, X),
    Row("pad", lambda x: xpx.pad(x, 2), X),
    Row("partition", lambda x: xpx.partition(x, 3)[3], X),
    Row("setdiff1d", xpx.setdiff1d, X, POSITIVE),
    Row("sinc", xpx.sinc, X),
    Row("union1d", xpx.union1d, X, POSITIVE),
    Row(
        "lazy_apply (as_numpy)",
        lambda x: xpx.lazy_apply(np.sin, x, as_numpy=True),
        X,
        because="the function is one of NumPy arrays",
    ),
]
