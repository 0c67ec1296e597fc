"""xgrad.scipy.linalg: SciPy's values on plain arrays and on tensors, and the derivatives of the latter."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_close, assert_matches, make, to_numpy

scipy_linalg = pytest.importorskip("scipy.linalg")
linalg = xg.scipy.linalg

RNG = np.random.default_rng(3)
A = RNG.normal(size=(4, 4))
B = RNG.normal(size=(4, 4))
C = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4))
FAR = A + 4 * np.eye(4)  # all eigenvalues have positive real parts, and two of them are complex
POSITIVE = A @ A.T + np.eye(4)
HERMITIAN = C @ C.conj().T + np.eye(4)
TURNING = np.array([[0.0, -2.0, 0.1], [2.0, 0.0, 0.3], [0.2, -0.1, 1.5]])  # its eigenvalues have a real part near 0
NEGATIVE = np.array([[-2.0, 0.5, 0.1], [0.3, 1.5, 0.2], [0.1, -0.4, 3.0]])  # one eigenvalue is negative
JORDAN = np.array([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]])
v, w = RNG.normal(size=4), RNG.normal(size=(4, 2))
t1, t2 = RNG.normal(size=5), RNG.normal(size=3)

# What is computed: a function of the module, its arguments, and options.
CASES: dict[str, Any] = {
    "solve vector": ("solve", (A, v), {}),
    "solve matrix": ("solve", (A, w), {"assume_a": "gen", "check_finite": False}),
    "solve transposed": ("solve", (A, v), {"transposed": True}),
    "solve sym": ("solve", (A, v), {"assume_a": "sym"}),
    "solve sym lower": ("solve", (A, v), {"assume_a": "sym", "lower": True}),
    "solve pos": ("solve", (POSITIVE, w), {"assume_a": "positive definite"}),
    "solve lower": ("solve", (A, v), {"assume_a": "lower triangular"}),
    "solve upper": ("solve", (A, v), {"assume_a": "upper triangular"}),
    "solve diagonal": ("solve", (A, v), {"assume_a": "diagonal"}),
    "solve_triangular": ("solve_triangular", (FAR, v), {}),
    "solve_triangular lower": ("solve_triangular", (FAR, w), {"lower": True}),
    "solve_triangular T": ("solve_triangular", (FAR, v), {"trans": "T", "overwrite_b": False}),
    "solve_triangular 1 unit": ("solve_triangular", (FAR, w), {"trans": 1, "lower": True, "unit_diagonal": True}),
    "solve_triangular unit": ("solve_triangular", (FAR, v), {"unit_diagonal": True}),
    "cholesky": ("cholesky", (POSITIVE,), {}),
    "cholesky lower": ("cholesky", (POSITIVE,), {"lower": True}),
    "cholesky of a triangle": ("cholesky", (np.triu(POSITIVE) + np.tril(A, -1),), {}),
    "cho_solve": ("cho_solve", ((np.triu(FAR), False), w), {}),
    "cho_solve lower": ("cho_solve", ((np.tril(FAR), True), v), {}),
    "inv": ("inv", (A,), {}),
    "det": ("det", (A,), {}),
    "pinv": ("pinv", (A[:, :2],), {}),
    "lstsq": ("lstsq", (A[:, :2], v), {}),
    "lstsq columns": ("lstsq", (A[:, :2], w), {}),
    "eigvalsh": ("eigvalsh", (A + A.T,), {}),
    "eigvalsh upper": ("eigvalsh", (A,), {"lower": False}),
    "eigvalsh of a pair": ("eigvalsh", (A + A.T, POSITIVE), {}),
    "eigvalsh part": ("eigvalsh", (A + A.T,), {"subset_by_index": (1, 2)}),
    "svdvals": ("svdvals", (A[:3],), {}),
    "norm": ("norm", (A,), {}),
    "norm 1": ("norm", (A,), {"ord": 1}),
    "norm of rows": ("norm", (A,), {"axis": 1, "keepdims": True}),
    "expm": ("expm", (A,), {}),
    "expm large": ("expm", (5.0 * A,), {}),
    "expm small": ("expm", (1e-3 * A,), {}),
    "expm stack": ("expm", (np.stack([A, 20.0 * B, np.zeros((4, 4))]),), {}),
    "expm_frechet": ("expm_frechet", (A, B), {}),
    "expm_frechet alone": ("expm_frechet", (A, B), {"compute_expm": False}),
    "cosm": ("cosm", (A,), {}),
    "sinm": ("sinm", (A,), {}),
    "sqrtm": ("sqrtm", (FAR,), {}),
    "sqrtm positive": ("sqrtm", (POSITIVE,), {}),
    "sqrtm turning": ("sqrtm", (TURNING,), {}),
    "sqrtm jordan": ("sqrtm", (JORDAN,), {}),
    "sqrtm stack": ("sqrtm", (np.stack([FAR, POSITIVE]),), {}),
    "logm": ("logm", (FAR,), {}),
    "logm turning": ("logm", (TURNING,), {}),
    "logm jordan": ("logm", (JORDAN,), {}),
    "logm near one": ("logm", (np.eye(4) + 1e-3 * A,), {}),
    "solve_sylvester": ("solve_sylvester", (A, FAR, B), {}),
    "solve_sylvester wide": ("solve_sylvester", (A, np.array([[5.0, 1.0], [0.0, 5.0]]), w), {}),
    "continuous lyapunov": ("solve_continuous_lyapunov", (FAR, B), {}),
    "discrete lyapunov": ("solve_discrete_lyapunov", (0.2 * A, B), {}),
    "block_diag": ("block_diag", (A, v, w, 3.0), {}),
    "toeplitz": ("toeplitz", (t1, t2), {}),
    "toeplitz alone": ("toeplitz", (t1,), {}),
    "hankel": ("hankel", (t1, t2), {}),
    "hankel alone": ("hankel", (t1,), {}),
    "circulant": ("circulant", (t1,), {}),
}  # fmt: skip
COMPLEX: dict[str, Any] = {
    "solve her": ("solve", (HERMITIAN, v), {"assume_a": "her"}),
    "solve_triangular C": ("solve_triangular", (C, v), {"trans": "C"}),
    "solve_triangular T": ("solve_triangular", (C, v), {"trans": 1, "lower": True}),
    "cholesky": ("cholesky", (HERMITIAN,), {}),
    "cho_solve": ("cho_solve", ((np.tril(C), True), w), {}),
    "cho_solve upper": ("cho_solve", ((np.triu(C), False), w), {}),
    "eigvalsh": ("eigvalsh", (HERMITIAN,), {}),
    "eigvals": ("eigvals", (A,), {}),
    "eigvals of a pair": ("eigvals", (A, FAR), {}),
    "expm": ("expm", (C,), {}),
    "cosm": ("cosm", (C,), {}),
    "sinm": ("sinm", (C,), {}),
    "sqrtm": ("sqrtm", (C,), {}),
    "sqrtm of the negative": ("sqrtm", (NEGATIVE,), {}),
    "logm": ("logm", (C,), {}),
    "logm of the negative": ("logm", (NEGATIVE,), {}),
    "solve_sylvester": ("solve_sylvester", (C, 1j * C, A), {}),
    "continuous lyapunov": ("solve_continuous_lyapunov", (C, B), {}),
    "discrete lyapunov": ("solve_discrete_lyapunov", (0.2 * C, B), {}),
    "toeplitz": ("toeplitz", (C[0],), {}),
}  # fmt: skip
ALL = {**CASES, **{f"{name}, complex": case for name, case in COMPLEX.items()}}
NAMES = sorted(set(linalg.__all__))


def tree(function, value):
    return tuple(tree(function, part) for part in value) if isinstance(value, tuple) else function(value)


def on(xp, args, dtype=None):
    """The arrays among the arguments as tensors."""
    return tree(lambda x: make(xp, x, dtype) if isinstance(x, np.ndarray) else x, args)


def theirs(name, args, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(scipy_linalg, name)(*args, **options)


@pytest.mark.parametrize("case", ALL)
def test_values_are_scipys(xp, case):
    name, args, options = ALL[case]
    found, want = getattr(linalg, name)(*on(xp, args), **options), theirs(name, args, options)
    if not isinstance(want, tuple):
        found, want = (found,), (want,)
    for one, other in zip(found, want, strict=True):
        if name == "eigvals":
            np.testing.assert_allclose(np.sort_complex(to_numpy(one)), np.sort_complex(other), rtol=1e-12)
        else:
            assert_close(to_numpy(one), other, 1e-12, case)
            assert one.backend is xp.empty(0).backend


@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_differences(xp, case):
    name, args, options = CASES[case]
    moving = [x for arg in args for x in (arg if isinstance(arg, tuple) else (arg,)) if isinstance(x, np.ndarray)]

    def f(*arrays):
        left = iter(arrays)
        given = tree(lambda x: next(left) if isinstance(x, np.ndarray) else x, args)
        y = getattr(linalg, name)(*given, **options)
        return y[:2] if name == "lstsq" else y

    order = 2 if xp.empty(0).backend.name == "numpy" and "stack" not in case else 1
    xg.check_grads(f, *(make(xp, x) for x in moving), order=order, rtol=1e-6 if "large" in case else 2e-7)


@pytest.mark.parametrize("case", COMPLEX)
def test_derivatives_of_complex_functions_are_differences(xp, case):
    name, args, options = COMPLEX[case]
    if name == "eigvals":
        pytest.skip("their order is the library's: sums of them are compared below")
    moving = [x for arg in args for x in (arg if isinstance(arg, tuple) else (arg,)) if isinstance(x, np.ndarray)]

    def f(parts):
        left = iter(x[0] if len(x) == 1 else xg.from_parts(*x) for x in parts)
        given = tree(lambda x: next(left) if isinstance(x, np.ndarray) else x, args)
        y = getattr(linalg, name)(*given, **options)
        return (xg.real(y), xg.imag(y)) if xg.isdtype(y.dtype, "complex floating") else y

    parts = [[make(xp, p) for p in ((x.real.copy(), x.imag.copy()) if np.iscomplexobj(x) else (x,))] for x in moving]
    xg.check_grads(f, parts, order=2 if xp.empty(0).backend.name == "numpy" else 1, rtol=5e-7)


def test_sums_of_eigenvalues(xp):
    xg.check_grads(lambda a, b: xg.real(xp.sum(linalg.eigvals(a, b) ** 3)), make(xp, A), make(xp, FAR))
    w, vectors = linalg.eig(make(xp, A))
    np.testing.assert_allclose(A @ to_numpy(vectors), to_numpy(vectors) * to_numpy(w), atol=1e-12)


@pytest.mark.parametrize("pair", [False, True])
def test_eigenvectors(xp, pair):
    """The square of a vector's elements does not depend on its sign."""
    b = POSITIVE if pair else None

    def f(a, *b):
        w, vectors = linalg.eigh(a, *b)
        return w, vectors * vectors

    arrays = [make(xp, A + A.T), *([make(xp, b)] if pair else [])]
    w, squares = f(*arrays)
    want = scipy_linalg.eigh(A + A.T, b)
    assert_close(to_numpy(w), want[0], 1e-12)
    assert_close(to_numpy(squares), want[1] ** 2, 1e-11)
    xg.check_grads(f, *arrays)


