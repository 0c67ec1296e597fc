"""The engine "replay": fresh results on every backend, also of views, inputs, constants, and of one value twice."""

from __future__ import annotations

import numpy as np

from tests.support.arrays import raw, to_numpy
from xgrad.compile.engines.replayed import prepare
from xgrad.compile.recorder import record


def test_results_are_fresh(backend):
    x = raw(backend, np.arange(6.0).reshape(2, 3))
    constant = raw(backend, np.arange(3.0))

    def f(xp, x, a):
        y, c = x * a, xp.asarray(constant)
        return (
            x,
            y,
            y,
            xp.matrix_transpose(y),
            xp.matrix_transpose(x),
            xp.getitem(x, (slice(None), 0)),
            c,
            a * 2.0,
            c + y,
        )

    runner = prepare(record(f, x, 2.0, base=backend), backend)
    host = np.arange(6.0).reshape(2, 3)
    found = runner.run([x, 3.0])
    wanted = [host, host * 3, host * 3, host.T * 3, host.T, host[:, 0], np.arange(3.0), 6.0, np.arange(3.0) + host * 3]
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(to_numpy(got) if hasattr(got, "shape") else got, want)
    arrays = [y for y in found if hasattr(y, "shape")]
    assert len({id(y) for y in [*arrays, x, constant]}) == len(arrays) + 2
    if isinstance(x, np.ndarray):
        everything = [*arrays, x, constant]
        for i, y in enumerate(arrays):
            assert not any(np.may_share_memory(y, other) for k, other in enumerate(everything) if k != i)
    assert prepare(record(f, x, 2.0, base=backend), backend).run([x, 2.0], [True, False])[0] is not x
