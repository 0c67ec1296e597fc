"""The fixtures `backend` and `xp`, and which backends the tests run on.

`backend` is one of them, made current for the test; `xp` is xgrad's namespace bound to it.
XGRAD_TEST_BACKENDS selects, as `numpy,readonly,strict,torch,jax,dask,cupy,dpnp`; one that is asked for and cannot
be used fails. Unset, it is all that can be used, but for those on request.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from functools import cache
from typing import Any

import pytest

from tests.support.processes import UNWANTED, XLA_FLAGS

for _name in UNWANTED:  # a test says itself where it runs, and how wide its terminal is
    os.environ.pop(_name, None)
os.environ["MPLBACKEND"] = "agg"
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is first imported
os.environ.setdefault("JAX_ENABLE_X64", "1")  # and JAX this
if "jax" in os.environ.get("XGRAD_TEST_BACKENDS", ""):
    os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)

pytest.register_assert_rewrite("tests.support.arrays")

import xgrad as xg  # noqa: E402
from tests.support.arrays import read_only_inputs, small_chunks  # noqa: E402
from tests.support.transfers import guarded  # noqa: E402
from xgrad.backends import BackendError, usable  # noqa: E402

# What tests may run on: a backend's name, and its device. `readonly` is NumPy with inputs that
# nobody may write to; arrays of `dask` are in chunks of at most 4 numbers.
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

ON_REQUEST = {"dask", "dpnp", "jax"}  # to build graphs, to compile for each shape or to queue small kernels takes long

# The same examples in each run, and no limit to the time that one takes: a loaded machine is slow.
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
    """What to run tests on."""
    return _asked_for() or [kind for kind in KINDS if kind not in ON_REQUEST and _can_be_used(kind)]


def pytest_configure(config: pytest.Config) -> None:
    unknown = [name for name in _asked_for() if name not in KINDS]
    if unknown:
        known = ", ".join(KINDS)
        raise pytest.UsageError(f"XGRAD_TEST_BACKENDS: no {', '.join(unknown)}; choose from {known}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", selected(), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A backend, current while the test runs."""
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


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Skip a test where it comes to a function that the backend cannot do, if the backend's table says so."""
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
