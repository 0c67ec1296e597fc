"""The fixtures `backend` and `xp`, and which backends the tests run on.

`backend` is one of the selected backends, made current for the test. `xp` is xgrad's namespace bound to it. XGRAD_TEST_BACKENDS
selects from `numpy,readonly,strict,torch,jax,dask,cupy,dpnp`; a backend that is asked for and cannot be used fails the run. By
default all usable backends are selected, except the slow ones in ON_REQUEST.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from functools import cache
from typing import Any

import pytest

from tests.support.processes import UNWANTED, XLA_FLAGS

for _name in UNWANTED:  # a test sets its backend and the width of its terminal itself
    os.environ.pop(_name, None)
os.environ["MPLBACKEND"] = "agg"
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads this when it is first imported
os.environ.setdefault("JAX_ENABLE_X64", "1")  # and JAX reads this
if "jax" in os.environ.get("XGRAD_TEST_BACKENDS", ""):
    os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)

pytest.register_assert_rewrite("tests.support.arrays")

import xgrad as xg  # noqa: E402
from tests.support.arrays import read_only_inputs, small_chunks  # noqa: E402
from tests.support.transfers import guarded  # noqa: E402
from xgrad.backends import BackendError, usable  # noqa: E402

# What tests can run on: the name of a backend, and a device. `readonly` is NumPy with inputs that cannot be written to. The
# arrays of `dask` are in chunks of at most 4 numbers.
KINDS = {
    "numpy": ("numpy", "cpu"),
    "readonly": ("numpy", "cpu"),
    "strict": ("strict", "device1"),
    "torch": ("torch", None),
    "jax": ("jax", None),
    "dask": ("dask", None),
    "cupy": ("cupy", None),
    "dpnp": ("dpnp", None),
}

ON_REQUEST = {"dask", "dpnp", "jax"}  # slow: they build graphs, compile for each shape, or queue small kernels

# The same examples in each run, without a time limit for one, because a loaded machine is slow.
with suppress(ImportError):
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "xgrad",
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    settings.load_profile("xgrad")


def _can_be_used(kind: str) -> bool:
    try:
        return bool(usable(KINDS[kind][0]))
    except BackendError:
        return False


def _asked_for() -> list[str]:
    names = os.environ.get("XGRAD_TEST_BACKENDS", "").split(",")
    return [name.strip() for name in names if name.strip()]


@cache
def selected() -> list[str]:
    """The kinds of backends to run tests on."""
    return _asked_for() or [kind for kind in KINDS if kind not in ON_REQUEST and _can_be_used(kind)]


def pytest_configure(config: pytest.Config) -> None:
    unknown = [name for name in _asked_for() if name not in KINDS]
    if unknown:
        known = ", ".join(KINDS)
        raise pytest.UsageError(f"XGRAD_TEST_BACKENDS: no {', '.join(unknown)}; choose from {known}")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job that a script runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", selected(), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A selected backend, which is current while the test runs."""
    kind = request.param
    name, device = KINDS[kind]
    with ExitStack() as stack:
        try:
            backend = stack.enter_context(xg.use_backend(name, device))
        except BackendError as error:
            pytest.fail(f"XGRAD_TEST_BACKENDS asks for {kind}, which cannot be used: {error}")
        if kind == "readonly":
            stack.enter_context(read_only_inputs())
        if kind in ("strict", "dpnp"):
            stack.enter_context(guarded(backend))
        if kind == "dask":
            stack.enter_context(small_chunks())
        yield backend


@pytest.fixture(params=["float16", "bfloat16"])
def half(request: pytest.FixtureRequest, backend: Any) -> str:
    """The name of a dtype of half precision that the backend has."""
    name: str = request.param
    if backend.name == "jax" and name == "float16":
        pytest.skip("JAX compiles each operation for each dtype, which takes long: it has bfloat16")
    if not backend.has_dtype(name):
        pytest.skip(f"{backend.name} has no {name}")
    return name


@pytest.fixture(autouse=True, scope="module")
def without_the_past() -> None:
    """What is there before a file of tests stays: its tests' many garbage collections do not look through it."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Skip a test that calls a function which the backend cannot compute, if the backend's table `cannot` lists it."""
    try:
        return (yield)
    except NotImplementedError as error:
        cannot = getattr(pyfuncitem.funcargs.get("backend"), "cannot", {})
        if any(str(error).endswith(f" cannot do {path}: {reason}") for path, reason in cannot.items()):
            pytest.skip(str(error))
        raise


@pytest.fixture
def xp(backend: Any) -> Any:
    """xgrad as an Array API namespace, bound to the backend."""
    return backend.view
