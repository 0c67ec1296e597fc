"""Optimizers: PyTorch's numbers for every combination of options, and what may never happen to an array."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
from typing import Any, ClassVar

import numpy as np
import pytest

import xgrad as xg
from tests.cases import SLOW
from tests.data import make_torch_reference as reference
from tests.support.arrays import assert_close, make, to_numpy
from xgrad.optim.table import Implementation

# test_optim_muon.py and test_optim_adafactor.py test the two that take no complex parameters.
OF_PYTORCH = tuple(name for name in reference.OPTIONS if name != "Adafactor")
NAMES = (*OF_PYTORCH, "Lion", "LAMB")
CASES = [(n, i) for n in (*NAMES, "Adafactor") for i in range(len(reference.optimizer_cases(n)))]
LAST = {n: len(reference.optimizer_cases(n)) - 1 for n in (*NAMES, "Adafactor")}
TRAININGS = [(n, a) for n in reference.OPTIONS for a in reference.ACTIVATIONS]


def leaf(values, dtype="float64"):
    return make(xg, values, dtype, requires_grad=True)


def decaying(name):
    """An option that makes the weights decay, where there is one."""
    return {} if name == "Rprop" else {"weight_decay": 0.1}


def stepped(optimizer, p, *gradients):
    """The weights after feeding these gradients."""
    for g in gradients:
        p.grad = xg.asarray(g, dtype=p.dtype)
        optimizer.step()
    return to_numpy(p)


# --- PyTorch's numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "index"), CASES)
def test_follows_pytorch_for_200_recorded_gradients(backend, name, index, request):
    if backend.name in SLOW and index % 3 and index != LAST[name]:
        pytest.skip("two of three sets of options do not run where each takes long")
    options = reference.optimizer_cases(name)[index]
    start, gradients = reference.recorded()
    if request.node.callspec.params["backend"] != "numpy" and index not in (0, LAST[name]):
        gradients = gradients[:10]  # what later steps add, they add on every backend
    p = leaf(start)
    optimizer = getattr(xg.optim, name)([p], **options)
    taken = []
    for step, g in enumerate(gradients, 1):
        p.grad = make(xg, g)
        optimizer.step()
        if step in reference.SNAPSHOTS:
            taken.append(to_numpy(p))
    assert len(taken) in (3, 4)
    for weights, expected in zip(taken, reference.expected_weights(name, index)[: len(taken)], strict=True):
        assert_close(weights, expected, 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_single_number_is_trained_like_any_array(backend, name):
    number, array = leaf(1.5), leaf([1.5])
    for index in (0, -1):
        options = reference.optimizer_cases(name)[index]
        one, other = (getattr(xg.optim, name)([p], **options) for p in (number, array))
        for g in (0.5, -2.0):
            assert stepped(one, number, g) == stepped(other, array, [g])
        assert number.shape == ()
        assert backend.owns(number.data)
        assert all(backend.owns(v) for v in one.state[number].values() if not isinstance(v, int | float))


@pytest.mark.parametrize(("name", "activation"), TRAININGS)
def test_trains_a_network_as_pytorch_does(backend, name, activation):
    x, y = (make(xg, a) for a in reference.training_data())
    rng = xg.random.Generator(0)
    h, f64 = reference.HIDDEN, xg.float64
    model = xg.nn.Sequential(
        xg.nn.Linear(1, h, dtype=f64, rng=rng),
        getattr(xg.nn, activation)(),
        xg.nn.Linear(h, h, dtype=f64, rng=rng),
        getattr(xg.nn, activation)(),
        xg.nn.Linear(h, 1, dtype=f64, rng=rng),
    )
    optimizer = getattr(xg.optim, name)(model.parameters(), lr=reference.TRAINING_RATE[name])
    losses = []
    for _ in range(reference.TRAINING_STEPS):
        optimizer.zero_grad()
        loss = xg.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    numbers = np.concatenate([losses, *(to_numpy(p).ravel() for p in model.parameters())])
    assert_close(numbers, reference.stored_training(name, activation), 1e-9)


@pytest.mark.parametrize("name", tuple(reference.OPTIONS))
def test_arguments_and_defaults_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    ours = inspect.signature(getattr(xg.optim, name)).parameters
    assert set(theirs) - set(ours) <= set(Implementation.__annotations__)
    assert set(ours) - set(theirs) == {"implementation"}
    for option, parameter in ours.items():
        if option != "implementation":
            assert parameter.default == theirs[option].default, option


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_checked_and_documented(name):
    """All of it is read from the signature."""
    cls = getattr(xg.optim, name)
    *options, last = (option for option in inspect.signature(cls).parameters if option != "params")
    assert last == "implementation"
    fixed = {"decoupled_weight_decay"} if name == "AdamW" else set()
    assert set(cls.checks) == {*options, *fixed}
    rows = cls.__doc__.split("Args:")[1].split("Raises:")[0].strip().splitlines()
    assert [row.split(":")[0].strip() for row in rows] == ["params", *options, last]
    assert "        lr: the learning rate. A finite number, 0 or more." in rows
    assert all(row.endswith(".") for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_of_a_group_may_be_at_different_steps(backend, name):
    """A group's numbers are found once for a step and a dtype. Each parameter moves as it would alone."""
    cls, options = getattr(xg.optim, name), {"lr": 0.1, **decaying(name)}
    kinds = ("float64", "float32", "float64")
    together, alone = ([leaf([1.0, -2.0], kind) for kind in kinds] for _ in range(2))
    optimizers = [cls(together, **options), *(cls([p], **options) for p in alone)]
    for step in range(4):
        for i, (p, q) in enumerate(zip(together, alone, strict=True)):
            p.grad, q.grad = (make(xg, [0.5 + step, -1.0], kinds[i]) if step >= i else None for _ in range(2))
        if step == 3:
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = 0.05
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_array_equal(to_numpy(p), to_numpy(q))