@pytest.mark.parametrize("mode", ["full", "economic", "r"])
def test_qr(xp, mode):
    x = make(xp, A[:, :3])
    for one, other in zip(linalg.qr(x, mode=mode), scipy_linalg.qr(A[:, :3], mode=mode), strict=True):
        assert_close(np.abs(to_numpy(one)), np.abs(other), 1e-12)
    xg.check_grads(lambda x: linalg.qr(x, mode="r")[0][:3] ** 2, x)


@pytest.mark.parametrize("full_matrices", [False, True])
def test_svd(xp, full_matrices):
    x = make(xp, A[:, :3])
    u, s, vh = linalg.svd(x, full_matrices=full_matrices)
    want = scipy_linalg.svd(A[:, :3], full_matrices=full_matrices)
    assert (u.shape, vh.shape) == (want[0].shape, want[2].shape)
    assert_close(to_numpy(s), want[1], 1e-12)
    assert_close(to_numpy(linalg.svd(x, compute_uv=False)), want[1], 1e-12)


def test_a_cholesky_factor_solves(xp):
    for lower in (False, True):
        factor = linalg.cho_factor(make(xp, POSITIVE), lower=lower)
        assert factor[1] is lower
        assert_close(to_numpy(linalg.cho_solve(factor, make(xp, w))), np.linalg.solve(POSITIVE, w), 1e-12)
    xg.check_grads(lambda a: linalg.cho_solve(linalg.cho_factor(a), make(xp, w)), make(xp, POSITIVE), order=2)


