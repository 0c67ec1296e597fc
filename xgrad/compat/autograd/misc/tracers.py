"""Functions that are traced once, whose steps run again on other values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.compat.autograd.wrap_util import wraps


def const_graph(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """The function with its first arguments and keywords given.

    HIPS autograd runs it once, and its recorded steps in later calls. Here each call runs it: `xgrad.compile` saves that.
    """

    @wraps(fun)
    def called(*rest: Any) -> Any:
        return fun(*args, *rest, **kwargs)

    return called
