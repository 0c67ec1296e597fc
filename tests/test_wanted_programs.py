"""Programs as PyTorch's users write them run as they stand on every backend, and compute what PyTorch computes."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest

import xgrad as xg

# `fill(module)` is the one line that is not the user's: it sets values that are the same in both libraries.
PROGRAMS = {
    "mnist": """
import xgrad as xg
from xgrad import nn, optim
F = nn.functional
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.drop, self.fc = nn.Conv2d(1, 8, 3), nn.Dropout(0.25), nn.Linear(8 * 3 * 3, 10)
    def forward(self, x):
        return F.log_softmax(self.fc(self.drop(F.max_pool2d(F.relu(self.conv1(x)), 2)).flatten(1)), dim=1)
m = Net(); o = optim.Adadelta(m.parameters(), lr=1.0); s = optim.lr_scheduler.StepLR(o, step_size=1, gamma=0.7)
fill(m)
for epoch in range(3):
    o.zero_grad()
    l = F.nll_loss(m(xg.ones((4, 1, 8, 8))), xg.asarray([0, 1, 2, 3])); l.backward(); o.step(); s.step()
print("METRIC loss:", l.item())
""",
    "mingpt": """
import math
import xgrad as xg
from xgrad import nn
F = nn.functional
t = nn.ModuleDict(dict(wte=nn.Embedding(7, 8), ln=nn.LayerNorm(8), att=nn.Linear(8, 24)))
fill(t)
x = t.ln(t.wte(xg.asarray([[0, 1, 2]]))); B, T, C = x.size()
q, k, v = (a.view(B, T, 2, C // 2).transpose(1, 2) for a in t.att(x).split(C, dim=2))
att = (q @ k.transpose(-2, -1)) / math.sqrt(C // 2)
att = F.softmax(att.masked_fill(xg.tril(xg.ones((T, T))) == 0, float("-inf")), dim=-1)
y = F.gelu((att @ v).transpose(1, 2).contiguous().view(B, T, C))
print("METRIC loss:", y.sum().item(), sum(p.numel() for p in t.parameters()))
""",
    "lstm": """
import xgrad as xg
from xgrad import nn, optim
cell, lin = nn.LSTMCell(1, 8).double(), nn.Linear(8, 1)
fill(cell); fill(lin)
o = optim.LBFGS([*cell.parameters(), *lin.parameters()], lr=0.8)
def closure():
    o.zero_grad(); h, c = cell(xg.ones((2, 1)), (xg.zeros((2, 8)), xg.zeros((2, 8))))
    l = nn.functional.mse_loss(lin(h), xg.ones((2, 1))); l.backward(); return l
print("METRIC loss:", o.step(closure).item(), o.step(closure).item())
""",
    "vae": """
import xgrad as xg
from xgrad import nn
F = nn.functional
p = xg.sigmoid(xg.ones((2, 3)))
z = (p + xg.randn_like(p)).pow(2).view(-1)
print(nn.InstanceNorm2d(3), nn.ReflectionPad2d(1))
image = nn.InstanceNorm2d(3)(nn.ReflectionPad2d(1)(p.new_ones(1, 3, 4, 4).tril()))
large = F.interpolate(image, scale_factor=2, mode="nearest")
print("METRIC loss:", F.binary_cross_entropy(p, xg.ones((2, 3)), reduction="sum").item(), large.exp().sum().item())
""",
    "reinforce": """
import xgrad as xg
rng = xg.random.Generator(0)
p = xg.asarray([0.2, 0.8])
print(rng.choice(2, p=p), rng.standard_normal((2,)))
from xgrad.distributions import Categorical
of_both = Categorical(p).log_prob(xg.asarray([0, 1])).sum()
print("METRIC loss:", Categorical(p).log_prob(Categorical(p).sample()).item(), of_both.item())
""",
    "clipping": """
import xgrad as xg
from xgrad import nn, optim
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
fill(model)
opt = optim.SGD(model.parameters(), lr=0.5)
x = xg.ones((6, 3)).double().mul(2.0)
y = (x.new_zeros(6).long() + 1)
for step in range(3):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    opt.step()
    with xg.no_grad():
        for p in model.parameters():
            p.clamp_(-0.5, 0.5)
acc = (model(x).argmax(dim=1) == y).float().mean()
size = nn.utils.parameters_to_vector(model.parameters()).abs().sum()
print("METRIC loss:", loss.item(), norm.item(), acc.item(), size.item())
""",
}  # fmt: skip
NOT_PYTORCHS = ("reinforce",)  # it draws from a generator of xgrad's


def run(text: str, fill: Any) -> list[float]:
    """The numbers that a program prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(text, "program", "exec"), {"fill": fill, "__name__": "program"})
    (line,) = (line for line in out.getvalue().splitlines() if line.startswith("METRIC loss:"))
    return [float(word) for word in line.removeprefix("METRIC loss:").split()]


def values(shape: tuple[int, ...], seed: int) -> np.ndarray[Any, Any]:
    return np.asarray(np.random.default_rng(seed).normal(size=shape) / 2)


def filled(module: Any) -> None:
    """Values that do not depend on the library. Dropout is off, since the libraries draw different numbers."""
    with xg.no_grad():
        for i, p in enumerate(module.parameters()):
            p[...] = values(p.shape, i)
    module.eval()


def untouched(module: Any) -> None:
    pass


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_as_on_numpy(backend, name):
    xg.random.seed(0)
    mine = run(PROGRAMS[name], untouched)
    xg.random.seed(0)
    with xg.use_backend("numpy"):
        np.testing.assert_allclose(mine, run(PROGRAMS[name], untouched), rtol=1e-9)
    assert np.isfinite(mine).all()


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in NOT_PYTORCHS])
def test_a_program_ends_as_in_pytorch(backend, name):
    torch = pytest.importorskip("torch")

    def fill(module: Any) -> None:
        with torch.no_grad():
            for i, p in enumerate(module.parameters()):
                p.copy_(torch.asarray(values(tuple(p.shape), i)))
        module.eval()

    text = re.sub(r"import xgrad as xg", "import torch as xg", PROGRAMS[name]).replace("from xgrad", "from torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        want = run(text, fill)
    finally:
        torch.set_default_dtype(before)
    np.testing.assert_allclose(run(PROGRAMS[name], filled), want, rtol=1e-9)
