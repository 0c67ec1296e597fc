"""Choosing the default dtype: that of Python's floats, and of what creation functions, generators and layers make."""

from __future__ import annotations

from typing import Any

from xgrad.backends import dtype_names
from xgrad.backends.dtype_names import NAMES, name_of_dtype
from xgrad.backends.registry import get_backend, loaded


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype of Python's floats and of new floating-point arrays, for the whole process.

    Complex numbers get the complex dtype of that precision. Integers are not affected. Tensors that exist keep their dtype.

    >>> import xgrad as xg
    >>> xg.set_default_dtype("float32")
    >>> xg.asarray(0.5).dtype == xg.zeros(3).dtype == xg.float32
    True
    >>> xg.set_default_dtype(None)

    Args:
        dtype: "float64", "float32", "float16" or "bfloat16", or such a dtype of a library. None goes back to the environment
            variable XGRAD_DTYPE, or else to float64 (float32 where a backend has no float64).

    Raises:
        TypeError: for any other dtype.
        BackendError: where the current backend does not have it. Nothing changes then.
        ValueError: for None, where XGRAD_DTYPE is no such name.

    https://docs.pytorch.org/docs/stable/generated/torch.set_default_dtype.html
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
    """The default dtype of floating-point arrays.

    >>> import xgrad as xg
    >>> xg.get_default_dtype() == xg.float64
    True

    Returns:
        A dtype of the current backend's library.

    Raises:
        BackendError: where the current backend does not have the dtype that was chosen.

    https://docs.pytorch.org/docs/stable/generated/torch.get_default_dtype.html
    """
    return get_backend().default_dtype


def _name_of(dtype: Any) -> str:
    name = "float64" if dtype is float else name_of_dtype(dtype)
    if name in NAMES:
        return name
    raise TypeError(f"the default dtype is a real floating one ({', '.join(NAMES)}), not {dtype!r}")
