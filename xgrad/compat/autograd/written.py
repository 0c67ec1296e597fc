"""A call of a user's primitive as one recorded operation.

The function runs on plain values. The tensors in its arguments are the parents of the recorded node. A result that is a tree of
arrays is recorded as one vector, and its leaves are pieces of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xgrad.compat.autograd.derivatives import primitive_jvps, primitive_vjps
from xgrad.compat.autograd.values import getval, plain
from xgrad.engine import tape
from xgrad.engine.arguments import unwrap
from xgrad.engine.dispatch import node_of
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor, wrap
from xgrad.engine.trees import flatten
from xgrad.transforms.primitive import Primitive, tape_backend


class Call(NamedTuple):
    """What a node keeps of a call, beside the arrays.

    Attributes:
        leaves: the leaves of the arguments. Where a tensor was, its number among the parents is in `of`.
        of: for each parent, the place of its leaf.
        argnums: for each parent, the argument that it is in.
        rebuild: makes the arguments of such leaves.
        kwargs: the keyword arguments.
        result: the shapes of the leaves of the result, and what rebuilds it; None where it is one array.
    """

    leaves: list[Any]
    of: list[int]
    argnums: list[int]
    rebuild: Callable[[list[Any]], tuple[Any, ...]]
    kwargs: dict[str, Any]
    result: tuple[list[tuple[int, ...]], Callable[[list[Any]], Any]] | None = None

    def arguments(self, parents: Sequence[Any]) -> tuple[Any, ...]:
        leaves = list(self.leaves)
        for place, value in zip(self.of, parents, strict=True):
            leaves[place] = value
        return self.rebuild(leaves)

    def answer(self, y: Any) -> Any:
        """The result, from the array that was recorded."""
        if self.result is None:
            return y
        shapes, rebuild = self.result
        parts, start = [], 0
        for shape in shapes:
            size = int(np.prod(shape))
            parts.append(y[start : start + size].reshape(shape))
            start += size
        return rebuild(parts)


def split(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, list[Tensor]]:
    """The call, and the tensors among its arguments."""
    if not any([isinstance(arg, tuple | list | dict) for arg in args]):  # noqa: C419 (a list is quicker, and this is hot)
        places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
        return Call(list(args), places, places, tuple, kwargs), [args[place] for place in places]
    leaves: list[Any] = []
    pieces: list[tuple[Callable[[list[Any]], Any], int]] = []
    of, argnums, tensors = [], [], []
    for argnum, arg in enumerate(args):
        some, rebuild = flatten(arg) if isinstance(arg, tuple | list | dict) else ([arg], None)
        pieces.append((rebuild or (lambda new: new[0]), len(some)))
        for leaf in some:
            if isinstance(leaf, Tensor):
                of.append(len(leaves))
                argnums.append(argnum)
                tensors.append(leaf)
            leaves.append(leaf)

    def rebuilt(new: list[Any]) -> tuple[Any, ...]:
        found, start = [], 0
        for rebuild, length in pieces:
            found.append(rebuild(new[start : start + length]))
            start += length
        return tuple(found)

    return Call(leaves, of, argnums, rebuilt, kwargs), tensors


class Written(Primitive):
    """The operation of a user's primitive. Its rules are in the tables of derivatives.py, and are looked up when needed."""

    def __init__(self, fun: Callable[..., Any], key: Any) -> None:
        super().__init__(fun)
        self.key = key

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call, tensors = split(args, kwargs)
        answer = self.body(*call.arguments([getval(x) for x in tensors]), **kwargs)
        nodes: Sequence[Any] = [x.node for x in tensors]
        if not any(node is not None for node in nodes):
            return answer
        if type(answer) in _REAL_ARRAYS and answer.dtype.kind == "f" and plain_types.issuperset(map(type, tensors)):
            backend = tensors[0].backend
            if backend.arrays_are_plain and all([x.backend is backend for x in tensors]):  # noqa: C419 (as above)
                y = np.asarray(answer)
                return wrap(y, backend, node_of(self, backend, [x._data for x in tensors], nodes, y, {"call": call}))
        parts, rebuild = flatten(answer)
        if not parts or not all(_is_inexact(part) for part in parts):
            return answer  # such as a truth value: it has no derivative
        if isinstance(answer, tuple | list | dict):
            call = call._replace(result=([np.shape(part) for part in parts], rebuild))
            answer = np.concatenate([np.ravel(part) for part in parts])
        backend, raws, nodes = unwrap(self.name, tensors)
        y = backend.asarray(np.asarray(answer))
        return call.answer(wrap(y, backend, node_of(self, backend, raws, nodes, y, {"call": call})))

    def pull(self, xp: Any, g: Any, parents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Sequence[Any]:
        call, recorded = static["call"], isinstance(g, Tensor)
        if call.rebuild is tuple and type(g) is np.ndarray and g.dtype.kind == "f":
            return self._pull_arrays(call, g, parents, saved)
        args, ans, backend = self._values(call, saved, recorded)
        moving = [i for i, parent in enumerate(parents) if parent is not None]
        argnums = tuple(dict.fromkeys(call.argnums[i] for i in moving))
        maker = self._rules(argnums)
        with tape.set_recording(recorded):
            cotangent = g if recorded else _host(backend, g)
            found = dict(
                zip(argnums, maker(argnums, ans, args, call.kwargs)(call.answer(_conjugate(cotangent))), strict=True)
            )
            return self._placed(call, found, set(moving), saved[-1], backend, recorded)

    def _pull_arrays(self, call: Call, g: Any, parents: Sequence[Any], saved: tuple[Any, ...]) -> list[Any]:
        """As `pull`, where the arguments and the result are real arrays of NumPy's, and the pass is not recorded."""
        *raws, y, geometry = saved
        backend = tape_backend(y)
        argnums = tuple([argnum for argnum, parent in zip(call.of, parents, strict=True) if parent is not None])
        with tape.set_recording(False):
            rules = self._rules(argnums)(
                argnums, np.array(y)[()], call.arguments([np.array(x)[()] for x in raws]), call.kwargs
            )
            found = dict(zip(argnums, rules(np.array(g)[()]), strict=True))
            return [_as_argument(found.get(of), each, backend) for of, each in zip(call.of, geometry, strict=False)]

    def _rules(self, argnums: tuple[int, ...]) -> Callable[..., Any]:
        maker = primitive_vjps.get(self.key)
        if maker is None:
            raise NotImplementedError(f"VJP of {self.name} wrt argnums {argnums} not defined")
        return maker

    def _placed(
        self, call: Call, found: dict[int, Any], moving: set[int], geometry: Any, backend: Any, recorded: bool
    ) -> list[Any]:
        """The rules' results for whole arguments, as one gradient for each parent."""
        gradients: list[Any] = []
        for i, argnum in enumerate(call.argnums):
            result = found.get(argnum)
            if i not in moving or result is None:
                gradients.append(None)
                continue
            leaves, _ = flatten(result)
            first = next(place for place, of in zip(call.of, call.argnums, strict=True) if of == argnum)
            of_one = leaves[0] if len(leaves) == 1 else leaves[call.of[i] - first]
            h = fitted(_conjugate(of_one), geometry[i], backend)
            gradients.append(h if recorded else h.data)
        return gradients

    def push(self, xp: Any, tangents: Sequence[Any], saved: tuple[Any, ...], static: Any) -> Any:
        call = static["call"]
        maker = primitive_jvps.get(self.key)
        if maker is None:
            return self._push_by_vjps(tangents, saved, static)
        recorded = isinstance(next(t for t in tangents if t is not None), Tensor)
        args, ans, backend = self._values(call, saved, recorded)
        moving = [i for i, t in enumerate(tangents) if t is not None]
        if len({call.argnums[i] for i in moving}) < len(moving) or call.result is not None:
            raise NotImplementedError(f"JVP of {self.name}: forward rules take arrays, not trees; use reverse mode")
        given = [tangents[i] if recorded else _host(backend, tangents[i]) for i in moving]
        with tape.set_recording(recorded):
            found = maker(tuple(call.argnums[i] for i in moving), given, ans, args, call.kwargs)
            t = fitted(found, saved[-1][-1], backend)
        return t if recorded else t.data

    def _values(self, call: Call, saved: tuple[Any, ...], recorded: bool) -> tuple[tuple[Any, ...], Any, Any]:
        """The arguments and the result as the rules get them: tensors in a pass that is recorded, plain values otherwise."""
        *raws, y, _ = saved
        backend = y.backend if isinstance(y, Tensor) else tape_backend(y)
        if not recorded:
            raws, y = [_host(backend, raw) for raw in raws], _host(backend, y)
        return call.arguments(raws), call.answer(y), backend


_REAL_ARRAYS = frozenset((np.ndarray, np.float64, np.float32))


def _is_inexact(x: Any) -> bool:
    return isinstance(x, float | complex | np.inexact) or (isinstance(x, np.ndarray) and x.dtype.kind in "fc")


def _host(backend: Any, raw: Any) -> Any:
    return raw if isinstance(raw, int | float | complex) else np.asarray(backend.to_numpy(raw))[()]


def _conjugate(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.conj() if x.dtype in x.backend.complex_dtypes else x
    return np.conj(x) if np.iscomplexobj(x) else x


def _as_argument(value: Any, geometry: tuple[tuple[int, ...], Any], backend: Any) -> Any:
    """What a rule returned, as a raw array of the shape and dtype that it is for; None for None."""
    if value is None:
        return None
    if (
        isinstance(value, np.ndarray | np.floating)
        and (value.shape, value.dtype) == geometry
        and value.dtype.kind == "f"
    ):
        return np.asarray(value)
    return fitted(_conjugate(value), geometry, backend).data


def fitted(value: Any, geometry: tuple[tuple[int, ...], Any], backend: Any) -> Tensor:
    """What a rule returned, as a tensor of the shape and dtype that it is for.

    A rule may return a number for an array, which stands for each element, or forget to sum over the axes that were broadcast.
    """
    xp, (shape, dtype) = backend.view, geometry
    h = value if isinstance(value, Tensor) else wrap(backend.asarray(np.asarray(plain(value))), backend)
    if h.dtype != dtype:
        h = xp.astype(
            xp.real(h) if h.dtype in backend.complex_dtypes and dtype not in backend.complex_dtypes else h, dtype
        )
    if h.shape == shape:
        return h
    if h.ndim > len(shape):
        h = xp.sum(h, axis=tuple(range(h.ndim - len(shape))))
    summed = tuple(i for i in range(h.ndim) if h.shape[i] != 1 and shape[len(shape) - h.ndim + i] == 1)
    if summed:
        h = xp.sum(h, axis=summed, keepdims=True)
    broadcast: Tensor = xp.broadcast_to(h, shape)
    return broadcast
