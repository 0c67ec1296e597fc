"""The errors for a backend that cannot be used, and for data that cannot be used."""

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


class DataError(ValueError):
    """A file of data that cannot be used. The message is one line: it says which file, where in it, and what is wrong.

    >>> import xgrad as xg
    >>> try:
    ...     xg.data.read_csv("missing.csv")
    ... except xg.data.DataError as error:
    ...     print(error)
    missing.csv: there is no such file
    """
