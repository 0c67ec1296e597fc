"""What is particular to JAX. Its numbers are checked wherever a test has a `backend`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, make, to_numpy
from tests.support.processes import XLA_FLAGS, output, run
from xgrad.cli import main

jax = pytest.importorskip("jax")

IN_32_BITS: Any = {"XGRAD_BACKEND": "jax", "JAX_ENABLE_X64": "0", "XLA_FLAGS": XLA_FLAGS}


@pytest.fixture
def xp():
    with xg.use_backend("jax") as backend:
        yield backend.view


# --- writes ---------------------------------------------------------------------------------------


def test_a_tensor_is_written_to_and_the_users_array_is_not(xp):
    theirs = jax.numpy.asarray([1.0, 2.0, 3.0])
    x = xg.asarray(theirs)
    x[0] = 10.0
    x[xg.asarray([1, 1])] = 20.0
    x += 1.0
    assert_matches(x, [11.0, 21.0, 4.0], xp=xp)
    assert theirs.tolist() == [1.0, 2.0, 3.0]


def test_a_write_casts_to_the_dtype_of_the_tensor(xp):
    x = make(xp, [1.0, 2.0], "float32")
    x[0] = make(xp, 3.5)
    assert_matches(x, np.asarray([3.5, 2.0], dtype="float32"), xp=xp)


@pytest.mark.parametrize("key", [3, -4, (0, 2), (..., -3), (slice(None), 2)], ids=str)
def test_a_number_beyond_its_axis_is_an_error_in_reads_and_writes(xp, key):
    x = make(xp, np.zeros((3, 2)))
    with pytest.raises(IndexError, match=r"is out of range for axis [01] of shape \(3, 2\)"):
        x[key]
    with pytest.raises(IndexError, match="is out of range"):
        x[key] = 1.0
    assert not to_numpy(x).any()


def test_a_number_behind_a_mask_or_a_new_axis_counts_its_axis_right(xp):
    x = make(xp, np.zeros((2, 3, 5)))
    mask = make(xp, np.ones((2, 3), dtype=bool))
    assert x[mask, 4].shape == (6,)
    assert x[None, 1, ..., 4].shape == (1, 3)
    for key in ((mask, 5), (None, 2), (..., None, 5)):
        with pytest.raises(IndexError, match="is out of range"):
            x[key]


def test_an_array_of_indices_is_checked_under_debug(xp):
    x = make(xp, [1.0, 2.0])
    i = make(xp, [0, 5])
    assert to_numpy(x[i]).tolist() == [1.0, 2.0]
    with xg.debug(), pytest.raises(IndexError, match="out of range"):
        x[i]


# --- JAX's own machinery ------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [jax.jit, jax.grad, jax.vmap], ids=["jit", "grad", "vmap"])
def test_what_jax_traces_is_refused(xp, transform):
    one = make(xp, 1.0)
    for f in (xg.exp, lambda x: one * x, xg.asarray):
        with pytest.raises(TypeError, match=r"tracing|expected a tensor.*Tracer"):
            transform(f)(2.0 if transform is jax.grad else jax.numpy.ones(2))


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_tensor_made_of_a_number_has_its_dtype_for_good(xp, requires_grad):
    """To JAX such an array is weak: it takes the dtype of what it meets."""
    x = xg.asarray(2.0, requires_grad=requires_grad)
    assert not x.data.weak_type
    assert str((x * make(xp, [1.0], "float32")).dtype) == str(x.dtype) == "float64"


def test_matrix_rank_is_relative_to_the_largest_singular_value(xp):
    x = make(xp, np.diag([100.0, 1.0]))
    assert xp.linalg.matrix_rank(x, rtol=0.1).item() == 1
    assert xp.linalg.matrix_rank(x, rtol=0.001).item() == 2
    assert to_numpy(xp.linalg.matrix_rank(make(xp, np.zeros((2, 3, 2))))).tolist() == [0, 0]
    assert to_numpy(xp.linalg.matrix_rank(make(xp, np.eye(3)))) == 3


# --- 64-bit numbers -----------------------------------------------------------------------------------


def test_without_64_bits_it_is_float32_and_never_without_a_word():
    source = """
    import warnings
    import numpy as np
    import xgrad as xg
    x = xg.asarray([1.0, 2.0], requires_grad=True)
    xg.sum(xg.exp(x) * 0.5).backward()
    print(x.dtype, x.grad.dtype)
    for make in (
        lambda: xg.zeros(2, dtype=xg.float64),
        lambda: xg.astype(x, xg.float64),
        lambda: xg.asarray([1.0], dtype=xg.float64),
        lambda: xg.asarray(np.ones(2)),
        lambda: xg.asarray(np.ones(2, dtype=complex)),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y = make()
        print(y.dtype, len(caught), "jax_enable_x64" in str(caught[0].message))
    """
    lines = output(source, **IN_32_BITS).splitlines()
    assert lines == ["float32 float32", *["float32 1 True"] * 4, "complex64 1 True"]


# --- devices --------------------------------------------------------------------------------------


def test_each_device_is_a_backend():
    source = """
    import jax
    import xgrad as xg
    print(*xg.backends()["jax"])
    with xg.use_backend("jax", "cpu:1") as backend:
        x = xg.asarray([1.0, -2.0], requires_grad=True)
        xg.sum(xg.relu(x) * xg.arange(2) + xg.zeros(2)).backward()
    print(x.data.device, x.grad.data.device, xg.get_backend().device_name)
    print(xg.exp(jax.device_put(jax.numpy.ones(2), jax.devices()[1])).backend)
    try:
        x + xg.asarray([1.0, 2.0])
    except xg.MixedBackendsError as error:
        print("mixed")
    """
    flags = {"XLA_FLAGS": f"{XLA_FLAGS} --xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    said = output(source, XGRAD_BACKEND="jax", **flags).splitlines()
    assert said == ["cpu:0 cpu:1", "cpu:1 cpu:1 cpu:0", "Backend(jax, cpu:1)", "mixed"]


# --- training -----------------------------------------------------------------------------------------


def test_the_command_trains_on_it_as_on_numpy(tmp_path):
    losses = []
    for backend in ("jax", "numpy"):
        history = tmp_path / f"{backend}.json"
        command = ["fit", "--backend", backend, "--steps", "60", "--out", "", "--history", str(history), "--quiet"]
        assert main(command) == 0
        losses.append(json.loads(history.read_text(encoding="utf-8"))["loss"])
    assert len(losses[0]) == len(losses[1]) > 1
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert losses[0][-1] < 0.5 * losses[0][0]


def test_the_command_trains_without_64_bits():
    source = """
    from xgrad.cli import main
    raise SystemExit(main(["fit", "--steps", "3", "--out", "", "--quiet"]))
    """
    done = run(source, **IN_32_BITS)
    assert done.returncode == 0, done.stderr


def test_the_diagnosis_is_the_same_without_64_bits():
    """There a gradient is compared with differences of float32, by a coarser rule."""
    source = """
    import xgrad as xg
    from xgrad import nn, optim
    rng = xg.random.Generator(0)
    x = xg.reshape(xg.linspace(-100.0, 100.0, 201), (201, 1))
    model = nn.Sequential(nn.Linear(1, 32, rng=rng), nn.ReLU(), nn.Linear(32, 1, rng=rng), nn.ReLU())
    try:
        model.to(dtype="float64")
    except TypeError as error:
        print(error)
    with xg.detect_anomaly():
        xg.sum(xg.where(xg.arange(3) > 1, xg.ones(3), 0.0))
    optimizer, loss_function = optim.SGD(model.parameters(), lr=0.01), nn.MSELoss()
    watch = xg.diagnose.watch(model, optimizer, loss=loss_function, x=x, y=x**2)
    for _ in range(3):
        optimizer.zero_grad()
        loss = loss_function(model(x), x**2)
        loss.backward()
        optimizer.step()
        watch.step(loss)
    print(watch.report().findings[0].rule)
    """
    first, second = output(source, **IN_32_BITS).splitlines()
    assert first.startswith("a module cannot become 'float64': backend Backend(jax, cpu:0) has no such dtype")
    assert second == "STEP_UNSTABLE"
