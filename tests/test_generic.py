"""Array libraries without a backend of their own: their arrays are passed in as they are."""

from __future__ import annotations

import importlib
import pickle
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES
from tests.laws import gradient_is_the_same_as_on_numpy, value_is_the_librarys, vjp_is_the_differences
from tests.point import Point
from tests.support.arrays import assert_matches, to_numpy
from tests.support.processes import output
from tests.support.rationals import Row, asarray
from xgrad.backends import load, names
from xgrad.backends import owner as owner_of
from xgrad.backends.special import LIBRARYS


def owner(array: Any) -> Any:
    """The backend of an array."""
    return owner_of(array)


# --- a tiny one: exact fractions --------------------------------------------------------------------

X = [Fraction(1, 3), Fraction(2), Fraction(-5, 7)]


def f(x):
    return xg.sum(x * x / (x + 2) - 3 * x + x**3)


def df(v):
    return (2 * v * (v + 2) - v * v) / (v + 2) ** 2 - 3 + 3 * v * v


def test_gradients_are_exact():
    """Nothing in between is a float: the array would refuse."""
    x = asarray(X)
    value, g = xg.value_and_grad(f)(x)
    assert isinstance(value.data, Row)
    assert value.data.values == [sum(v * v / (v + 2) - 3 * v + v**3 for v in X)]
    assert isinstance(g.data, Row)
    assert g.data.values == [df(v) for v in X]
    assert xg.jvp(f, (x,), (x,))[1].data.values == [sum(v * df(v) for v in X)]


def test_second_derivatives_are_exact():
    (h,) = xg.hvp(f, (asarray(X),), (asarray([1, 1, 1]),))
    assert h.data.values == [8 / (v + 2) ** 3 + 6 * v for v in X]


def test_backward_and_the_current_backend_is_another():
    x = xg.asarray(asarray(X), requires_grad=True)
    (x * Fraction(1, 7)).backward(x.detach())
    assert x.grad.data.values == [v / 7 for v in X]
    assert x.backend is x.grad.backend is owner(x.data)
    assert xg.get_backend() is not x.backend
    assert x.backend.name in repr(x)
    assert pickle.loads(pickle.dumps(x.backend)) is x.backend


def test_what_it_lacks_is_named():
    x = asarray(X)
    name = owner(x).name
    for function, lacking in ((xg.exp, "exp"), (xg.linalg.inv, r"linalg\.inv"), (xg.special.erf, r"special\.erf")):
        with pytest.raises(NotImplementedError, match=f"backend '{name}' cannot do {lacking}: .* no such function"):
            function(x)
    assert not hasattr(owner(x).xp, "__len__")


def test_it_mixes_with_no_other_library():
    x = xg.asarray(asarray(X))
    with pytest.raises(xg.MixedBackendsError, match=r" met .*Backend\(numpy"):
        x + xg.ones(3)
    with pytest.raises(TypeError, match="Rational"):  # its asarray takes no NumPy array
        x + np.ones(3)


def test_its_numbers_come_to_the_host_only_when_asked(monkeypatch):
    monkeypatch.delattr(Row, "__array__")
    monkeypatch.setattr(Row, "__float__", lambda self: float(self.values[0]))
    x = xg.asarray(asarray(X))
    np.testing.assert_array_equal(x.numpy(), [float(v) for v in X])
    assert x.numpy().dtype == np.float64
    assert x[1].item() == float(x[1]) == 2.0
    assert xg.asarray(asarray([])).numpy().shape == (0,)


def test_it_is_used_by_name_once_it_is_known():
    backend = owner(asarray(X))
    assert load(backend.name) is backend
    with xg.use_backend(backend.name):
        assert xg.zeros(2).data.values == [0, 0]
    assert backend.name not in names()
    with pytest.raises(xg.BackendError, match="has no device 'nowhere'"):
        load(backend.name, "nowhere")


@pytest.mark.parametrize(
    "value", [1.0, [1.0], "a", None, np.float64(1.0), object(), xg.ones(2)], ids=lambda v: type(v).__name__
)
def test_what_is_no_array_has_no_backend(value):
    assert owner(value) is None


