"""Derivatives of functions: grad, value_and_grad, vjp, jvp, linearize.

All work the same way. Each argument gets a new node, the function runs and is recorded, and then a pass goes over the tape
between these nodes and the result: a reverse pass for gradients, a forward pass for tangents. The pass itself is recorded where
anything else that requires a gradient feeds that part of the tape: the argument that was given, or a tensor that the function
closes over. So transforms nest in every order. None of them touches `.grad`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xgrad.backends import get_backend, is_host_data, owner
from xgrad.backends.data import is_numeric, is_scalar
from xgrad.engine import tape
from xgrad.engine.identity import ARGUMENT
from xgrad.engine.integers import integers, one_or_more
from xgrad.engine.path import Path
from xgrad.engine.tensor import Tensor, check_differentiable, layout_of, wrap
from xgrad.engine.trees import flatten, map_leaves, structure
from xgrad.transforms.batching.boundary import check_running, inside, lift_for

Function = Callable[..., Any]


# --- arguments and results ----------------------------------------------------------------------------------


def place_of(leaves: Iterable[Any]) -> Any:
    """The backend that numbers and NumPy arrays among these leaves go to: that of the first other array, or the current one."""
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            return leaf.backend
        backend = None if is_scalar(leaf) or is_host_data(leaf) else owner(leaf)
        if backend is not None:
            return backend
    return get_backend()


def to_tensor(value: Any, what: str = "to differentiate by", place: Any = None) -> Tensor:
    """A tensor from a tensor, a raw array or a Python number (which gets the default dtype).

    `what` ends the error message. `place` is the backend for NumPy arrays and numbers; None means the current one.
    """
    if isinstance(value, Tensor):
        return inside(value)
    if is_host_data(value):
        backend = place or get_backend()
        return inside(wrap(backend.adopt(value), backend))
    backend = owner(value)
    if backend is not None:
        return inside(wrap(backend.adopt(value), backend))
    if is_scalar(value):
        backend = place or get_backend()
        number = value if isinstance(value, complex) else float(value)
        return inside(wrap(backend.asarray(number), backend))
    raise TypeError(f"expected an array or a number {what}, got {type(value).__name__}: {value!r:.60}")


def _fresh(value: Any, place: Any) -> Tensor:
    """An argument as a tensor with a new node. The node's parent is the node of the tensor that was given."""
    x = to_tensor(value, place=place)
    check_differentiable(x.dtype, x.backend)
    node = tape.make_node(ARGUMENT, (x.node,), backend=x.backend)
    fresh = wrap(x.data, x.backend, node)
    fresh.layout = layout_of(x)
    return fresh


def raw_to_tensor(value: Any, place: Any = None) -> Any:
    """A tensor from a raw array of numbers. Anything else is returned unchanged."""
    if isinstance(value, Tensor) or is_scalar(value) or owner(value) is None or not is_numeric(value.dtype):
        return value
    return to_tensor(value, place=place)


