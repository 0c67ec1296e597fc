"""`autograd.scipy.integrate`: `xgrad.scipy.integrate`."""

from typing import Any as _Any

from xgrad.scipy import integrate as _ours


def __getattr__(name: str) -> _Any:
    return getattr(_ours, name)
