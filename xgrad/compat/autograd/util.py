"""Small functions that HIPS autograd's users import."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from xgrad.compat.autograd.places import subval as subval
from xgrad.compat.autograd.places import subvals as subvals
from xgrad.compat.autograd.places import toposort as toposort
from xgrad.compat.autograd.test_util import check_grads


def func(f: Any) -> Any:
    """The function itself."""
    return f


def quick_grad_check(
    fun: Callable[..., Any], arg0: Any, extra_args: Any = (), kwargs: Any = None, verbose: bool = True, eps: float = 1e-4,
    rtol: float = 1e-4, atol: float = 1e-6, rs: Any = None,
) -> None:  # fmt: skip
    """Deprecated: use `autograd.test_util.check_grads`."""
    warnings.warn("quick_grad_check is deprecated. Use autograd.test_util.check_grads", stacklevel=2)
    check_grads(lambda x: fun(x, *extra_args, **(kwargs or {})), modes=["rev"], order=1)(arg0)
