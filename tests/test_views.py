"""Views: a write to a view is seen in its base and in all other views. NumPy's own memory is the oracle."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES, SLOW, few
from tests.support.arrays import assert_close, make, to_numpy
from tests.support.view_programs import Dual, Features, Step, draw, on_oracle, replay
from xgrad.engine.views import Views, chain_of, is_read_only

FEATURES = {
    "strict": Features(index_arrays=False),
    "dask": Features(masks=False, index_arrays=False, negative_steps=False),
}
VALUES = [np.array([[0.5, -1.0, 0.25], [0.75, 1.5, -0.5]]), np.array([1.25, -0.75, 0.5, 1.0]), np.array(0.75)]


def program(backend: Any, seed: int) -> tuple[list[Step], list[Dual]]:
    if backend.name in SLOW and seed % 10:
        pytest.skip("nine of ten programs do not run where each takes long")
    return draw(seed, VALUES, FEATURES.get(backend.name, Features()))


def total(xp: Any, variables: list[Any], weights: list[Any]) -> Any:
    """One number that depends on every element of every variable."""
    result = 0.0
    for v, w in zip(variables, weights, strict=True):
        parts = (xp.real(v), xp.imag(v)) if xp.isdtype(v.dtype, "complex floating") else (v,)
        for part in parts:
            result = result + xp.sum(part * w)
    return result


def weights_of(xp: Any, duals: list[Dual]) -> tuple[list[Any], list[Any]]:
    rng = np.random.default_rng(0)
    hosts = [rng.normal(size=dual.shape) for dual in duals]
    return hosts, [make(xp, host) for host in hosts]


def wanted_gradient(duals: list[Dual], weights: list[Any]) -> Any:
    found: Any = 0.0
    for dual, w in zip(duals, weights, strict=True):
        slopes = (dual.slope.real, dual.slope.imag) if dual.is_complex else (dual.slope,)
        for slope in slopes:
            found = found + np.tensordot(w, slope, axes=w.ndim)
    return np.asarray(found)


def split(gradient: Any) -> list[Any]:
    ends = np.cumsum([value.size for value in VALUES])[:-1]
    return [part.reshape(value.shape) for part, value in zip(np.split(gradient, ends), VALUES, strict=True)]


def compare(got: Any, want: list[Any], what: str) -> None:
    scale = max(1.0, *(float(np.abs(w).max()) for w in want))
    for g, w in zip(got, want, strict=True):
        assert_close(to_numpy(g), w, 1e-11, what, floor=scale)


@pytest.mark.parametrize("seed", range(120))
def test_programs_have_numpys_values_and_gradients(backend, xp, seed):
    steps, duals = program(backend, seed)
    inputs = [make(xp, value, requires_grad=True) for value in VALUES]
    variables = replay(xp, steps, inputs, lambda key: make(xp, key))
    for k, (got, dual) in enumerate(zip(variables, duals, strict=True)):
        assert_close(to_numpy(got), dual.value, 1e-12, f"variable {k} of {steps}", floor=1.0)
    hosts, weights = weights_of(xp, duals)
    total(xp, variables, weights).backward()
    grads = [xp.zeros(x.shape, dtype=xp.float64) if x.grad is None else x.grad for x in inputs]
    compare(grads, split(wanted_gradient(duals, hosts)), f"the gradient of {steps}")


# --- the same programs in every way of asking for a derivative -----------------------------------------------


def scalar_program(backend: Any, xp: Any, seed: int) -> tuple[Any, list[Any], list[Step]]:
    """A program as a function of its inputs with one number as its value, that number's gradient, and the steps."""
    steps, duals = program(backend, seed)
    hosts, weights = weights_of(xp, duals)

    def f(*inputs: Any) -> Any:
        return total(xp, replay(xp, steps, inputs, lambda key: make(xp, key)), weights)

    return f, split(wanted_gradient(duals, hosts)), steps


