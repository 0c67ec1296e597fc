"""Choosing the default dtype: that of Python's floats, and of what creation functions, generators and layers make."""

from __future__ import annotations

from typing import Any

from xgrad.backends import dtype_names
from xgrad.backends.dtype_names import NAMES, name_of_dtype
from xgrad.backends.registry import get_backend, loaded


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype of Python's floats and of new arrays: a name or a real floating dtype of the current backend.

    None goes back to XGRAD_DTYPE, which is read again, or to float64 (float32 where the backend has no float64). Complex
    numbers get the complex dtype of that precision. Integers are not affected. Tensors that exist keep their dtype.

    Raises TypeError for a dtype that is not real floating, and BackendError where the current backend does not have it.

    >>> import xgrad as xg
    >>> xg.set_default_dtype("float32")
    >>> xg.asarray(0.5).dtype == xg.zeros(3).dtype == xg.float32
    True
    >>> xg.set_default_dtype(None)
    """
    before = dtype_names.chosen
    _choose(None if dtype is None else _name_of(dtype))
    try:
        get_backend().default_dtype  # noqa: B018 (raises where the backend does not have it)
    except Exception:
        _choose(before)
        raise


def _choose(name: str | None) -> None:
    dtype_names.choose(name)
    for backend in loaded():
        backend.forget_default()


def get_default_dtype() -> Any:
    """The default dtype, as the current backend represents it.

    >>> import xgrad as xg
    >>> xg.get_default_dtype() == xg.float64
    True
    """
    return get_backend().default_dtype


def _name_of(dtype: Any) -> str:
    name = "float64" if dtype is float else name_of_dtype(dtype)
    if name in NAMES:
        return name
    raise TypeError(f"the default dtype is a real floating one ({', '.join(NAMES)}), not {dtype!r}")