# --- one that has all of the standard -------------------------------------------------------------------


@pytest.fixture(scope="module")
def unheard(tmp_path_factory):
    """array-api-strict under a name that nobody has heard of."""
    strict = pytest.importorskip("array_api_strict")
    folder = tmp_path_factory.mktemp("unheard")
    (folder / "unheard_of").mkdir()
    for source in Path(strict.__file__).parent.glob("*.py"):
        text = source.read_text(encoding="utf-8").replace("array_api_strict", "unheard_of")
        (folder / "unheard_of" / source.name).write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("unheard_of")
    sys.path.remove(str(folder))


@pytest.fixture
def unprepared(unheard):
    backend = owner(unheard.ones(1))
    with xg.use_backend(backend):
        yield backend


def test_its_name_is_the_librarys(unprepared):
    assert unprepared.name == "unheard_of"
    assert unprepared.owns(xg.ones(1).data)
    assert not unprepared.owns(np.ones(1))


@pytest.mark.parametrize("law", [value_is_the_librarys, gradient_is_the_same_as_on_numpy], ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", sorted(CASES))
def test_every_function_that_it_has_is_differentiated(unprepared, name, law):
    for case in CASES[name]:
        if name in LIBRARYS:
            with pytest.raises(
                NotImplementedError, match=r"'unheard_of' cannot do special\.\w+: the library has no such"
            ):
                law(Point(case, unprepared))
        elif "strict" not in case.without:
            law(Point(case, unprepared))


@pytest.mark.parametrize("name", ["getitem", "setitem", "scatter", "take", "take_along_axis"])
def test_also_where_its_arrays_cannot_be_written_to(unprepared, name, monkeypatch):
    monkeypatch.delattr(unprepared.array_types[0], "__setitem__")
    for case in CASES[name]:
        if "strict" not in case.without:
            vjp_is_the_differences(Point(case, unprepared))
    x = xg.asarray([1.0, 2.0, 3.0])
    x[1:] = 5.0
    assert_matches(x, [1.0, 5.0, 5.0], xp=unprepared.view)


def test_another_device_of_it(unheard):
    x = unheard.asarray([1.0, 2.0], device=unheard.Device("device1"))
    g = xg.grad(lambda x: xg.sum(xg.where(x > 1.0, x * x, xg.zeros_like(x))))(x)
    assert g.backend is owner(x)
    assert g.data.device == g.device == x.device != owner(unheard.ones(1)).device
    assert g.backend.xp.zeros(3).device == x.device


def test_training_on_it(unprepared):
    rng = xg.random.Generator(0)
    model = xg.nn.Sequential(xg.nn.Linear(1, 8, rng=rng), xg.nn.Tanh(), xg.nn.Linear(8, 1, rng=rng))
    optimizer = xg.optim.Adam(model.parameters(), lr=0.05)
    x = xg.reshape(xg.linspace(-1.0, 1.0, 16), (16, 1))
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = xg.mean((model(x) - x * x) ** 2)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    assert unprepared.owns(model[0].weight.data)


# --- an entry point goes first --------------------------------------------------------------------------


def test_a_library_with_an_entry_point_gets_the_backend_that_it_names(tmp_path):
    (tmp_path / "rows.py").write_text(
        (Path(__file__).parent / "support" / "rationals.py").read_text(encoding="utf-8") + "\nRow.__module__ = 'rows'\n"
        "def plugin():\n"
        "    from xgrad.backends.generic import Generic, Library\n"
        "    members = dict(name='rows', array_types=(Row,), of=Library(rationals, 'rows'), memory=lambda self: 'prepared')\n"
        "    return type('Rows', (Generic,), members)\n"
        "Prepared = plugin()\n"
    )
    info = tmp_path / "rows-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rows\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[xgrad.backends]\nrows = rows:Prepared\n")
    source = """
    import xgrad as xg
    import rows
    x = xg.square(rows.asarray([2, 3]))
    print(x.backend, x.backend.memory(), x.data)
    """
    assert output(source, path=tmp_path) == "Backend(rows, cpu) prepared Row(4, 9)"


