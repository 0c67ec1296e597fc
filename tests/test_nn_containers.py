"""Containers: what PyTorch's do under the same operations, name by name."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy
from xgrad import nn

# --- the same random operations on a container of either library ----------------------------------


class Twins:
    """A container of xgrad and its twin of PyTorch, whose parameters have the numbers of their making as values."""

    def __init__(self, kind: str, start: int) -> None:
        self.torch = pytest.importorskip("torch")
        self.kind, self.made = kind, 0
        pairs = [self.part() for _ in range(start)]
        self.mine: Any = getattr(nn, kind)
        self.other: Any = getattr(self.torch.nn, kind)
        if kind == "Sequential":
            self.mine, self.other = self.mine(*[p for p, _ in pairs]), self.other(*[q for _, q in pairs])
        else:
            self.mine, self.other = self.mine([p for p, _ in pairs]), self.other([q for _, q in pairs])

    def part(self) -> tuple[Any, Any]:
        self.made += 1
        mine, other = nn.Parameter([float(self.made)]), self.torch.nn.Parameter(self.torch.tensor([float(self.made)]))
        if self.kind == "ParameterList":
            return mine, other
        layer, twin = nn.Module(), self.torch.nn.Module()
        layer.w, twin.w = mine, other
        return layer, twin

    def state(self) -> tuple[list[Any], list[Any]]:
        mine = [(name, to_numpy(p).tolist()) for name, p in self.mine.state_dict().items()]
        return mine, [(name, p.tolist()) for name, p in self.other.state_dict().items()]

    def apply(self, operation: Any, *parts: tuple[Any, Any]) -> None:
        self.mine = operation(self.mine, *[p for p, _ in parts])
        self.other = operation(self.other, *[q for _, q in parts])


def done(action: Any) -> Any:
    """The operation that does something to a container and goes on with it."""

    def operation(held: Any, *parts: Any) -> Any:
        action(held, *parts)
        return held

    return operation


def assigned(i: int) -> Any:
    return done(lambda held, part: held.__setitem__(i, part))


def random_step(twins: Twins, rng: np.random.Generator) -> None:
    n = len(twins.mine)
    i, j = int(rng.integers(-n, n)), int(rng.integers(0, n + 1))
    part = slice(*sorted((int(rng.integers(0, n)), n))[: 1 + int(rng.integers(2))])
    steps = {
        "append": lambda: twins.apply(lambda held, p: held.append(p), twins.part()),
        "extend": lambda: twins.apply(lambda held, p, q: held.extend([p, q]), twins.part(), twins.part()),
        "assign": lambda: twins.apply(assigned(i), twins.part()),
    }
    if twins.kind != "ParameterList":
        steps["delete"] = lambda: twins.apply(done(lambda held: held.__delitem__(i)))
        steps["delete a part"] = lambda: twins.apply(done(lambda held: held.__delitem__(part)))
        steps["insert"] = lambda: twins.apply(done(lambda held, p: held.insert(j, p)), twins.part())
        steps["pop"] = lambda: twins.apply(done(lambda held: held.pop(i)))
    if twins.kind == "Sequential":
        steps["add"] = lambda: twins.apply(lambda held: held + held[:2])
        steps["times"] = lambda: twins.apply(lambda held: 2 * held[:3])
    if twins.kind == "ModuleList":
        steps["add"] = lambda: twins.apply(lambda held, p: held + [p], twins.part())  # noqa: RUF005
    steps[str(rng.choice(list(steps)))]()


@pytest.mark.parametrize("kind", ["ModuleList", "Sequential", "ParameterList"])
@pytest.mark.parametrize("seed", range(5))
def test_random_operations_leave_what_pytorchs_leave(backend, kind, seed):
    rng = np.random.default_rng(seed)
    twins = Twins(kind, 4)
    for _ in range(25):
        random_step(twins, rng)
        mine, other = twins.state()
        assert mine == other
        for part in (slice(1, None), slice(None, None, 2), slice(-2, None)):
            names = [list(held[part].state_dict()) for held in (twins.mine, twins.other)]
            assert names[0] == names[1]
        while len(twins.mine) < 3:
            twins.apply(lambda held, p: held.append(p), twins.part())


# --- what they do, without PyTorch ----------------------------------------------------------------


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_children()]


def relus(n: int) -> list[nn.Module]:
    return [nn.ReLU() for _ in range(n)]


def test_a_sequential_is_a_list(backend):
    a, b, c, d = relus(4)
    net = nn.Sequential(a, b, c)
    assert net.insert(1, d) is net
    assert list(net) == [a, d, b, c]
    assert names(net) == ["0", "1", "2", "3"]
    assert net.pop(-1) is c
    net[-1] = c
    assert list(net) == [a, d, c]
    assert (d in net, b in net) == (True, False)
    del net[0]
    assert (list(net), names(net)) == ([d, c], ["0", "1"])
    assert list(net + nn.Sequential(a)) == [d, c, a]
    net += nn.Sequential(b)
    net *= 2
    assert list(net) == [d, c, b, d, c, b]
    assert len(3 * nn.Sequential(a)) == 3
    assert names(net[4:]) == ["4", "5"]
    assert names(net[4:].append(a)) == ["4", "5", "2"]
    assert names(net[1:3].append(a)) == ["1", "2", "3"]  # PyTorch's loses the module that had the name
    assert list(reversed(net[:2])) == [c, d]
    with pytest.raises(IndexError, match="index 6"):
        net[6] = a
    with pytest.raises(IndexError, match="index 9"):
        net.insert(9, a)
    with pytest.raises(TypeError, match="Sequential holds modules, got int"):
        net[0] = 3  # type: ignore[assignment]
    with pytest.raises(TypeError, match="Sequential holds modules, got NoneType"):
        net.append(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not list"):
        net + [a]  # type: ignore[operator]  # noqa: RUF005
    with pytest.raises(ValueError, match="not by 0"):
        net * 0
    with pytest.raises(TypeError, match="by float"):
        net * 1.5  # type: ignore[operator]


def test_named_modules_keep_their_names(backend):
    a, b, c, d = relus(4)
    net = nn.Sequential(OrderedDict(first=a, second=b, third=c))
    assert names(net[1:]) == ["second", "third"]
    net[1] = d
    assert (names(net), net.second) == (["first", "second", "third"], d)
    net.insert(1, b)
    assert (names(net), list(net)) == (["first", "1", "second", "third"], [a, b, d, c])


def test_a_module_list_is_a_list(backend):
    a, b, c = relus(3)
    layers = nn.ModuleList([a, b])
    layers.insert(-1, c)
    assert list(layers) == [a, c, b]
    assert layers.pop(0) is a
    assert list(layers + [a]) == [c, b, a]  # noqa: RUF005
    layers += (a,)
    assert (len(layers), layers[-1]) == (3, a)
    assert (names(layers[1:]), list(layers[1:])) == (["0", "1"], [b, a])
    del layers[1:]
    assert list(layers) == [c]
    assert len(nn.ModuleList(None)) == 0
    with pytest.raises(IndexError, match="index 1 "):
        layers[1]
    assert repr(nn.ModuleList([*relus(2), nn.Tanh()])) == "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)"
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_a_module_dict_is_a_dict(backend):
    a, b, c = relus(3)
    parts = nn.ModuleDict({"x": a, "y": b})
    parts["z"] = c
    assert (list(parts), list(parts.keys()), list(parts.values())) == (["x", "y", "z"], ["x", "y", "z"], [a, b, c])
    assert (parts.x, parts["y"], "z" in parts, "w" in parts, len(parts)) == (a, b, True, False, 3)
    assert dict(parts.items()) == {"x": a, "y": b, "z": c}
    assert parts.pop("x") is a
    parts.update([("y", c), ("w", a)])
    parts.update(nn.ModuleDict({"v": b}))
    assert dict(parts.items()) == {"y": c, "z": c, "w": a, "v": b}
    del parts["w"]
    for key in ("w", "training"):
        with pytest.raises(KeyError):
            parts[key]
        with pytest.raises(KeyError):
            del parts[key]
    with pytest.raises(KeyError, match="items"):
        parts["items"] = a
    with pytest.raises(KeyError, match="without dots"):
        parts["a.b"] = a
    with pytest.raises(TypeError, match="got function"):
        parts["f"] = lambda x: x  # type: ignore[assignment]
    with pytest.raises(NotImplementedError):
        parts(1)
    parts.clear()
    assert len(parts) == 0


def test_parameters_in_a_list(backend):
    p, q = nn.Parameter([1.0]), xg.asarray([2.0])
    held = nn.ParameterList([p, q])
    assert [name for name, _ in held.named_parameters()] == ["0", "1"]
    assert (held[0], held[-2]) == (p, p)
    assert isinstance(held[1], nn.Parameter)
    assert p in held
    assert q not in held
    held.append("text")
    held[1] = p
    assert [each is p for each in held] == [True, True, False]
    assert list(held[::2]) == [p, "text"]
    held += [p]
    assert len(held) == 4
    assert repr(held[2:]).splitlines()[1:3] == [
        "  (0): Object of type: str",
        f"  (1): Parameter containing: [{p.dtype} of size 1]",
    ]
    with pytest.raises(TypeError, match="several parameters"):
        held.extend(p)
    with pytest.raises(IndexError, match="index 4"):
        held[4] = p
    with pytest.raises(RuntimeError, match="ParameterList cannot be called"):
        held()


def test_parameters_in_a_dict(backend):
    p = nn.Parameter([1.0])
    held = nn.ParameterDict({"b": xg.asarray([2.0]), "a": p})
    assert list(held) == ["a", "b"]
    assert [name for name, _ in held.named_parameters()] == ["a", "b"]
    assert held.a is p
    assert isinstance(held["b"], nn.Parameter)
    assert (held.get("c"), held.setdefault("a"), held.pop("a")) == (None, p, p)
    held.update(OrderedDict(z=p, c=None))
    assert (list(held), list(reversed(held)), "c" in held, len(held)) == (["b", "z", "c"], ["c", "z", "b"], True, 3)
    assert held.popitem() == ("c", None)
    both = held | {"d": p}
    assert (list(both), list(held)) == (["b", "z", "d"], ["b", "z"])
    assert list({"y": p} | held) == ["y", "b", "z"]
    held |= {"e": p}
    assert list(held.copy().keys()) == ["b", "z", "e"]
    assert dict(held.fromkeys(["k"], 1).items()) == {"k": 1}
    held["more"] = xg.asarray([[1.0]])
    assert "more" in held.state_dict()
    held.clear()
    assert (len(held), list(held.parameters())) == (0, [])
    with pytest.raises(KeyError):
        held["b"]
    with pytest.raises(KeyError):
        held.popitem()
    with pytest.raises(KeyError, match="no attribute"):
        held["keys"] = p
    with pytest.raises(TypeError, match="not int"):
        held[1] = p  # type: ignore[index]
    with pytest.raises(RuntimeError, match="ParameterDict cannot be called"):
        held()


def test_a_dict_of_parameters_is_pytorchs(backend):
    torch = pytest.importorskip("torch")
    mine = nn.ParameterDict({k: xg.asarray([float(i)]) for i, k in enumerate("qcxa")})
    other = torch.nn.ParameterDict({k: torch.tensor([float(i)]) for i, k in enumerate("qcxa")})
    for held in (mine, other):
        held["b"] = held.pop("c")
        held.update([("z", held["a"]), ("d", held["q"])])
    assert [(n, p.item()) for n, p in mine.items()] == [(n, p.item()) for n, p in other.items()]
    assert list(mine.state_dict()) == list(other.state_dict())
