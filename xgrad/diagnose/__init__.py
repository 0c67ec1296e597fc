"""Why a run died: what happened, at which step and operation, what caused it, and a fix that was tried.

`watch` a training run, and read `report()`. `xgrad fit` does it by itself.
"""

from xgrad.diagnose.finding import Finding
from xgrad.diagnose.report import Report
from xgrad.diagnose.watch import Watch, watch

__all__ = ["Finding", "Report", "Watch", "watch"]