@pytest.mark.parametrize("name", NAMES)
def test_a_complex_number_is_trained_like_any_array(backend, name):
    number, array = leaf(1 + 2j, "complex128"), leaf([1 + 2j], "complex128")
    one, other = (getattr(xg.optim, name)([p], lr=0.1) for p in (number, array))
    for g in (0.5 - 1j, 2j):
        assert stepped(one, number, g) == stepped(other, array, [g])
    assert number.shape == ()


@pytest.mark.parametrize("name", OF_PYTORCH)
def test_complex_parameters_follow_pytorch(backend, name):
    torch = pytest.importorskip("torch")
    z = np.array([1 + 2j, -0.5j])
    p, q = leaf(z, "complex128"), torch.tensor(z, requires_grad=True)
    optimizer = getattr(xg.optim, name)([p], lr=0.1)
    with reference.double_by_default():
        theirs = getattr(torch.optim, name)([q], lr=0.1)
    for g in (z * (1 - 1j), z + 0.1, np.conj(z)):
        q.grad = torch.tensor(g)
        with reference.double_by_default():
            theirs.step()
        stepped(optimizer, p, g)
    assert p.dtype == xg.complex128
    assert_close(to_numpy(p), q.detach().numpy(), 1e-12)


def test_stored_numbers_are_what_pytorch_computes():
    pytest.importorskip("torch")
    for name in reference.OPTIONS:
        for index in {*range(0, LAST[name], 5), LAST[name]}:
            now = reference.torch_weights(name, reference.optimizer_cases(name)[index])
            assert_close(reference.stored_weights(name, index), now, 1e-13)
        for activation in reference.ACTIVATIONS:
            assert_close(reference.stored_training(name, activation), reference.torch_training(name, activation), 1e-11)


