"""SciPy's special functions: on plain arrays they are scipy.special's own, and on tensors they are xgrad.special's.

Besides SciPy's names there are `gammaincln`, `gammainccln`, `betaincln` and `betainccln`, logarithms that SciPy lacks, as in the
library autograd_gamma. A function that xgrad.special does not have is SciPy's: it refuses a tensor by name.

>>> import numpy as np
>>> import xgrad as xg
>>> from xgrad.scipy import special
>>> float(special.expit(0.0)), special.expit(xg.asarray(0.0)).item()
(0.5, 0.5)
>>> round(xg.grad(special.betainc)(xg.asarray(2.0), 1.0, 0.5).item(), 4)  # x**2 * log(x)
-0.1733
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.engine.registry import FUNCTIONS
from xgrad.engine.tensor import Tensor
from xgrad.rules.numpy_functions.face import has_tensor
from xgrad.scipy.plain import on_tensors, scipys

# Logarithms that SciPy does not have. On plain arrays they are computed by xgrad, too.
LOGARITHMS = ("betaincln", "betainccln", "gammaincln", "gammainccln")
# What SciPy does not have, and no other library: the pieces of derivatives.
_PIECES = ("beta_slope", "derivative", "gamma_slope")
_OURS = {name.removeprefix("special.") for name in FUNCTIONS if name.startswith("special.")}.difference(_PIECES)


def _on_plain_arrays(function: Callable[..., Tensor]) -> Callable[..., Any]:
    """A function that SciPy lacks: NumPy's array, or number, for plain arrays."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        if has_tensor(args):
            return function(*args)
        with xg.use_backend("numpy"):
            return function(*(xg.asarray(arg) for arg in args)).numpy()[()]

    return call


def __getattr__(name: str) -> Any:
    """A function on first use."""
    if name.startswith("_"):
        raise AttributeError(f"module 'xgrad.scipy.special' has no attribute {name!r}")
    if name in LOGARITHMS:
        found = _on_plain_arrays(FUNCTIONS[f"special.{name}"])
    elif name in _OURS:
        found = on_tensors(f"special.{name}")(FUNCTIONS[f"special.{name}"])
    else:
        return scipys(f"special.{name}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_OURS})