class Run:
    """One recorded run of a function: its inputs and outputs as flat lists, and the functions that rebuild the trees.

    `made` has the input, a tensor with a new node, where the caller has made it.
    """

    def __init__(
        self,
        f: Function,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        argnums: Sequence[int],
        has_aux: bool,
        made: Tensor | None = None,
    ) -> None:
        self.recording = tape.is_recording()
        self.inputs: list[Tensor] = []
        self.rebuild: list[tuple[Any, int]] = []
        flat = [flatten(arg) for arg in args]
        place = place_of(leaf for leaves, _ in flat for leaf in leaves)
        called = [
            None if i in argnums else rebuild([raw_to_tensor(leaf, place) for leaf in leaves])
            for i, (leaves, rebuild) in enumerate(flat)
        ]
        for i in argnums:
            leaves, rebuild = flat[i]
            fresh = [_fresh(leaf, place) for leaf in leaves] if made is None else [made]
            self.inputs += fresh
            self.rebuild.append((rebuild, len(fresh)))
            called[i] = rebuild(fresh)
        self.nodes: list[Any] = [
            x.node for x in self.inputs
        ]  # taken before f runs, because f may write into the inputs
        with tape.set_recording(True):
            result = f(*called, **kwargs)
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise TypeError(f"with has_aux=True the function must return a pair (output, aux), not {result!r:.60}")
            result, aux = result
        leaves, self.rebuild_output = flatten(result)
        self.shape = structure(result)
        self.outputs = [to_tensor(leaf, "as the result of the function", place) for leaf in leaves]
        check_running(self.outputs, self.inputs)
        self.path = Path(self.nodes, [y.node for y in self.outputs])
        self.aux = map_leaves(self.settled, aux) if has_aux else None

    def settled(self, value: Any) -> Any:
        """A result for the caller. It stays on the tape only if something outside of this run requires a gradient from it."""
        if not isinstance(value, Tensor) or value.node is None:
            return value
        if self.recording and Path(self.nodes, [value.node]).connected:
            return value
        return value.detach()

    def output(self) -> Any:
        """The results, settled."""
        if not (self.recording and self.path.connected):
            return self.rebuild_output([y.detach() for y in self.outputs])
        if len(self.outputs) == 1:  # self.path is the path of this output alone
            return self.rebuild_output(self.outputs)
        return self.rebuild_output([self.settled(y) for y in self.outputs])

    def in_trees(self, flat: list[Tensor]) -> list[Any]:
        """Values for the inputs, one tree for each argument."""
        trees, start = [], 0
        for rebuild, count in self.rebuild:
            trees.append(rebuild(flat[start : start + count]))
            start += count
        return trees

    def pull(self, cotangents: Sequence[Tensor], *, last: bool = False) -> list[Tensor]:
        """The gradient of each input; zeros for one that was not used.

        With `last`, this run drops its own references first, so that the reverse pass frees the tape as it goes.
        """
        record = tape.is_recording() and (self.path.connected or any(g.requires_grad for g in cotangents))
        lift = lift_for([g.backend for g in cotangents], [y.backend for y in self.outputs])
        as_tensors = record or lift is not tape.lift
        seeds = list(cotangents) if as_tensors else [g.data for g in cotangents]
        ends = [y.node for y in self.outputs]
        if last and not self.path.connected:
            self.outputs = [y.detach() for y in self.outputs]
            self.path.forget()
        with tape.set_recording(record):
            found = self.path.back(ends, seeds, record=as_tensors, lift=lift)
        return [_result(g, x) for g, x in zip(found, self.inputs, strict=True)]

    def push(self, tangents: Sequence[Tensor]) -> list[Tensor]:
        """The tangent of each output."""
        record = tape.is_recording() and (self.path.connected or any(t.requires_grad for t in tangents))
        lift = lift_for([t.backend for t in tangents], [x.backend for x in self.inputs])
        as_tensors = record or lift is not tape.lift
        seeds = list(tangents) if as_tensors else [t.data for t in tangents]
        with tape.set_recording(record):
            found = self.path.forth(seeds, [y.node for y in self.outputs], record=as_tensors, lift=lift)
        return [_result(t, y) for t, y in zip(found, self.outputs, strict=True)]


def _result(value: Any, like: Tensor) -> Tensor:
    if value is None:
        return wrap(like.backend.xp.zeros(like.shape, dtype=like.dtype), like.backend)
    if isinstance(value, Tensor):
        return value
    backend = like.backend
    return wrap(value if backend.owns(value) else backend.asarray(value), backend)


def numbers(name: str, argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    """The indices in `argnums`, checked and counted from 0, for a call with `count` positional arguments."""
    if type(argnums) is int and 0 <= argnums < count:
        return (argnums,)
    numbers = integers(name, argnums, "argnums")
    for i in numbers:
        if not -count <= i < count:
            raise ValueError(f"{name}: argnums={argnums}, but there are {count} positional arguments")
    numbers = tuple(i % count for i in numbers)
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"{name}: argnums={argnums} names one of the {count} arguments twice")
    return numbers


def _matched(name: str, given: Any, wanted: Sequence[Tensor], shape: Any, what: str) -> list[Tensor]:
    """The leaves of a tree of cotangents or tangents, checked against the arrays that they belong to.

    Args:
        name: the transform, for error messages.
        given: the tree from the user.
        wanted: the arrays, flat.
        shape: the structure of the tree of arrays.
        what: "cotangent" or "tangent".
    """
    leaves, _ = flatten(given)
    if structure(given) != shape:
        raise ValueError(f"{name}: the {what} must be a tree like {shape}, not one like {structure(given)}")
    matched = []
    for leaf, x in zip(leaves, wanted, strict=True):
        t = inside(leaf) if isinstance(leaf, Tensor) else wrap(x.backend.adopt_any(leaf, x.dtype), x.backend)
        if t.shape != x.shape or (t.backend is not x.backend and t.backend.join(x.backend) is None):
            raise ValueError(
                f"{name}: the {what} has shape {t.shape} on {t.backend}; its array has {x.shape} on {x.backend}"
            )
        if t.dtype != x.dtype:
            raise TypeError(f"{name}: the {what} has dtype {t.dtype}; its array has {x.dtype}")
        matched.append(t)
    return matched


