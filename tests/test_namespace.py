"""The namespace of a tensor: its extensions, its __array_namespace_info__, and that it stays on its backend."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import xgrad as xg
from tests.support.arrays import assert_matches, dtype_name, make
from tests.support.names import public_names


def test_extensions_are_bound_to_the_backend(xp, backend):
    x = make(xp, [1.0, 2.0])
    with xg.use_backend("numpy", "cpu"):
        there = x.__array_namespace__()
        assert there.fft is xp.fft
        made = there.fft.fftfreq(4, d=0.5, dtype=x.dtype)
        assert_matches(made, np.fft.fftfreq(4, 0.5), xp=xp)
        assert made.backend is backend
        assert_matches(there.fft.rfftfreq(5, dtype=x.dtype), np.fft.rfftfreq(5), xp=xp)
        assert there.isdtype(x.dtype, "real floating")
        assert there.result_type(x.dtype, there.complex64) == there.complex128
        assert there.can_cast(there.float32, x.dtype)
        assert there.finfo(x.dtype).bits == 64


def test_extensions_of_the_module_are_of_the_current_backend(xp, backend):
    assert xg.fft.fftfreq(3).backend is backend
    assert xg.linalg.inv is xp.linalg.inv


@pytest.mark.parametrize("name", ["fft", "linalg", "special"])
def test_an_extension_can_be_listed_copied_and_pickled(xp, name):
    extension = getattr(xp, name)
    assert set(dir(extension)) == public_names(getattr(xg, name))
    assert pickle.loads(pickle.dumps(extension)) is extension
    assert copy.copy(extension) is extension
    assert name in dir(xp)
    assert repr(extension).startswith(f"<namespace xgrad.{name} on Backend(")
    with pytest.raises(AttributeError, match=rf"no '{name}.nonsense'"):
        extension.nonsense  # noqa: B018


def test_names_with_a_dot_are_no_attributes(xp):
    assert not hasattr(xp, "linalg.inv")


# --- inspection -----------------------------------------------------------------------------------


def test_info_is_of_the_backend(xp, backend):
    info = xp.__array_namespace_info__()
    assert info.default_device() == backend.device
    assert backend.device in info.devices()
    assert type(info.devices()) is list
    assert set(info.capabilities()) == {"boolean indexing", "data-dependent shapes", "max dimensions"}
    defaults = info.default_dtypes()
    assert set(defaults) == {"real floating", "complex floating", "integral", "indexing"}
    assert xp.empty((0,)).dtype == defaults["real floating"]
    assert xp.arange(3).dtype == defaults["integral"]
    assert info.dtypes(kind="real floating") == {"float32": xp.float32, "float64": xp.float64}
    assert info.dtypes(device=backend.device) == info.dtypes()
    assert dtype_name(info.dtypes()["int8"]) == "int8"


def test_info_of_the_module_is_of_the_current_backend(backend):
    assert xg.__array_namespace_info__().default_device() == backend.device
    with pytest.raises(xg.BackendError, match="has no device 'nowhere'"):
        xg.__array_namespace_info__().dtypes(device="nowhere")
