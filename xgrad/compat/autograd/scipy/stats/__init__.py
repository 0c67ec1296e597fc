"""`autograd.scipy.stats`: the distributions of `xgrad.scipy.stats`, each as a module of its functions."""

import sys as _sys
from types import ModuleType as _ModuleType
from typing import Any as _Any

from xgrad.scipy import stats as _ours


class _Distribution(_ModuleType):
    """A module whose functions are the methods of a distribution."""

    def __getattr__(self, name: str) -> _Any:
        return getattr(getattr(_ours, self.__name__.rpartition(".")[2]), name)


for _name in ("beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"):
    _module = _Distribution(f"{__name__}.{_name}", f"The functions of SciPy's distribution {_name}, on tensors too.")
    _sys.modules[_module.__name__] = globals()[_name] = _module


def __getattr__(name: str) -> _Any:
    return getattr(_ours, name)