# --- whose memory is written ----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_that_was_kept_still_sees_the_old_weights(backend, name):
    w = leaf([1.0, -2.0, 3.0])
    optimizer = getattr(xg.optim, name)([w], lr=0.5)
    loss = xg.sum(w * w * w)
    loss.backward(retain_graph=True)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    np.testing.assert_allclose(to_numpy(w.grad), [3.0, 12.0, 27.0], rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_users_array_is_never_written(backend, name):
    raw = backend.asarray([1.0, 2.0, 3.0, 4.0])
    whole, part = xg.asarray(raw), xg.asarray(raw[1:3])
    whole.requires_grad_()
    part.requires_grad_()
    optimizer = getattr(xg.optim, name)([whole, part], lr=0.5)
    for _ in range(3):
        whole.grad = xg.ones_like(whole)
        part.grad = xg.ones_like(part)
        optimizer.step()
    np.testing.assert_array_equal(backend.to_numpy(raw), [1.0, 2.0, 3.0, 4.0])
    assert to_numpy(whole)[0] < 1
    assert to_numpy(part)[0] < 2


def test_read_only_memory_is_not_written():
    values = np.ones(3)
    values.flags.writeable = False
    with xg.use_backend("numpy"):
        w = xg.asarray(values, requires_grad=True)
        del values
        stepped(xg.optim.SGD([w], lr=0.5), w, np.ones(3))
        assert to_numpy(w).tolist() == [0.5, 0.5, 0.5]


def test_gradients_and_snapshots_are_not_written(backend):
    w = leaf([1.0, 2.0])
    optimizer = xg.optim.SGD([w], lr=0.5, momentum=0.9, nesterov=True, weight_decay=0.1)
    snapshot = w.detach()
    g = w.grad = xg.asarray([1.0, 1.0], dtype=xg.float64)
    optimizer.step()
    optimizer.step()
    assert to_numpy(g).tolist() == [1.0, 1.0]
    assert to_numpy(snapshot).tolist() == [1.0, 2.0]


def test_a_parameter_nobody_else_holds_is_updated_in_place():
    with xg.use_backend("numpy"):
        w = xg.nn.Parameter(np.ones(3))
        before = id(w.data)
        for name in NAMES:
            stepped(getattr(xg.optim, name)([w]), w, np.ones(3), np.ones(3))
        assert id(w.data) == before


# --- groups ---------------------------------------------------------------------------------------


def test_groups_have_options_of_their_own(backend):
    a, b, c = leaf([1.0]), leaf([1.0]), leaf([1.0])
    optimizer = xg.optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.25)
    optimizer.add_param_group({"params": [c], "lr": 0.125, "note": "late"})
    for p in (a, b, c):
        p.grad = xg.ones_like(p)
    optimizer.step()
    assert [to_numpy(p).item() for p in (a, b, c)] == [0.75, 0.5, 0.875]
    assert optimizer.param_groups[2]["note"] == "late"
    assert optimizer.param_groups[1]["params"] == [b]
    assert "lr: 0.125" in repr(optimizer)


def test_named_parameters_are_taken(backend):
    layer = xg.nn.Linear(2, 1)
    optimizer = xg.optim.SGD(layer.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][0] is layer.weight


def test_an_option_set_later_is_checked_and_used():
    w = leaf([1.0])
    optimizer = xg.optim.SGD([w], lr=0.5)
    (group,) = optimizer.param_groups
    with pytest.raises(ValueError, match=r"SGD: lr must be a finite number, 0 or more, got nan"):
        group["lr"] = math.nan
    assert group["lr"] == 0.5
    group["lr"] = 0.25
    assert stepped(optimizer, w, [1.0]).tolist() == [0.75]


