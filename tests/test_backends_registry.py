"""The registry of backends: how a backend is chosen, and the errors where it cannot be used."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import make, to_numpy
from tests.support.processes import output, run
from xgrad import backends
from xgrad.backends import BackendError, load, registry


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
        monkeypatch.setattr(registry, "_process_default", None)

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
        ("jax", "", ("jax", "cpu:0")),
        ("jax", "cpu", ("jax", "cpu:0")),
        ("dask", "", ("dask", "cpu")),
        ("dpnp", "cpu", ("dpnp", "opencl:cpu:0")),
        ("dpnp", "opencl:cpu:0", ("dpnp", "opencl:cpu:0")),
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
        ("nunpy", "", ["no backend 'nunpy'", ", ".join(backends.BUILT_IN), "auto"]),
        ("numpy", "cuda:0", ["'numpy' has no device 'cuda:0'", "it has cpu"]),
        ("strict", "gpu", ["'strict' has no device 'gpu'", "device1"]),
        ("torch", "cuda:99", ["'torch' has no device 'cuda:99'", "it has cpu"]),
        ("torch", "nonsense", ["'torch' has no device 'nonsense'"]),
        ("jax", "cpu:99", ["'jax' has no device 'cpu:99'", "it has cpu:0"]),
        ("dpnp", "cpu:99", ["'dpnp' has no device 'cpu:99'", "it has ", "opencl:cpu:0"]),
        ("dpnp", "nonsense", ["'dpnp' has no device 'nonsense'"]),
    ],
)
def test_a_bad_choice_is_an_error_and_never_another_backend(first_use, name, device, said):
    if name in ("strict", "torch", "jax", "dpnp"):
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
    for module in ("torch", "cupy", "dpnp", "dpctl", "jax", "dask", "array_api_strict"):
        sys.modules[module] = None  # importing it fails
    import xgrad as xg
    before = xg.zeros(1).backend
    for name in ("torch", "cupy", "dpnp", "jax", "dask", "strict"):
        for ask in (xg.set_backend, lambda name: xg.use_backend(name).__enter__(), xg.backends.load):
            try:
                ask(name)
            except xg.BackendError as error:
                print(error)
            assert xg.get_backend() is before
    assert xg.backends() == {"numpy": ["cpu"]}
    """
    lines = output(source).splitlines()
    pip = {"torch": "torch", "cupy": "'xgrad[cuda12]'", "strict": "array-api-strict"}
    pip |= {name: f"'xgrad[{name}]'" for name in ("dpnp", "jax", "dask")}
    assert len(lines) == 3 * len(pip)
    for i, name in enumerate(("torch", "cupy", "dpnp", "jax", "dask", "strict")):
        said = lines[3 * i : 3 * i + 3]
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


@pytest.mark.parametrize("module", ["torch", "jax.numpy", "dask.array"])
def test_also_one_of_another_library(module):
    name = module.partition(".")[0]
    needs(name)
    assert output(f"import {module}, xgrad as xg; print((xg.exp({module}.ones(3)) * 2.0).backend.name)") == name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divide_into_gives_the_quotient(backend, dtype):
    """On NumPy in the memory that it is given; for arrays that do not fit each other, as division does."""
    xp = backend.xp
    a, b = np.linspace(1, 2, 6).astype(dtype).reshape(2, 3), np.linspace(0.1, 0.9, 6).astype(dtype).reshape(2, 3)
    used = backend.asarray(b, copy=True)
    got = xp.divide_into(backend.asarray(a), used)
    np.testing.assert_array_equal(to_numpy(got), a / b)
    assert got is used or backend.name != "numpy"
    np.testing.assert_array_equal(to_numpy(xp.divide_into(backend.asarray(a[:1]), backend.asarray(b))), a[:1] / b)
    np.testing.assert_array_equal(
        to_numpy(xp.divide_into(backend.asarray(a[0, 0]), backend.asarray(b[0, 0]))), a[0, 0] / b[0, 0]
    )
