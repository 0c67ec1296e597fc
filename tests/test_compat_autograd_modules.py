"""HIPS autograd's submodules, and running code that imports them."""

from __future__ import annotations

import subprocess
import sys

import numpy
import pytest

import xgrad.compat.autograd.numpy as np
from xgrad.compat.autograd import builtins, grad, util
from xgrad.compat.autograd.core import vspace
from xgrad.compat.autograd.misc import const_graph, flatten, optimizers
from xgrad.compat.autograd.misc.fixed_points import fixed_point
from xgrad.compat.autograd.misc.flatten import flatten_func
from xgrad.compat.autograd.test_util import check_grads

X = numpy.array([0.3, -1.2, 2.0])


def run(*args, code=None):
    done = subprocess.run(
        [sys.executable, *args] if code is None else [sys.executable, "-c", code],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


IMPORTS = """
import xgrad.compat.autograd
xgrad.compat.autograd.install()
import autograd, autograd.numpy as np, autograd.numpy.linalg, autograd.numpy.fft, autograd.numpy.random as npr
from autograd import grad, make_vjp, make_jvp, elementwise_grad, primitive
from autograd.builtins import DictBox, isinstance, tuple, list, dict, type
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vjps import unbroadcast_f
from autograd.extend import primitive, defvjp, defjvp, defvjp_argnum, vspace, Box, VSpace
from autograd.core import make_vjp, primitive_vjps
from autograd.wrap_util import unary_to_nary
from autograd.differential_operators import make_jvp_reversemode
from autograd.misc import flatten, const_graph
from autograd.misc.optimizers import adam, sgd, rmsprop
from autograd.misc.fixed_points import fixed_point
from autograd.test_util import check_grads, combo_check
from autograd.tracer import getval, isbox
from autograd.util import quick_grad_check, func
import autograd.scipy as sp, autograd.scipy.stats as stats, autograd.scipy.stats.norm as norm
from autograd.scipy import integrate, linalg, signal, special
from autograd.scipy.special import gammaln, logsumexp
from autograd.scipy.stats import multivariate_normal, t
assert autograd.numpy is np and autograd.grad is grad and autograd.__name__ == "xgrad.compat.autograd"
print(grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0])))
try:
    import autograd.nothing
except ModuleNotFoundError as error:
    print(error)
"""


def test_every_module_can_be_imported():
    code, out, err = run(code=IMPORTS)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["[2. 4.]", "xgrad.compat.autograd has no module 'autograd.nothing'"]


def test_another_autograd_was_there():
    code = "import sys, types; sys.modules['autograd'] = types.ModuleType('autograd')\n"
    status, _, err = run(code=code + "import xgrad.compat.autograd as a; a.install()")
    assert status == 1
    assert "Call install() first" in err


def test_running_a_script(tmp_path):
    (tmp_path / "beside.py").write_text("import autograd.numpy as np\nf = lambda x: np.sin(x) ** 2\n")
    script = tmp_path / "script.py"
    lines = (
        "import sys",
        "from autograd import grad",
        "from beside import f",
        "print(grad(f)(0.0), sys.argv[1:], __name__)",
    )
    script.write_text("\n".join(lines))
    assert run("-m", "xgrad.compat.autograd", str(script), "a", "-b") == (0, "0.0 ['a', '-b'] __main__\n", "")
    code, out, err = run("-m", "xgrad.compat.autograd", str(tmp_path / "none.py"))
    assert (code, out) == (2, "")
    assert err == f"xgrad.compat.autograd: there is no file {tmp_path / 'none.py'}\n"
    assert run("-m", "xgrad.compat.autograd")[0] == 2
    assert run("-m", "xgrad.compat.autograd", "-m")[0] == 2
    code, out, _ = run("-m", "xgrad.compat.autograd", "--help")
    assert (code, out.splitlines()[0]) == (0, "usage: python -m xgrad.compat.autograd script.py [arguments]")
    code, out, _ = run("-m", "xgrad.compat.autograd", "-m", "this")
    assert code == 0
    assert "Beautiful is better than ugly." in out


def test_vectors_of_trees():
    tree = {"b": [X, 2.0], "a": (), "c": {"d": numpy.ones((2, 2))}}
    flat, unflatten = flatten(tree)
    assert flat.tolist() == [*X, 2.0, 1.0, 1.0, 1.0, 1.0]
    again = unflatten(flat * 2.0)
    assert list(again) == list(tree)
    assert again["b"][1] == 4.0
    assert grad(lambda x: np.sum(flatten([x, [2.0 * x]])[0]))(X).tolist() == [3.0, 3.0, 3.0]
    check_grads(lambda v: unflatten(v)["b"])(flat)
    f, _, x = flatten_func(lambda tree: tree["b"], {"b": [X, 2.0]})
    assert f(x).tolist() == [*X, 2.0]
    assert flatten(())[0].shape == (0,)


@pytest.mark.parametrize("optimizer", [optimizers.sgd, optimizers.rmsprop, optimizers.adam])
def test_optimizers_of_trees(optimizer):
    seen = []
    loss = lambda p, i: np.sum((p["w"] - X) ** 2) + p["b"] ** 2  # noqa: E731
    found = optimizer(
        grad(loss), {"w": numpy.zeros(3), "b": 1.0}, callback=lambda p, i, g: seen.append((i, g["b"])), num_iters=300,
        step_size=0.05,
    )  # fmt: skip
    assert loss(found, 0) < 0.02
    assert seen[0] == (0, 2.0)
    assert len(seen) == 300


def test_optimizers_are_differentiable():
    f = lambda rate: optimizers.sgd(lambda x, i: 2.0 * x, numpy.ones(2), num_iters=3, step_size=rate)[0]  # noqa: E731
    check_grads(f, order=1)(0.1)


def test_fixed_points():
    def root(a):
        return fixed_point(lambda a: lambda x: 0.5 * (x + a / x), a, 1.0, lambda x, y: abs(x - y), 1e-12)

    assert root(2.0) == pytest.approx(2.0**0.5)
    assert grad(root)(2.0) == pytest.approx(0.5 / 2.0**0.5)
    assert grad(grad(root))(2.0) == pytest.approx(-0.25 / 2.0**1.5)


def test_the_namespace():
    assert np.float64 is numpy.float64
    assert np.random.randn is numpy.random.randn
    assert np.linalg.LinAlgError is numpy.linalg.LinAlgError
    assert np.__version__ == numpy.__version__
    assert type(np.where(True, [1, 2], [3, 4])) is list
    assert np.where([True, False], 1.0, X[:2]).tolist() == [1.0, -1.2]
    assert np.where(numpy.array([True, False]))[0].tolist() == [0]
    with pytest.raises(ValueError, match="either both or neither"):
        np.where(True, 1.0)
    assert numpy.zeros(2, dtype=np.int64).dtype == numpy.int64


def test_functions_of_lists():
    rows = {"a": X, "b": 2.0 * X}
    check_grads(lambda x: np.stack({"a": x, "b": 2.0 * x}.values()))(X)
    check_grads(lambda x: np.concatenate(each for each in (x, [x[0], 1.0])))(X)
    check_grads(lambda x: np.hstack([[x[0], 1.0], x]))(X)
    check_grads(lambda x: np.mean([x[0], x[1] ** 2]) + np.std([x[0], x[2], 1.0]) + np.max([x[0], 0.0]))(X)
    check_grads(lambda x: np.append([[x[0], 1.0]], [[x[1], x[2]]], axis=0))(X)
    check_grads(lambda x: np.linalg.norm([x[0], x[1]]) + np.linalg._dot(np.linalg.T(x[None]), x[None])[0, 1])(X)
    check_grads(lambda x: np.make_diagonal(x, axis1=-1, axis2=-2))(X)
    assert np.stack(rows.values()).shape == (2, 3)
    with pytest.raises(NotImplementedError, match="supports offset=0"):
        np.make_diagonal(X)


def test_integers_of_traced_values():
    assert grad(lambda x: X[np.int64(x)] * x)(1.0) == X[1]
    assert np.int64("3") == 3


def test_vector_spaces():
    space = vspace({"a": X, "b": [1.0, 1.0 + 2.0j]})
    assert space.size == 6
    assert space == vspace({"a": X + 1.0, "b": [2.0, 3.0j]})
    assert space != vspace({"a": X, "b": [1.0, 1.0]})
    assert len(list(space.standard_basis())) == 6
    x = space.randn()
    assert space.inner_prod(x, space.covector(x)) == pytest.approx(space.inner_prod(space.covector(x), x))
    assert space.add(space.ones(), space.scalar_mul(space.ones(), -1.0))["b"] == [0.0, 0.0]
    assert space.mut_add(None, x) is x
    assert repr(vspace(1.0)).startswith("ArrayVSpace_")
    with pytest.raises(TypeError, match="vector space for value 'x'"):
        vspace("x")


def test_small_functions():
    assert util.subvals((1, 2, 3), [(0, 5)]) == (5, 2, 3)
    assert util.subval([1, 2], 1, 7) == (1, 7)
    assert util.func(len) is len
    graph = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}
    assert list(util.toposort("d", graph.__getitem__))[-1] == "a"
    with pytest.warns(UserWarning, match="quick_grad_check is deprecated"):
        util.quick_grad_check(lambda x, y: x**2 + y, 1.0, (2.0,))
    assert builtins.isinstance([1], list)
    assert const_graph(lambda a, b, c: a + b * c, 1.0, c=3.0)(2.0) == 7.0


def test_scipys_modules():
    pytest.importorskip("scipy")
    from xgrad.compat.autograd.scipy import integrate, linalg, signal, special, stats

    check_grads(lambda x: special.gammaln(x**2 + 1.0) + stats.norm.logpdf(x, 0.5, 2.0))(X)
    check_grads(lambda x: linalg.solve_triangular(np.array([[2.0, 0.0], [x, 1.0]]), X[:2], lower=True))(0.7)
    check_grads(lambda x: signal.convolve(x, X[:2]))(X)
    check_grads(lambda y: integrate.odeint(lambda y, t: -y, y, numpy.array([0.0, 1.0])), order=1)(X)
    assert type(stats.norm.cdf(X)) is numpy.ndarray
    assert stats.norm.__name__ == "xgrad.compat.autograd.scipy.stats.norm"