BAD_OPTIONS = [
    ("SGD", {"lr": -0.1}, "-0.1"),
    ("SGD", {"lr": math.nan}, "nan"),
    ("SGD", {"lr": math.inf}, "inf"),
    ("SGD", {"lr": "fast"}, "fast"),
    ("SGD", {"momentum": -1}, "-1"),
    ("SGD", {"dampening": math.inf}, "inf"),
    ("SGD", {"weight_decay": -1}, "-1"),
    ("SGD", {"nesterov": True}, "momentum > 0"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "dampening = 0"),
    ("Adagrad", {"lr_decay": -1}, "-1"),
    ("Adagrad", {"initial_accumulator_value": -1}, "-1"),
    ("Adagrad", {"eps": -1}, "-1"),
    ("RMSprop", {"alpha": -1}, "-1"),
    ("RMSprop", {"eps": math.nan}, "nan"),
    ("RMSprop", {"momentum": -1}, "-1"),
    ("Adam", {"betas": (1.0, 0.9)}, "less than 1"),
    ("Adam", {"betas": (0.9, -0.1)}, "-0.1"),
    ("Adam", {"betas": 0.9}, "two numbers"),
    ("Adam", {"eps": -1}, "-1"),
    ("AdamW", {"weight_decay": math.nan}, "nan"),
    ("RMSprop", {"alpha": 2}, "from 0 to 1, got 2"),
    ("Adadelta", {"rho": 1.5}, "from 0 to 1, got 1.5"),
    ("NAdam", {"momentum_decay": -1}, "-1"),
    ("NAdam", {"decoupled_weight_decay": 2}, "True or False"),
    ("Rprop", {"etas": (1.5, 1.2)}, "between 0 and 1"),
    ("Rprop", {"etas": 0.5}, "two numbers"),
    ("Rprop", {"step_sizes": (2.0, 1.0)}, "not less than the first"),
    ("Rprop", {"step_sizes": (1.0, math.inf)}, "inf"),
    ("ASGD", {"lambd": -1}, "-1"),
    ("ASGD", {"t0": math.nan}, "nan"),
    ("Lion", {"betas": (0.9, 1.0)}, "less than 1"),
    ("LAMB", {"bias_correction": "yes"}, "True or False"),
]


@pytest.mark.parametrize(("name", "options", "says"), BAD_OPTIONS)
def test_a_bad_option_is_refused(name, options, says):
    with pytest.raises(ValueError, match=says) as caught:
        getattr(xg.optim, name)([leaf([1.0])], **options)
    assert name in str(caught.value)


def test_bad_parameters_are_refused(backend):
    w = leaf([1.0])
    with pytest.raises(ValueError, match="no parameters"):
        xg.optim.SGD([])
    with pytest.raises(TypeError, match=r"use \[tensor\]"):
        xg.optim.SGD(w)
    with pytest.raises(TypeError, match="parameter 0 must be a Tensor, got float"):
        xg.optim.SGD([1.0])
    with pytest.raises(ValueError, match="only a leaf"):
        xg.optim.SGD([w * 2])
    with pytest.raises(ValueError, match="twice"):
        xg.optim.SGD([w, w])
    with pytest.raises(TypeError, match="set"):
        xg.optim.SGD([{"params": {w}}])
    optimizer = xg.optim.SGD([w])
    with pytest.raises(ValueError, match="twice"):
        optimizer.add_param_group({"params": [w]})
    with pytest.raises(TypeError, match="params"):
        optimizer.add_param_group([w])
    assert len(optimizer.param_groups) == 1


# --- a step ---------------------------------------------------------------------------------------


def test_parameters_without_a_gradient_stay(backend):
    a, b = leaf([1.0]), leaf([1.0])
    optimizer = xg.optim.Adam([a, b])
    assert stepped(optimizer, a, [1.0]) != 1
    assert to_numpy(b).item() == 1
    assert b not in optimizer.state


