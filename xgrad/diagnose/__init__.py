"""Why a training run fails: what happened, at which step and operation, what caused it, and a fix that was tried.

`watch` a training run, and read its `report()`. `xgrad fit` does so by itself.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xgrad.diagnose.finding import Finding
    from xgrad.diagnose.report import Report
    from xgrad.diagnose.stopping import StopTraining
    from xgrad.diagnose.watcher import Watch, watch

__all__ = ["Finding", "Report", "StopTraining", "Watch", "watch"]

# `import xgrad` imports detect_anomaly from this package. The modules below need all of xgrad, so they are imported on first use.
_MODULES = {
    "Finding": "finding",
    "Report": "report",
    "StopTraining": "stopping",
    "Watch": "watcher",
    "watch": "watcher",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'xgrad.diagnose' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"xgrad.diagnose.{_MODULES[name]}"), name)
    return value
