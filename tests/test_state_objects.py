"""Loading into objects: all of them or none, and one error that says what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from xgrad import nn, optim
from xgrad.state import StateError

pytest.importorskip("safetensors")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.safetensors"


def run(seed: int, steps: int = 2, width: int = 4, kind: Any = optim.Adam) -> dict[str, Any]:
    rng = xg.random.Generator(seed)
    model = nn.Sequential(nn.Linear(3, width, rng=rng), nn.Tanh(), nn.Linear(width, 1, rng=rng))
    optimizer = kind([{"params": model[0].parameters()}, {"params": model[2].parameters()}], lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, 5)
    for _ in range(steps):
        optimizer.zero_grad()
        xg.mean(model(rng.normal((5, 3)))).backward()
        optimizer.step()
        schedule.step()
    return {"model": model, "optimizer": optimizer, "schedule": schedule, "rng": rng}


def all_of(run: dict[str, Any]) -> Any:
    """All that loading could change: states, and which arrays and groups the objects hold."""
    model, optimizer = run["model"], run["optimizer"]
    held = [id(p.data) for p in model.parameters()], id(optimizer.state), id(optimizer.param_groups)
    states = {name: part.state_dict() for name, part in run.items() if hasattr(part, "state_dict")}
    return held, repr(states), [p.tolist() for p in model.parameters()], sorted(vars(run["schedule"]))


@pytest.fixture
def saved(path: Path) -> Path:
    xg.save({**run(0), "epoch": 2}, path)
    return path


def refused(path: Path, into: dict[str, Any]) -> str:
    """The error of loading into objects. Nothing changes."""
    before = all_of(into)
    with pytest.raises(StateError) as caught:
        xg.load(path, into)
    assert all_of(into) == before
    text = str(caught.value)
    assert text.startswith(f"{path} does not fit, and nothing was loaded.\n")
    return text.partition("\n")[2]


# --- what fits ------------------------------------------------------------------------------------------------------


def test_the_tree_returns_with_states_in_the_place_of_objects(saved):
    into = run(1)
    tree = xg.load(saved, into)
    assert tree["epoch"] == 2
    assert list(tree) == ["model", "optimizer", "schedule", "rng", "epoch"]
    assert list(tree["model"]) == list(into["model"].state_dict())
    assert tree["rng"] == into["rng"].state_dict() == run(0)["rng"].state_dict()
    assert all_of(into)[1:] == all_of(run(0))[1:]


def test_one_object_and_a_part_of_a_file(saved, path):
    model = run(1)["model"]
    xg.load(saved, {"model": model})
    assert model[0].weight.tolist() == run(0)["model"][0].weight.tolist()
    xg.save(model, path)
    other = run(2)["model"]
    assert list(xg.load(path, other)) == list(other.state_dict())
    assert other[0].weight.tolist() == model[0].weight.tolist()


def test_trees_of_objects(path):
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    xg.save({"both": [first, (second, 3)]}, path)
    a, b = nn.Linear(2, 1), nn.Linear(2, 1)
    xg.load(path, {"both": (a, [b, 0])})  # a list for a tuple: their parts count
    assert [a.weight.tolist(), b.weight.tolist()] == [first.weight.tolist(), second.weight.tolist()]


def test_a_tensor_is_loaded_into(path):
    xg.save({"w": xg.asarray([1.0, 2.0], dtype="float32"), "n": 3}, path)
    w = xg.asarray([0.0, 0.0], dtype="float64", requires_grad=True)
    tree = xg.load(path, {"w": w, "n": 0})
    assert w.tolist() == [1.0, 2.0]
    assert w.requires_grad
    assert w.dtype == xg.float64
    assert tree["w"].dtype == xg.float32
    with pytest.raises(StateError, match=r"'w': has shape \(2,\) in the loaded state and \(3,\) here"):
        xg.load(path, {"w": xg.zeros(3)})
    with pytest.raises(StateError, match="'n': is a int in the loaded state, not an array"):
        xg.load(path, {"n": xg.zeros(3)})


def test_a_parameter_owns_its_copy(saved, path):
    into = run(1)
    tree = xg.load(saved, into)
    before = tree["model"]["0.weight"].tolist()
    into["model"](xg.ones((2, 3))).sum().backward()
    into["optimizer"].step()
    into["model"][0].weight.data[0, 0] = 9.0
    assert tree["model"]["0.weight"].tolist() == before
    assert xg.load(path)["model"]["0.weight"].tolist() == before


def test_a_state_of_another_program_into_a_module(path):
    """Names decide; the file need not be xgrad's."""
    numpy_face = pytest.importorskip("safetensors.numpy")
    numpy_face.save_file({"weight": np.ones((1, 2)), "bias": np.zeros(1)}, path)
    layer = nn.Linear(2, 1)
    xg.load(path, layer)
    assert layer.weight.tolist() == [[1.0, 1.0]]


