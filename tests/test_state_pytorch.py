"""The same network in PyTorch and here: states go both ways, and outputs, gradients and further steps are equal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")


# Each network is written once. L is the library: torch or xgrad.


def mlp(L: Any) -> Any:
    return L.nn.Sequential(
        L.nn.Linear(6, 16), L.nn.ReLU(), L.nn.Linear(16, 16, bias=False), L.nn.GELU(), L.nn.Linear(16, 3)
    )


def resnet(L: Any) -> Any:
    class Block(L.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, channels: int, out: int, stride: int) -> None:
            super().__init__()
            self.conv1 = L.nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
            self.bn1 = L.nn.BatchNorm2d(out)
            self.conv2 = L.nn.Conv2d(out, out, 3, padding=1, bias=False)
            self.bn2 = L.nn.BatchNorm2d(out)
            self.relu = L.nn.ReLU()
            self.downsample = L.nn.Sequential(L.nn.Conv2d(channels, out, 1, stride, bias=False), L.nn.BatchNorm2d(out))

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + self.downsample(x))

    stem = L.nn.Conv2d(3, 8, 3, padding=1), L.nn.BatchNorm2d(8), L.nn.ReLU()
    return L.nn.Sequential(
        *stem, Block(8, 8, 1), Block(8, 16, 2), L.nn.AdaptiveAvgPool2d(1), L.nn.Flatten(), L.nn.Linear(16, 5)
    )


def lstm(L: Any) -> Any:
    class Tagger(L.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = L.nn.LSTM(4, 6, num_layers=2, batch_first=True, bidirectional=True)
            self.head = L.nn.Linear(12, 3)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0])

    return Tagger()


def gpt(L: Any) -> Any:
    class Block(L.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.ln1, self.ln2 = L.nn.LayerNorm(8), L.nn.LayerNorm(8)
            self.attention = L.nn.MultiheadAttention(8, 2, batch_first=True)
            self.mlp = L.nn.Sequential(L.nn.Linear(8, 32), L.nn.GELU(), L.nn.Linear(32, 8))

        def forward(self, x: Any, mask: Any) -> Any:
            h = self.ln1(x)
            x = x + self.attention(h, h, h, attn_mask=mask, need_weights=False)[0]
            return x + self.mlp(self.ln2(x))

    class GPT(L.nn.Module):  # type: ignore[misc, name-defined]
        """Two blocks. The head has the weight of the embedding."""

        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = L.nn.Embedding(11, 8), L.nn.Embedding(5, 8)
            self.blocks = L.nn.ModuleList([Block(), Block()])
            self.norm = L.nn.LayerNorm(8)
            self.head = L.nn.Linear(8, 11, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, x: Any) -> Any:
            places = L.arange(5)
            mask = places[None, :] > places[:, None]
            h = self.tokens(x) + self.places(places)
            for block in self.blocks:
                h = block(h, mask)
            return self.head(self.norm(h))

    return GPT()


RNG = np.random.default_rng(0)
NETWORKS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "mlp": (mlp, RNG.normal(size=(7, 6)).astype("float32")),
    "resnet": (resnet, RNG.normal(size=(4, 3, 8, 8)).astype("float32")),
    "lstm": (lstm, RNG.normal(size=(3, 5, 4)).astype("float32")),
    "gpt": (gpt, RNG.integers(0, 11, (3, 5))),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.safetensors"


@pytest.fixture(params=NETWORKS)
def networks(request: Any, backend: Any) -> Any:
    """The network in PyTorch, after two steps of training, another one here, and inputs for both."""
    if backend.name not in ("numpy", "torch"):
        pytest.skip("two backends are enough")
    make, x = NETWORKS[request.param]
    torch.manual_seed(0)
    theirs, there = make(torch), torch.asarray(x)
    steps(theirs, torch.optim.SGD(theirs.parameters(), lr=0.1), there, 2)
    ours = make(xg).to(dtype="float32")
    return theirs.eval(), ours.eval(), there, xg.asarray(x)


def steps(model: Any, optimizer: Any, x: Any, n: int) -> None:
    for _ in range(n):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()


def numbers(x: Any) -> Any:
    return x.detach().numpy()


def assert_equal_outputs(theirs: Any, ours: Any, there: Any, here: Any) -> None:
    wanted, found = numbers(theirs(there)), numbers(ours(here))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())


def in_torch(tree: Any) -> Any:
    """A tree with PyTorch's tensors in the place of xgrad's."""
    if isinstance(tree, xg.Tensor):
        return torch.asarray(tree.numpy())
    if isinstance(tree, dict):
        return {key: in_torch(each) for key, each in tree.items()}
    return type(tree)(map(in_torch, tree)) if isinstance(tree, list | tuple) else tree


def untied(state: Any) -> Any:
    """safetensors refuses tensors that share memory."""
    return {name: tensor.clone() for name, tensor in state.items()}


def test_a_file_of_pytorch_loads_here(networks, path):
    theirs, ours, there, here = networks
    safetensors_torch.save_file(untied(theirs.state_dict()), path)
    xg.load(path, ours)
    assert_equal_outputs(theirs, ours, there, here)


def test_a_file_of_xgrad_loads_in_pytorch(networks, path):
    theirs, ours, there, here = networks
    xg.save(ours.state_dict(), path)
    found = safetensors_torch.load_file(path)
    assert sorted(found) == sorted(theirs.state_dict())
    theirs.load_state_dict(found)
    assert_equal_outputs(theirs, ours, there, here)


def test_states_in_memory_go_both_ways(networks):
    theirs, ours, there, here = networks
    ours.load_state_dict(theirs.state_dict())
    assert_equal_outputs(theirs, ours, there, here)
    for p in theirs.parameters():
        torch.nn.init.normal_(p, std=0.1)
    theirs.load_state_dict(in_torch(ours.state_dict()))
    assert_equal_outputs(theirs, ours, there, here)


def test_pytorchs_modules_and_tensors_can_be_saved(networks, path):
    theirs, ours, there, here = networks
    xg.save({"model": theirs, "state": theirs.state_dict()}, path)
    xg.load(path, {"model": ours})
    assert_equal_outputs(theirs, ours, there, here)


def test_half_precision_of_pytorch(path):
    tree = {
        name: torch.randn(3, 2).to(getattr(torch, name)) for name in ("bfloat16", "float16", "complex64", "complex128")
    }
    tree["scalar"] = torch.tensor(1.5, dtype=torch.bfloat16)
    with xg.use_backend("torch"):
        xg.save({**tree, "transposed": tree["bfloat16"].T, "conjugate": tree["complex64"].conj()}, path)
        found = {name: each.data for name, each in xg.load(path).items()}
    assert all(torch.equal(found[name], tree[name]) and found[name].dtype == tree[name].dtype for name in tree)
    assert torch.equal(found["transposed"], tree["bfloat16"].T)
    assert torch.equal(found["conjugate"], tree["complex64"].conj())
    theirs = safetensors_torch.load_file(path)
    assert torch.equal(theirs["bfloat16"], tree["bfloat16"])
    assert torch.equal(theirs["complex64"], tree["complex64"])
    assert torch.equal(torch.view_as_complex(theirs["complex128"]), tree["complex128"])


def test_bfloat16_of_pytorch_loads_into_wider_weights(path):
    state = {"weight": torch.randn(1, 2).bfloat16(), "bias": torch.ones(1, requires_grad=True)}
    layer = xg.nn.Linear(2, 1, dtype="float32")
    layer.load_state_dict(state)
    assert layer.weight.tolist() == state["weight"].tolist()
    safetensors_torch.save_file(state, path)
    with xg.use_backend("torch"):
        there = xg.load(path)["weight"]
        assert there.dtype == torch.bfloat16
        assert there.numpy().dtype.name in ("float32", "bfloat16")  # with ml_dtypes, NumPy has it too
        assert str(there).startswith("Tensor([[")
        other = xg.nn.Linear(2, 1, dtype="float32")
        xg.load(path, other)
    assert other.weight.tolist() == state["weight"].tolist()


def test_tensors_of_pytorch_are_parts_of_the_map(path):
    with xg.use_backend("torch"):
        xg.save({"x": torch.arange(4.0), "y": torch.arange(4.0)}, path)
        before, found = path.read_bytes(), xg.load(path)
        x = found["x"]
        assert found["y"].data.data_ptr() - x.data.data_ptr() == 16
        x.data += 1.0  # in the private memory of this process
        assert x.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert path.read_bytes() == before


OPTIMIZERS = {
    "Adam": ("Adam", {"lr": 0.01}),
    "AdamW, amsgrad": ("AdamW", {"lr": 0.01, "amsgrad": True}),
    "SGD": ("SGD", {"lr": 0.05}),
    "SGD, momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
}


@pytest.mark.parametrize("way", ["memory", "file"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_states_of_optimizers_go_both_ways(path, name, way):
    kind, options = OPTIMIZERS[name]
    x = NETWORKS["mlp"][1]
    torch.manual_seed(0)

    def made(L: Any) -> tuple[Any, Any]:
        model = mlp(L) if L is torch else mlp(L).to(dtype="float32")
        return model, getattr(L.optim, kind)(model.parameters(), **options)

    def brought(state: Any) -> Any:
        if way == "memory":
            return state
        xg.save(state, path)
        return xg.load(path)

    (theirs, their_optimizer), (ours, our_optimizer), (back, their_other) = made(torch), made(xg), made(torch)
    there, here = torch.asarray(x), xg.asarray(x)
    steps(theirs, their_optimizer, there, 3)
    ours.load_state_dict(brought(theirs.state_dict()))
    our_optimizer.load_state_dict(brought(their_optimizer.state_dict()))
    steps(theirs, their_optimizer, there, 3)
    steps(ours, our_optimizer, here, 3)
    assert_equal_outputs(theirs, ours, there, here)
    back.load_state_dict(in_torch(brought(ours.state_dict())))
    their_other.load_state_dict(in_torch(brought(our_optimizer.state_dict())))
    steps(back, their_other, there, 3)
    steps(ours, our_optimizer, here, 3)
    assert_equal_outputs(back, ours, there, here)