def test_the_closure_is_recorded_and_its_loss_returned(backend):
    w = leaf([3.0])
    optimizer = xg.optim.SGD([w], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = xg.sum(w * w)
        loss.backward()
        return loss

    with xg.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9
    assert to_numpy(w).item() == 0


def test_training_leaves_nothing_for_the_garbage_collector():
    with xg.use_backend("numpy"):
        net = xg.nn.Sequential(xg.nn.Linear(2, 4), xg.nn.Tanh(), xg.nn.Linear(4, 3))
        optimizer = xg.optim.Adam(net.parameters(), amsgrad=True)
        x, target = xg.ones((5, 2)), xg.asarray([0, 1, 2, 0, 1])
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                optimizer.zero_grad()
                xg.nn.functional.cross_entropy(net(x), target).backward()
                xg.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_zero_grad(backend):
    w = leaf([3.0])
    optimizer = xg.optim.SGD([w])
    w.grad = held = xg.ones_like(w)
    optimizer.zero_grad(set_to_none=False)
    assert to_numpy(w.grad).tolist() == [0.0]
    assert to_numpy(held).tolist() == [1.0]
    optimizer.zero_grad()
    assert w.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(backend, name):
    w = leaf([1.0, 2.0], "float32")
    optimizer = getattr(xg.optim, name)([w])
    stepped(optimizer, w, [1.0, 2.0], [2.0, 1.0])
    assert w.dtype == xg.float32
    assert w.backend is backend
    for value in optimizer.state.get(w, {}).values():
        if not isinstance(value, int | float):
            assert backend.owns(value)
            assert value.dtype == w.dtype


@pytest.mark.parametrize("name", NAMES)
def test_state_follows_a_parameter_that_changes_dtype(backend, name):
    w = xg.nn.Parameter(xg.asarray([1.0, 2.0], dtype=xg.float32))
    module = xg.nn.Module()
    module.w = w
    options = {"momentum": 0.9} if name == "SGD" else {}
    optimizer = getattr(xg.optim, name)([w], **options)
    stepped(optimizer, w, [1.0, 2.0])
    module.to(dtype=xg.float64)
    stepped(optimizer, w, [1.0, 2.0])
    arrays = [v for v in optimizer.state[w].values() if not isinstance(v, int | float)]
    assert w.dtype == xg.float64
    assert arrays
    assert all(a.dtype == w.dtype for a in arrays)


@pytest.mark.parametrize("name", NAMES)
def test_the_rule_is_differentiable(backend, name):
    """An update is a rule: on xgrad's own namespace it is recorded."""
    cls = getattr(xg.optim, name)
    o = cls([leaf([1.0])], lr=0.1, **decaying(name)).param_groups[0].named

    def after_two_steps(xp, p, g):
        state: dict[str, object] = {}
        for _ in range(2):
            p = cls.update(xp, p, g * p, state, o)
        return p

    start, slope = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    raw = after_two_steps(backend.xp, backend.asarray(start, copy=True), backend.asarray(slope))
    recorded = after_two_steps(xg, leaf(start) * 1, leaf(slope) * 1)
    np.testing.assert_allclose(to_numpy(recorded), backend.to_numpy(raw), rtol=1e-14)

    def total(p, g):
        return xg.sum(after_two_steps(xg, p * 1, g * 1))

    xg.check_grads(total, leaf(start), leaf(slope))


# --- saving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_from_a_saved_state(backend, name):
    gradients = [[1.0, -2.0], [0.5, 0.1], [3.0, 1.0], [-1.0, 1.0]]
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    cls = getattr(xg.optim, name)

    w = leaf([1.0, 2.0])
    optimizer = cls([w], lr=0.1, **options)
    stepped(optimizer, w, *gradients[:2])
    saved = optimizer.state_dict()
    other = leaf(to_numpy(w))
    expected = stepped(optimizer, w, *gradients[2:])

    resumed = cls([other], lr=7.0)
    resumed.load_state_dict(saved)
    assert resumed.param_groups[0]["lr"] == 0.1
    np.testing.assert_array_equal(stepped(resumed, other, *gradients[2:]), expected)


def test_a_state_that_does_not_fit_changes_nothing(backend):
    a, b = leaf([1.0]), leaf([1.0, 2.0])
    adam = xg.optim.Adam([a])
    stepped(adam, a, [1.0])
    saved = adam.state_dict()
    with pytest.raises(ValueError, match="lacks momentum"):
        xg.optim.SGD([a]).load_state_dict(saved)
    with pytest.raises(ValueError, match="group 0 has 2 parameters, the loaded state 1"):
        xg.optim.Adam([a, b]).load_state_dict(saved)
    with pytest.raises(ValueError, match="2 param groups, the loaded state 1"):
        xg.optim.Adam([{"params": a}, {"params": b}]).load_state_dict(saved)
    other = xg.optim.Adam([b], lr=0.5)
    with pytest.raises(ValueError, match=r"shape \(1,\).*\(2,\)"):
        other.load_state_dict(saved)
    assert other.param_groups[0]["lr"] == 0.5
    assert not other.state


FULL: dict[str, dict[str, Any]] = {  # options under which an optimizer keeps all that it can keep
    "SGD": {"momentum": 0.9},
    "Adagrad": {},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adam": {"amsgrad": True},
    "AdamW": {"amsgrad": True},
    **{name: {} for name in ("Adadelta", "Adamax", "NAdam", "RAdam", "Rprop", "ASGD", "Lion", "LAMB")},
}


@pytest.mark.parametrize("name", NAMES)
def test_every_array_of_a_loaded_state_is_checked(backend, name):
    """What is missing, unknown, of another kind or shape is named, and nothing has changed."""
    w = leaf([1.0, 2.0])
    optimizer = getattr(xg.optim, name)([w], lr=0.1, **FULL[name])
    stepped(optimizer, w, [1.0, -2.0])
    before = optimizer.state_dict()
    kept = before["state"][0]
    assert set(kept) == set(optimizer.state_entries)
    arrays = [key for key in kept if key != "step" and key not in optimizer.carried]
    wrongs: dict[str, Any] = {
        "is missing": None,
        "must be an array, not a list": [1.0, 2.0],
        "must be an array, not a float": 1.0,
        "must be an array, not a str": "12",
        "has shape": xg.zeros(3),
        "is of dtype": xg.zeros(2, dtype=backend.xp.complex128),
    }
    for key in arrays:
        for said, wrong in wrongs.items():
            state = {**kept, key: wrong}
            if said == "is missing":
                del state[key]
            with pytest.raises(ValueError, match=rf"{name}: .* parameter 0, {key} {said}"):
                optimizer.load_state_dict({**before, "state": {0: state}})
    wrong_states: Any = (
        ("other", "is unknown", {**kept, "other": xg.zeros(2)}),
        ("the entry", "is a list, not a dict", [1.0]),
    )
    for key, said, state in wrong_states:
        with pytest.raises(ValueError, match=rf"{name}: .* parameter 0, {key} {said}"):
            optimizer.load_state_dict({**before, "state": {0: state}})
    after = optimizer.state_dict()["state"][0]
    assert set(after) == set(kept)
    assert all(np.array_equal(to_numpy(after[key]), to_numpy(kept[key])) for key in arrays)
    optimizer.load_state_dict(before)
    host = {key: to_numpy(value) if key in arrays else value for key, value in kept.items()}
    optimizer.load_state_dict({**before, "state": {0: host}})  # arrays of the host are arrays too


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("parameter 5, which is in none", lambda s: s["state"].update({5: s["state"][0]})),
        ("step must be an integer", lambda s: s["state"][0].update(step="three")),
        ("step must be an integer", lambda s: s["state"][0].update(step=-1)),
        ("step must be an integer", lambda s: s["state"][0].update(step=1.5)),
        ("step is missing", lambda s: s["state"][0].pop("step")),
        ("lr must be", lambda s: s["param_groups"][0].update(lr="0.1")),
        ("lr must be", lambda s: s["param_groups"][0].update(lr=None)),
        ("betas must be", lambda s: s["param_groups"][0].update(betas=0.9)),
        ("amsgrad must be True or False", lambda s: s["param_groups"][0].update(amsgrad="no")),
        ("lacks eps", lambda s: s["param_groups"][0].pop("eps")),
        ("holds 'w'", lambda s: s["param_groups"][0].update(params=["w", 1])),
        ("each once", lambda s: s["param_groups"][0].update(params=[0, 0])),
        ("a list of numbers", lambda s: s["param_groups"][0].pop("params")),
        ("group 0 must be a dict", lambda s: s["param_groups"].__setitem__(0, 3)),
        ("a loaded state is a dict", lambda s: s.pop("state")),
        ("a loaded state is a dict", lambda s: s.update(param_groups=None)),
    ],
)
def test_a_loaded_state_is_checked_as_a_whole(said, change):
    with xg.use_backend("numpy"):
        a, b = leaf([1.0]), leaf([1.0, 2.0])
        adam = xg.optim.Adam([a, b], lr=0.5)
        stepped(adam, a, [1.0])
        saved = adam.state_dict()
        groups, state = adam.param_groups, adam.state
        changed = {"state": {0: dict(saved["state"][0])}, "param_groups": [dict(saved["param_groups"][0], lr=0.25)]}
        change(changed)
        with pytest.raises(ValueError, match=said):
            adam.load_state_dict(changed)
        assert (adam.param_groups, adam.state) == (groups, state)
        assert adam.param_groups[0]["lr"] == 0.5
        saved["state"][0]["step"] = xg.asarray(1.0)  # as PyTorch keeps it
        adam.load_state_dict(saved)
        assert adam.state[a]["step"] == 1