# --- reverse mode -------------------------------------------------------------------------------------------


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns the value and the gradient of a scalar-valued function, from one run of it.

    >>> import xgrad as xg
    >>> value, g = xg.value_and_grad(lambda x: xg.sum(x**2))(xg.asarray([1.0, 2.0]))
    >>> value.item(), g.numpy().tolist()
    (5.0, [2.0, 4.0])

    Args:
        f: a function with one 0-d real result, as for `grad`.
        argnums: the positional arguments to differentiate by, as for `grad`.
        has_aux: whether `f` returns a pair (value, aux); `aux` is returned and not differentiated.

    Returns:
        A function of the arguments of `f` that returns (value, gradient), or ((value, aux), gradient) with `has_aux`. The value
        is a 0-d tensor, the gradient that of `grad`.

    Raises:
        TypeError, ValueError: as for `grad`.

    https://docs.jax.dev/en/latest/_autosummary/jax.value_and_grad.html
    """

    chosen = one_or_more("grad", argnums, "argnums")

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        run = Run(f, args, kwargs, numbers("grad", chosen, len(args)), has_aux)
        one = _one(run)
        with tape.set_recording(run.recording):
            trees = run.in_trees(run.pull([one], last=True))
        gradient = trees[0] if isinstance(chosen, int) else tuple(trees)
        return ((run.output(), run.aux) if has_aux else run.output()), gradient

    return value_and_gradient


def is_complex(x: Tensor) -> bool:
    return x.dtype in x.backend.complex_dtypes


def _one(run: Run) -> Tensor:
    """The gradient to start from: 1. Raises TypeError unless the function returned one real number."""
    if len(run.outputs) != 1 or run.outputs[0].shape != ():
        shapes = ", ".join(str(y.shape) for y in run.outputs)
        raise TypeError(
            f"grad needs a function with one 0-d result; this one returned {shapes}. Use vjp or jacobian for it."
        )
    y = run.outputs[0]
    check_differentiable(y.dtype, y.backend)
    if is_complex(y):
        raise TypeError(
            "grad needs a function with a real result; this one is complex. Take xgrad.real or xgrad.abs of it."
        )
    return wrap(y.backend.xp.ones((), dtype=y.dtype), y.backend)


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The gradient of a scalar-valued function, as a function of the same arguments.

    >>> import xgrad as xg
    >>> xg.grad(lambda x: x**3)(2.0).item()
    12.0
    >>> xg.grad(xg.grad(lambda x: x**3))(2.0).item()
    12.0
    >>> g = xg.grad(lambda p: xg.sum(p["w"] ** 2) + p["b"])({"w": xg.asarray([1.0, 2.0]), "b": 0.5})
    >>> g["w"].numpy().tolist(), g["b"].item()
    ([2.0, 4.0], 1.0)

    Args:
        f: a function whose result is one real floating-point number, an array of shape (). It may close over tensors.
        argnums: the index of the positional argument to differentiate by, or a sequence of such indices. A negative one counts
            from the last argument. Each of these arguments is an array of a floating-point dtype, a number (which becomes a
            tensor of the default dtype), or a tree (tuple, list, dict) of these.
        has_aux: whether `f` returns a pair (value, aux); `aux` is returned and not differentiated.

    Returns:
        A function of the arguments of `f` that returns the gradient: a tensor of the shape and dtype of the argument, or a tree
        like it; a tuple of these where `argnums` is a sequence. An argument that `f` does not use has a gradient of zeros. With
        `has_aux` the function returns (gradient, aux).

    Derivative:
        The function is differentiable itself. The gradient by a complex z = a + ib is df/da + i df/db, which is PyTorch's:
        https://docs.pytorch.org/docs/stable/notes/autograd.html#autograd-for-complex-numbers.

    Raises:
        TypeError: where the result is not one number, is complex or an integer; for an argument that holds integers, booleans or
            anything but arrays and numbers; where `has_aux` is given and the result is no pair.
        ValueError: where `argnums` names an argument that is not there, or one argument twice.

    https://docs.jax.dev/en/latest/_autosummary/jax.grad.html
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The vector-Jacobian product: f(*primals), and the function that takes a cotangent of the output to those of the arguments.

    >>> import xgrad as xg
    >>> y, pull = xg.vjp(lambda a, b: a * b, xg.asarray([1.0, 2.0]), xg.asarray([3.0, 4.0]))
    >>> [g.numpy().tolist() for g in pull(xg.asarray([1.0, 1.0]))]
    [[3.0, 4.0], [1.0, 2.0]]

    Args:
        f: a function whose arguments and result are arrays or trees of arrays.
        *primals: the arguments: arrays of a floating-point dtype, numbers, or trees of these.

    Returns:
        (output, pull). `pull(cotangent)` takes a tree like the output, with the same shapes and dtypes (Python numbers and lists
        are converted), and returns a tuple with a tree like each argument. It may be called several times: the tape is kept.

    Derivative:
        Output and cotangents are differentiable themselves. Complex cotangents follow PyTorch's convention, as in `grad`.

    Raises:
        TypeError: for an argument that holds integers or booleans; by `pull`, for a cotangent of another dtype than the output.
        ValueError: by `pull`, for a cotangent of another structure or shape, or on another backend, than the output.

    https://docs.jax.dev/en/latest/_autosummary/jax.vjp.html
    """
    run = Run(f, primals, {}, range(len(primals)), has_aux=False)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        return tuple(run.in_trees(run.pull(_matched("vjp", cotangent, run.outputs, run.shape, "cotangent"))))

    return run.output(), pull


