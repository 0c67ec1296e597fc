"""dpnp: its devices, queues, memory and errors, and where its functions differ from those of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import to_numpy
from tests.support.processes import output
from xgrad.backends import BackendError, load, owner, usable

dpnp: Any = pytest.importorskip("dpnp")
dpctl: Any = pytest.importorskip("dpctl")

try:
    usable("dpnp")
except BackendError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture
def here():
    with xg.use_backend("dpnp") as backend:
        yield backend


def on(backend, values):
    return backend.asarray(np.asarray(values))


# --- the CPU's driver, devices and queues ---------------------------------------------------------------


def test_the_cpus_driver_is_found_unless_the_user_names_one():
    source = "import os, xgrad as xg; print(xg.backends()['dpnp'], os.environ['OCL_ICD_FILENAMES'])"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OCL_ICD_FILENAMES", raising=False)
        devices, _, driver = output(source).rpartition(" ")
        assert "opencl:cpu:0" in devices
        assert driver.endswith("libintelocl.so")
        said = output("from xgrad.cli import main; main(['info'])")
        assert f"OpenCL's driver for the CPU: {driver} (OCL_ICD_FILENAMES was not set)" in said
        patch.setenv("OCL_ICD_FILENAMES", "nowhere.so")
        said = output("""
            import os, xgrad as xg
            try:
                xg.set_backend("dpnp", "opencl:cpu:0")
            except xg.BackendError as error:
                print(error)
            print(os.environ["OCL_ICD_FILENAMES"])
            """)
    assert said.endswith("nowhere.so")
    assert "dpnp is installed, but finds no SYCL device" in said or "'dpnp' has no device" in said


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "opencl:cpu:0", "opencl:cpu"])
def test_a_device_has_one_backend_whatever_it_is_called(name):
    backend = load("dpnp", name)
    assert backend is load("dpnp", "opencl:cpu:0")
    assert backend is load("dpnp", dpctl.SyclDevice("cpu"))
    assert backend is load("dpnp", dpctl.SyclQueue("cpu"))
    assert backend is owner(dpnp.ones(2, device="cpu"))


@pytest.mark.parametrize("name", ["nonsense", "cpu:99", "level_zero:gpu:9"])
def test_what_devices_there_are_is_said(name):
    with pytest.raises(BackendError, match=rf"'dpnp' has no device '{name}'; it has .*opencl:cpu:0"):
        load("dpnp", name)


@pytest.mark.parametrize("options", [{}, {"property": "in_order"}], ids=str)
def test_arrays_of_another_queue_of_the_device_are_taken_over(options):
    mine = dpnp.arange(3.0, sycl_queue=dpctl.SyclQueue("cpu", **options))
    backend: Any
    with xg.use_backend("dpnp", "cpu") as backend:
        x = xg.asarray(mine, requires_grad=True)
        assert x.data.sycl_queue == backend.queue
        xg.sum(x * mine).backward()
        np.testing.assert_array_equal(x.grad.numpy(), [0.0, 1.0, 2.0])
        assert xg.grad(lambda x: xg.sum(x**2))(mine).backend is backend


# --- operands from the host -----------------------------------------------------------------------------


def test_numpys_arrays_come_to_the_device_in_their_dtype(here):
    for dtype in ("bool", "int8", "uint64", "float32", "float64", "complex64", ">f8", ">i4"):
        array = np.asarray([[1, 0], [0, 1]], dtype=dtype)[::-1]
        got = here.asarray(array)
        assert got.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(to_numpy(got), array)
    with pytest.raises(ValueError, match="copy"):
        here.asarray(np.ones(2), copy=False)


def test_a_device_without_double_precision_says_what_becomes_of_it(here, monkeypatch):
    class Device:
        has_aspect_fp64 = has_aspect_fp16 = False
        filter_string = "level_zero:gpu:0"

    here.asarray([1.0])  # the default dtype is known from here on
    monkeypatch.setattr(here, "device", type("of", (), {"sycl_device": Device, "sycl_queue": here.queue}))
    for x in (np.ones(2), np.ones(2, dtype="complex128")):
        with pytest.warns(
            UserWarning,
            match=rf"converted an array of {x.dtype} to single precision: device level_zero:gpu:0 has no 64-bit",
        ):
            here.asarray(x)
    here.asarray(np.ones(2), dtype=dpnp.float32)
    here.asarray([1.0, 2.0])
    assert not here._find_narrow_dtypes()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_numbers_come_to_the_device_once(here, dtype):
    x = here.asarray(np.ones(2, dtype=dtype))
    for value in (2.0, 0.0, -0.0, 3):
        constant = here.scalar_operand(value, x)
        assert constant is here.scalar_operand(value, x)
        assert constant.dtype == (x * value).dtype == x.dtype
        assert np.copysign(1.0, to_numpy(constant).real) == np.copysign(1.0, value)
    assert np.isnan(here.scalar_operand(float("nan"), x))
    for narrow in ("int32", "float16"):
        assert here.scalar_operand(1e-9, here.asarray(np.ones(2, dtype=narrow))) == 1e-9


def test_a_small_part_of_a_large_array_comes_to_the_host_alone(here):
    x = dpnp.arange(100_000.0)[7:9]
    host = here.to_numpy(x)
    np.testing.assert_array_equal(host, [7.0, 8.0])
    while isinstance(host.base, np.ndarray):
        host = host.base
    assert host.nbytes == 16


# --- memory ---------------------------------------------------------------------------------------------


class Box:
    def __init__(self, data):
        self.data = data

    def is_exclusive(self, backend):
        return backend.exclusive(self.data)


@pytest.mark.parametrize(
    "other",
    [
        lambda x: x,
        lambda x: x[1:],
        lambda x: x.get_array(),
        lambda x: x.get_array().usm_data,
        lambda x: x.__dlpack__(),
        lambda x: dpnp.from_dlpack(x),
        lambda x: dpnp.broadcast_to(x, (2, 3)),
    ],
)
def test_an_array_is_exclusive_while_nothing_else_has_its_memory(here, other):
    box = Box(dpnp.ones(3))
    assert box.is_exclusive(here)
    held = other(box.data)
    assert not box.is_exclusive(here)
    del held
    assert box.is_exclusive(here)


def test_a_part_of_an_array_or_another_librarys_memory_is_not_exclusive(here):
    for make in (lambda: dpnp.ones(3)[1:], lambda: dpnp.from_dlpack(dpnp.ones(3))):
        assert not Box(make()).is_exclusive(here)
    box = Box(dpnp.ones(3))
    box.data.flags.writable = False
    assert not box.is_exclusive(here)


def test_writes_in_place_where_nobody_sees_it(here):
    x = xg.zeros(4)
    pointer = x.data.get_array().usm_data._pointer
    x[1] = 2.0
    assert x.data.get_array().usm_data._pointer == pointer
    kept = x.data
    x[2] = 3.0
    np.testing.assert_array_equal(to_numpy(kept), [0.0, 2.0, 0.0, 0.0])
    np.testing.assert_array_equal(x.numpy(), [0.0, 2.0, 3.0, 0.0])


def test_what_is_owned_shares_memory_with_nothing(here):
    x = dpnp.ones((2, 3))
    assert here.owned(x, True) is x
    for array, fresh in ((x, False), (x[1:], True), (dpnp.broadcast_to(x, (2, 2, 3)), True)):
        got = here.owned(array, fresh)
        assert got.get_array().usm_data is not x.get_array().usm_data
        np.testing.assert_array_equal(to_numpy(got), to_numpy(array))


def test_too_large_an_array_says_what_the_device_has(here):
    with pytest.raises(MemoryError, match=r"device opencl:cpu:0 has [\d,]+ bytes in all.*smaller batch"):
        xg.ones(3) * xg.broadcast_to(xg.ones((1, 1)), (1 << 40, 1))


# --- what dpnp does otherwise ---------------------------------------------------------------------------


def test_where_of_arrays_that_run_backwards(here):
    values = np.arange(6.0).reshape(2, 3)
    x, mask = on(here, values)[::-1], on(here, values > 2)[::-1]
    want = np.where(values[::-1] > 2, values[::-1], 0.0)
    np.testing.assert_array_equal(to_numpy(here.xp.where(mask, x, on(here, 0.0))), want)
    g = xg.grad(lambda x: xg.sum(xg.where(xg.flip(x) > 2, xg.flip(x) ** 2, 0.0)))(on(here, values))
    np.testing.assert_array_equal(g.numpy(), np.where(values > 2, 2 * values, 0.0))


@pytest.mark.parametrize(
    "name", ["matmul", "vecdot", "tensordot", "linalg.matmul", "linalg.vecdot", "linalg.tensordot"]
)
def test_products_of_broadcast_operands(here, name):
    values = np.arange(9.0).reshape(3, 3)
    part, _, last = name.rpartition(".")
    one, row, x = xg.ones(()), xg.asarray([1.0, 2.0, 3.0]), xg.asarray(values)
    for host, a in (
        (np.ones((3, 3)), xg.broadcast_to(one, (3, 3))),
        (np.ones((3, 1)) * [1, 2, 3], xg.broadcast_to(row, (3, 3))),
    ):
        for left, right in ((a, x), (x, a)):
            got = getattr(xg.linalg if part else xg, last)(left, right)
            want = getattr(np, last)(host if left is a else values, host if right is a else values)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_transforms_leave_their_argument_alone(here, n):
    values = np.asarray([[1 + 2j, 3 - 1j, 2j], [1j, 2 + 0j, 5 - 3j]])
    for name, options in (("irfft", {"n": n}), ("hfft", {"n": n}), ("irfftn", {"s": (n,), "axes": (1,)})):
        x = on(here, values)
        getattr(here.xp.fft, name)(x, **options)
        np.testing.assert_array_equal(to_numpy(x), values, err_msg=name)


def test_singular_matrices_raise(here):
    for function in (xg.linalg.inv, xg.linalg.cholesky):
        with pytest.raises(ValueError, match=r"singular|positive definite"):
            function(xg.zeros((2, 2)))


def test_the_last_of_what_is_written_to_one_place_stays(here):
    x = xg.zeros(3)
    x[xg.asarray([1, 1, 0, 1])] = xg.asarray([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(x.numpy(), [3.0, 4.0, 0.0])


@pytest.mark.parametrize("norm", ["ortho", "forward"])
def test_transforms_of_single_precision_are_scaled(here, norm):
    """dpnp divides by a NumPy scalar there, which must not take over."""
    x = np.asarray([1.0, 2.0, 4.0, 3.0, 5.0], dtype="float32")
    got = xg.fft.rfft(on(here, x), norm=norm)
    np.testing.assert_allclose(got.numpy(), np.fft.rfft(x, norm=norm), rtol=1e-6)


# --- keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        (np.array([1, 0, 1], "u8"), np.array([0, 2, 0])),
        (np.array([1, 0], "u8"), slice(None), np.array([0, 2], "i1")),
        (np.array([True, False]), np.array([1], "u8")),
        (slice(None), np.array([2, 0], "u8")),
    ],
    ids=str,
)
def test_unsigned_integers_of_64_bits_beside_others(here, key):
    """dpnp has no dtype for both."""
    numbers = np.arange(24.0).reshape(2, 3, 4)
    x = here.asarray(numbers)
    np.testing.assert_array_equal(to_numpy(xg.asarray(x)[key]), numbers[key])
    want = np.zeros_like(numbers)
    np.add.at(want, key, 2.0 * numbers[key])
    np.testing.assert_array_equal(to_numpy(xg.grad(lambda x: xg.sum(x[key] ** 2))(x)), want)
    written = numbers.copy()
    written[key] = 7.0
    np.testing.assert_array_equal(to_numpy(xg.setitem(xg.asarray(x), 7.0, key)), written)
