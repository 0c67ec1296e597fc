"""The error for a backend that cannot be used."""

from __future__ import annotations


class BackendError(RuntimeError):
    """A backend is unknown, not installed, or has no usable device.

    >>> import xgrad as xg
    >>> try:
    ...     xg.set_backend("numpi")
    ... except xg.BackendError as error:
    ...     print(str(error).partition(";")[0])
    there is no backend 'numpi'
    """
