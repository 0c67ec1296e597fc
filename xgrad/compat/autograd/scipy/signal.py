"""`autograd.scipy.signal`: `xgrad.scipy.signal`."""

from typing import Any as _Any

from xgrad.scipy import signal as _ours


def __getattr__(name: str) -> _Any:
    return getattr(_ours, name)
