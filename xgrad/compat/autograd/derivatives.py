"""The rules of primitives, under HIPS autograd's conventions."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from itertools import count
from typing import Any

from xgrad.compat.autograd.vspaces import vspace
from xgrad.engine.registry import DERIVATIVES
from xgrad.rules.ufuncs import RENAMED as UFUNC_NAMES

Function = Callable[..., Any]
# By primitive: (argnums, ans, args, kwargs) -> g -> the gradients, and (argnums, gs, ans, args, kwargs) -> the tangent.
primitive_vjps: dict[Any, Function] = {}
primitive_jvps: dict[Any, Function] = {}


def _takes_rules(fun: Any) -> bool:
    """Whether a function is a primitive. A rule for a function that xgrad differentiates is left out, with a warning.

    Raises:
        TypeError: for any other function.
    """
    if getattr(fun, "_is_autograd_primitive", False):
        return True
    name = getattr(fun, "__name__", fun)
    instead = f"Write f = primitive(lambda x: {name}(x)), and give f the rule"
    if not _is_differentiated(fun):
        raise TypeError(f"{name} is not a primitive, and cannot be given a rule. {instead}")
    warnings.warn(
        f"{name} has its derivative from xgrad: the rule for it is not used. {instead}", stacklevel=_outside()
    )
    return False


def _is_differentiated(fun: Any) -> bool:
    """Whether it is a function of NumPy's or SciPy's that has a derivative here."""
    from xgrad.rules.numpy_functions import protocol
    from xgrad.rules.numpy_functions.table import DERIVATIVE
    from xgrad.scipy.stats.family import SciPys

    of_stats = getattr(fun, "__self__", None)
    if isinstance(of_stats, SciPys):
        return True
    name, library = getattr(fun, "__name__", ""), (getattr(fun, "__module__", None) or "numpy").partition(".")[0]
    if library not in ("numpy", "scipy", "xgrad", "autograd"):
        return False
    names = {name, protocol.name_of(fun), UFUNC_NAMES.get(name, name)}
    rows = [protocol.TABLE[each] for each in names if each in protocol.TABLE]
    known = [DERIVATIVES.get(prefix + each) for each in names for prefix in ("", "special.", "linalg.", "fft.")]
    return any(row.kind == DERIVATIVE for row in rows) or any(how in ("rule", "composition") for how in known)


def _outside() -> int:
    """The stacklevel of a warning for the caller of this file's functions."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame, level = frame.f_back, level + 1
    return level


def defvjp_argnums(fun: Function, vjpmaker: Function) -> None:
    """Give a primitive its reverse rule: `vjpmaker(argnums, ans, args, kwargs)` returns g -> a gradient for each argnum."""
    if _takes_rules(fun):
        primitive_vjps[fun] = vjpmaker


def defvjp_argnum(fun: Function, vjpmaker: Function) -> None:
    """Give a primitive its reverse rule: `vjpmaker(argnum, ans, args, kwargs)` returns g -> the gradient of that argument."""

    def of_several(argnums: Any, *given: Any) -> Function:
        vjps = [vjpmaker(argnum, *given) for argnum in argnums]
        return lambda g: [vjp(g) for vjp in vjps]

    defvjp_argnums(fun, of_several)


def defvjp(fun: Function, *vjpmakers: Function | None, argnums: Any = None) -> None:
    """Give a primitive its reverse rules, one for each argument: `maker(ans, *args, **kwargs)` returns g -> the gradient.

    A maker that is None says that the gradient is zero. `argnums` are the arguments of the makers, by default the first ones.

    https://github.com/HIPS/autograd/blob/master/docs/tutorial.md#extend-autograd-by-defining-your-own-primitives
    """
    makers = dict(zip(count() if argnums is None else argnums, vjpmakers, strict=False))

    def of_several(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Function:
        missing = [argnum for argnum in argnums if argnum not in makers]
        if missing:
            raise NotImplementedError(f"VJP of {fun.__name__} wrt argnum {missing[0]} not defined")
        given = [makers[argnum] for argnum in argnums]
        vjps = [maker and maker(ans, *args, **kwargs) for maker in given]
        return lambda g: [vjp and vjp(g) for vjp in vjps]

    defvjp_argnums(fun, of_several)


def defjvp_argnums(fun: Function, jvpmaker: Function) -> None:
    """Give a primitive its forward rule: `jvpmaker(argnums, tangents, ans, args, kwargs)` returns the tangent of the result."""
    if _takes_rules(fun):
        primitive_jvps[fun] = jvpmaker


def defjvp_argnum(fun: Function, jvpmaker: Function) -> None:
    """Give a primitive its forward rule: `jvpmaker(argnum, tangent, ans, args, kwargs)` returns the part of that argument."""

    def of_several(argnums: Any, tangents: Any, *given: Any) -> Any:
        return _sum([jvpmaker(argnum, t, *given) for argnum, t in zip(argnums, tangents, strict=True)])

    defjvp_argnums(fun, of_several)


def defjvp(fun: Function, *jvps: Function | str | None, argnums: Any = None) -> None:
    """Give a primitive its forward rules, one for each argument: `jvp(tangent, ans, *args, **kwargs)` returns a tangent.

    None says that it is zero, and "same" that the primitive is linear in the argument.
    """
    rules = dict(zip(count() if argnums is None else argnums, jvps, strict=False))

    def of_one(argnum: int, t: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        rule = rules[argnum]
        if rule is None:
            return vspace(ans).zeros()
        if rule == "same":
            return fun(*args[:argnum], t, *args[argnum + 1 :], **kwargs)
        assert callable(rule)
        return rule(t, ans, *args, **kwargs)

    defjvp_argnum(fun, of_one)


def def_linear(fun: Function) -> None:
    """Say that a primitive is linear in each of its arguments."""
    defjvp_argnum(fun, lambda argnum, t, ans, args, kwargs: fun(*args[:argnum], t, *args[argnum + 1 :], **kwargs))


def _sum(parts: list[Any]) -> Any:
    return functools.reduce(lambda a, b: vspace(a).add(a, b), parts)
