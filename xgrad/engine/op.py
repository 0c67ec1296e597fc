"""Operations: four kinds of differentiable functions. From the rules of each, both directions of its derivative follow.

* `Elementwise` has one rule per argument, g times the partial derivative. In reverse, the result is summed over broadcast axes;
  forward, the results for all arguments are added.
* `Multilinear` (matmul, sum, reshape ...) has one rule per argument, the transpose. Forward, the function itself is applied to
the
  tangent of one argument and the values of the others, and the results are added.
* `JointlyLinear` (where, concat ...) is linear in all arguments together. Forward, the function is applied to the tangents.
* `Function` is any other. It has rules for both directions.

A rule is a function `rule(xp, g, ...)`. Its further parameters name what it needs: an argument by its name, `y` for the output,
`x_shape` or `x_dtype`, or a static argument such as `axis`. Only what some rule names is saved for backward. `xp` is the
backend's raw namespace, or xgrad's own when the derivative is recorded; the rule is the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import CodeType
from typing import Any

from xgrad.engine.tape import BACKEND, PARENTS, SAVED, Node
from xgrad.engine.tensor import wrap

DerivativeRule = Callable[..., Any]

OPS: dict[str, Op] = {}  # every differentiable operation, by its name in a namespace


class Op:
    """One differentiable operation.

    In its node, `saved` is (*arguments, y, geometry): raw arrays, or None for those that no rule needs, and then a tuple with
    (shape, dtype) of each argument and of y.
    """

    fresh = False  # whether its rules return either g or a new array
    lends = False  # whether its rules may return an array that something else holds, such as an argument
    across: Callable[..., Any] | None = None  # a faster way for arguments from inside and outside of vmap
    holomorphic = False  # whether the rules are complex derivatives; a gradient is then their conjugate

    def __init__(self, name: str, arguments: Sequence[str], rules: Sequence[DerivativeRule | None]) -> None:
        self.name = name
        self.arguments = tuple(arguments)
        self.raw = RawFunction(name)
        self.followers: list[Any] = []  # operations that share these rules, and are updated when the rules change
        self.set_rules(rules)
        OPS[name] = self

    def set_rules(self, rules: Sequence[DerivativeRule | None]) -> None:
        self.rules = tuple(rules)
        self.vjps = tuple(rule and aligned(rule, self.arguments) for rule in rules)
        self.uses = tuple(names_of(rule) if rule else frozenset() for rule in rules)
        self._what_to_save: dict[tuple[bool, ...], tuple[bool, ...]] = {}
        for op in self.followers:
            op.update()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        """Gradients for the arguments that have a parent, each with its argument's shape and dtype; None for the others."""
        geometry = saved[-1]
        # The complex gradient of a holomorphic function, in PyTorch's convention, is conj(rule(conj(g))).
        conjugates = self.holomorphic and geometry[-1][1] in xp.complex_dtypes
        if conjugates:
            g = conjugate(xp, g)
        pulled = []
        for parent, rule, its in zip(parents, self.vjps, geometry):  # noqa: B905 (y has no rule, and this is hot)
            h = rule(xp, g, saved, static) if parent is not None and rule is not None else None
            if h is not None:
                if conjugates:
                    h = conjugate(xp, h)
                if h.shape != its[0] or h.dtype is not its[1]:
                    h = fit(xp, h, its)
            pulled.append(h)
        return pulled

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        """The tangent of the output, given those of the arguments. A tangent that is None is zero."""
        raise NotImplementedError(f"{self.name} has no forward-mode rule")

    def push_alike(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        """As `push`, for a node of the fast path, whose `saved` has no geometry."""
        raise NotImplementedError(f"{self.name} has no forward-mode rule for the fast path")

    def needed_names(self, moving: Sequence[bool]) -> frozenset[str]:
        """The names that the rules need when these arguments require a gradient."""
        return frozenset[str]().union(*(uses for uses, moves in zip(self.uses, moving, strict=False) if moves))

    def what_to_save(self, moving: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which of (*arguments, y) a node must save when these arguments require a gradient."""
        known = self._what_to_save.get(moving)
        if known is None:
            needed = self.needed_names(moving)
            names = self.arguments[: len(moving)] or ("",) * len(moving)
            known = self._what_to_save[moving] = tuple([name in needed for name in (*names, "y")])
        return known

    def lift(self, node: Node) -> tuple[Any, tuple[Any, ...]]:
        """For a pass that is recorded: xgrad's namespace, and the saved arrays as tensors with their nodes."""
        backend, saved = node[BACKEND], node[SAVED]
        sources = (*node[PARENTS], node)  # aligned with (*arguments, y)
        lifted = [
            wrap(value, backend, source) if backend.owns(value) else value
            for value, source in zip(saved, sources, strict=False)
        ]
        return backend.view, (*lifted, *saved[len(sources) :])


class Elementwise(Op):
    """`rules[i](xp, g, ...)` is g times the derivative by argument i. It is linear in g, so it serves both directions.

    For complex arguments the derivative is that of a holomorphic function. An operation that is not holomorphic also has `jvp`,
    and its rules are gradients, which are not conjugated.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        rules: Sequence[DerivativeRule | None],
        jvp: DerivativeRule | None = None,
    ) -> None:
        self.jvp = jvp and aligned(jvp, tuple(arguments))
        self.holomorphic = jvp is None
        super().__init__(name, arguments, rules)

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        shape, dtype = saved[-1][-1]
        t = self._parts(xp, tangents, saved, static)
        return None if t is None else cast(xp, t if t.shape == shape else xp.broadcast_to(t, shape), dtype)

    def push_alike(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        return self._parts(xp, tangents, saved, None)

    def _parts(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        if self.jvp is not None:
            return self.jvp(xp, tangents[0] if len(tangents) == 1 else tangents, saved, static)
        parts = [
            rule(xp, t, saved, static)
            for t, rule in zip(tangents, self.vjps, strict=False)
            if t is not None and rule is not None
        ]
        return total(parts)


class Multilinear(Op):
    """Linear in each argument: `rules[i]` is the transpose of the function in argument i."""

    holomorphic = True

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        return cast(xp, self.push_alike(xp, tangents, saved, static), saved[-1][-1][1])

    def push_alike(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any = None) -> Any:
        function = self.raw.of(xp)
        parts = [
            function(*(t if i == j else other for j, other in enumerate(saved[: len(tangents)])), **(static or {}))
            for i, t in enumerate(tangents)
            if t is not None
        ]
        return total(parts)

    def needed_names(self, moving: Sequence[bool]) -> frozenset[str]:
        others = (name for i, name in enumerate(self.arguments) if any(moving[:i]) or any(moving[i + 1 :]))
        return super().needed_names(moving).union(others)


class JointlyLinear(Op):
    """Linear in all arguments together, except in the `fixed` ones, such as a mask.

    `joint` is for a function of a list of arrays. It is one rule that returns the gradients of all of them.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        rules: Sequence[DerivativeRule | None] = (),
        *,
        joint: DerivativeRule | None = None,
        fixed: Sequence[str] = (),
    ) -> None:
        super().__init__(name, arguments, rules)
        self.joint = joint and aligned(joint, ())
        self.fixed = frozenset(fixed)

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        if self.joint is None:
            return super().pull(xp, g, parents, saved, static)
        return [
            None if parent is None else fit(xp, h, shape)
            for parent, h, shape in zip(parents, self.joint(xp, g, saved, static), saved[-1], strict=False)
        ]

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        args = []
        for i, (t, kept, shape) in enumerate(zip(tangents, saved, saved[-1], strict=False)):
            is_fixed = self.joint is None and self.arguments[i] in self.fixed
            args.append(kept if is_fixed else 0.0 if shape is None else zeros(xp, shape) if t is None else t)
        function = self.raw.of(xp)
        return function(args, **static) if self.joint else function(*args, **static)

    def needed_names(self, moving: Sequence[bool]) -> frozenset[str]:
        return super().needed_names(moving) | self.fixed


class Function(Op):
    """Any other function, with a reverse rule per argument and `jvp(xp, t, ...)`: t is the tangent, or a list of several."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        rules: Sequence[DerivativeRule | None],
        jvp: DerivativeRule,
        *,
        holomorphic: bool = False,
    ) -> None:
        super().__init__(name, arguments, rules)
        self.holomorphic = holomorphic
        self.jvp = aligned(jvp, self.arguments)
        self.jvp_uses = names_of(jvp)

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        t = self.jvp(xp, tangents[0] if len(tangents) == 1 else tangents, saved, static)
        return None if t is None else cast(xp, t, saved[-1][-1][1])

    def push_alike(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        return self.jvp(xp, tangents[0] if len(tangents) == 1 else tangents, saved, None)

    def needed_names(self, moving: Sequence[bool]) -> frozenset[str]:
        return super().needed_names(moving) | self.jvp_uses


# --- the raw function ---------------------------------------------------------------------------------------


class RawFunction(dict[Any, Callable[..., Any]]):
    """The function of one name in the raw namespace of each backend, looked up on first use."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.path = name.split(".")

    def __missing__(self, backend: Any) -> Callable[..., Any]:
        function = self.of(backend.xp)
        if not backend.is_temporary:
            self[backend] = function
        return function

    def of(self, xp: Any) -> Callable[..., Any]:
        for part in self.path:
            xp = getattr(xp, part)
        function: Callable[..., Any] = xp
        return function


# --- rules and what they need -------------------------------------------------------------------------------


def names_of(rule: DerivativeRule) -> frozenset[str]:
    return frozenset(parameters(rule))


def parameters(rule: DerivativeRule) -> tuple[str, ...]:
    """The parameters of a rule after `xp` and `g`, in order."""
    code = rule.__code__
    names: tuple[str, ...] = code.co_varnames[2 : code.co_argcount]
    return names


def aligned(rule: DerivativeRule, arguments: tuple[str, ...]) -> DerivativeRule:
    """The rule as the tape calls it, `rule(xp, g, saved, static)`. Each parameter is read from its place in the node."""
    wanted = ", ".join(_place(name, arguments) for name in parameters(rule))
    adapted: DerivativeRule = eval(_compiled(f"lambda xp, g, saved, static: rule(xp, g, {wanted})"), {"rule": rule})
    return adapted


@cache
def _compiled(expression: str) -> CodeType:
    """Compiled once for all rules with the same parameters: compiling is most of the import time of a rule."""
    return compile(expression, "<rule>", "eval")


def _place(name: str, arguments: tuple[str, ...]) -> str:
    outputs = (*arguments, "y")
    if name in outputs:
        return f"saved[{outputs.index(name)}]"
    base, _, what = name.rpartition("_")
    if base in outputs and what in ("shape", "dtype"):
        return f"saved[-1][{outputs.index(base)}][{int(what == 'dtype')}]"
    if name == "shapes":
        return "[shape for shape, _ in saved[-1][:-1]]"
    return f"static[{name!r}]"


# --- shapes and dtypes --------------------------------------------------------------------------------------


def fit(xp: Any, g: Any, geometry: tuple[tuple[int, ...], Any]) -> Any:
    """The gradient in the shape and dtype of its argument: summed over broadcast axes, and cast."""
    if g is None:
        return None
    shape, dtype = geometry
    if g.shape != shape:
        g = sum_to(xp, g, shape)
    return g if g.dtype is dtype else cast(xp, g, dtype)


def cast(xp: Any, g: Any, dtype: Any) -> Any:
    if g.dtype == dtype:
        return g
    if g.dtype in xp.complex_dtypes and dtype not in xp.complex_dtypes:
        g = xp.real(g)
    return xp.astype(g, dtype)


def sum_to(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """The transpose of broadcasting `shape` to `g.shape`."""
    if not shape:
        return xp.sum(g)
    extra = g.ndim - len(shape)
    stretched = (i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    axes = (*range(extra), *stretched)
    if axes:
        g = xp.sum(g, axis=axes, keepdims=True)
    if extra:
        g = xp.reshape(g, g.shape[extra:])
    return g if g.shape == shape else xp.broadcast_to(g, shape)


def zeros(xp: Any, geometry: tuple[tuple[int, ...], Any]) -> Any:
    return xp.zeros(geometry[0], dtype=geometry[1])


def total(parts: Sequence[Any]) -> Any:
    """The sum of the parts; None if there are none."""
    if not parts:
        return None
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result


def conjugate(xp: Any, g: Any) -> Any:
    return xp.conj(g) if g.dtype in xp.complex_dtypes else g


def real_part(xp: Any, g: Any) -> Any:
    return xp.real(g) if g.dtype in xp.complex_dtypes else g
