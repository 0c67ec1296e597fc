"""What HIPS autograd has in `autograd.core`: the two passes, the rules of primitives, and vector spaces."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from xgrad.compat.autograd import tracer
from xgrad.compat.autograd.derivatives import def_linear as def_linear
from xgrad.compat.autograd.derivatives import defjvp as defjvp
from xgrad.compat.autograd.derivatives import defjvp_argnum as defjvp_argnum
from xgrad.compat.autograd.derivatives import defjvp_argnums as defjvp_argnums
from xgrad.compat.autograd.derivatives import defvjp as defvjp
from xgrad.compat.autograd.derivatives import defvjp_argnum as defvjp_argnum
from xgrad.compat.autograd.derivatives import defvjp_argnums as defvjp_argnums
from xgrad.compat.autograd.derivatives import primitive_jvps as primitive_jvps
from xgrad.compat.autograd.derivatives import primitive_vjps as primitive_vjps
from xgrad.compat.autograd.tracing import make_jvp as make_jvp
from xgrad.compat.autograd.tracing import make_vjp as make_vjp
from xgrad.compat.autograd.vspaces import VSpace as VSpace
from xgrad.compat.autograd.vspaces import vspace as vspace

Function = Callable[..., Any]


def primitive(f_raw: Function) -> Any:
    """`autograd.extend.primitive`, with the methods that were there before `defvjp` was a function: each warns."""
    f: Any = tracer.primitive(f_raw)
    makers: dict[int, Function | None] = {}

    def give(argnum: int, maker: Function | None, method: str) -> None:
        warnings.warn(f"The method {method} is deprecated. Use autograd.extend.defvjp", stacklevel=3)
        makers[argnum] = maker
        defvjp(f, *makers.values(), argnums=tuple(makers))

    def defgrad(gradfun: Function, argnum: int = 0) -> None:
        """The reverse rule of an argument: `gradfun(ans, *args)` returns g -> the gradient."""
        give(argnum, gradfun, "defgrad")

    def defvjp_(vjp: Function, argnum: int = 0) -> None:
        """The reverse rule of an argument: `vjp(g, ans, vs, gvs, *args)` returns the gradient."""

        def maker(ans: Any, *args: Any, **kwargs: Any) -> Function:
            return lambda g: vjp(g, ans, vspace(args[argnum]), vspace(g), *args, **kwargs)

        give(argnum, maker, "defvjp")

    def defvjp_is_zero(argnums: Iterable[int] = (0,)) -> None:
        """Say that the gradients by some arguments are zero."""
        for argnum in argnums:
            give(argnum, None, "defvjp_is_zero")

    f.defgrad, f.defvjp, f.defvjp_is_zero = defgrad, defvjp_, defvjp_is_zero
    return f