def test_a_state_dict_that_was_saved_by_itself(path):
    one, other = run(0), run(1)
    xg.save({name: part.state_dict() for name, part in one.items()}, path)
    xg.load(path, other)
    assert all_of(other)[1:] == all_of(one)[1:]


# --- what does not fit ----------------------------------------------------------------------------------------------


def test_wrong_shapes_are_listed_with_those_of_the_optimizer(saved):
    text = refused(saved, run(1, width=5))
    assert "'model': 0.weight has shape (4, 3) in the loaded state and (5, 3) here\n" in text
    assert "'model': 2.weight has shape (1, 4) in the loaded state and (1, 5) here\n" in text
    assert "'optimizer': Adam: in the loaded state of parameter 0, exp_avg has shape (4, 3)" in text


def test_wrong_dtypes(path):
    xg.save({"model": {"weight": xg.ones((1, 2), dtype="complex64"), "bias": 1.5}}, path)
    with pytest.raises(StateError) as caught:
        xg.load(path, {"model": nn.Linear(2, 1)})
    assert "'model': weight is of dtype complex64 in the loaded state, which does not fit into float64" in str(
        caught.value
    )
    assert "'model': bias has shape" not in str(caught.value)
    assert "'model': bias is a float in the loaded state, not an array" in str(caught.value)


def test_missing_and_unexpected_names(saved):
    into = run(1)
    into["model"] = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    text = refused(saved, into)
    assert "'model': missing: 1.weight, 1.bias\n" in text
    assert "'model': unexpected: 2.weight, 2.bias" in text


def test_another_optimizer(saved):
    text = refused(saved, run(1, kind=optim.AdamW))
    assert text.strip().startswith("'optimizer': is the state of Adam in the file, and AdamW here.")
    tree, other = xg.load(saved), run(1, kind=optim.AdamW)
    other["optimizer"].load_state_dict(tree["optimizer"])  # as the error says
    assert other["optimizer"].state_dict()["state"][0]["step"] == 2


def test_another_number_of_groups(saved):
    into = run(1)
    into["optimizer"] = optim.Adam(into["model"].parameters())
    assert "'optimizer': Adam: this optimizer has 1 param groups, the loaded state 2" in refused(saved, into)


def test_a_schedule_of_more_groups(saved):
    into = {"schedule": optim.lr_scheduler.StepLR(optim.Adam(nn.Linear(1, 1).parameters()), 5)}
    with pytest.raises(StateError, match="'schedule': StepLR: the optimizer has 1 param groups, the loaded state 2"):
        xg.load(saved, into)
    assert into["schedule"].base_lrs == [0.001]


def test_a_place_that_is_not_in_the_file(saved):
    text = refused(saved, {**run(1), "average": nn.Linear(1, 1)})
    assert "'average': is not in the file, which has 'model', 'optimizer', 'schedule', 'rng', 'epoch' there" in text
    with pytest.raises(StateError, match="the root: is of type dict in the file, and has several parts here"):
        xg.load(saved, [nn.Linear(1, 1)])
    with pytest.raises(StateError, match="'epoch': is of type int in the file, and has several parts here"):
        xg.load(saved, {"epoch": {"n": nn.Linear(1, 1)}})
    with pytest.raises(StateError, match="takes a dict of arrays, not int"):
        xg.load(saved, {"epoch": nn.Linear(1, 1)})


def test_lists_of_other_lengths(path):
    xg.save([nn.Linear(1, 1)] * 3, path)
    with pytest.raises(StateError, match="the root: has 3 parts in the file and 2 here"):
        xg.load(path, [nn.Linear(1, 1)] * 2)


def test_long_errors_are_cut(path):
    xg.save(nn.Sequential(*(nn.Linear(2, 1) for _ in range(30))), path)
    with pytest.raises(StateError, match="and 40 differences more") as caught:
        xg.load(path, nn.Sequential(*(nn.Linear(3, 2) for _ in range(30))))
    assert len(caught.value.differences) == 60
    assert str(caught.value).count("\n") == 21