def oracle_gradient(steps: list[Step], values: list[Any], seed: int, backend: Any) -> list[Any]:
    """The gradient at other values."""
    size = sum(value.size for value in values)
    ends = np.cumsum([0, *(value.size for value in values)])
    duals = [
        Dual(np.array(v), np.array(np.eye(size)[a:b].reshape((*v.shape, size))))
        for v, a, b in zip(values, ends, ends[1:], strict=False)
    ]
    for step in steps:
        on_oracle(duals, step)
    hosts, _ = weights_of(backend.view, duals)
    return split(wanted_gradient(duals, hosts))


@pytest.mark.parametrize("seed", range(200, 225))
def test_forward_mode(backend, xp, seed):
    f, want, steps = scalar_program(backend, xp, seed)
    directions = [np.cos(np.arange(v.size)).reshape(v.shape) for v in VALUES]
    _, tangent = xg.jvp(f, [make(xp, v) for v in VALUES], [make(xp, d) for d in directions])
    expected = sum(float((w * d).sum()) for w, d in zip(want, directions, strict=True))
    compare([tangent], [np.asarray(expected)], f"the tangent of {steps}")


@pytest.mark.parametrize("seed", range(225, 245))
def test_second_order(backend, xp, seed):
    f, _, steps = scalar_program(backend, xp, seed)
    directions = [np.sin(1 + np.arange(v.size)).reshape(v.shape) for v in VALUES]
    got = xg.hvp(f, tuple(make(xp, v) for v in VALUES), tuple(make(xp, d) for d in directions))
    h = 1e-5
    ahead, behind = (
        oracle_gradient(steps, [v + s * d for v, d in zip(VALUES, directions, strict=True)], seed, backend)
        for s in (h, -h)
    )
    want = [(a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)]
    scale = max(1.0, *(float(np.abs(w).max()) for w in want))
    for g, w in zip(got, want, strict=True):
        assert_close(to_numpy(g), w, 1e-7, f"the Hessian of {steps}, times a vector", floor=scale)


@pytest.mark.parametrize("seed", range(245, 265))
def test_under_vmap(backend, xp, seed):
    if backend.name == "dask":
        pytest.skip("each of dask's graphs takes a second here; test_vmap has its part")
    f, _, steps = scalar_program(backend, xp, seed)
    batches = [np.stack([v, v * 0.5 + 0.25]) for v in VALUES]
    got = xg.vmap(xg.grad(f, argnums=(0, 1, 2)))(*(make(xp, b) for b in batches))
    wants = [oracle_gradient(steps, [b[k] for b in batches], seed, backend) for k in (0, 1)]
    compare(got, [np.stack(pair) for pair in zip(*wants, strict=True)], f"under vmap: {steps}")


@pytest.mark.parametrize("seed", range(265, 285))
def test_in_checkpoint_and_under_detect_anomaly(backend, xp, seed):
    f, want, steps = scalar_program(backend, xp, seed)
    inputs = [make(xp, v, requires_grad=True) for v in VALUES]
    xg.checkpoint(f)(*inputs).backward()
    compare([xp.zeros_like(x) if x.grad is None else x.grad for x in inputs], want, f"in a checkpoint: {steps}")
    with xg.detect_anomaly():
        got = xg.grad(f, argnums=(0, 1, 2))(*(make(xp, v) for v in VALUES))
    compare(got, want, f"under detect_anomaly: {steps}")


@pytest.mark.parametrize("seed", range(285, 305))
def test_values_without_a_gradient(backend, xp, seed):
    steps, duals = program(backend, seed)
    with xg.no_grad():
        inputs = [make(xp, v, requires_grad=True) for v in VALUES]
        under_no_grad = replay(xp, steps, inputs, lambda key: make(xp, key))
    unmarked = replay(xp, steps, [make(xp, v) for v in VALUES], lambda key: make(xp, key))
    for got in (under_no_grad, unmarked):
        for variable, dual in zip(got, duals, strict=True):
            assert variable.node is None
            assert_close(to_numpy(variable), dual.value, 1e-12, f"a variable of {steps}", floor=1.0)


# --- algorithms ---------------------------------------------------------------------------------------------


