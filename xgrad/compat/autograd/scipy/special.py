"""`autograd.scipy.special`: `xgrad.scipy.special`."""

from typing import Any as _Any

from xgrad.scipy import special as _ours


def __getattr__(name: str) -> _Any:
    return getattr(_ours, name)