# --- mparray: fifty digits --------------------------------------------------------------------------------

DIGITS = 50


@pytest.fixture
def mp(monkeypatch):
    """mpmath at fifty digits, and mparray's arrays unable to become NumPy's or floats."""
    mparray, mpmath = pytest.importorskip("mparray"), pytest.importorskip("mpmath")

    def refuse(self, *args, **kwargs):
        raise AssertionError("fifty digits were made sixteen")

    for name in ("__array__", "__float__"):
        monkeypatch.setattr(mparray.MPArray, name, refuse, raising=False)
    with mpmath.mp.workdps(DIGITS):
        yield mpmath.mp


FUNCTIONS = {
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "log10": "log10", "sin": "sin", "cos": "cos", "tan": "tan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh", "atan": "atan", "sqrt": "sqrt",
    "special.erf": "erf", "special.erfc": "erfc", "special.ndtr": "ncdf", "special.gamma": "gamma", "special.gammaln": "loggamma",
}  # fmt: skip


def assert_digits(mp, got, want):
    """To 45 digits."""
    assert type(got.data).__name__ == "MPArray"
    for g, w in zip(np.ravel(got.data._data), want, strict=True):
        assert abs(g - w) <= abs(w) * mp.mpf(10) ** -45, (g, w)


def points(mp):
    import mparray

    xs = [mp.mpf(1) / 3, mp.mpf(2), mp.mpf(7) / 5]
    return xs, mparray.asarray(xs)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_derivative_of_fifty_digits(mp, name):
    face = xg.special if name.startswith("special.") else xg
    function = getattr(face, name.removeprefix("special."))
    xs, x = points(mp)
    with mp.workdps(2 * DIGITS):
        want = [mp.diff(getattr(mp, FUNCTIONS[name]), v) for v in xs]
    assert_digits(mp, xg.grad(lambda x: xg.sum(function(x)))(x), want)
    assert_digits(mp, xg.jvp(function, (x,), (xg.ones_like(xg.asarray(x)),))[1], want)


def test_a_gradient_and_a_hessian_of_fifty_digits(mp):
    """Of log(sum(exp(x) / 7)) + x0 * x1 * x2: a softmax, its covariance, and what the product adds."""
    xs, x = points(mp)
    seventh = mp.mpf(1) / 7

    def g(x):
        return xg.log(xg.sum(xg.exp(x) * seventh)) + xg.prod(x)

    p = [mp.exp(v) / sum(map(mp.exp, xs)) for v in xs]
    others = [xs[1] * xs[2], xs[0] * xs[2], xs[0] * xs[1]]
    assert_digits(mp, xg.grad(g)(x), [a + b for a, b in zip(p, others, strict=True)])
    hessian = [p[i] * (i == j) - p[i] * p[j] + (0 if i == j else xs[3 - i - j]) for i in range(3) for j in range(3)]
    assert_digits(mp, xg.hessian(g)(x), hessian)


def test_a_write_of_fifty_digits(mp):
    xs, x = points(mp)
    t = xg.asarray(x, requires_grad=True)
    y = t * 1.0
    y[0] = t[1] * (mp.mpf(1) / 7)
    xg.sum(y * y).backward()
    assert_digits(mp, t.grad, [mp.mpf(0), 2 * xs[1] + 2 * xs[1] / 49, 2 * xs[2]])
    assert x._data[0] == xs[0]


def test_what_mparray_lacks_is_named(mp):
    _, x = points(mp)
    with pytest.raises(NotImplementedError, match=r"'mparray' cannot do linalg\.inv: the library has no such function"):
        xg.linalg.inv(x)


def test_a_number_on_the_host_is_a_float():
    mparray = pytest.importorskip("mparray")
    t = xg.asarray(mparray.asarray([1.5, 2.5]))
    assert t.numpy().tolist() == to_numpy(t).tolist() == [1.5, 2.5]
    assert t.numpy().dtype == np.float64
    assert t[0].item() == 1.5


# --- one that answers a question about dtypes with all of them ----------------------------------------------