# --- forward mode -------------------------------------------------------------------------------------------


def jvp(f: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The Jacobian-vector product: f(*primals), and its derivative in the direction of the tangents.

    >>> import xgrad as xg
    >>> y, t = xg.jvp(xg.sin, (0.0,), (2.0,))
    >>> y.item(), t.item()
    (0.0, 2.0)

    Args:
        f: a function whose arguments and result are arrays or trees of arrays.
        primals: a tuple or list of the arguments: arrays of a floating-point dtype, numbers, or trees of these. For a function of
            one argument that is neither a tuple nor a list, that argument itself.
        tangents: one for each argument, a tree like it with the same shapes and dtypes (Python numbers and lists are converted).

    Returns:
        (output, tangent). The tangent is a tree like the output, with its shapes and dtypes.

    Derivative:
        Output and tangent are differentiable themselves.

    Raises:
        TypeError: for an argument that holds integers or booleans, for a tangent of another dtype than its argument, and for one
            primal with a sequence of tangents.
        ValueError: for tangents of another number, structure or shape than the arguments, or on another backend.

    https://docs.jax.dev/en/latest/_autosummary/jax.jvp.html
    """
    if not isinstance(primals, tuple | list):
        if isinstance(tangents, tuple | list):
            raise TypeError("jvp: primals is one array, and tangents a sequence; write jvp(f, (x,), (v,))")
        primals, tangents = (primals,), (tangents,)
    out, push = linearized("jvp", f, primals)
    return out, push(*tangents)


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """f(*primals), and the linear function that takes tangents of the arguments to the tangent of the output.

    `f` runs once. Each call of the linear function is one forward pass over the recorded tape.

    >>> import xgrad as xg
    >>> y, push = xg.linearize(lambda x: x * x, 3.0)
    >>> push(1.0).item(), push(2.0).item()
    (6.0, 12.0)

    Args:
        f: a function whose arguments and result are arrays or trees of arrays.
        *primals: the arguments: arrays of a floating-point dtype, numbers, or trees of these.

    Returns:
        (output, push). `push(*tangents)` takes a tangent for each argument and returns the tangent of the output, as `jvp` does.

    Derivative:
        Output and tangents are differentiable themselves.

    Raises:
        TypeError: for an argument that holds integers or booleans; by `push`, for a tangent of another dtype than its argument.
        ValueError: by `push`, for tangents of another number, structure or shape than the arguments, or on another backend.

    https://docs.jax.dev/en/latest/_autosummary/jax.linearize.html
    """
    return linearized("linearize", f, primals)


def linearized(name: str, f: Function, primals: Sequence[Any]) -> tuple[Any, Function]:
    """As `linearize`, with the name of a transform for error messages."""
    primals = tuple(primals)
    run = Run(f, primals, {}, range(len(primals)), has_aux=False)

    def push(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise ValueError(f"{name}: {len(tangents)} tangents for {len(primals)} arguments")
        return run.rebuild_output(run.push(_matched(name, tangents, run.inputs, structure(primals), "tangent")))

    return run.output(), push
