"""What is saved returns bit for bit, on every backend: arrays, and the states of all objects that a run has."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.data.schedules import LRS, PLATEAUS, SCHEDULES
from xgrad import nn, optim
from xgrad.backends.dtype_names import DTYPES
from xgrad.optim import lr_scheduler, swa_utils

pytest.importorskip("safetensors")

SLOW = ("dask", "dpnp", "jax")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.safetensors"


def bits(x: xg.Tensor) -> bytes:
    """All bits of the elements. bfloat16 in float32, which NumPy has."""
    exact = x if "bfloat16" not in str(x.dtype) else xg.astype(x, xg.float32)
    found: bytes = exact.numpy().tobytes()
    return found


def assert_same(a: Any, b: Any) -> None:
    """Two trees are equal, and their tensors in all bits, dtypes and shapes."""
    assert type(a) is type(b)
    if isinstance(a, xg.Tensor):
        assert (a.shape, a.dtype, a.device, a.backend) == (b.shape, b.dtype, b.device, b.backend)
        assert bits(a) == bits(b)
    elif isinstance(a, dict):
        assert set(a) == set(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert_same(left, right)
    else:
        assert repr(a) == repr(b)


# --- arrays ---------------------------------------------------------------------------------------------------------


def values(dtype: str) -> Any:
    """Numbers that a dtype has, with its special ones."""
    if dtype == "bool":
        return np.asarray([[True, False, True], [False, False, True]])
    if "int" in dtype:
        limits = np.iinfo(dtype)
        return np.asarray([[limits.min, 0, 1], [2, 3, limits.max]], dtype=dtype)
    numbers = np.asarray([[0.1, -0.0, np.nan], [np.inf, -np.inf, 3e-5]])
    if "complex" in dtype:
        numbers = np.stack([numbers, numbers[::-1]], axis=-1).view("complex128")[..., 0]
    return numbers.astype(dtype)


def test_arrays_of_every_dtype_and_layout(backend, xp, path):
    tree: dict[str, Any] = {}
    for dtype in ("bool", "float32", "complex64") if backend.name in SLOW else sorted(DTYPES):
        if not backend.has_dtype(dtype):
            continue
        x = xp.astype(xp.asarray(values("float32" if dtype == "bfloat16" else dtype)), backend.as_dtype(dtype))
        tree[dtype] = [x, x[0, 0]] if backend.name in SLOW else [x, x[0, 0], x[:0], x.T, x[:, ::2], xp.flip(x)]
    assert len(tree) >= 3
    xg.save(tree, path)
    assert_same(xg.load(path), tree)


def test_raw_arrays_and_tensors_that_require_gradients(backend, xp, path):
    x = xp.asarray([1.0, 2.0], requires_grad=True)
    xg.save([x, x * 3.0, x.data, x.numpy()], path)
    a, b, c, d = xg.load(path)
    assert not any(each.requires_grad for each in (a, b, c, d))
    assert a.tolist() == c.tolist() == d.tolist() == [1.0, 2.0]
    assert b.tolist() == [3.0, 6.0]


def test_a_write_into_what_was_loaded_changes_no_file(backend, xp, path):
    xg.save({"x": xp.asarray([1.0, 2.0])}, path)
    before = path.read_bytes()
    x = xg.load(path)["x"]
    x[0] = 5.0
    x *= 2.0
    assert x.tolist() == [10.0, 4.0]
    assert path.read_bytes() == before
    assert xg.load(path)["x"].tolist() == [1.0, 2.0]


def test_an_optimizer_does_not_write_into_the_file(backend, xp, path):
    xg.save({"w": xp.asarray([1.0, 2.0])}, path)
    before = path.read_bytes()
    w = xg.load(path)["w"]
    w.requires_grad = True
    optimizer = optim.SGD([w], lr=0.5)
    xp.sum(w * w).backward()
    optimizer.step()
    assert w.tolist() == [0.0, 0.0]
    assert path.read_bytes() == before


def test_weights_that_lie_transposed_in_memory_lie_so_again(path):
    """A product can depend on it in the last bit."""
    w = xg.asarray(np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1))
    assert not w.data.flags.c_contiguous
    xg.save({"w": w}, path)
    into = xg.zeros((4, 2, 3))
    tree = xg.load(path, {"w": into})
    assert into.data.strides == w.data.strides
    assert into.tolist() == w.tolist()
    assert not tree["w"].data.flags.owndata  # of the map


class Loads(nn.Linear):
    """A module with a method of its own for loading."""

    def load_state_dict(self, state_dict: Any, strict: bool = True) -> Any:
        return super().load_state_dict(state_dict, strict)


def test_they_do_so_in_an_object_that_loads_by_itself(path):
    one, other = Loads(3, 4), Loads(3, 4)
    one.weight.data = np.asfortranarray(one.weight.numpy())
    xg.save({"model": one}, path)
    xg.load(path, {"model": other})
    assert other.weight.data.strides == one.weight.data.strides


def test_other_backends_read_it(path):
    pytest.importorskip("torch")
    tree = {"x": xg.asarray(np.arange(6.0, dtype="float32").reshape(2, 3)), "n": 3}
    model = nn.Linear(3, 2, dtype="float32", rng=xg.random.Generator(0))
    xg.save({**tree, "model": model}, path)
    with xg.use_backend("torch"):
        there = nn.Linear(3, 2, dtype="float32")
        found = xg.load(path, {"model": there})
        assert found["x"].backend.name == "torch"
        assert found["x"].tolist() == tree["x"].tolist()
        assert there.weight.tolist() == model.weight.tolist()
        xg.save({"model": there}, path)
    here = nn.Linear(3, 2, dtype="float32")
    xg.load(path, {"model": here})
    assert bits(here.weight) == bits(model.weight)


def test_a_dtype_that_the_backend_lacks_is_named(path):
    pytest.importorskip("array_api_strict")
    xg.save({"x": np.ones(2, dtype=np.float16)}, path)
    with xg.use_backend("strict"), pytest.raises(xg.state.StateError, match=r"'x' of shape \(2,\) and dtype float16"):
        xg.load(path)


def test_arrays_of_dask_are_computed_together(path):
    da = pytest.importorskip("dask.array")
    calls = []

    def noted(block: Any) -> Any:
        calls.append(block.shape)
        return block + 1.0

    base = da.from_array(np.zeros(3)).map_blocks(noted, dtype="float64", meta=np.zeros(0))
    xg.save([base, base], path)
    assert calls == [(3,)]
    assert [each.tolist() for each in xg.load(path)] == [[1.0] * 3] * 2


# --- objects --------------------------------------------------------------------------------------------------------


class Net(nn.Module):
    """Two layers with one weight, a batch norm and dropout."""

    def __init__(self, rng: xg.random.Generator) -> None:
        self.first = nn.Linear(4, 4, bias=False, rng=rng, dtype="float32")
        self.norm = nn.BatchNorm1d(4, dtype="float32")
        self.drop = nn.Dropout(0.25, rng=rng)
        self.second = nn.Linear(4, 4, rng=rng, dtype="float32")
        self.second.weight = self.first.weight

    def forward(self, x: Any) -> Any:
        return self.second(self.drop(xg.tanh(self.norm(self.first(x)))))


def optimizers(model: nn.Module) -> dict[str, Any]:
    matrices = [p for p in model.parameters() if p.ndim == 2]
    groups: list[Any] = [{"params": matrices, "lr": 0.01}, {"params": [p for p in model.parameters() if p.ndim != 2]}]
    made = {
        name: getattr(optim, name)(matrices if name == "Muon" else groups, lr=0.02)
        for name in optim.__all__
        if name not in ("Optimizer", "LBFGS")
    }
    return made | {
        "LBFGS": optim.LBFGS(matrices, lr=0.5, max_iter=3),
        "SGD, momentum": optim.SGD(groups, lr=0.02, momentum=0.9, nesterov=True),
        "RMSprop, centered": optim.RMSprop(groups, momentum=0.9, centered=True),
        "AdamW, amsgrad": optim.AdamW(groups, amsgrad=True),
    }


def run(rng: xg.random.Generator, name: str) -> dict[str, Any]:
    model = Net(rng)
    optimizer = optimizers(model)[name]
    return {"model": model, "optimizer": optimizer, "rng": rng}


def train(run: dict[str, Any], steps: int) -> None:
    model, optimizer, rng = run["model"], run["optimizer"], run["rng"]
    for _ in range(steps):
        x = rng.normal((6, 4), dtype="float32")

        def closure(x: Any = x) -> Any:
            optimizer.zero_grad()
            loss = xg.mean(xg.square(model(x) - x))
            loss.backward()
            return loss

        optimizer.step(closure)


def states(run: dict[str, Any]) -> dict[str, Any]:
    return {name: part.state_dict() for name, part in run.items()}


NAMES = [
    *(name for name in optim.__all__ if name != "Optimizer"),
    "SGD, momentum",
    "RMSprop, centered",
    "AdamW, amsgrad",
]


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_bit_for_bit(backend, path, name):
    if backend.name in SLOW and name != "SGD, momentum":
        pytest.skip("slow")
    one = run(xg.random.Generator(0), name)
    train(one, 2)
    xg.save(one, path)
    other = run(xg.random.Generator(1), name)
    if backend.name not in SLOW:
        train(other, 1)
    xg.load(path, other)
    assert_same(states(one), states(other))
    train(one, 1)
    train(other, 1)
    assert_same(states(one), states(other))
    assert other["model"].first.weight is other["model"].second.weight


def test_every_optimizer_is_here():
    assert set(optimizers(Net(xg.random.Generator(0)))) == set(NAMES)


def test_a_compiled_step_goes_on_with_what_was_loaded(path):
    runs = [run(xg.random.Generator(0), "AdamW") for _ in range(2)]
    for each in runs:
        each["model"].eval()  # without dropout, which draws anew in each call

    def step_of(each: dict[str, Any]) -> Any:
        @xg.compile
        def step(x: Any) -> Any:
            each["optimizer"].zero_grad()
            loss = xg.mean(xg.square(each["model"](x) - 1.0))
            loss.backward()
            each["optimizer"].step()
            return loss

        return step

    x = xg.random.Generator(2).normal((6, 4), dtype="float32")
    one, other = map(step_of, runs)
    for _ in range(3):
        one(x)
    xg.save(runs[0], path)
    for _ in range(2):
        other(x)
    xg.load(path, runs[1])
    losses = [(one(x).item(), other(x).item()) for _ in range(3)]
    assert all(a == b for a, b in losses)


@pytest.mark.parametrize("name", [*SCHEDULES, *PLATEAUS])
def test_schedules(path, name):
    def made(factor: float) -> tuple[Any, Any]:
        parameters = [xg.asarray([1.0], requires_grad=True) for _ in LRS]
        optimizer = optim.SGD(
            [{"params": [p], "lr": lr * factor} for p, lr in zip(parameters, LRS, strict=True)], momentum=0.9
        )
        if name in PLATEAUS:
            return optimizer, lr_scheduler.ReduceLROnPlateau(optimizer, **PLATEAUS[name])
        return optimizer, SCHEDULES[name](lr_scheduler, optimizer)

    def step(scheduler: Any, n: int) -> list[float]:
        for i in range(n):
            scheduler.step(1.0 + i) if name in PLATEAUS else scheduler.step()
        return list(scheduler.get_last_lr())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without steps of the optimizer
        one, other = made(1.0), made(3.0)
        step(one[1], 11)
        xg.save({"optimizer": one[0], "schedule": one[1]}, path)
        xg.load(path, {"optimizer": other[0], "schedule": other[1]})
        for n in (1, 1, 20):
            assert step(one[1], n) == step(other[1], n)


def test_averages(backend, path):
    model = nn.Linear(2, 1, rng=xg.random.Generator(0))
    average = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    schedule = swa_utils.SWALR(optim.SGD(model.parameters(), lr=0.1), swa_lr=0.05)
    average.update_parameters(model)
    with xg.no_grad():
        model.weight[...] = 3.0
    average.update_parameters(model)
    xg.save({"average": average, "schedule": schedule}, path)
    other = swa_utils.AveragedModel(nn.Linear(2, 1), multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.5))
    xg.load(path, {"average": other})
    for each in (average, other):
        each.update_parameters(model)
    assert_same(average.state_dict(), other.state_dict())


def test_generators(path):
    rng = xg.random.Generator(3)
    rng.normal((5,))
    rng.spawn(2)
    xg.save({"rng": rng, "default": xg.random.seed(5)}, path)
    wanted = [rng.normal((3,)).tolist(), [each.integers(0, 1000).item() for each in rng.spawn(2)]]
    default = xg.random.default_generator().normal((3,)).tolist()
    other = xg.random.Generator()
    xg.load(path, {"rng": other, "default": xg.random.default_generator()})
    assert [other.normal((3,)).tolist(), [each.integers(0, 1000).item() for each in other.spawn(2)]] == wanted
    assert xg.random.default_generator().normal((3,)).tolist() == default


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders(path, workers):
    def made(seed: int) -> Any:
        data = xg.data.TensorDataset(np.arange(23.0))
        rng = xg.random.Generator(seed)
        return xg.data.DataLoader(data, batch_size=4, shuffle=True, generator=rng, num_workers=workers)

    def batches(loader: Any) -> list[Any]:
        return [batch[0].tolist() for batch in loader]

    one, other = made(0), made(1)
    batches(one)
    present = iter(one)
    next(present)
    xg.save({"loader": one}, path)
    rest = [batch[0].tolist() for batch in present]
    xg.load(path, {"loader": other})
    assert batches(other) == rest
    assert batches(other) == batches(one)
    short = xg.data.DataLoader(xg.data.TensorDataset(np.arange(9.0)), batch_size=4)
    next(iter(short))
    xg.save({"loader": short}, path)
    with pytest.raises(xg.state.StateError, match="9 samples in batches of 4"):
        xg.load(path, {"loader": other})
    present = iter(other)
    next(present)
    xg.save({"loader": one.state_dict(), "wrong": {}}, path)
    with pytest.raises(xg.state.StateError, match="'wrong': Generator: "):
        xg.load(path, {"loader": other, "wrong": xg.random.Generator()})
    assert len(list(present)) == 5
    assert (other.epoch, other.position) == (4, 0)  # the pass that was under way has been counted


class Typed(nn.Module):
    """A module with an attribute that arrays have."""

    def __init__(self) -> None:
        self.dtype = "float32"
        self.inner = nn.Linear(2, 1)

    def forward(self, x: Any) -> Any:
        return self.inner(x)


def test_an_object_with_a_dtype_is_no_array(path):
    codes, model = xg.data.OneHot().fit(["a", "b"]), Typed()
    xg.save({"codes": codes, "model": model}, path)
    new, other = xg.data.OneHot(), Typed()
    xg.load(path, {"codes": new, "model": other})
    assert new.state_dict() == codes.state_dict()
    assert other.inner.weight.tolist() == model.inner.weight.tolist()


def test_a_transform_that_is_not_fitted_yet_is_loaded_into(path):
    fitted = xg.data.Standardize().fit(xg.asarray([[1.0], [3.0]]))
    xg.save({"scale": fitted, "wrong": {}}, path)
    new = xg.data.Standardize()
    with pytest.raises(xg.state.StateError, match="'wrong': Generator: "):
        xg.load(path, {"scale": new, "wrong": xg.random.Generator()})
    assert new.mean is None
    xg.load(path, {"scale": new})
    assert new(xg.asarray([[3.0]])).tolist() == [[1.0]]
