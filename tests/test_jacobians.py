"""jacobian, hessian and hvp: their layout, their dtype, and the way they go."""

from __future__ import annotations

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy

X = np.array([0.5, -1.5, 2.0])


@pytest.mark.parametrize(("rows", "columns"), [(4, 2), (2, 4), (3, 3)])
def test_jacobian_goes_the_way_that_takes_fewer_walks(xp, rows, columns):
    walks = {"back": 0, "forth": 0}

    def count(way):
        def rule(g, out, x):
            walks[way] += 1
            return 2.0 * g * x

        return rule

    square = xg.primitive(lambda x: x * x)
    square.defvjp(count("back"))
    square.defjvp(count("forth"))
    a = np.arange(float(rows * columns)).reshape(rows, columns) - 3
    x = np.linspace(0.5, 1.0, columns)
    j = xg.jacobian(lambda x: xp.matmul(make(xp, a), square(x)))(make(xp, x))
    assert_matches(j, a * 2 * x, xp=xp)
    assert walks == ({"back": 1, "forth": 0} if rows < columns else {"back": 0, "forth": 1})


@pytest.mark.parametrize("at_once", [1, 6, 7, 100])
def test_walks_are_made_many_at_once(xp, monkeypatch, at_once):
    monkeypatch.setattr("xgrad.transforms.jacobians.AT_ONCE", at_once)
    x = make(xp, X)
    j = xg.jacobian(lambda x: xp.sin(x) * xp.sum(x))(x)
    assert_matches(j, np.diag(np.cos(X) * X.sum()) + np.sin(X)[:, None], xp=xp, rtol=1e-14)


def test_walks_pass_only_so_many_numbers_at_once(xp, monkeypatch):
    """Also where the ends are small and what lies between them is large, saved or not, in each of several examples."""
    at_once = []

    def rule(g, out, x):
        at_once.append(g.data.value.shape[-2])  # the walks lie behind the examples
        return 2 * g * x

    square = xg.primitive(lambda x: x * x)
    square.defvjp(rule)
    xs = make(xp, np.linspace(0.5, 1.0, 12).reshape(2, 6))
    wide = make(xp, np.ones((6, 50)))

    def f(x):
        return xp.sum((square(x)[:, None] * wide + 1.0) * 2.0, axis=1)[:5]

    want = 200 * np.eye(5, 6) * to_numpy(xs)[:, None, :]
    for numbers, batches in ((6 * 50 * 2 * 5, [5]), (6 * 50 * 2 * 2, [2, 2, 1]), (1, [1] * 5)):
        monkeypatch.setattr("xgrad.transforms.jacobians.AT_ONCE", numbers)
        at_once.clear()
        assert_matches(xg.vmap(xg.jacobian(f))(xs), want, xp=xp)
        assert at_once == batches


def test_a_rule_that_looks_at_numbers_makes_the_walks_one_by_one(xp):
    seen = []

    def rule(g, out, x):
        seen.append(to_numpy(g))
        return 3 * g * x * x

    cube = xg.primitive(lambda x: x**3)
    cube.defvjp(rule)
    j = xg.jacobian(lambda x: cube(x)[:2])(make(xp, X))
    assert_matches(j, np.diag(3 * X**2)[:2], xp=xp, rtol=1e-14)
    np.testing.assert_array_equal(seen, np.eye(3)[:2])
    assert_matches(xg.jacobian(lambda x: cube(x)[:0])(make(xp, X)), np.zeros((0, 3)), xp=xp)


def test_an_error_of_a_rule_is_raised_as_it_is(xp):
    def rule(g, out, x):
        raise RuntimeError("mine")

    broken = xg.primitive(lambda x: x**3)
    broken.defvjp(rule)
    with pytest.raises(RuntimeError, match="mine"):
        xg.jacobian(lambda x: broken(x)[:2])(make(xp, X))


def test_jacobian_of_shapes(xp):
    x = make(xp, np.arange(6.0).reshape(2, 3) + 1)
    j = xg.jacobian(lambda x: xp.sum(x * x, axis=0))(x)
    want = np.zeros((3, 2, 3))
    for k in range(3):
        want[k, :, k] = 2 * to_numpy(x)[:, k]
    assert_matches(j, want, xp=xp)
    j = xg.jacobian(lambda s: s * x)(make(xp, 2.0))
    assert_matches(j, to_numpy(x), xp=xp)
    assert xg.jacobian(lambda x: x * x)(make(xp, np.zeros((0, 2)))).shape == (0, 2, 0, 2)
    assert xg.jacobian(lambda x: x[:, :1])(make(xp, np.zeros((0, 2)))).shape == (0, 1, 0, 2)


