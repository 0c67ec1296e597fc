"""The arguments of an export: which arrays of the example are inputs, their names, and their axes with symbolic sizes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from xgrad.backends import get_backend, is_host_data, owner
from xgrad.backends.data import is_scalar
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten
from xgrad.onnx.sizes import Named, design, others

AXES_HELP = 'dynamic_axes={"x": {0: "batch"}} says which axes may have other sizes; {} says that none may'
MOST_NAMES = 4
Axes = Mapping[str, Mapping[int, str] | Sequence[int]]


class Input:
    """An array of the example: `host` is its value as a NumPy array, and `axes` the named size of each symbolic axis."""

    def __init__(self, name: str, host: Any) -> None:
        self.name, self.host = name, host
        self.axes: dict[int, int] = {}

    def of_sizes(self, sizes: Sequence[int]) -> Any:
        """The example with other sizes along its symbolic axes: its elements are repeated or left out."""
        host = self.host
        for axis, position in self.axes.items():
            n = host.shape[axis]
            if sizes[position] != n:
                host = host.take([i % n for i in range(sizes[position])], axis=axis)
        return host


class Arguments:
    """What a function is called with: `inputs` are its arrays; everything else of the example is constant."""

    def __init__(self, f: Any, example: Any, input_names: Sequence[str] | None) -> None:
        args, kwargs = _call(example)
        leaves, self._rebuild = flatten((args, kwargs))
        self._leaves = leaves
        self._places = [i for i, leaf in enumerate(leaves) if _is_array(leaf)]
        if not self._places:
            raise ValueError("onnx.export: the example has no array")
        by_leaf = _names(f, *self._rebuild(list(range(len(leaves)))))
        names = [by_leaf.get(i, f"input_{k}") for k, i in enumerate(self._places)]
        if input_names is not None:
            if len(input_names) != len(self._places):
                raise ValueError(
                    f"onnx.export: input_names has {len(input_names)} names, and the example {len(self._places)} arrays"
                )
            names = list(input_names)
        self.are_named = input_names is not None
        self.backend = next((b for i in self._places if (b := _backend(leaves[i])) is not None), None)
        self.inputs = [Input(name, _host(leaves[i])) for i, name in zip(self._places, names, strict=True)]
        if len({each.name for each in self.inputs}) != len(self.inputs):
            raise ValueError(f"onnx.export: two inputs have one name: {[each.name for each in self.inputs]}")

    def call(self, f: Callable[..., Any], arrays: Sequence[Any]) -> Any:
        """The result of the function for these arrays in the place of the inputs."""
        leaves = list(self._leaves)
        for place, array in zip(self._places, arrays, strict=True):
            leaves[place] = array
        args, kwargs = self._rebuild(leaves)
        return f(*args, **kwargs)

    def name_sizes(self, dynamic_axes: Axes | None) -> tuple[str, ...]:
        """Set the symbolic axes of the inputs. Returns the names of the sizes."""
        if dynamic_axes is None:
            first = next((each.host.shape[0] for each in self.inputs if each.host.ndim), None)
            dynamic_axes = {
                each.name: {0: "batch"} for each in self.inputs if each.host.ndim and each.host.shape[0] == first
            }
        names: list[str] = []
        known: dict[str, tuple[int, str]] = {}
        for each in self.inputs:
            for axis, name in named_axes(dynamic_axes, each.name, each.host.ndim).items():
                n = each.host.shape[axis]
                where = f"axis {axis} of {each.name}"
                if known.setdefault(name, (n, where))[0] != n:
                    raise ValueError(
                        f"onnx.export: {name!r} is {known[name][0]} in {known[name][1]} of the example, and {n} in {where}"
                    )
                if not n:
                    raise ValueError(f"onnx.export: {where}, which is dynamic, has no elements in the example")
                if name not in names:
                    names.append(name)
                each.axes[axis] = names.index(name)
        if len(names) > MOST_NAMES:
            raise ValueError(f"onnx.export: dynamic_axes has {len(names)} names, and at most {MOST_NAMES} are possible")
        return tuple(names)

    def named(self, names: tuple[str, ...], attempt: int) -> Named:
        """The sizes to trace with. A size of 1 is left out: programs for one element often differ."""
        base = [0] * len(names)
        for each in self.inputs:
            for axis, position in each.axes.items():
                base[position] = max(each.host.shape[axis], 2)
        pairs = [others(n, attempt) for n in base]
        return Named(names, design(base, [a for a, _ in pairs], [b for _, b in pairs]))


def named_axes(dynamic_axes: Axes, name: str, ndim: int) -> dict[int, str]:
    """The names of the symbolic axes of an input or output, by the axis."""
    given = dynamic_axes.get(name, {})
    pairs = given.items() if isinstance(given, Mapping) else ((a, f"{name}_dynamic_axes_{a}") for a in given)
    found = {}
    for axis, size in pairs:
        if not -ndim <= axis < ndim:
            raise ValueError(f"onnx.export: dynamic_axes names axis {axis} of {name}, which has {ndim} axes")
        found[axis % ndim] = size
    return found


def _call(example: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(example, dict):
        return (), example
    return (example, {}) if isinstance(example, tuple) else ((example,), {})


def _is_array(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and hasattr(leaf, "shape") and not is_scalar(leaf)


def _backend(leaf: Any) -> Any:
    return leaf.backend if isinstance(leaf, Tensor) else None if is_host_data(leaf) else owner(leaf)


def _host(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf.detach().numpy()
    backend = get_backend() if is_host_data(leaf) else owner(leaf)
    if backend is None:
        raise TypeError(f"onnx.export: the example has a {type(leaf).__name__}, which no backend knows")
    return leaf if is_host_data(leaf) else backend.to_numpy(leaf)


def _names(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[int, str]:
    """A name for each leaf: that of the function's argument, and the place in it for one of several. The leaves are integers."""
    try:
        parameters = list(inspect.signature(getattr(f, "forward", f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = [(positional[i] if i < len(positional) else f"input_{i}", arg) for i, arg in enumerate(args)]
    return {leaf: name for prefix, tree in (*named, *kwargs.items()) for leaf, name in named_leaves(prefix, tree)}


def named_leaves(prefix: str, tree: Any) -> Iterator[tuple[Any, str]]:
    """Each leaf of a tree with a name: "h_0" for the first entry of h. None is no leaf."""
    entries = enumerate(tree) if isinstance(tree, tuple | list) else tree.items() if isinstance(tree, dict) else None
    if entries is not None:
        for key, part in entries:
            yield from named_leaves(f"{prefix}_{key}" if prefix else str(key), part)
    elif tree is not None:
        yield tree, prefix
