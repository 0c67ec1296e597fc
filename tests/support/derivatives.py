"""Derivatives of elementwise functions by each of their arguments, in either mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg


def by_each(f: Callable[..., Any], count: int, mode: str) -> list[Callable[..., Any]]:
    """The derivatives by each argument, element by element: "rev" for reverse mode, "fwd" for forward mode."""
    if mode == "rev":
        return [xg.grad(lambda *args: xg.sum(f(*args)), argnums=i) for i in range(count)]

    def along(i: int) -> Callable[..., Any]:
        return lambda *args: xg.jvp(lambda x: f(*args[:i], x, *args[i + 1 :]), (args[i],), (xg.ones_like(args[i]),))[1]

    return [along(i) for i in range(count)]