def test_an_optimizer_of_the_users_own_loads_what_it_keeps():
    class Own(xg.optim.Optimizer):  # type: ignore[misc]
        checks: ClassVar[Any] = {}

        @staticmethod
        def update(xp, p, g, state, o):
            state["word"] = "any"
            return p - g

    with xg.use_backend("numpy"):
        w = leaf([1.0])
        own = Own([w], {})
        stepped(own, w, [1.0])
        own.load_state_dict(own.state_dict())
        assert own.state[w]["word"] == "any"


def test_a_copy_of_an_update_rule_is_the_rule_itself():
    rule = xg.optim.AdamW.update_rule
    assert pickle.loads(pickle.dumps(rule)) is copy.deepcopy(rule) is rule


def test_pickle_keeps_parameters_and_state_together(backend):
    w = leaf([1.0, 2.0])
    optimizer = xg.optim.Adam([w])
    stepped(optimizer, w, [1.0, 2.0])
    v, other = pickle.loads(pickle.dumps((w, optimizer)))
    assert other.param_groups[0]["params"] == [v]
    expected = stepped(optimizer, w, [2.0, 1.0])
    np.testing.assert_array_equal(stepped(other, v, [2.0, 1.0]), expected)


@pytest.mark.parametrize(
    ("name", "options", "want"),
    [
        ("Adam", {}, 0.7226997),
        ("AdamW", {}, 0.7200026),
        ("RMSprop", {}, -0.70888126),
        ("RMSprop", {"centered": True}, -0.72107947),
    ],
)
def test_a_square_that_overflows_alone_stops_nothing(backend, name, options, want):
    """PyTorch's numbers, after gradients of 1e20 in float32: their share of the running mean is finite."""
    w = make(backend.view, [1.0], "float32", requires_grad=True)
    optimizer = getattr(xg.optim, name)([w], lr=0.1, **options)
    with np.errstate(over="ignore"):
        for g in (1e20, 1e20, 1.0):
            w.grad = make(backend.view, [g], "float32")
            optimizer.step()
    assert_close(to_numpy(w), [want], 1e-6)