def test_dtypes_are_asked_one_by_one(unheard, monkeypatch):
    """A library may ignore the kind that it is asked for; then float32 was taken for complex."""
    info = type(unheard.__array_namespace_info__())
    with_kind = info.dtypes
    monkeypatch.setattr(info, "dtypes", lambda self, *, device=None, kind=None: with_kind(self, device=device))
    known = owner(unheard.ones(1))
    backend = type(known)(known.name, known.device)
    assert backend.complex_dtypes == {unheard.complex64, unheard.complex128}


# --- ndonnx: arrays that may stand for what an ONNX model will be given ---------------------------------------


@pytest.fixture(scope="module")
def ndonnx():
    pytest.importorskip("onnxruntime")
    return pytest.importorskip("ndonnx")


M = np.asarray([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
PROGRAMS = {
    "elementwise": lambda x: xg.sum(xg.tanh(x) * x / (xg.exp(-x) + 2.0)),
    "powers and choices": lambda x: xg.sum(xg.where(x > 0.0, x**3, xg.sqrt(xg.abs(x)) * x)),
    "reductions": lambda x: xg.sum(xg.mean(x, axis=0) * xg.max(x, axis=0)) + xg.logsumexp(x),
    "products": lambda x: xg.sum(x @ xg.matrix_transpose(x) * 0.5),
    "shapes": lambda x: xg.sum(xg.concat([x, xg.flip(x, axis=1)], axis=0)[1:, ::2] ** 2),
    "indices": lambda x: xg.sum(xg.take(x, xg.asarray(np.asarray([0, 2, 2])), axis=1) ** 2),
    "softmax": lambda x: xg.sum(xg.softmax(x, axis=-1) ** 2),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_gradient_through_ndonnx_is_numpys(ndonnx, name):
    f = PROGRAMS[name]
    x = ndonnx.asarray(M)
    with xg.use_backend(owner(x)):
        value, g = xg.value_and_grad(f)(x)
    want, w = xg.value_and_grad(f)(M)
    assert type(g.data) is ndonnx.Array
    assert g.dtype == ndonnx.float64
    np.testing.assert_allclose(value.numpy(), want.numpy(), rtol=1e-12)
    np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-12)


def test_the_other_modes_through_ndonnx(ndonnx):
    f, x = PROGRAMS["elementwise"], ndonnx.asarray(M)
    _, tangent = xg.jvp(f, (x,), (x,))
    (h,) = xg.hvp(f, (x,), (x,))
    np.testing.assert_allclose(tangent.numpy(), np.sum(xg.grad(f)(M).numpy() * M), rtol=1e-12)
    np.testing.assert_allclose(h.numpy(), xg.hvp(f, (M,), (M,))[0].numpy(), rtol=1e-12, atol=1e-14)


def test_backward_and_float32_through_ndonnx(ndonnx):
    x = xg.asarray(ndonnx.asarray(M.astype(np.float32)), requires_grad=True)
    xg.sum(x * x * x).backward()
    assert x.grad.dtype == ndonnx.float32
    np.testing.assert_allclose(x.grad.numpy(), 3 * M**2, rtol=1e-6)


def test_a_gradient_becomes_an_onnx_model(ndonnx):
    """Of an array that has a shape but no values yet; ONNX's own runtime gives the numbers."""
    import onnxruntime

    x = ndonnx.argument(shape=(2, 3), dtype=ndonnx.float64)
    g = xg.grad(lambda x: xg.sum(x * x * xg.exp(x)))(x)
    model = ndonnx.build({"x": x}, {"g": g.data})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (found,) = session.run(None, {"x": M})
    np.testing.assert_allclose(found, (2 * M + M * M) * np.exp(M), rtol=1e-12)


def test_what_ndonnx_lacks_is_named(ndonnx):
    x = ndonnx.asarray(M)
    with pytest.raises(NotImplementedError, match=r"'ndonnx' cannot do linalg\.inv: the library has no such function"):
        xg.linalg.inv(x)
    with pytest.raises(NotImplementedError, match=r"atan2 of .* the library raised NotImplementedError"):
        xg.atan2(x, x)