def test_jacobian_of_other_dtypes(xp):
    """The same whichever way it is found."""
    for rows, columns in ((1, 1), (2, 3)):
        x = make(xp, np.ones(columns), "float32")
        j = xg.jacobian(lambda x, n=rows: xp.astype(x[:n], xp.float64) * 2.0)(x)
        assert_matches(j, 2 * np.eye(rows, columns, dtype="float32"), xp=xp)
        z = xg.jacobian(lambda x: xp.sum(x * x, keepdims=True) * (1 + 2j))(make(xp, np.ones(columns)))
        assert_matches(z, np.full((1, columns), 2 + 4j), xp=xp)
        i = xg.jacobian(lambda x: xp.astype(x, xp.int64))(x)
        assert_matches(i, np.zeros((columns, columns), "float32"), xp=xp)
    with pytest.raises(TypeError, match="real"):
        xg.jacobian(lambda z: z * z)(make(xp, [1j]))


def test_jacobian_of_trees_is_laid_out_as_jaxs(xp):
    def f(p, q):
        return {"u": p["a"] * q, "v": (xp.sum(p["b"]) * q,)}

    p, q = {"a": make(xp, X), "b": make(xp, [1.0, 2.0])}, make(xp, 3.0)
    j = xg.jacobian(f)(p, q)
    assert_matches(j["u"]["a"], np.eye(3) * 3, xp=xp)
    assert_matches(j["u"]["b"], np.zeros((3, 2)), xp=xp)
    assert_matches(j["v"][0]["b"], [3.0, 3.0], xp=xp)
    j = xg.jacobian(f, (0, 1))(p, q)
    assert type(j["u"]) is tuple
    assert_matches(j["u"][0]["a"], np.eye(3) * 3, xp=xp)
    assert_matches(j["u"][1], X, xp=xp)
    assert_matches(j["v"][0][1], 3.0, xp=xp)


def test_hessian(xp):
    def f(x, y):
        return xp.sum(x**3) * y**2

    x, y = make(xp, X), make(xp, 2.0)
    assert_matches(xg.hessian(f)(x, y), np.diag(24 * X), xp=xp)
    (xx, xy), (yx, yy) = xg.hessian(f, (0, 1))(x, y)
    assert_matches(xx, np.diag(24 * X), xp=xp)
    assert_matches(xy, 12 * X**2, xp=xp)
    assert_matches(yx, 12 * X**2, xp=xp)
    assert_matches(yy, 2 * np.sum(X**3), xp=xp)


def test_hvp_is_the_hessian_times_a_vector(xp):
    def f(x, pair):
        return xp.sum(xp.exp(x * pair[0])) * pair[1]

    x, pair = make(xp, X), (make(xp, 0.5), make(xp, 2.0))
    vx, vp = make(xp, [1.0, -1.0, 2.0]), (make(xp, 3.0), make(xp, -1.0))
    hx, hp = xg.hvp(f, (x, pair), (vx, vp))
    assert type(hp) is tuple
    (xx, xq), (qx, qq) = (
        (row[0], row[1]) for row in xg.hessian(lambda x, q: f(x, (q[0], q[1])), (0, 1))(x, xp.stack(list(pair)))
    )
    vq = np.array([3.0, -1.0])
    v = to_numpy(vx)
    assert_matches(hx, to_numpy(xx) @ v + to_numpy(xq) @ vq, xp=xp)
    want = to_numpy(qx) @ v + to_numpy(qq) @ vq
    assert_matches(hp[0], want[0], xp=xp)
    assert_matches(hp[1], want[1], xp=xp)


# --- writes -----------------------------------------------------------------------------------------


def test_a_function_may_write_into_its_argument(backend, xp):
    def f(x):
        x[0] = x[1] * 2.0
        x *= 3.0
        return xp.sum(x * x)  # 45 * x[1]**2

    x = make(xp, [1.0, 2.0])
    assert_matches(xg.grad(f)(x), [0.0, 180.0], xp=xp)
    assert_matches(xg.grad(f)(x.data), [0.0, 180.0], xp=xp)
    assert_matches(xg.jvp(f, (x,), (make(xp, [1.0, 1.0]),))[1], 180.0, xp=xp)
    assert_matches(xg.hessian(f)(x), [[0.0, 0.0], [0.0, 90.0]], xp=xp)
    assert_matches(xg.grad(lambda y: xg.grad(f)(y)[1])(x), [0.0, 90.0], xp=xp)
    assert_matches(x, [1.0, 2.0], xp=xp)
