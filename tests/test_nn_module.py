"""Modules: what is found in them, and moving, saving, printing and pickling all of it."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from xgrad.nn import Linear, Module, Parameter, ReLU, Sequential


class Net(Module):
    def __init__(self):
        self.scale = Parameter([2.0])
        self.first = Linear(2, 3)
        self.rest = Sequential(ReLU(), Linear(3, 1, bias=False))
        self.register_buffer("mean", xg.zeros((2,)))
        self.register_buffer("seen", xg.asarray(0), persistent=False)

    def forward(self, x):
        return self.rest(self.first(x - self.mean)) * self.scale


NAMES = ["scale", "first.weight", "first.bias", "rest.1.weight"]


# --- parameters -----------------------------------------------------------------------------------


def test_a_parameter_owns_a_copy(backend):
    raw = backend.asarray(np.array([1.0, 2.0]), copy=True)
    p = Parameter(raw)
    assert p.requires_grad
    assert p.is_leaf
    assert p.backend is backend
    assert p.data is not raw
    xg.optim.SGD([p], lr=1.0)
    p.grad = xg.ones_like(p)
    xg.optim.SGD([p], lr=1.0).step()
    assert backend.to_numpy(raw).tolist() == [1.0, 2.0]
    assert to_numpy(p).tolist() == [0.0, 1.0]


def test_a_parameter_is_cut_off_from_what_it_was_made_of(xp):
    x = make(xp, [1.0], requires_grad=True)
    p = Parameter(x * 2)
    xg.sum(p * 3).backward()
    assert x.grad is None
    assert to_numpy(p.grad).tolist() == [3.0]


def test_what_is_computed_from_a_parameter_is_a_plain_tensor(backend):
    p = Parameter([1.0])
    assert type(p * 2) is xg.Tensor
    assert type(p.detach()) is xg.Tensor
    assert "Parameter" in repr(p)


def test_a_parameter_needs_a_dtype_with_gradients(backend):
    with pytest.raises(TypeError, match="cannot require a gradient"):
        Parameter(xg.asarray([1, 2]))
    assert not Parameter(xg.asarray([1, 2]), requires_grad=False).requires_grad


def test_complex_parameters(backend):
    p = Parameter(xg.asarray([1 + 1j, 2.0], dtype=xg.complex128))
    xg.sum(xg.real(p * (1 + 2j))).backward()
    np.testing.assert_array_equal(to_numpy(p.grad), [1 - 2j, 1 - 2j])


# --- what is inside -------------------------------------------------------------------------------


def test_names_come_in_order_each_once(backend):
    net = Net()
    assert [n for n, _ in net.named_parameters()] == NAMES
    assert [n for n, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [n for n, _ in net.named_buffers()] == ["mean", "seen"]
    assert [n for n, _ in net.named_children()] == ["first", "rest"]
    assert [n for n, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert len(list(net.parameters())) == 4
    assert len(list(net.buffers())) == 2
    assert list(net.children()) == [net.first, net.rest]
    assert next(net.modules()) is net


def test_what_is_shared_is_found_once_and_collects_both_gradients(backend):
    class Tied(Module):
        def __init__(self):
            self.a = Linear(2, 2)
            self.b = self.a
            self.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    net = Tied()
    assert [n for n, _ in net.named_parameters()] == ["weight", "a.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 5
    assert [n for n, _ in net.named_modules()] == ["", "a"]
    x = xg.ones((1, 2))
    xg.sum(net(x)).backward()
    shared = to_numpy(net.weight.grad)
    first, second = Linear(2, 2), Linear(2, 2)
    for layer in (first, second):
        layer.load_state_dict(net.a.state_dict())
    xg.sum(second(first(x))).backward()
    both = to_numpy(first.weight.grad) + to_numpy(second.weight.grad)
    np.testing.assert_allclose(shared, both, rtol=1e-6)


def test_assigning_takes_the_place_of_what_was_there(backend):
    layer = Linear(2, 2)
    layer.bias = None
    assert [n for n, _ in layer.named_parameters()] == ["weight"]
    layer.bias = Parameter([0.0, 0.0])
    assert [n for n, _ in layer.named_parameters()] == ["weight", "bias"]
    del layer.bias
    assert [n for n, _ in layer.named_parameters()] == ["weight"]
    with pytest.raises(TypeError, match=r"Linear\.weight is a parameter.*not a Tensor"):
        layer.weight = xg.zeros((2, 2))
    net = Net()
    with pytest.raises(TypeError, match=r"Net\.mean is a buffer"):
        net.mean = 3.0
    net.mean = None
    assert [n for n, _ in net.named_buffers()] == ["seen"]
    with pytest.raises(TypeError, match=r"Net\.first is a module.*not a function"):
        net.first = lambda x: x  # type: ignore[assignment]
    net.first = None  # type: ignore[assignment]
    assert [n for n, _ in net.named_children()] == ["rest"]


def test_what_was_none_comes_where_it_is_assigned(backend):
    """As in PyTorch: an attribute that was just None has no place among the parameters, one that was registered has."""
    net = Module()
    net.a, net.b, net.child = None, None, None
    net.register_parameter("c", None)
    net.d, net.a, net.c = (Parameter([1.0]) for _ in range(3))
    net.child = ReLU()
    assert [n for n, _ in net.named_parameters()] == ["c", "d", "a"]
    net.c = None
    net.c = Parameter([2.0])
    net.b = 3
    assert [n for n, _ in net.named_parameters()] == ["c", "d", "a"]
    assert [n for n, _ in net.named_children()] == ["child"]


def test_registering_by_name(backend):
    module = Module()
    module.register_parameter("p", Parameter([1.0]))
    module.register_parameter("nothing", None)
    module.add_module("child", ReLU())
    assert module.nothing is None
    assert [n for n, _ in module.named_parameters()] == ["p"]
    for name in ("", "a.b", "p", "training", "forward"):
        with pytest.raises(KeyError):
            module.register_buffer(name, xg.zeros(1))
    with pytest.raises(TypeError, match=r"register_parameter.*got Tensor"):
        module.register_parameter("q", xg.zeros(1))
    with pytest.raises(TypeError, match=r"register_buffer.*got list"):
        module.register_buffer("q", [1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"add_module.*got Parameter"):
        module.add_module("q", module.p)
    assert not hasattr(module, "q")


def test_parts_by_their_dotted_names(backend):
    net = Net()
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_buffer("mean") is net.mean
    for bad in ("rest.7", "scale", "nothing"):
        with pytest.raises(AttributeError, match="has no module"):
            net.get_submodule(bad)
    with pytest.raises(AttributeError, match="Net has no parameter 'mean'"):
        net.get_parameter("mean")
    with pytest.raises(AttributeError, match="Net has no buffer"):
        net.get_buffer("scale")
    net.register_module("more", ReLU())
    assert net.get_submodule("more")._get_name() == "ReLU"
    seen = {net.rest}
    assert [n for n, _ in net.named_modules(seen, "net")] == ["net", "net.first", "net.more"]
    assert net.more in seen


def test_an_empty_parameter(backend):
    assert Parameter().shape == (0,)
    assert Parameter(None, requires_grad=False).requires_grad is False


def test_forward_is_needed():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        Module()(1)


# --- changing all of it ---------------------------------------------------------------------------


def test_train_and_eval_reach_everything(backend):
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="'yes'"):
        net.train("yes")  # type: ignore[arg-type]


def test_apply_goes_from_the_leaves_up(backend):
    seen: list[object] = []
    net = Net()
    assert net.apply(seen.append) is net
    assert seen == [net.first, net.rest[0], net.rest[1], net.rest, net]


def test_gradients_can_be_switched_off_and_forgotten(backend):
    net = Net()
    xg.sum(net(xg.ones((1, 2)))).backward()
    net.zero_grad(set_to_none=False)
    assert all((to_numpy(p.grad) == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(xg.ones((1, 2))).requires_grad
    assert net.requires_grad_() is net
    assert net(xg.ones((1, 2))).requires_grad


def test_forward_hooks(backend):
    layer = ReLU()
    seen: list[object] = []
    watch = layer.register_forward_hook(lambda m, args, out: seen.append((m, args[0].shape, out.shape)))
    double = layer.register_forward_hook(lambda m, args, out: out * 2)
    x = xg.ones((2,))
    assert to_numpy(layer(x)).tolist() == [2.0, 2.0]
    watch.remove()
    double.remove()
    double.remove()
    assert to_numpy(layer(x)).tolist() == [1.0, 1.0]
    assert seen == [(layer, (2,), (2,))]


class Scaled(Module):
    def forward(self, x, by=1.0):
        return x * by


def test_hooks_before_forward(backend):
    layer, x = Scaled(), xg.ones((2,))
    plus = layer.register_forward_pre_hook(lambda m, args: args[0] + 1)
    assert to_numpy(layer(x)).tolist() == [2.0, 2.0]
    first = layer.register_forward_pre_hook(lambda m, args: (args[0] * 10,), prepend=True)
    assert to_numpy(layer(x)).tolist() == [11.0, 11.0]
    with layer.register_forward_pre_hook(lambda m, args, kw: (args, {"by": 2.0}), with_kwargs=True):
        assert to_numpy(layer(x)).tolist() == [22.0, 22.0]
    assert to_numpy(layer(x)).tolist() == [11.0, 11.0]
    plus.remove()
    first.remove()
    seen: list[object] = []
    layer.register_forward_hook(lambda m, args, kw, out: seen.append(kw), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, out: seen.append("first"), prepend=True)
    layer(x, by=3.0)
    assert seen == ["first", {"by": 3.0}]
    layer.register_forward_pre_hook(lambda m, args, kw: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="tuple of arguments and a dict"):
        layer(x)


# --- moving ---------------------------------------------------------------------------------------


def test_changing_dtype_keeps_the_objects(backend):
    net = Net().to(dtype=xg.float64)
    held = dict(net.named_parameters())
    xg.sum(net(xg.ones((1, 2), dtype=xg.float64))).backward()
    assert net.to(dtype="float32") is net
    for name, p in net.named_parameters():
        assert p is held[name]
        assert p.dtype == xg.float32
        assert to_numpy(p.grad).dtype == np.float32
        assert p.requires_grad
    assert net.mean.dtype == xg.float32
    assert xg.isdtype(net.seen.dtype, "integral")


def test_moving_to_another_backend_and_back(backend):
    net = Net().to(dtype=xg.float64)
    x = np.array([[1.0, -2.0]])
    expected = to_numpy(net(xg.asarray(x)))
    optimizer = xg.optim.SGD(net.parameters(), momentum=0.9)
    xg.sum(net(xg.asarray(x))).backward()
    optimizer.step()
    net.load_state_dict(net.state_dict())
    with xg.use_backend("numpy") as numpy:
        net.to(backend="numpy")
        assert all(t.backend is numpy for t in (*net.parameters(), *net.buffers()))
        assert all(p.grad is not None and p.grad.backend is numpy for p in net.parameters())
        optimizer.step()
        assert all(s.backend is numpy for s in optimizer.state.values())
        net(xg.asarray(x))
    net.to(backend=backend)
    assert all(t.backend is backend for t in (*net.parameters(), *net.buffers()))
    assert to_numpy(net(xg.asarray(x))).shape == expected.shape


def test_dtypes_by_name(backend):
    net = Net()
    net.register_buffer("z", xg.asarray([1j], dtype=xg.complex128))
    weight = net.first.weight
    for change, name in (("float", "float32"), ("double", "float64"), ("half", "float16"), ("bfloat16", "bfloat16")):
        if not backend.has_dtype(name):
            with pytest.raises(TypeError, match=name):
                getattr(net, change)()
            continue
        assert getattr(net, change)() is net
        assert name in str(weight.dtype)
        assert net.first.weight is weight
        assert name in str(net.mean.dtype)
        assert xg.isdtype(net.seen.dtype, "integral")
        assert "complex128" in str(net.z.dtype)
    del net.z
    net.double()
    assert "float32" in str(net.to(xg.float32).scale.dtype)
    assert "float64" in str(net.to("float64").scale.dtype)
    assert "float32" in str(net.to(xg.zeros((1,), dtype=xg.float32)).scale.dtype)
    assert "float64" in str(net.to(backend.device, xg.float64, non_blocking=True).scale.dtype)
    assert "float32" in str(net.to(xg.float32, backend.device).scale.dtype)
    net.type("float64")
    assert all("float64" in str(t.dtype) for t in (*net.parameters(), *net.buffers()))


def test_to_the_hosts_memory(backend):
    net = Net()
    before = to_numpy(net.scale)
    assert net.cpu() is net
    assert net.scale.backend.on_host
    np.testing.assert_array_equal(to_numpy(net.scale), before)


def test_a_move_that_fails_moves_nothing(backend):
    net = Net()
    dtype = net.scale.dtype
    for bad in ("int64", "float7", int):
        with pytest.raises(TypeError, match="give a floating-point or complex dtype"):
            net.to(dtype=bad)
    with pytest.raises(xg.BackendError):
        net.to(backend="abacus")
    with pytest.raises(xg.BackendError):
        net.to("no such device")
    assert all(p.dtype == dtype for p in net.parameters())
    assert all(p.backend is backend for p in net.parameters())


# --- saving ---------------------------------------------------------------------------------------


def test_state_dict(backend):
    net = Net()
    state = net.state_dict()
    assert set(state) == {*NAMES, "mean"}
    assert not any(t.requires_grad for t in state.values())
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert set(net.state_dict(prefix="net.")) == {f"net.{n}" for n in state}


def test_a_saved_state_does_not_change_with_training(backend):
    net = Net()
    state = net.state_dict()
    before = to_numpy(state["scale"])
    net.scale.grad = xg.ones_like(net.scale)
    xg.optim.SGD(net.parameters(), lr=1.0).step()
    np.testing.assert_array_equal(to_numpy(state["scale"]), before)
    assert to_numpy(net.scale) == before - 1
    net.load_state_dict(state)
    assert to_numpy(net.scale) == before


def test_loading_casts_and_copies(backend):
    net, other = Net().to(dtype="float64"), Net().to(dtype="float32")
    arrays = {name: to_numpy(t) for name, t in net.state_dict().items()}
    held = other.first.weight
    keys = other.load_state_dict(arrays)
    assert keys == ([], [])
    assert other.first.weight is held
    assert held.dtype == xg.float32
    np.testing.assert_array_equal(to_numpy(held), arrays["first.weight"].astype(np.float32))
    arrays["first.weight"][...] = 7
    assert (to_numpy(held) != 7).all()


def test_a_value_of_another_kind_loads_nothing(backend):
    """Complex into real, real into integers, what is no array: named, all together, in one error of either kind."""
    net = Net()
    net.register_buffer("count", xg.asarray([1, 2]))
    net.register_buffer("on", xg.asarray([True]))
    before = {name: to_numpy(t) for name, t in net.state_dict().items()}
    state: dict[str, Any] = dict(net.state_dict())
    state["scale"] = xg.asarray([1j])
    state["count"] = xg.asarray([1.5, 2.0])
    state["on"] = xg.asarray([1])
    state["first.weight"] = before["first.weight"].tolist()
    said = (
        r"scale is of dtype \S*complex\d+ in the loaded state, which does not fit into \S*float\d+ here",
        r"count is of dtype \S*float\d+",
        r"on is of dtype \S*int64",
        r"first.weight is a list in the loaded state, not an array",
    )
    for kind in (ValueError, RuntimeError):
        with pytest.raises(kind) as caught:
            net.load_state_dict(state)
        for part in said:
            assert re.search(part, str(caught.value))
    wrong: Any
    for wrong in ([1.0], None, "state"):
        with pytest.raises(ValueError, match="takes a dict"):
            net.load_state_dict(wrong)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(to_numpy(value), before[name])
    state = {**before, "scale": np.asarray([3]), "count": np.asarray([True, False])}  # a wider kind holds them
    net.load_state_dict(state)
    assert to_numpy(net.scale).tolist() == [3.0]
    assert to_numpy(net.count).tolist() == [1, 0]


def test_a_state_that_does_not_fit_loads_nothing(backend):
    net = Net()
    before = to_numpy(net.scale)
    state = net.state_dict()
    state["scale"] = xg.asarray([5.0])
    state["first.weight"] = xg.zeros((2, 3))
    state["extra"] = state.pop("mean")
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    for part in ("missing: mean", "unexpected: extra", "first.weight has shape (2, 3)", "(3, 2) here"):
        assert part in str(caught.value)
    with pytest.raises(RuntimeError, match=r"first\.weight"):
        net.load_state_dict(state, strict=False)
    np.testing.assert_array_equal(to_numpy(net.scale), before)
    del state["first.weight"]
    keys = net.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["mean", "first.weight"]
    assert keys.unexpected_keys == ["extra"]
    assert to_numpy(net.scale).tolist() == [5.0]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(backend, clone):
    net = Sequential(Linear(2, 2), ReLU(), Linear(2, 1))
    net.tied = net[0].weight
    twin = clone(net)
    x = xg.ones((1, 2))
    np.testing.assert_array_equal(to_numpy(twin(x)), to_numpy(net(x)))
    assert type(twin[0].weight) is Parameter
    assert twin.tied is twin[0].weight
    assert twin[0].weight is not net[0].weight
    assert twin[0].weight.backend is backend
    assert twin[0].weight.requires_grad
    twin[0].weight.grad = xg.ones_like(twin[0].weight)
    xg.optim.SGD(twin.parameters(), lr=1.0).step()
    assert (to_numpy(twin[0].weight) != to_numpy(net[0].weight)).all()


# --- printing -------------------------------------------------------------------------------------


def test_repr_nests(backend):
    lines = repr(Net()).splitlines()
    assert lines == [
        "Net(",
        "  (first): Linear(in_features=2, out_features=3, bias=True)",
        "  (rest): Sequential(",
        "    (0): ReLU()",
        "    (1): Linear(in_features=3, out_features=1, bias=False)",
        "  )",
        ")",
    ]