def in_place_lu(xp: Any, a: Any) -> Any:
    """The factors of a matrix, in the place of a copy: row by row, each row a view."""
    lu = xp.asarray(a, copy=True)
    rows = [lu[i, ...] for i in range(3)]
    for k in range(3):
        for i in range(k + 1, 3):
            rows[i][k : k + 1] /= rows[k][k : k + 1]
            rows[i][k + 1 :] -= rows[i][k] * rows[k][k + 1 :]
    return lu


def gram_schmidt(xp: Any, a: Any) -> Any:
    q = xp.asarray(a, copy=True)
    columns = q.T
    for j in range(3):
        column = columns[j, ...]
        for i in range(j):
            column -= xp.sum(columns[i, ...] * column) * columns[i, ...]
        column /= xp.sqrt(xp.sum(column * column))
    return q


def heat(xp: Any, a: Any) -> Any:
    u = xp.reshape(xp.asarray(a, copy=True), (9,))
    inner, left, right = u[1:-1], u[:-2], u[2:]
    for _ in range(5):
        inner += 0.2 * (left - 2 * inner + right)
    return u


def running_products(xp: Any, a: Any) -> Any:
    y = xp.asarray(a, copy=True)
    flat = xp.reshape(y, (9,))
    for i in range(8):
        flat[i + 1 :] *= flat[i] ** 0.25
    return y


def ring_buffer(xp: Any, a: Any) -> Any:
    buffer = xp.zeros((2, 3), dtype=xp.float64)
    slots = xp.unstack(buffer)
    result = 0.0
    for t in range(6):
        slot = slots[t % 2]
        slot[...] = a[t % 3, ...] + 0.5 * slots[(t + 1) % 2]
        result = result + xp.sum(buffer * buffer)
    return result + buffer


@pytest.mark.parametrize("algorithm", [in_place_lu, gram_schmidt, heat, running_products, ring_buffer])
def test_algorithms_that_write_through_views(backend, xp, algorithm):
    values = np.array([[2.0, 0.5, 1.0], [0.25, 1.75, 0.5], [1.0, 0.75, 3.0]])

    def f(a: Any) -> Any:
        y = algorithm(xp, a)
        return xp.sum(y * xp.reshape(xp.arange(y.size, dtype=xp.float64) + 1.0, y.shape))

    got = to_numpy(xg.grad(f)(make(xp, values)))
    h, want = 1e-5, np.zeros_like(values)
    for at in np.ndindex(*values.shape):
        step = np.zeros_like(values)
        step[at] = h
        with xg.no_grad():
            ahead, behind = (f(make(xp, values + s * step)).item() for s in (1, -1))
        want[at] = (ahead - behind) / (2 * h)
    assert_close(got, want, 1e-7, algorithm.__name__)


def test_scipys_integrals_to_infinity_have_their_values():
    integrate = pytest.importorskip("scipy.integrate")
    with xg.use_backend("numpy"):
        zero, one, infinity = (xg.asarray(value) for value in (0.0, 1.0, np.inf))
        integral = integrate.tanhsinh(lambda x: xg.exp(-x), zero, infinity).integral
        total = integrate.nsum(lambda k: 1 / k**2, one, infinity).sum
    assert abs(integral.item() - 1.0) < 1e-10
    assert abs(total.item() - np.pi**2 / 6) < 1e-8


def test_the_algorithms_have_their_values(xp):
    a = np.array([[2.0, 0.5, 1.0], [0.25, 1.75, 0.5], [1.0, 0.75, 3.0]])
    lu = to_numpy(in_place_lu(xp, make(xp, a)))
    assert_close((np.tril(lu, -1) + np.eye(3)) @ np.triu(lu), a, 1e-12, "L @ U")
    q = to_numpy(gram_schmidt(xp, make(xp, a)))
    assert_close(q.T @ q, np.eye(3), 1e-12, "Q.T @ Q")
    u = a.ravel().copy()
    for _ in range(5):
        u[1:-1] += 0.2 * (u[:-2] - 2 * u[1:-1] + u[2:])
    assert_close(to_numpy(heat(xp, make(xp, a))), u, 1e-12, "the heat equation")


