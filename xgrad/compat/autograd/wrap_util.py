"""Operators on functions of several arguments, from operators on functions of one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from xgrad.compat.autograd.places import subvals

Function = Callable[..., Any]


def unary_to_nary(unary_operator: Callable[..., Any]) -> Callable[..., Any]:
    """From `operator(fun, x)`, one of the form `operator(fun, argnum=0)(*args, **kwargs)`.

    The function gets its other arguments as they are given. `argnum` may be a tuple or list of numbers: x is a tuple then.
    """

    @wraps(unary_operator)
    def nary_operator(fun: Function, argnum: Any = 0, *options: Any, **named: Any) -> Function:
        if type(argnum) not in (int, tuple, list):
            raise TypeError(f"argnum must be an integer or a tuple or list of them, got {argnum!r}")

        @wraps(fun, "{op}_of_{fun}_wrt_argnum_{argnum}", WRAPPED, op=get_name(unary_operator), argnum=argnum)
        def nary_f(*args: Any, **kwargs: Any) -> Any:
            def unary_f(x: Any) -> Any:
                if isinstance(argnum, int):
                    return fun(*args[:argnum], x, *args[argnum:][1:], **kwargs)
                return fun(*subvals(args, zip(argnum, x, strict=True)), **kwargs)

            unary_f.__name__ = get_name(fun)  # check_grads names it

            x = args[argnum] if isinstance(argnum, int) else tuple(args[i] for i in argnum)
            return unary_operator(unary_f, x, *options, **named)

        return nary_f

    return nary_operator


WRAPPED = """\
    {op} of function {fun} with respect to argument number {argnum}. Takes the
    arguments of {fun} and returns the {op}.
    """


def wraps(fun: Any, namestr: str = "{fun}", docstr: str = "{doc}", **words: Any) -> Callable[[Function], Function]:
    """A decorator that gives a function a name and a docstring made of those of another one."""

    def _wraps(f: Function) -> Function:
        with suppress(AttributeError, KeyError, ValueError, IndexError):
            f.__name__ = namestr.format(fun=get_name(fun), **words)
            f.__doc__ = docstr.format(fun=get_name(fun), doc=get_doc(fun), **words)
        return f

    return _wraps


def get_name(f: Any) -> str:
    return getattr(f, "__name__", "[unknown name]")


def get_doc(f: Any) -> str:
    return getattr(f, "__doc__", "") or ""
