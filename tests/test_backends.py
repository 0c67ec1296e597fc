"""The registry: how a backend is chosen, what is said where it cannot be, and how a third party adds one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.helpers import make
from xgrad import backends
from xgrad.backends import BackendError, load

ROOT = Path(__file__).resolve().parent.parent


def run(source: str, *arguments: str, path: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: the choice of a backend holds for one. `path` goes first on its module path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("XGRAD_")} | variables
    environment["PYTHONPATH"] = os.pathsep.join([*([str(path)] if path else []), str(ROOT)])
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(source), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def output(source: str, *arguments: str, **kwargs) -> str:
    done = run(source, *arguments, **kwargs)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def needs(*names: str) -> None:
    for name in names:
        try:
            backends.usable(name)
        except BackendError:
            pytest.skip(f"{name} cannot be used here")


# --- by environment -------------------------------------------------------------------------------

WHERE = "import xgrad as xg; b = xg.zeros(1).backend; print(b.name, b.device_name)"


@pytest.mark.parametrize(
    ("variables", "where"),
    [({}, "numpy cpu"), ({"XGRAD_BACKEND": "strict", "XGRAD_DEVICE": "device2"}, "strict device2")],
    ids=str,
)
def test_the_environment_of_a_process_chooses(variables, where):
    needs(where.split()[0])
    assert output(WHERE, **variables) == where


@pytest.fixture
def first_use(monkeypatch):
    """As if nothing had been asked of xgrad yet, with variables like these set."""

    def reset(name: str, device: str) -> None:
        monkeypatch.setenv("XGRAD_BACKEND", name)
        monkeypatch.setenv("XGRAD_DEVICE", device)
        monkeypatch.setattr(backends, "_process_default", None)

    return reset


@pytest.mark.parametrize(
    ("name", "device", "where"),
    [
        ("", "", ("numpy", "cpu")),
        ("numpy", "cpu", ("numpy", "cpu")),
        ("strict", "", ("strict", "device1")),
        ("strict", "CPU_DEVICE", ("strict", "CPU_DEVICE")),
        ("torch", "", ("torch", "cpu")),
        ("torch", "cpu", ("torch", "cpu")),
    ],
)
def test_the_environment_chooses(first_use, name, device, where):
    needs(where[0])
    first_use(name, device)
    made = xg.zeros(1).backend
    assert (made.name, made.device_name) == where
    assert xg.get_backend() is made


@pytest.mark.parametrize(
    ("name", "device", "said"),
    [
        ("nunpy", "", ["no backend 'nunpy'", "numpy, cupy, torch, strict", "auto"]),
        ("numpy", "cuda:0", ["'numpy' has no device 'cuda:0'", "it has cpu"]),
        ("strict", "gpu", ["'strict' has no device 'gpu'", "device1"]),
        ("torch", "cuda:99", ["'torch' has no device 'cuda:99'", "it has cpu"]),
        ("torch", "nonsense", ["'torch' has no device 'nonsense'"]),
    ],
)
def test_a_bad_choice_is_an_error_and_never_another_backend(first_use, name, device, said):
    if name in ("strict", "torch"):
        needs(name)
    first_use(name, device)
    for _ in range(2):
        with pytest.raises(BackendError) as caught:
            xg.zeros(1)
        for words in [*said, "Usable here: ", "numpy (cpu)"]:
            assert words in str(caught.value)
    with xg.use_backend("numpy"):
        assert xg.zeros(1).backend.name == "numpy"


def test_libraries_that_are_not_installed():
    source = """
    import sys
    for module in ("torch", "cupy", "array_api_strict"):
        sys.modules[module] = None  # importing it fails
    import xgrad as xg
    before = xg.zeros(1).backend
    for name in ("torch", "cupy", "strict"):
        for ask in (xg.set_backend, lambda name: xg.use_backend(name).__enter__(), xg.backends.load):
            try:
                ask(name)
            except xg.BackendError as error:
                print(error)
            assert xg.get_backend() is before
    assert xg.backends() == {"numpy": ["cpu"]}
    """
    lines = output(source).splitlines()
    assert len(lines) == 9
    pip = {"torch": "torch", "cupy": "'xgrad[cuda12]'", "strict": "array-api-strict"}
    for name, said in zip(pip, (lines[:3], lines[3:6], lines[6:]), strict=True):
        assert len(set(said)) == 1
        for words in (f"'{name}' is not usable", f"pip install {pip[name]}", "Usable here: numpy (cpu)."):
            assert words in said[0]


def test_cupy_without_a_device(tmp_path):
    """It installs and imports without a driver: what counts is the device."""
    package = tmp_path / "cupy"
    package.mkdir()
    (package / "__init__.py").write_text("class ndarray: pass\n")
    (package / "cuda.py").write_text("def is_available(): return False\n")
    source = """
    import sys
    sys.modules["torch"] = None  # for speed
    import cupy.cuda
    import xgrad as xg
    try:
        xg.set_backend("cupy")
    except xg.BackendError as error:
        print(error)
    assert xg.get_backend().name == "numpy"
    """
    said = output(source, path=tmp_path)
    for words in ("no CUDA device", "driver", "pip install 'xgrad[cuda13]'", "Usable here: numpy (cpu)"):
        assert words in said


def test_auto_says_in_one_line_what_it_took():
    hidden = "" if "cupy" in xg.backends() else "import sys; sys.modules['cupy'] = None; "  # for speed
    done = run(hidden + WHERE + "; xg.ones(2)", XGRAD_BACKEND="auto")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    name, device = done.stdout.split()
    assert line == f"xgrad: XGRAD_BACKEND=auto took {name} on {device}"


@pytest.mark.gpu
def test_auto_prefers_a_gpu():
    needs("cupy")
    assert output(WHERE, XGRAD_BACKEND="auto").startswith("cupy")


# --- by call --------------------------------------------------------------------------------------


@pytest.fixture
def default():
    """The process's, at first and again after the test."""
    before = xg.set_backend("numpy")
    yield before
    xg.set_backend("numpy")