# --- what is a view, and what is not ------------------------------------------------------------------------

VIEWS = {
    *("reshape", "squeeze", "expand_dims", "permute_dims", "moveaxis", "matrix_transpose", "linalg.matrix_transpose"),
    *("flip", "unstack", "real", "imag", "linalg.diagonal", "getitem", "broadcast_to", "broadcast_arrays"),
    "chunk",
}


def test_only_these_functions_give_views(backend, xp):
    """A write to the result of any other function changes none of its arguments."""
    slow = backend.name in SLOW
    for i, (name, cases) in enumerate(CASES.items()):
        if slow and i % 5 and name not in VIEWS:
            continue
        for case in few(name, 1) if slow else cases:
            if xp.zeros(()).backend.name in case.without or xp.zeros(()).backend.cannot.get(name):
                continue
            args = [make(xp, host) for host in case.inputs()]
            before = [to_numpy(arg) for arg in args]
            try:
                outputs = case.run(xp, case.arguments(args, fixed=lambda host: make(xp, host)))
            except (AttributeError, NotImplementedError, TypeError):
                continue
            for y in outputs:
                if isinstance(y, xg.Tensor) and all(y is not arg for arg in args) and y.size:
                    root = chain_of(y)[-1]
                    assert name in VIEWS or all(root is not arg for arg in args), f"{case} gave a view"
                    if not is_read_only(chain_of(y)):
                        y[...] = 0.0
            if name not in VIEWS:
                for arg, values in zip(args, before, strict=True):
                    assert_close(to_numpy(arg), values, 0, f"an argument of {case}")


