"""Functions with a derivative that the user writes: `xgrad.primitive`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from xgrad.backends import get_backend, owner
from xgrad.backends.data import is_scalar
from xgrad.engine import tape
from xgrad.engine.arguments import MixedBackendsError, operand_on, unwrap
from xgrad.engine.casting import without_casts
from xgrad.engine.dispatch import node_of
from xgrad.engine.identity import Identity
from xgrad.engine.op import DerivativeRule, Op, total
from xgrad.engine.operands import together
from xgrad.engine.path import Path
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import map_leaves
from xgrad.transforms.batching.backend import running
from xgrad.transforms.batching.boundary import inside

_SEED = Identity("seed")


class Primitive(Op):
    """What `xgrad.primitive` returns."""

    lends = True  # the user's rules may return g, an argument, or whatever the user holds

    def __init__(self, body: Callable[..., Any]) -> None:  # OPS has only xgrad's own operations
        self.body = body
        self.name = getattr(body, "__name__", "primitive")
        self.arguments = ()
        self._what_to_save = {}
        self.user_vjps: tuple[DerivativeRule | None, ...] | None = None
        self.user_jvps: tuple[DerivativeRule | None, ...] | None = None
        functools.update_wrapper(self, body)  # type: ignore[arg-type]

    def defvjp(self, *rules: DerivativeRule | None) -> Primitive:
        """Reverse mode: for each argument `rule(g, out, *args, **kwargs)`, or None if it has no gradient."""
        self.user_vjps = rules
        return self

    def defjvp(self, *rules: DerivativeRule | None) -> Primitive:
        """Forward mode: for each argument `rule(t, out, *args, **kwargs)`."""
        self.user_jvps = rules
        return self

    def __call__(self, *args: Any, **static: Any) -> Tensor:
        self._check_call(args, static)
        backend, raws, nodes = unwrap(self.name, [_inside(arg) for arg in together(self.name, *args)])
        with tape.set_recording(False), without_casts():  # its derivative is for the dtypes of its arguments
            result = self.body(*(wrap(r, backend) if backend.owns(r) else r for r in raws), **static)
        if not isinstance(result, Tensor):
            raise TypeError(f"primitive {self.name!r} must return one tensor, not {type(result).__name__}")
        y = _on(backend, result, f"primitive {self.name!r}").data
        if any(node is not None for node in nodes):
            static = {name: map_leaves(_own, value) for name, value in static.items()}
        return wrap(y, backend, node_of(self, backend, raws, nodes, y, static))

    def _check_call(self, args: Sequence[Any], static: dict[str, Any]) -> None:
        for what, rules in (("defvjp", self.user_vjps), ("defjvp", self.user_jvps)):
            if rules is not None and len(rules) != len(args):
                raise TypeError(
                    f"primitive {self.name!r}: {what} was given {len(rules)} rules, the call has {len(args)} arguments"
                )
        for name, value in static.items():
            if isinstance(value, Tensor) and value.requires_grad and tape.is_recording():
                raise TypeError(
                    f"primitive {self.name!r}: {name}= requires a gradient, but keyword arguments are static and get none. "
                    "Make it a positional argument, or pass it detached."
                )

    # --- what the tape asks ---

    def needed_names(self, moving: Sequence[bool]) -> frozenset[str]:
        return frozenset(("", "y"))  # the user's rules may look at everything

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        if self.user_vjps is None:
            raise NotImplementedError(
                f"primitive {self.name!r} has no derivative: give it one with {self.name}.defvjp(...)"
            )
        return [
            self._run(rule, g, saved, static, i) if parent is not None and rule else None
            for i, (parent, rule) in enumerate(zip(parents, self.user_vjps, strict=True))
        ]

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        if self.user_jvps is None:
            return self._push_by_vjps(tangents, saved, static)
        return total(
            [
                self._run(rule, t, saved, static, len(tangents))
                for t, rule in zip(tangents, self.user_jvps, strict=True)
                if t is not None and rule
            ]
        )

    def _run(self, rule: DerivativeRule, g: Any, saved: tuple[Any, ...], static: Any, i: int) -> Any:
        """Call a user's rule with tensors. Returns what the pass carries: a tensor if it is recorded, else a raw array."""
        recorded = isinstance(g, Tensor)
        *args, out, geometry = saved
        backend = g.backend if recorded else tape_backend(out)
        if not recorded:
            g = g if backend.owns(g) else backend.asarray(g)  # a NumPy scalar, where out is 0-d
            g, out, *args = (wrap(v, backend) if backend.owns(v) else v for v in (g, out, *args))
        with tape.set_recording(recorded), running(backend):
            h = rule(g, out, *args, **static)
        if h is None:
            return None
        if not isinstance(h, Tensor):
            raise TypeError(f"a rule of primitive {self.name!r} must return a tensor or None, not {type(h).__name__}")
        with tape.set_recording(recorded):
            h = _on(backend, h, f"a rule of primitive {self.name!r}")
        if (h.shape, h.dtype) != geometry[i]:
            of, (shape, dtype) = f"argument {i}" if i < len(args) else "the output", geometry[i]
            raise ValueError(
                f"a rule of primitive {self.name!r} returned {h.shape} {h.dtype}; {of} is {tuple(shape)} {dtype}"
            )
        return h if recorded else h.data

    def _push_by_vjps(self, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        """The tangent of the output from the vjp rules: a vjp is linear in g, so the transpose of the vjp is the jvp."""
        *_, out, geometry = saved
        recorded = isinstance(next(t for t in tangents if t is not None), Tensor)
        backend = out.backend if recorded else tape_backend(out)
        lifted = [v if isinstance(v, Tensor) or not backend.owns(v) else wrap(v, backend) for v in saved[:-1]]
        node = tape.make_node(_SEED, (None,), backend=backend)
        g = wrap(backend.xp.zeros(geometry[-1][0], dtype=geometry[-1][1]), backend, node)
        with tape.set_recording(True):
            pulled = self.pull(
                backend.view, g, [t if t is None else True for t in tangents], (*lifted, geometry), static
            )
        parts = []
        for h, t in zip(pulled, tangents, strict=True):
            if t is None or h is None or h.node is None:
                continue
            path = Path([node], [h.node])
            record = recorded
            seed = t if record else t.data if isinstance(t, Tensor) else t
            with tape.set_recording(record):
                parts += [u for u in path.back([h.node], [seed], record=record) if u is not None]
        return total(parts)


def _inside(arg: Any) -> Any:
    """An argument on the backend of the vmap that is running, if one is, because the body's other arrays are there."""
    backend = None if isinstance(arg, Tensor) or is_scalar(arg) else owner(arg)
    x = arg if backend is None else wrap(backend.adopt(arg), backend)
    return inside(x) if isinstance(x, Tensor) else x


def _on(backend: Any, y: Tensor, what: str) -> Tensor:
    """A result, on the backend of the call. Inside vmap, a tensor from outside is the same for all examples."""
    if y.backend is not backend and backend.join(y.backend) is not backend:
        raise MixedBackendsError(f"{what} was called on {backend} but returned a tensor on {y.backend}")
    return operand_on(backend, y)


def _own(value: Any) -> Any:
    """A static argument, or a part of one, for the node: a copy of anything that the caller may change before backward."""
    if isinstance(value, Tensor):
        return value.detach()  # a later write into the tensor does not change this one
    if isinstance(value, set | bytearray):
        return copy(value)
    backend = None if is_scalar(value) else owner(value)
    return value if backend is None else backend.copy(value)


def tape_backend(raw: Any) -> Any:
    return owner(raw) or get_backend()


def primitive(f: Callable[..., Any]) -> Primitive:
    """A function whose derivative you write yourself.

    `f` is not recorded. Its derivative comes from the rules that `defvjp` (reverse mode) and `defjvp` (forward mode) get, one
    for each positional argument. Without `defjvp`, forward mode is derived from the `defvjp` rules, which must then use xgrad's
    functions. Keyword arguments are static. They reach the rules with their values at the call: arrays, tensors, lists, dicts
    and sets are copied.

    LeakyReLU with a derivative of its own:

    >>> import xgrad as xg
    >>> @xg.primitive
    ... def leaky(x, *, slope=0.01):
    ...     return xg.where(x > 0, x, slope * x)
    >>> _ = leaky.defvjp(lambda g, out, x, *, slope=0.01: xg.where(x > 0, g, slope * g))
    >>> x = xg.asarray([-2.0, 3.0], requires_grad=True)
    >>> xg.sum(leaky(x, slope=0.1)).backward()
    >>> x.grad.numpy().tolist()
    [0.1, 1.0]

    Args:
        f: a function of tensors and numbers that returns one tensor.

    Returns:
        A callable with the signature of `f`. `defvjp(*rules)` takes for each argument a rule `(g, out, *args, **kwargs)`, or None
        if it has no gradient. The rule returns the gradient, a tensor of the argument's shape and dtype, or None for zero.
        `defjvp(*rules)` takes rules `(t, out, *args, **kwargs)`, which return the tangent of the output. Both return the
        callable.

    Derivative:
        By these rules. It is differentiable again where the rules use xgrad's functions.

    Raises:
        TypeError: where `f` is not callable; by a call, where `f` does not return one tensor, where the number of rules is not
            that of the arguments, and for a keyword argument that requires a gradient; in backward, for a rule that returns no
            tensor.
        ValueError: in backward, for a rule that returns another shape or dtype.
        NotImplementedError: in backward, where there are no rules.
        MixedBackendsError: for arguments, and results of `f` and of rules, on another backend.

    The convention of the rules is that of HIPS autograd: https://github.com/HIPS/autograd/blob/master/docs/tutorial.md.
    """
    if not callable(f):
        raise TypeError(f"primitive: expected a function, got {type(f).__name__}: {f!r:.60}")
    return Primitive(f)
