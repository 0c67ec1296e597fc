"""`autograd.scipy.linalg`: `xgrad.scipy.linalg`."""

from typing import Any as _Any

from xgrad.scipy import linalg as _ours


def __getattr__(name: str) -> _Any:
    return getattr(_ours, name)