def test_copies_are_copies(backend, xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    copies = {
        "asarray(copy=True)": xp.asarray(x, copy=True),
        "astype": xp.astype(x, xp.float32),
        "roll": xp.roll(x, 1),
        "sort": xp.sort(x),
        "take": xp.take(x, make(xp, [0]), axis=0),
        "detach": x.detach(),
        "reshape(copy=True)": xp.reshape(x, (4,), copy=True),
        "reshape of a transposed view": xp.reshape(x.T, (4,)),
        "one element": x[0, 0],
    }
    copies |= {
        "tile": xp.tile(x, (1, 1)),
        "repeat": xp.repeat(x, 1, axis=0),
        "full": xp.full((2,), x[0, 0]),
        "meshgrid": xp.meshgrid(xp.reshape(x, (4,)))[0],
        "matrix_power": xp.linalg.matrix_power(x, 0),
    }
    if backend.name != "dask":
        copies["a mask"] = x[x > 0]
    for name, copy in copies.items():
        copy[...] = 9.0
        assert to_numpy(x).tolist() == [[1.0, 2.0], [3.0, 4.0]], name


def test_unpacking_gives_views_of_rows_and_copies_of_numbers(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    first, second = x
    first += 10.0
    second[0] = 0.0
    assert to_numpy(x).tolist() == [[11.0, 12.0], [0.0, 4.0]]
    v = make(xp, [1.0, 2.0])
    total, other = v
    total += other
    assert to_numpy(v).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "key", [(slice(None, None, -2), None, ...), (None, slice(None, None, -1), ...), (..., None, slice(None, 0, -1))]
)
def test_a_new_axis_beside_a_negative_step(xp, key):
    x, want = make(xp, np.arange(6.0).reshape(3, 2)), np.arange(6.0).reshape(3, 2)
    part, theirs = x[key], want[key]
    part[0, ...] = 7.0
    theirs[0, ...] = 7.0
    assert_close(to_numpy(x), want, 0.0)


def test_a_numpy_integer_in_the_key_gives_a_view(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    row = x[np.int64(1), ...]
    row[0] = 9.0
    assert to_numpy(x).tolist() == [[1.0, 2.0], [9.0, 4.0]]


def test_the_real_part_of_a_real_tensor_is_a_view(xp):
    x = make(xp, [1.0, 2.0])
    part = xp.real(x)
    part[0] = 5.0
    assert to_numpy(x).tolist() == [5.0, 2.0]


def test_parts_of_complex_numbers_stay_apart(xp):
    z = make(xp, [1 + 2j, 3 + 4j])
    re, im = xp.real(z), xp.imag(z)
    re[0] = float("inf")
    im[1] = float("nan")
    got = to_numpy(z)
    assert got[0].real == np.inf
    assert got[0].imag == 2.0
    assert got[1].real == 3.0
    assert np.isnan(got[1].imag)


# --- what is refused ----------------------------------------------------------------------------------------


def test_a_view_of_a_leaf_refuses_writes_as_the_leaf_does(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with xg.no_grad():
        unrecorded = x[0, ...]
    for view in (x[0, ...], x.T, unrecorded):
        with pytest.raises(RuntimeError, match="a view of a leaf that requires a gradient"):
            view[0] = 9.0
        with pytest.raises(RuntimeError, match="a view of a leaf that requires a gradient"):
            view += 1.0
    assert to_numpy(x).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_under_no_grad_a_view_gives_the_leaf_a_new_value(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    recorded = x[0, ...]
    y = recorded * recorded
    with xg.no_grad():
        x[1, ...] += 1.0
        recorded[0] = 10.0
    assert to_numpy(x).tolist() == [[10.0, 2.0], [4.0, 5.0]]
    assert x.is_leaf
    assert x.requires_grad
    xp.sum(y).backward()  # of the values that there were
    assert to_numpy(x.grad).tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_a_view_made_under_no_grad_of_a_computed_tensor(xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x * 1.0
    with xg.no_grad():
        view = y[:1]
        with pytest.raises(RuntimeError, match="a view of a computed tensor"):
            view[0] = 3.0
    with pytest.raises(RuntimeError, match="a view of a computed tensor"):
        view[0] = 3.0
    y[0] = 7.0  # recorded
    assert to_numpy(view).tolist() == [7.0]
    assert not view.requires_grad
    del y
    with pytest.raises(RuntimeError, match="computed tensor"):
        view[0] = 3.0


def test_what_is_broadcast_is_read_only_and_sees_writes(xp):
    x = make(xp, [1.0, 2.0])
    wide = xp.broadcast_to(x, (3, 2))
    row = wide[0, ...]
    for view in (wide, row):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            view += 1.0
    x[0] = 5.0
    assert to_numpy(wide).tolist() == [[5.0, 2.0]] * 3
    assert to_numpy(row).tolist() == [5.0, 2.0]


def test_a_write_that_fails_changes_no_view(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    row = x[0, ...]
    with pytest.raises((ValueError, RuntimeError)):
        row[0:2] = make(xp, [1.0, 2.0, 3.0])
    with pytest.raises(TypeError):
        xp.asarray([1, 2])[:1][0] = make(xp, 1.5, requires_grad=True)
    assert to_numpy(x).tolist() == [[1.0, 2.0], [3.0, 4.0]]


# --- new values by other ways -------------------------------------------------------------------------------


def test_views_follow_a_new_value_of_data(backend, xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    row, before = x[0, ...], x.detach()
    x.data = backend.asarray(np.array([[5.0, 6.0], [7.0, 8.0]]))
    assert to_numpy(row).tolist() == [5.0, 6.0]
    assert to_numpy(before).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    row.data = backend.asarray(np.array([0.0, 1.0]))
    assert to_numpy(x).tolist() == [[0.0, 1.0], [7.0, 8.0]]


def test_views_follow_an_optimizers_step(xp):
    p = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    row = p[0, ...]
    xp.sum(p).backward()
    xg.optim.SGD([p], lr=1.0).step()
    assert to_numpy(row).tolist() == [0.0, 1.0]


def test_a_new_value_of_another_shape_parts_the_views(backend, xp):
    x = make(xp, [1.0, 2.0])
    view = x[:1]
    x.data = backend.asarray(np.array([1.0, 2.0, 3.0]))
    view[0] = 9.0
    assert to_numpy(view).tolist() == [9.0]
    assert to_numpy(x).tolist() == [1.0, 2.0, 3.0]


def test_a_view_that_becomes_a_leaf_is_a_tensor_of_its_own(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]])
    row = x[0, ...]
    part = row[1:]
    row.requires_grad_()
    x[...] = 0.0
    assert to_numpy(row).tolist() == [1.0, 2.0]
    with xg.no_grad():
        part[0] = 7.0
    assert to_numpy(row).tolist() == [1.0, 7.0]
    assert to_numpy(x).tolist() == [[0.0, 0.0], [0.0, 0.0]]


# --- memory -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_view_outlives_its_base_and_frees_it(xp, no_collector):
    base = xp.zeros((2, 3), dtype=xp.float64) + 1.0
    view = base.T[1:, :]
    gone = weakref.ref(base)
    del base
    view[0, 0] = 5.0
    assert to_numpy(view).tolist() == [[5.0, 1.0], [1.0, 1.0]]
    del view
    assert gone() is None


@pytest.mark.parametrize("recorded", [False, True])
def test_views_and_writes_leave_nothing_behind(xp, no_collector, recorded):
    leaf = make(xp, np.ones((2, 3)), requires_grad=recorded)
    x = leaf * 1.0
    row = x[0, ...]
    row += 1.0
    x[:, 1] *= row[0]
    watched = [weakref.ref(t) for t in (x, row)]
    del x, row
    assert [reference() for reference in watched] == [None, None]


def test_a_base_forgets_views_that_are_gone(xp):
    x = xp.zeros((2, 3), dtype=xp.float64)
    kept = [x[0, ...] for _ in range(5)]
    for _ in range(1000):
        x[1, ...]
    assert len(x.shared) <= 32
    kept[0][0] = 1.0
    assert to_numpy(kept[4]).tolist() == [1.0, 0.0, 0.0]


def test_what_another_thread_appends_while_dead_views_are_removed_stays():
    views = Views()

    def appends_another():
        if len(views) == 1:
            views.append(lambda: "another view")

    views.append(appends_another)  # it stands for a dead reference
    views.prune()
    assert [reference() for reference in views] == ["another view"]


def test_under_no_grad_a_view_does_not_keep_the_graph(xp, no_collector):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    y = x * 2.0
    kept = weakref.ref(y)
    with xg.no_grad():
        view = y[:1]
    del y
    assert kept() is None
    assert to_numpy(view).tolist() == [2.0]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_family_that_nobody_else_holds_is_written_in_place(recorded):
    with xg.use_backend("numpy"):
        value = xg.asarray(2.0, requires_grad=recorded)
        x = xg.zeros((3, 100))
        row, part, turned = x[1], x[:, 2:5], x.T
        row[0] = value
        memory = x.data.ctypes.data
        for i in range(5):
            row[i] = value
            part += 1.0
            turned[i, 0] = 4.0
            x[2, :5] = value
        assert x.data.ctypes.data == memory
        assert all(np.shares_memory(x.data, view.data) for view in (row, part, turned))
        held = row.data
        row[0] = 0.0
        assert held[0] == 2.0  # somebody held that one


def test_a_base_and_its_one_view_are_written_in_place():
    with xg.use_backend("numpy"):
        x = xg.zeros((3, 100))
        row = x[1]
        memory = x.data.ctypes.data
        row[0] = 1.0
        x[2, 0] = 2.0
        assert x.data.ctypes.data == memory
        assert x.data.sum() == 3.0


def test_many_writes_into_one_view_make_a_short_graph_of_the_base():
    with xg.use_backend("numpy"):
        v = xg.asarray(2.0, requires_grad=True)
        x = xg.zeros((3, 10))
        row = x[1]
        row[0] = v
        node = id(x.node)
        for i in range(10):
            row[i] = v * (i + 1.0)
        assert id(x.node) == node
        xg.sum(x).backward()
        assert v.grad.item() == 55.0