def test_only_the_triangle_that_is_read_has_a_gradient(xp):
    x = make(xp, POSITIVE)
    for lower in (False, True):
        g = to_numpy(xg.grad(lambda a, lower=lower: xp.sum(linalg.cholesky(a, lower=lower) ** 3))(x))
        assert not np.any(np.triu(g, 1) if lower else np.tril(g, -1))
        assert np.any(np.tril(g, -1) if lower else np.triu(g, 1))


@pytest.mark.parametrize("name", ["expm", "sqrtm", "logm", "cholesky", "inv", "circulant"])
def test_vmap_gives_what_a_stack_gives(xp, name):
    stack = np.stack([POSITIVE, 3.0 * POSITIVE, POSITIVE + 0.1 * np.eye(4)])
    f = getattr(linalg, name)
    assert_close(to_numpy(xg.vmap(f)(make(xp, stack))), to_numpy(f(make(xp, stack))), 1e-13)
    g = xg.vmap(xg.grad(lambda x: xp.sum(f(x) ** 2)))(make(xp, stack))
    want = [to_numpy(xg.grad(lambda x: xp.sum(f(x) ** 2))(make(xp, x))) for x in stack]
    assert_close(to_numpy(g), np.stack(want), 1e-12)


@pytest.mark.parametrize("bands", [(0, 0), (1, 1), (2, 0), (0, 1), (1, 2)])
def test_a_system_given_by_its_diagonals(xp, bands):
    ab = RNG.normal(size=(sum(bands) + 1, 5))
    ab[bands[1]] += 6.0
    for b in (RNG.normal(size=5), RNG.normal(size=(5, 2))):
        found = linalg.solve_banded(bands, make(xp, ab), make(xp, b))
        assert_close(to_numpy(found), scipy_linalg.solve_banded(bands, ab, b), 1e-12)
        xg.check_grads(lambda ab, b: xg.sum(linalg.solve_banded(bands, ab, b) ** 2), make(xp, ab), make(xp, b))
    with pytest.raises(ValueError, match="ab must have the shape"):
        linalg.solve_banded((3, 3), make(xp, ab), make(xp, b))


