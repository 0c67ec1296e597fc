"""NumPy arrays are host data: they move to the backend of what they meet, and alone to the current one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.cases import CASES
from tests.helpers import assert_matches, make, raw, to_numpy
from xgrad import nn, optim

OTHER = {"numpy": "strict"}  # a current backend that is not the tensor's: NumPy, or for NumPy another one


def other_backend(backend: Any) -> Any:
    if backend.name == "numpy":
        pytest.importorskip("array_api_strict")
    return xg.use_backend(OTHER.get(backend.name, "numpy"))


def assert_same(got: Any, want: Any, backend: Any, what: str) -> None:
    for one, other in zip(got, want, strict=True):
        assert one.backend is backend, what
        assert one.dtype == other.dtype, what
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other), err_msg=what)


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_function_takes_them(backend, xp, name):
    """All arguments as NumPy arrays, and each next to a tensor while another backend is the current one."""
    if name in backend.cannot:
        pytest.skip(backend.cannot[name])
    for case in CASES[name]:
        if backend.name in case.without:
            continue
        hosts = case.inputs()
        alone = case.run(xp, case.arguments(hosts, fixed=lambda a: a))
        tensors = [make(xp, x) for x in hosts]
        want = case.run(xp, case.arguments(tensors, fixed=lambda a: make(xp, a)))
        if case.call is None or not any(isinstance(y, np.ndarray | np.generic) for y in alone):
            assert_same(alone, want, backend, f"{case}, alone")  # (an operator between NumPy arrays is NumPy's own)
        if name == "astype":
            continue  # its case makes a tensor of the NumPy array alone first
        with other_backend(backend):
            for i in range(len(tensors)):
                mixed = [t if i == k else x for k, (t, x) in enumerate(zip(tensors, hosts, strict=True))]
                got = case.run(xp, case.arguments(mixed, fixed=lambda a: a))
                assert_same(got, want, backend, f"{case}, with a tensor as argument {i}")


# --- where they may stand ---------------------------------------------------------------------------------


def host(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).normal(size=shape)


def test_operators(backend, xp):
    x, a = make(xp, host(2, 3), requires_grad=True), host(2, 3)
    with other_backend(backend):
        for y in (x + a, a + x, a * x, x / a, a - x, x @ a.T, a.T @ x, a**2 * x, x == a, a < x):
            assert y.backend is backend
        xg.sum(a * x).backward()
    assert_matches(x.grad, a, xp=xp)


def test_keys_and_values_that_are_written(backend, xp):
    x, index, mask = make(xp, host(4, 3)), np.array([3, 0]), np.array([True, False, True, False])
    with other_backend(backend):
        if backend.name != "strict":  # which takes no arrays of integers among other keys
            assert_matches(x[index], to_numpy(x)[index], xp=xp)
        assert_matches(xg.take(x, index, axis=0), to_numpy(x)[index], xp=xp)
        y = x * 1.0
        y[1:3, ...] = np.ones((2, 3))
        if backend.name != "dask":  # which does not know the shape of what a mask selects
            column = x[:, 0]
            assert_matches(column[mask], to_numpy(x)[mask, 0], xp=xp)
        y += np.ones(3)
        y = xg.at(y, (index, np.array([0, 1]))).add(np.full(2, 5.0))
    want = to_numpy(x).copy()
    want[1:3] = 1.0
    want += 1.0
    want[index, [0, 1]] += 5.0
    assert_matches(y, want, xp=xp)


def test_a_tensors_data_may_be_set_to_one(backend, xp):
    x, row = make(xp, host(2, 3)), host(2, 3)
    view = x[0, ...]
    with other_backend(backend):
        x.data = row
    assert backend.owns(x.data)
    assert_matches(x, row, xp=xp)
    assert_matches(view, row[0], xp=xp)


def test_cotangents_and_tangents(backend, xp):
    x, v = make(xp, host(3)), host(3)
    with other_backend(backend):
        leaf = xg.asarray(x, copy=True, requires_grad=True)
        (leaf * leaf).backward(v)
        assert_matches(leaf.grad, 2 * to_numpy(x) * v, xp=xp)
        assert_matches(xg.vjp(lambda x: x * x, x)[1](v)[0], 2 * to_numpy(x) * v, xp=xp)
        assert_matches(xg.jvp(lambda x: x * x, (x,), (v,))[1], 2 * to_numpy(x) * v, xp=xp)
        assert_matches(xg.hvp(lambda x: xg.sum(x**3), (x,), (v,))[0], 6 * to_numpy(x) * v, xp=xp)


def test_arguments_of_transforms_go_to_where_the_others_are(backend, xp):
    x, a = make(xp, host(3)), host(3)

    def f(x: Any, a: Any, b: Any) -> Any:
        return xg.sum(x * a * b)

    with other_backend(backend):
        for g in (xg.grad(f)(x, a, 2.0), xg.grad(f)(a, x, 2.0), xg.grad(f, 2)(a, x, 2.0)):
            assert g.backend is backend
        assert_matches(xg.grad(f)(x, a, 2.0), 2 * a, xp=xp)
        assert_matches(xg.vmap(f, in_axes=(0, 0, None))(a, x, a[0]), to_numpy(x) * a * a[0], xp=xp)
        assert_matches(xg.vmap(lambda x: x * a)(xg.stack([x, x])), np.stack([to_numpy(x) * a] * 2), xp=xp)
        assert_matches(xg.grad(xg.checkpoint(f))(x, a, 1.0), a, xp=xp)
        assert_matches(xg.jacobian(lambda x, a: x * a, 1)(x, a), np.diag(to_numpy(x)), xp=xp)
        xg.check_grads(lambda x, a: x * a, x, a)


def test_alone_they_go_to_the_current_backend(backend, xp):
    a = host(2, 2)
    for y in (
        *(xg.sin(a), xg.sum(a), xg.concat([a, a]), xg.where(a > 0, a, 0.0), xg.linalg.vector_norm(a), xg.zeros_like(a)),
        *(xg.grad(lambda x: xg.sum(x * a))(a), xg.vmap(xg.sum)(a), nn.Parameter(a), nn.functional.relu(a)),
        *(*xg.value_and_grad(lambda x: xg.sum(a))(a), *xg.vjp(xg.sin, a)[1](a), xg.jvp(xg.sin, (a,), (a,))[1]),
    ):
        assert y.backend is backend


def test_they_keep_their_dtype(backend, xp):
    x = make(xp, [1.0, 2.0], "float32")
    assert (x * np.ones(2, np.float32)).dtype == xp.float32
    assert (x * np.ones(2)).dtype == xp.float64
    assert (x * np.float64(2)).dtype == xp.float32  # a NumPy scalar is weak, as it was
    assert xg.result_type(x, np.ones(2)) == xp.float64


def test_modules_losses_and_state_dicts(backend, xp):
    model = nn.Linear(3, 2, rng=xg.random.Generator(0))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    data, classes, values = host(4, 3), np.array([0, 1, 1, 0]), host(4, 2)
    with other_backend(backend):
        for loss in (nn.functional.cross_entropy(model(data), classes), nn.functional.mse_loss(model(data), values)):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.load_state_dict({"weight": np.ones((2, 3)), "bias": np.zeros(2)})
        state = optimizer.state_dict()
        state["state"][0]["exp_avg"] = np.full((2, 3), 2.0)
        optimizer.load_state_dict(state)
        loss = nn.functional.mse_loss(model(data), values)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model.weight.backend is backend
    assert backend.owns(optimizer.state[model.weight]["exp_avg"])


@pytest.mark.parametrize("loss", [nn.functional.cross_entropy, nn.functional.nll_loss, xg.softmax_cross_entropy])
def test_class_numbers_that_the_caller_changes_before_backward(backend, xp, loss):
    """They are indices, so a copy is kept, as of those in a key."""
    gradients = []
    for changes in (False, True):
        x, classes = make(xp, host(3, 2), requires_grad=True), np.array([0, 1, 1])
        y = xg.sum(loss(x, classes))
        if changes:
            classes[:] = 0
        y.backward()
        gradients.append(to_numpy(x.grad))
    np.testing.assert_array_equal(*gradients)


def test_a_primitive_takes_them(backend, xp):
    @xg.primitive
    def product(a: Any, b: Any) -> Any:
        return a * b

    product.defvjp(lambda g, out, a, b: g * b, lambda g, out, a, b: g * a)
    x, a = make(xp, host(3)), host(3)
    with other_backend(backend):
        assert_matches(xg.grad(lambda x: xg.sum(product(a, x)))(x), a, xp=xp)


def test_byte_order_and_layout_are_no_matter(backend, xp):
    x = make(xp, [1.0, 2.0, 3.0])
    for a in (np.array([1.0, 2.0, 3.0], ">f8"), np.array([3.0, 2.0, 1.0])[::-1], np.array([[1.0], [2.0], [3.0]]).T[0]):
        assert_matches(x * a, [1.0, 4.0, 9.0], xp=xp)


def test_a_mask_is_not_lost_on_the_way(backend, xp):
    if backend.name == "numpy":
        pytest.skip("nothing moves")
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    with pytest.raises(TypeError, match="filled"):
        make(xp, [1.0, 2.0]) * masked


def test_what_holds_no_numbers_is_refused(backend, xp):
    for a in (np.array(["a", "b"]), np.array([None, 1]), np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")):
        with pytest.raises(TypeError):
            make(xp, [1.0, 2.0]) * a


# --- other libraries --------------------------------------------------------------------------------------


def test_arrays_of_two_other_libraries_do_not_meet():
    torch = pytest.importorskip("torch")
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(xg.MixedBackendsError, match=r"(?s)torch.*strict.*xgrad\.asarray"):
        xg.add(torch.ones(2), strict.ones(2))
    assert xg.add(np.ones(2), torch.ones(2)).backend.name == "torch"


def test_the_error_names_the_way_that_works():
    torch = pytest.importorskip("torch")
    pytest.importorskip("array_api_strict")
    with xg.use_backend("strict"):
        x = xg.asarray([1.0, 2.0])
        array = torch.ones(2, dtype=torch.float64)
        with pytest.raises(xg.MixedBackendsError, match=r"xgrad\.asarray\(array\) under use_backend\('strict'\)"):
            x + array
        assert to_numpy(x + xg.asarray(array)).tolist() == [2.0, 3.0]


# --- the transfer guard -----------------------------------------------------------------------------------


def moves(backend: Any) -> bool:
    return bool(backend.name != "numpy")


def test_the_guard_shows_the_line(backend, xp):
    x, a = make(xp, host(2)), host(2)
    with xg.transfer_guard("warn"):
        if not moves(backend):
            x * a
            return
        with pytest.warns(
            UserWarning, match=r"shape \(2,\) and dtype float64 moves to .*test_host_data\.py, line \d+"
        ) as seen:
            x * a
        assert seen[0].filename == __file__
    x * a


def test_the_guard_raises_and_lets_pass_what_is_asked_for(backend, xp):
    x, a = make(xp, host(3)), host(3)
    with xg.transfer_guard("error"):
        y = xg.asarray(a) * x * 2.0
        model = nn.Linear(3, 2)
        model.load_state_dict({"weight": np.ones((2, 3)), "bias": np.zeros(2)})
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        nn.functional.mse_loss(model(xg.expand_dims(y, axis=0)), xg.zeros((1, 2))).backward()
        optimizer.step()
        if moves(backend):
            leaf = xg.asarray(x, copy=True, requires_grad=True)
            for call in (lambda: x * a, lambda: (leaf * leaf).backward(a), lambda: xg.grad(xg.sum)(a)):
                with pytest.raises(xg.TransferError, match="moves to"):
                    call()
        with xg.transfer_guard("allow"):
            x * a


def test_the_guard_of_the_process(backend, xp, monkeypatch):
    monkeypatch.setenv("XGRAD_TRANSFER_GUARD", "error")
    x, a = make(xp, host(2)), host(2)
    if moves(backend):
        with pytest.raises(xg.TransferError, match="moves to"):
            x + a
    monkeypatch.setenv("XGRAD_TRANSFER_GUARD", "eror")
    if moves(backend):
        with pytest.raises(ValueError, match=r"XGRAD_TRANSFER_GUARD is one of 'allow', 'warn', 'error', not 'eror'"):
            x + a
    with pytest.raises(ValueError, match="'allow', 'warn', 'error'"), xg.transfer_guard("no"):
        pass


def test_an_array_of_the_backend_does_not_move(backend, xp):
    x = make(xp, [1.0, 2.0])
    with xg.transfer_guard("error"):
        assert_matches(x * raw(backend, [2.0, 3.0]), [2.0, 6.0], xp=xp)
