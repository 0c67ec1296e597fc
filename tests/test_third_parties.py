"""A third party's backend, found by its entry point; and broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.processes import output

PLUGIN = """
import array_api_compat.numpy
import numpy
from xgrad.backends.base import Backend, BackendError

NOT_A_CLASS = []

class Mine(Backend):
    name = "mine"
    install = "pip install mine"
    array_types = (numpy.ndarray,)
    bind_device = False

    @classmethod
    def namespace(cls):
        return array_api_compat.numpy

    @classmethod
    def devices(cls):
        {devices}

    @classmethod
    def device_of(cls, array):
        return "cpu"

    def to_numpy(self, array):
        return numpy.array(array)
"""


def install(folder: Path, entry: str = "mine = mine_backend:Mine", devices: str = "return ['cpu']") -> Path:
    """A package as pip would leave it: a module, and metadata with the entry point."""
    (folder / "mine_backend.py").write_text(PLUGIN.format(devices=devices))
    info = folder / "mine_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[xgrad.backends]\n{entry}\n")
    return folder


def test_a_backend_by_its_entry_point_alone(tmp_path):
    source = """
    import sys
    import xgrad as xg
    x = xg.asarray([1.0, 2.0], requires_grad=True)
    assert x.backend.name == "mine" and x.device == "cpu", x
    xg.sum(xg.exp(x) * x[0] + x @ x).backward()
    print(x.grad.numpy().round(6).tolist())
    print(xg.grad(xg.grad(lambda x: x ** 3))(2.0).item())
    assert x.grad.backend is x.backend
    sys.modules["torch"] = None  # for speed
    assert xg.backends()["mine"] == ["cpu"]
    assert "mine" in xg.backends.names()
    w = xg.nn.Linear(2, 1, rng=xg.random.Generator(0))
    assert w.weight.backend.name == "mine"
    import pickle
    assert pickle.loads(pickle.dumps(x)).backend is x.backend
    """
    said = output(source, path=install(tmp_path), XGRAD_BACKEND="mine", XGRAD_DEVICE="cpu")
    e = np.exp([1.0, 2.0])
    assert said.splitlines() == [str((e + [sum(e), 0] + 4 * np.array([1.0, 2.0])).round(6).tolist()), "12.0"]


def test_it_is_not_imported_before_it_is_asked_for(tmp_path):
    source = """
    import sys
    import xgrad as xg
    xg.sum(xg.ones(2))
    assert "mine_backend" not in sys.modules
    xg.set_backend("mine")
    assert "mine_backend" in sys.modules
    """
    output(source, path=install(tmp_path))


def test_it_may_share_its_arrays_with_a_backend_of_ours(tmp_path):
    """A NumPy array is NumPy's by itself, and its tensors' where it meets them; whichever was there first."""
    source = """
    import sys
    import numpy as np
    import xgrad as xg
    made = {}
    for name in sys.argv[1:]:
        with xg.use_backend(name):
            made[name] = xg.asarray([1.0, 2.0], requires_grad=True)
    x, y = made["mine"], made["numpy"]
    a = np.ones(2)
    assert (x + a).backend.name == (a + x).backend.name == xg.concat([a, x]).backend.name == "mine"
    assert (y + a).backend.name == (a + y).backend.name == xg.exp(a).backend.name == "numpy"
    assert x[np.array([0])].backend.name == "mine"
    try:
        x + y
    except xg.MixedBackendsError as error:
        assert "numpy" in str(error) and "mine" in str(error)
    else:
        raise SystemExit("they mixed")
    for t in (x, y):
        xg.sum(t * a * t).backward()
        assert t.grad.backend is t.backend
    """
    output(source, "mine", "numpy", path=install(tmp_path))
    output(source, "numpy", "mine", path=tmp_path)


def test_the_name_is_the_entry_points(tmp_path):
    source = """
    import xgrad as xg
    x = xg.asarray([1.0, 2.0], requires_grad=True)
    f = xg.primitive(lambda x: x * x)
    f.defvjp(lambda g, out, x: g * 2.0 * x)
    xg.sum(f(x) * x.data).backward()
    for t in (x, x.grad, xg.exp(x.data), x.detach()[x.data > 1]):
        assert t.backend.name == "yours", t
    """
    output(source, path=install(tmp_path, "yours = mine_backend:Mine"), XGRAD_BACKEND="yours")


BROKEN = {
    "absent": ("a = mine_backend:Absent", "", "could not be imported"),
    "no module": ("b = no_such_module:Mine", "", "no_such_module"),
    "no class": ("c = mine_backend:NOT_A_CLASS", "", "not a subclass"),
    "no library": ("d = mine_backend:Mine", "raise OSError('libmine.so is missing')", "libmine.so is missing"),
    "not installed": (
        "mine = mine_backend:Mine",
        "raise cls.not_installed(ImportError('no mine'))",
        "pip install mine",
    ),
}


@pytest.mark.parametrize(("entry", "devices", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_one_is_an_error_of_its_own_and_no_other(tmp_path, entry, devices, said):
    source = """
    import sys
    sys.modules["torch"] = None  # for speed
    import xgrad as xg
    assert xg.backends()["numpy"] == ["cpu"]
    name = xg.backends.names()[-1]
    assert name not in xg.backends()
    for _ in range(2):
        try:
            xg.set_backend(name)
        except xg.BackendError as error:
            print(error)
    assert xg.ones(2).backend.name == "numpy"
    """
    path = install(tmp_path, entry, devices or "return ['cpu']")
    first, second = output(source, path=path).splitlines()
    assert first == second
    assert said in first
    assert f"backend {entry.split()[0]!r}" in first
    assert first.count("Usable here: numpy (cpu)") == 1
