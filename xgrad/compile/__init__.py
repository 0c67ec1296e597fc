"""Compiling: a function is recorded once, and its program runs in later calls.

`xgrad.compile` is this package, and called as `xgrad.compile(f)` it compiles a function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from xgrad.compile import calling as calling  # (gives programs their call)
from xgrad.compile.compiled import Compiled as Compiled
from xgrad.compile.compiled import compile as compile
from xgrad.compile.errors import CompileError as CompileError
from xgrad.compile.saving import load_program as load_program


class CallableCompile(ModuleType):
    """`xgrad.compile` is this package, and the function of that name."""

    def __call__(
        self,
        f: Callable[..., Any] | None = None,
        *,
        engine: str = "auto",
        static_argnames: str | Iterable[str] = (),
        keep_grads: bool = False,
    ) -> Any:
        return compile(f, engine=engine, static_argnames=static_argnames, keep_grads=keep_grads)


CallableCompile.__call__.__doc__ = compile.__doc__
sys.modules[__name__].__class__ = CallableCompile