def test_what_cannot_be_loaded_into(saved):
    for wrong, name in (
        (np.zeros(2), "ndarray"),
        (print, "builtin_function_or_method"),
        (nn.Linear, "type"),
        ({1}, "set"),
    ):
        into = {"model": run(1)["model"], "optimizer": wrong}
        before = into["model"][0].weight.tolist()
        with pytest.raises(TypeError, match=f"into has a value of type {name} at 'optimizer'"):
            xg.load(saved, into)
        assert into["model"][0].weight.tolist() == before


# --- all or none ----------------------------------------------------------------------------------------------------


class Counter:
    """An object of a user's, which can fail in the middle of loading."""

    def __init__(self, n: int, error: BaseException | None = None) -> None:
        self.n, self.error = n, error

    def state_dict(self) -> dict[str, Any]:
        return {"n": self.n}

    def load_state_dict(self, state: Any) -> None:
        self.n, self.half = state["n"], "loaded"
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        del self.half


@pytest.mark.parametrize(
    "error", [KeyError("n"), ZeroDivisionError("bad"), MemoryError(), KeyboardInterrupt()], ids=repr
)
def test_an_object_that_fails_in_the_middle(saved, path, error):
    xg.save({**run(0), "first": Counter(1), "second": Counter(2)}, path)
    first, second, into = Counter(10), Counter(20, error), run(1)
    before = all_of(into)
    wanted = StateError if isinstance(error, KeyError | ZeroDivisionError) else type(error)
    with pytest.raises(wanted) as caught:
        xg.load(path, {"schedule": into["schedule"], "first": first, **into, "second": second})
    assert all_of(into) == before
    assert (first.n, second.n) == (10, 20)
    assert not hasattr(second, "half")
    if wanted is StateError:
        assert f"'second': {error}" in str(caught.value)
    second.error = None
    xg.load(path, {**into, "first": first, "second": second})
    assert (first.n, second.n) == (1, 2)
    assert all_of(into)[1:] == all_of(run(0))[1:]


def test_an_interrupt_while_the_swaps_are_made(saved, monkeypatch):
    """The optimizer's comes second: the model gets its arrays back."""
    into = run(1)
    before = all_of(into)
    real = optim.Adam.__setattr__

    def interrupt(self: Any, name: str, value: Any) -> None:
        if name == "_unfinished":
            monkeypatch.undo()
            raise KeyboardInterrupt
        real(self, name, value)

    monkeypatch.setattr(optim.Adam, "__setattr__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        xg.load(saved, into)
    assert all_of(into) == before


def test_a_load_state_dict_of_a_users_module_is_called(path):
    class Doubled(nn.Linear):
        def load_state_dict(self, state_dict: Any, strict: bool = True) -> Any:
            return super().load_state_dict({name: 2.0 * value for name, value in state_dict.items()}, strict)

    layer = nn.Linear(2, 1)
    xg.save(layer, path)
    other = Doubled(2, 1)
    xg.load(path, other)
    assert other.weight.tolist() == (2.0 * layer.weight).tolist()


def test_a_hostile_state_of_a_schedule(path):
    """It can hide no method, and puts no text in the place of a number."""
    schedule = run(1)["schedule"]
    state = schedule.state_dict()
    for name, value in (("step", 1), ("get_lr", None), ("last_epoch", "1"), ("base_lrs", 3)):
        xg.save({"schedule": {**state, name: value}}, path)
        with pytest.raises(StateError, match=f"StepLR: the loaded state has something else as {name}"):
            xg.load(path, {"schedule": schedule})
    assert schedule.state_dict() == state


@pytest.mark.parametrize(
    "change",
    [{"stream": 0}, {"seeds": {}}, {"stream": {"bit_generator": "MT19937"}}, {"seeds": {"entropy": 2**100_000}}],
    ids=["no stream", "no seeds", "another generator", "a huge seed"],
)
def test_a_hostile_state_of_a_generator(path, change):
    rng = xg.random.Generator(0)
    state = rng.state_dict()
    for name, value in change.items():
        state[name] = {**state[name], **value} if value else value
    xg.save({"rng": state}, path)
    before = rng.state_dict()
    with pytest.raises(StateError, match="'rng': Generator: the loaded state is not what state_dict returned"):
        xg.load(path, {"rng": rng})
    assert rng.state_dict() == before
