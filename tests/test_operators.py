"""Operators, and writing in place: right on what was computed, refused where a gradient would be wrong."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, raw, to_numpy

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod, operator.floordiv]
IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow]


@pytest.mark.parametrize("op", BINARY)
def test_operators_are_numpys(xp, op):
    a, b = np.array([[2.5, 3.0]]), np.array([[1.5], [2.0]])
    x, y = make(xp, a), make(xp, b)
    assert_matches(op(x, y), op(a, b), xp=xp)
    assert_matches(op(x, 2.0), op(a, 2.0), xp=xp)
    assert_matches(op(2.0, x), op(2.0, a), xp=xp)
    assert_matches(op(x, 2), op(a, 2), xp=xp)


def test_others(xp):
    a = np.array([[2.5, -3.0], [0.0, 1.0]])
    x = make(xp, a)
    for unary in (operator.neg, operator.pos, abs):
        assert_matches(unary(x), unary(a), xp=xp)
    for op in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        assert_matches(op(x, 0.0), op(a, 0.0), xp=xp, rtol=0)
        assert_matches(op(1.0, x), op(1.0, a), xp=xp, rtol=0)
    assert_matches(x @ x, a @ a, xp=xp)
    i = np.array([1, 2, 12])
    n = make(xp, i)
    for bitwise in (operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift):
        assert_matches(bitwise(n, 2), bitwise(i, 2), xp=xp, rtol=0)
        assert_matches(bitwise(2, n), bitwise(2, i), xp=xp, rtol=0)
    assert_matches(~n, ~i, xp=xp, rtol=0)
    for shape in ((), (3,), (2, 3), (1, 2, 3)):
        values = np.reshape(np.arange(np.prod(shape, dtype=int), dtype=float), shape)
        assert_matches(make(xp, values).T, values.T, xp=xp, rtol=0)


def test_methods(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert_matches(x.sum().detach(), 10.0, xp=xp)
    assert_matches(x.sum(0, keepdims=True).detach(), [[4.0, 6.0]], xp=xp)
    assert_matches(x.sum(axis=1, dtype=xp.float32).detach(), [3.0, 7.0], xp=xp, dtype="float32")
    assert_matches(x.mean(0).detach(), [2.0, 3.0], xp=xp)
    assert_matches(x.mean(-1, keepdims=True).detach(), [[1.5], [3.5]], xp=xp)
    for shape in ((4,), ((4,),), (-1,), ([4],)):
        assert x.reshape(*shape).shape == (4,)
    assert x.sum().reshape(()).shape == ()
    (x.reshape(1, 4)[0, 1:] * x.mean()).sum().backward()
    assert_matches(x.grad, [[2.25, 4.75], [4.75, 4.75]], xp=xp)
    assert_matches(np.sum(x, axis=0).detach(), [4.0, 6.0], xp=xp)
    assert_matches(np.mean(x, dtype=xp.float32).detach(), 2.5, xp=xp, dtype="float32")
    with pytest.raises(TypeError, match="a NumPy array cannot keep the gradient"):
        np.sum(x, out=np.zeros(()))


# --- in place -------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", IN_PLACE)
def test_in_place_on_what_was_computed(xp, op):
    """As the operator that makes a new tensor, value and gradient; and what was saved before is what it was."""
    a, b = make(xp, [1.5, 2.5], requires_grad=True), make(xp, [0.5, 1.5], requires_grad=True)

    def f(a, b, apply):
        y = xp.exp(a * 0.5)  # saves its output
        z = y * y
        y = apply(y, b)
        y = apply(y, 2.0)
        return xp.sum(y * z)

    def in_place(y, b):
        before = y
        y = op(y, b)
        assert y is before
        return y

    plain = getattr(operator, op.__name__[1:])
    got, want = f(a, b, in_place), f(a, b, plain)
    assert_matches(got.detach(), to_numpy(want), xp=xp)
    wanted = xg.grad(lambda a, b: f(a, b, plain), (0, 1))(a.detach(), b.detach())
    got.backward()
    for t, w in zip((a, b), wanted, strict=True):
        assert_matches(t.grad, to_numpy(w), xp=xp)


@pytest.mark.parametrize("op", IN_PLACE)
def test_a_leaf_is_not_written(xp, op):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        op(x, 2.0)
    with pytest.raises(RuntimeError, match="leaf"):
        x[0] = 5.0
    assert_matches(x.detach(), [1.0, 2.0], xp=xp)
    assert x.is_leaf


def test_a_leaf_gets_a_new_value_under_no_grad(xp):
    """Gradient descent by hand. A graph that was made before keeps the old value."""
    w: Any = make(xp, [1.0, 2.0], requires_grad=True)
    loss = xp.sum(w * w)
    loss.backward(retain_graph=True)
    leaf = w.node
    with xg.no_grad():
        w -= w.grad * 0.5
        w[1] = 7.0
    assert w.node is leaf
    assert w.is_leaf
    assert_matches(w.detach(), [0.0, 7.0], xp=xp)
    w.grad = None
    loss.backward()
    assert_matches(w.grad, [2.0, 4.0], xp=xp)


def test_a_computed_tensor_is_not_written_under_no_grad(xp):
    y = make(xp, [1.0, 2.0], requires_grad=True) * 2.0
    with xg.no_grad():
        with pytest.raises(RuntimeError, match="no_grad"):
            y += 1.0
        with pytest.raises(RuntimeError, match="no_grad"):
            y[0] = 1.0
        z = y * 1.0
        z += 1.0
        z[0] = 3.0
    assert y.requires_grad
    assert_matches(y.detach(), [2.0, 4.0], xp=xp)
    assert_matches(z, [3.0, 5.0], xp=xp)


def test_in_place_keeps_shape_and_dtype(xp):
    x = make(xp, [1.0, 2.0], "float32")
    with pytest.raises(ValueError, match=r"'\+='.*\(2,\).*\(3, 2\)"):
        x += make(xp, np.ones((3, 2)), "float32")
    with pytest.raises(ValueError, match="complex128"):
        x *= make(xp, [1j, 2.0])
    n = make(xp, [1, 2])
    with pytest.raises((ValueError, TypeError), match="int64"):  # strict divides no integers
        n /= 2
    assert_matches(x, [1, 2], xp=xp, dtype="float32")
    assert_matches(n, [1, 2], xp=xp)


def test_in_place_decides_on_the_precision(xp):
    """As in NumPy and PyTorch, an operand of the same kind may be of another dtype."""
    n = make(xp, [1, 2], "int32")
    n += make(xp, [10, 20])
    assert_matches(n, [11, 22], xp=xp, dtype="int32")
    x, y = make(xp, [1.0, 2.0], "float32"), make(xp, [3.0, 4.0], requires_grad=True)
    x *= y
    assert_matches(x.detach(), [3.0, 8.0], xp=xp, dtype="float32")
    xp.sum(x).backward()
    assert_matches(y.grad, [1.0, 2.0], xp=xp)


def test_a_write_makes_a_tensor_part_of_the_graph(xp):
    x, total = make(xp, [1.0, 2.0], requires_grad=True), make(xp, [0.0, 0.0])
    for _ in range(3):
        total += x * x
    xp.sum(total).backward()
    assert_matches(x.grad, [6.0, 12.0], xp=xp)


def test_other_tensors_of_the_same_array_see_nothing(backend, xp):
    array = raw(backend, [1.0, 2.0])
    x = xp.asarray(array)
    other, part = x.detach(), x[:1].detach()
    x += 1.0
    x[0] = 9.0
    assert_matches(x, [9.0, 3.0], xp=xp)
    for t, want in ((other, [1.0, 2.0]), (part, [1.0]), (xp.asarray(array), [1.0, 2.0])):
        assert_matches(t, want, xp=xp)


# --- x[key] = value -------------------------------------------------------------------------------

KEYS = {
    "integer": (1, ...),
    "slice": (slice(None), slice(0, 2)),
    "step": (slice(None, None, 2), slice(0, None, 2)),
    "ellipsis": ...,
    "element": (2, 1),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_writing_a_part(xp, key):
    host = np.arange(9.0).reshape(3, 3) / 9
    values = np.cos(host[key])
    x, v = make(xp, host, requires_grad=True), make(xp, values, requires_grad=True)

    def f(x, v):
        y = x * x
        z = y * 2.0
        y[key] = v
        return xp.sum(y * y + z)

    f(x, v).backward()
    inside = np.zeros_like(host)
    inside[key] = 1
    assert_matches(x.grad, (1 - inside) * 4 * host**3 + 4 * host, xp=xp)
    assert_matches(v.grad, 2 * values, xp=xp)
    xg.check_grads(f, x.detach(), v.detach(), order=2)


def test_writing_by_a_mask(xp):
    host = np.array([1.0, -2.0, 3.0])
    x, v = make(xp, host, requires_grad=True), make(xp, 5.0, requires_grad=True)
    y = x * x
    y[x < 0] = v
    xp.sum(y * y).backward()
    assert_matches(x.grad, [4.0, 0.0, 108.0], xp=xp)
    assert_matches(v.grad, 10.0, xp=xp)


def test_a_written_number_is_spread(xp):
    x, v = make(xp, np.ones((2, 3)), requires_grad=True), make(xp, [2.0], requires_grad=True)
    y = x * 3.0
    y[0, ...] = v
    y[1, 0] = 7.0
    xp.sum(y * make(xp, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).backward()
    assert_matches(x.grad, [[0, 0, 0], [0, 15.0, 18]], xp=xp)
    assert_matches(v.grad, [6.0], xp=xp)


def test_a_place_written_twice_belongs_to_the_last(backend, xp):
    v = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    places = make(xp, [1, 0, 1])

    def f(v):
        y = 0.0 * v
        y[places] = v * v
        return xp.sum(y * make(xp, [10.0, 100.0, 1000.0]))

    f(v).backward()
    assert_matches(v.grad, [0.0, 40.0, 600.0], xp=xp)
    xg.check_grads(f, v.detach(), order=2)


def test_writing_into_itself(xp):
    x = make(xp, [1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1.0
    y[1:] = y[:-1]
    assert_matches(y.detach(), [1.0, 1.0, 2.0], xp=xp)
    xp.sum(y * make(xp, [1.0, 10.0, 100.0])).backward()
    assert_matches(x.grad, [11.0, 100.0, 0.0], xp=xp)


def test_a_write_to_a_part_that_was_read_reaches_the_whole(xp):
    x = make(xp, [[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1.0
    row = y[0, ...]
    row[0] = 9.0
    assert_matches(y.detach(), [[9.0, 2.0], [3.0, 4.0]], xp=xp)
    xp.sum(row * y[0, ...]).backward()
    assert_matches(x.grad, [[0.0, 4.0], [0.0, 0.0]], xp=xp)


def test_many_writes(xp):
    x = make(xp, np.arange(10.0), requires_grad=True)
    y = 0.0 * x
    for i in range(10):
        y[i] = x[i] * x[9 - i]
    xp.sum(y).backward()
    assert_matches(x.grad, 2 * np.arange(10.0)[::-1], xp=xp)


def test_a_write_that_does_not_fit_changes_nothing(backend, xp):
    y = make(xp, [1.0, 2.0], requires_grad=True) * 1.0
    node = y.node
    with pytest.raises((IndexError, ValueError), match="setitem"):
        y[5] = 1.0
    with pytest.raises(ValueError, match="setitem"):
        y[:] = make(xp, [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="setitem"):
        y[0] = "a"
    assert y.node is node
    assert_matches(y.detach(), [1.0, 2.0], xp=xp)


def test_a_complex_value_is_not_written_into_a_real_tensor(xp):
    """Its imaginary part would be dropped."""
    y = make(xp, [1.0, 2.0], requires_grad=True) * 1.0
    for value in (make(xp, 1j), make(xp, 1j, requires_grad=True), 1j):
        with pytest.raises((TypeError, ValueError), match="setitem"):
            y[0] = value
    assert_matches(y.detach(), [1.0, 2.0], xp=xp)
    z = make(xp, [1.0, 2.0], "complex128")
    z[0] = make(xp, 5.0)
    assert_matches(z, [5 + 0j, 2 + 0j], xp=xp)


def test_read_only_memory_is_not_written(xp):
    host = np.arange(3.0)
    host.flags.writeable = False
    with xg.use_backend("numpy"):
        x = xg.asarray(host)
        x += 1.0
        x[0] = 5.0
        assert x.numpy().tolist() == [5.0, 2.0, 3.0]
    assert host.tolist() == [0.0, 1.0, 2.0]


def test_keys_stay_on_the_backend():
    pytest.importorskip("array_api_strict")
    x = xg.asarray([1.0, 2.0, 3.0])
    with xg.use_backend("strict") as strict:
        index = make(strict.view, [0, 1])
        for key in (index, index.data, (index,)):
            with pytest.raises(xg.MixedBackendsError, match="strict"):
                x[key]
            with pytest.raises(xg.MixedBackendsError, match="strict"):
                x[key] = 0.0
        y = make(strict.view, [1.0, 2.0])
        with pytest.raises(xg.MixedBackendsError, match="numpy"):
            y[x]
    assert_matches(x, [1.0, 2.0, 3.0], xp=x.__array_namespace__())


# --- operands that it does not know -----------------------------------------------------------------------


class Stranger:
    """Answers for itself, on either side."""

    def __getattr__(self, name):
        raise AttributeError(name)

    __hash__ = object.__hash__


for _name in (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"),
):
    setattr(Stranger, f"__r{_name}__", lambda self, other, name=_name: (name, self, other))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Stranger, f"__{_name}__", lambda self, other, name=_name: (name, self, other))

OPERATIONS = [
    *BINARY,
    *(operator.matmul, operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift),
]
IN_PLACE = [
    *(operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod, operator.ipow),
    *(operator.imatmul, operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift),
]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


@pytest.mark.parametrize("operation", [*OPERATIONS, *IN_PLACE, *COMPARISONS], ids=lambda f: f.__name__)
def test_the_other_operand_is_asked(xp, operation):
    x, stranger = xp.asarray([1.0, 2.0]), Stranger()
    name, one, other = operation(x, stranger)
    swapped = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
    asked = operation.__name__.strip("_")
    if operation in IN_PLACE:
        asked = asked[1:]
    assert name == swapped.get(asked, asked)
    assert one is stranger
    assert other is x


@pytest.mark.parametrize(
    "other",
    [None, "a", b"a", object(), {1}, Ellipsis, np.str_("a"), np.datetime64("2020")],
    ids=lambda v: type(v).__name__,
)
def test_what_is_no_number_is_not_equal(xp, other):
    """As in PyTorch: NumPy would compare element by element."""
    x = xp.asarray([1.0, 2.0])
    assert (x == other) is False
    assert (x != other) is True
    assert (other == x) is False
    assert (other != x) is True


@pytest.mark.parametrize("operation", [*OPERATIONS, *IN_PLACE, *COMPARISONS[:4]], ids=lambda f: f.__name__)
def test_what_nobody_answers_for_is_a_type_error(xp, operation):
    x = xp.asarray([1.0, 2.0])
    for pair in ((x, None), (None, x), (x, object()), (object(), x)):
        with pytest.raises(TypeError, match=r"unsupported operand|not supported between"):
            operation(*pair)


@pytest.mark.parametrize("other", [[1.0, 2.0], (1.0, 2.0)], ids=repr)
def test_a_list_is_refused_and_the_message_says_what_to_write(xp, other):
    """Python would find it unequal, or repeat it as often as a 0-d tensor says."""
    for x in (xp.asarray([1.0, 2.0]), xp.asarray(2)):
        for operation in (*BINARY, operator.matmul, operator.iadd, *COMPARISONS):
            for pair in ((x, other), (other, x)):
                with pytest.raises(TypeError, match=r"got a \w+: write xgrad\.asarray.[\[(]1\.0, 2\.0"):
                    operation(*pair)


def test_the_functions_refuse_what_they_do_not_know(xp):
    x = xp.asarray([1.0, 2.0])
    for function in (xp.add, xp.multiply, xp.pow, xp.matmul, xp.equal, xp.less, xp.bitwise_and, xp.atan2):
        for other in (None, "a", Stranger()):
            with pytest.raises(TypeError, match=f"^{function.__name__}: expected a tensor, an array"):
                function(x, other)
            with pytest.raises(TypeError, match=f"^{function.__name__}: expected a tensor, an array"):
                function(other, x)


def test_fractions_are_numbers(xp):
    x = xp.asarray([1.0, 2.0], requires_grad=True)
    for y, want in (
        (x * Fraction(1, 2), [0.5, 1.0]),
        (Fraction(1, 2) - x, [-0.5, -1.5]),
        (x == Fraction(2), [False, True]),
    ):
        np.testing.assert_array_equal(to_numpy(y), want)


def test_a_write_in_place_that_nobody_answers_for_changes_nothing(xp):
    x = xp.asarray([1.0, 2.0])
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+="):
        x += None
    np.testing.assert_array_equal(to_numpy(x), [1.0, 2.0])


def test_an_xarray_on_the_right():
    xarray = pytest.importorskip("xarray")
    t = xg.asarray([1.0, 2.0], requires_grad=True)
    labelled = xarray.DataArray(np.asarray([3.0, 4.0]), dims="k")
    y = t * labelled + t
    assert isinstance(y, xarray.DataArray)
    xg.sum(y.data).backward()
    assert t.grad.numpy().tolist() == [4.0, 5.0]
    assert isinstance(t == labelled, xarray.DataArray)


def test_a_linear_operator_on_the_right(monkeypatch):
    sparse = pytest.importorskip("scipy.sparse.linalg")
    twice = sparse.aslinearoperator(2.0 * np.eye(2))
    monkeypatch.setattr(type(twice), "__rmatmul__", lambda self, other: 2.0 * other)
    assert (xg.asarray([1.0, 2.0]) @ twice).numpy().tolist() == [2.0, 4.0]