def test_stacks_of_equations(xp):
    q = RNG.normal(size=(3, 1, 4, 2))
    b = RNG.normal(size=(2, 2, 2)) + 5 * np.eye(2)
    x = linalg.solve_sylvester(make(xp, A), make(xp, b), make(xp, q))
    want = [[scipy_linalg.solve_sylvester(A, b[j], q[i, 0]) for j in range(2)] for i in range(3)]
    assert_close(to_numpy(x), np.array(want), 1e-12)
    xg.check_grads(linalg.solve_sylvester, make(xp, A), make(xp, b), make(xp, q))


def test_a_complex_and_a_real_matrix(xp):
    """SciPy 1.17 solves another equation here."""
    x = to_numpy(linalg.solve_sylvester(*on(xp, (C, B, A))))
    assert_close(C @ x + x @ B, A, 1e-13)


def test_an_equation_that_is_too_large_for_one_system(xp):
    rng = np.random.default_rng(0)
    a, b, q = rng.normal(size=(33, 33)), rng.normal(size=(30, 30)) + 12 * np.eye(30), rng.normal(size=(33, 30))
    x = linalg.solve_sylvester(*on(xp, (a, b, q)))
    assert_close(to_numpy(x), scipy_linalg.solve_sylvester(a, b, q), 1e-12)
    direction = rng.normal(size=a.shape)
    moved = xg.jvp(lambda a: linalg.solve_sylvester(a, *on(xp, (b, q))), (make(xp, a),), (make(xp, direction),))[1]
    h = 1e-6
    ends = [scipy_linalg.solve_sylvester(a + s * direction, b, q) for s in (h, -h)]
    assert_close(to_numpy(moved), (ends[0] - ends[1]) / (2 * h), 1e-7)


def test_an_equation_whose_matrices_have_no_eigenvectors(xp):
    """The one system takes over where diagonalization fails."""
    shift = np.eye(31, k=1) + np.eye(31)
    q = np.random.default_rng(0).normal(size=(31, 31))
    x = linalg.solve_sylvester(*on(xp, (shift, shift, q)))
    assert_close(to_numpy(x), scipy_linalg.solve_sylvester(shift, shift, q), 1e-10)


def test_single_precision_stays(xp):
    for name in ("expm", "sqrtm", "logm", "inv", "det", "cholesky", "svdvals", "circulant"):
        y = getattr(linalg, name)(make(xp, POSITIVE, "float32"))
        assert y.dtype == xp.float32, name
        assert_close(to_numpy(y), theirs(name, (POSITIVE,), {}), 2e-5, name)
    x = make(xp, POSITIVE, "float32")
    for y in (linalg.solve(x, x), linalg.solve_sylvester(x, x, x), linalg.solve_triangular(x, x), linalg.pinv(x)):
        assert y.dtype == xp.float32
    assert linalg.sqrtm(make(xp, NEGATIVE, "float32")).dtype == xp.complex64


def test_integers_and_lists(xp):
    x = make(xp, [[2, 1], [1, 3]], "int64")
    for name in ("expm", "sqrtm", "logm", "inv", "cholesky", "det"):
        assert_close(to_numpy(getattr(linalg, name)(x)), theirs(name, (to_numpy(x),), {}), 1e-12, name)
    assert_matches(linalg.solve([[2.0, 0.0], [0.0, make(xp, 4.0)]], [2.0, 4.0]), np.array([1.0, 1.0]), xp=xp)
    assert_matches(linalg.block_diag(x, 1), np.array([[2, 1, 0], [1, 3, 0], [0, 0, 1]]), xp=xp)


