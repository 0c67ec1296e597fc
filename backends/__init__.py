"""The backends, one for each array library. No other folder names an array library.

Environment variables choose the default backend:

    XGRAD_BACKEND   numpy (the default), cupy, dpnp, torch, strict, a third party's name, or auto: a GPU where there is one
    XGRAD_DEVICE    the device, as the backend names it: `cpu`, `0`, `cuda:0`, `gpu`, `device1`

An empty variable counts as not set.

Another package adds a backend through the entry-point group "xgrad.backends": a name and a subclass of
`xgrad.backends.base.Backend`.

>>> import xgrad as xg
>>> with xg.use_backend("numpy"):
...     xg.get_backend()
Backend(numpy, cpu)
"""

from __future__ import annotations

import sys
from types import ModuleType

if __name__ != "xgrad.backends":
    raise ImportError("this package is xgrad.backends: import it by that name, or it would be loaded twice")

from xgrad.backends.errors import BackendError as BackendError
from xgrad.backends.host_data import is_host_data as is_host_data
from xgrad.backends.registry import BUILT_IN as BUILT_IN
from xgrad.backends.registry import ENTRY_POINT_GROUP as ENTRY_POINT_GROUP
from xgrad.backends.registry import PACKAGES as PACKAGES
from xgrad.backends.registry import backend_class as backend_class
from xgrad.backends.registry import backends as backends
from xgrad.backends.registry import get_backend as get_backend
from xgrad.backends.registry import load as load
from xgrad.backends.registry import loaded as loaded
from xgrad.backends.registry import names as names
from xgrad.backends.registry import owner as owner
from xgrad.backends.registry import set_backend as set_backend
from xgrad.backends.registry import usable as usable
from xgrad.backends.registry import use_backend as use_backend


class CallablePackage(ModuleType):
    """`xgrad.backends` is this package. Called as `xgrad.backends()`, it returns the usable backends."""

    def __call__(self) -> dict[str, list[str]]:
        return backends()


sys.modules[__name__].__class__ = CallablePackage