def test_set_backend(default):
    needs("strict")
    kept = xg.ones(2)
    assert xg.set_backend("strict", "device2").device_name == "device2"
    assert xg.zeros(2).backend is xg.get_backend() is load("strict", "device2")
    assert kept.backend is default
    assert (kept * 2.0).backend is default
    assert xg.set_backend(default) is default
    assert xg.zeros(2).backend is default


def test_use_backend_nests_and_ends(default):
    needs("strict")
    with xg.use_backend("strict") as outer:
        assert xg.get_backend() is outer
        with xg.use_backend("numpy") as inner:
            assert xg.get_backend() is inner
            xg.set_backend("numpy")
            with xg.use_backend(outer, "device2") as other:
                assert xg.get_backend() is other is load("strict", "device2")
        assert xg.get_backend() is outer
        with pytest.raises(ZeroDivisionError), xg.use_backend("numpy"):
            raise ZeroDivisionError
        assert xg.get_backend() is outer
        for wrong in ("nonsense", "strict"):
            with pytest.raises(BackendError), xg.use_backend(wrong, "nowhere"):
                pass
        assert xg.get_backend() is outer
    assert xg.get_backend() is default


@pytest.mark.parametrize("wrong", [None, 3, np, ["numpy"]], ids=str)
def test_what_is_not_a_name(default, wrong):
    with pytest.raises(TypeError, match=r"by its name.*numpy \(cpu\)"):
        xg.set_backend(wrong)
    with pytest.raises(TypeError, match="by its name"), xg.use_backend(wrong):
        pass
    assert xg.get_backend() is default


def test_there_is_one_object_for_each_device():
    needs("strict")
    assert load("numpy") is load("numpy", "cpu")
    assert load("strict") is load("strict", "device1") is load("strict", load("strict").device)
    assert load("strict") is not load("strict", "device2")


def test_tensors_keep_their_backend_after_a_switch(backend, xp):
    x = make(xp, [1.0, 2.0], requires_grad=True)
    with xg.use_backend("numpy"):
        y = xg.sum(xg.exp(x * x) + xg.where(x > 1, x, 0.0)) * 2.0
        y.backward()
        value, pull = xg.vjp(lambda x: xg.sin(x) * xg.softmax(x), x)
        (g,) = pull(xg.ones_like(x))
        h = xg.hessian(lambda x: xg.sum(x**3))(x)
    grad: Any = x.grad
    for t in (y, grad, value, g, h, x.detach()[0], xg.zeros_like(x)):
        assert t.backend is backend
        assert backend.owns(t.data)


# --- xgrad.backends -------------------------------------------------------------------------------


def test_backends_is_a_function_and_a_module():
    found = xg.backends()
    assert found["numpy"] == ["cpu"]
    assert xg.backends is backends is sys.modules["xgrad.backends"]
    assert set(found) <= set(xg.backends.names())
    assert xg.backends.load("numpy").name == "numpy"


def test_backends_never_load_twice():
    source = """
    import sys
    import xgrad as xg
    from xgrad.backends import numpy, strict, base
    xg.set_backend("strict"); xg.set_backend("numpy")
    for name in ("backends", "backends.numpy"):
        try:
            __import__(name)
        except ImportError as error:
            print(error)
    files = [m.__file__ for n, m in sys.modules.items() if getattr(m, "__file__", None) and "backends" in n]
    real = [__import__("os").path.realpath(f) for f in files if "/xgrad/" in f or "/backends/" in f]
    assert len(real) == len(set(real)), real
    """
    lines = output(source).splitlines()
    assert len(lines) == 2
    assert "xgrad.backends" in lines[0]


# --- arrays that nobody has announced -------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        "xg.grad(lambda x: xg.sum(x * x))(a)",
        "xg.zeros_like(a) * a",
    ],
)
def test_a_raw_array_may_be_the_first_thing_there_is(use):
    assert output(f"import numpy, xgrad as xg; a = numpy.ones(3); print(({use}).backend.name)") == "numpy"


def test_also_one_of_another_library():
    needs("torch")
    assert output("import torch, xgrad as xg; print((xg.exp(torch.ones(3)) * 2.0).backend.name)") == "torch"


# --- third parties --------------------------------------------------------------------------------

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