def test_matrices_of_one_and_of_no_element(xp):
    for name in ("expm", "sqrtm", "logm"):
        f = getattr(linalg, name)
        assert f(make(xp, np.zeros((0, 0)))).shape == (0, 0)
        assert_close(to_numpy(f(make(xp, [[4.0]]))), theirs(name, ([[4.0]],), {}), 1e-13)
        assert f(make(xp, np.zeros((0, 2, 2)))).shape == (0, 2, 2)
    assert linalg.solve_sylvester(*on(xp, (np.zeros((0, 0)), A, np.zeros((0, 4))))).shape == (0, 4)


def test_ill_conditioned_matrices(xp):
    """The error of a root is that of a root of a matrix which differs by its rounding."""
    u = np.linalg.qr(A)[0]
    x = u @ np.diag([1e-8, 1e-3, 1.0, 10.0]) @ u.T
    root = to_numpy(linalg.sqrtm(make(xp, x)))
    assert_close(root @ root, x, 1e-13)
    assert_close(to_numpy(linalg.expm(linalg.logm(make(xp, x + 1e-3 * np.eye(4))))), x + 1e-3 * np.eye(4), 1e-12)
    assert_close(
        to_numpy(linalg.expm(make(xp, [[-1000.0, 1.0], [0.0, -1.0]]))),
        theirs("expm", ([[-1000.0, 1.0], [0.0, -1.0]],), {}),
        1e-12,
    )


def test_plain_arrays_are_scipys():
    for case, (name, args, options) in ALL.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, want = getattr(linalg, name)(*args, **options), theirs(name, args, options)
        for one, other in zip(*((x if isinstance(x, tuple) else (x,)) for x in (found, want)), strict=True):
            assert type(one) is type(other), case
            np.testing.assert_array_equal(one, other)
    assert linalg.issymmetric(np.eye(2))
    assert linalg.LinAlgError is scipy_linalg.LinAlgError


def test_wrong_arguments_are_named(xp):
    x = make(xp, A)
    with pytest.raises(ValueError, match=r"expm: the matrix must be square, of shape \(\.\.\., n, n\), not \(3, 4\)"):
        linalg.expm(x[:3])
    with pytest.raises(
        ValueError, match=r"sqrtm: a matrix, or a stack of them, has two axes or more; this has shape \(4,\)"
    ):
        linalg.sqrtm(x[0])
    with pytest.raises(
        ValueError, match=r"solve: for a of shape \(4, 4\), b has shape \(4,\) or \(\.\.\., 4, k\), not \(3,\)"
    ):
        linalg.solve(x, x[0, :3])
    with pytest.raises(ValueError, match="assume_a must be one of"):
        linalg.solve(x, x, assume_a="square")
    with pytest.raises(ValueError, match="trans must be 0 or 'N'"):
        linalg.solve_triangular(x, x, trans=3)
    with pytest.raises(ValueError, match=r"a has shape \(\.\.\., m, m\)"):
        linalg.solve_sylvester(x, x, x[:3])
    with pytest.raises(ValueError, match="a matrix without an inverse has no logarithm"):
        linalg.sqrtm(make(xp, [[1.0, 1.0], [1.0, 1.0]]))
    with pytest.raises(NotImplementedError, match="qr: pivoting=True is for plain arrays only"):
        linalg.qr(x, pivoting=True)
    with pytest.raises(ValueError, match="within 0 to 3"):
        linalg.eigh(x, subset_by_index=(2, 4))
    with pytest.raises(NotImplementedError, match="transposed=True is for real matrices"):
        linalg.solve(make(xp, C), x, transposed=True)
    with pytest.raises(ValueError, match="a column and a row have an axis"):
        linalg.toeplitz(make(xp, 1.0))
    with pytest.raises(ValueError, match="E have one shape"):
        linalg.expm_frechet(x, x[:2, :2])


def test_what_only_scipy_has_takes_no_tensor(xp):
    with pytest.raises(
        TypeError, match=r"scipy\.linalg\.signm does not take tensors\. .*xgrad\.scipy\.linalg\.sinm; or t\.detach"
    ):
        linalg.signm(make(xp, A))
    with pytest.raises(AttributeError, match=r"neither xgrad\.scipy\.linalg nor scipy\.linalg has 'nonsense'"):
        linalg.nonsense  # noqa: B018
