"""Modules that hold parameters: in order, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_integer
from typing import Any, NoReturn, Self

from xgrad.engine.tensor import Tensor
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter
from xgrad.nn.printing import indented


def _held(value: Any) -> Any:
    """A tensor as a parameter; anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _lines(items: Iterable[tuple[Any, Any]]) -> str:
    """A line for each value, as a container prints it."""

    def described(value: Any) -> str:
        if not isinstance(value, Tensor):
            return f"Object of type: {type(value).__name__}"
        kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
        return f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"

    return "\n".join(f"({key}): {described(value)}" for key, value in items)


class _Holder(Module):
    """A module that holds values and computes nothing."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"a {type(self).__name__} cannot be called: it holds parameters and computes nothing")

    def __repr__(self) -> str:
        lines = self.extra_repr()
        return indented(type(self).__name__, lines.split("\n") if lines else [])


class ParameterList(_Holder):
    """A list of parameters, which belong to the module that holds the list.

    Tensors that are added become parameters, which hold copies. Other objects are held as they are. It has the methods of a list:
    `append`, `extend`, `+=`, `len`, iteration, `in`, indexing and assignment. A slice is another ParameterList of the same
    parameters, numbered from 0.

    Args:
        values: the parameters in their order; None for none.

    Raises:
        TypeError: for what cannot be iterated over, and for a tensor in place of several.
        IndexError: for an index out of range.
        RuntimeError: when called.

    >>> import xgrad as xg
    >>> weights = xg.nn.ParameterList([xg.ones((2, 3)), xg.zeros((3,))])
    >>> [(name, p.shape) for name, p in weights.named_parameters()]
    [('0', (2, 3)), ('1', (3,))]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self._size = 0
        if values is not None:
            self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a value at the end, and return this list."""
        setattr(self, str(self._size), _held(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end, and return this list."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(f"ParameterList takes several parameters, as a list, not a {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self.extend(other)

    def _name_at(self, index: int) -> str:
        at, n = as_integer(index), self._size
        if not -n <= at < n:
            raise IndexError(f"index {index} is out of range for ParameterList of {n} values")
        return str(at % n)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return getattr(self, self._name_at(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name_at(index), _held(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([vars(self)[str(i)] for i in range(self._size)])

    def __contains__(self, value: object) -> bool:
        return any(value is each for each in self)

    def extra_repr(self) -> str:
        return _lines(enumerate(self))


class ParameterDict(_Holder):
    """A dict of parameters, which belong to the module that holds the dict. Each is also an attribute under its key.

    Tensors that are added become parameters, which hold copies. Other objects are held as they are. It has the methods of a dict:
    `keys`, `values`, `items`, `get`, `setdefault`, `update`, `pop`, `popitem`, `clear`, `copy`, `fromkeys`, `|`, `len`,
    iteration, `in`, indexing, assignment and `del`.

    Args:
        parameters: a dict of parameters, or pairs of a name and a parameter; None for none. Those of a plain dict are added in
            the order of their names, as in PyTorch.

    Raises:
        TypeError: for a key that is not a string.
        KeyError: for a key that is not there.
        RuntimeError: when called.

    >>> import xgrad as xg
    >>> weights = xg.nn.ParameterDict({"slope": xg.ones((2,)), "offset": xg.zeros(())})
    >>> [(name, p.shape) for name, p in weights.named_parameters()], weights.slope is weights["slope"]
    ([('offset', ()), ('slope', (2,))], True)

    https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
    """

    def __init__(self, parameters: Any = None) -> None:
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a key of a ParameterDict is a string, not {type(key).__name__}")
        if key not in self._keys and (not key or "." in key or hasattr(self, key)):
            raise KeyError(f"ParameterDict: a key is a non-empty string without dots, and no attribute, got {key!r}")
        setattr(self, key, _held(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def keys(self) -> Any:
        """The names, in the order in which they were added."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of a name and a parameter."""
        return ((key, self[key]) for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter under a name, or `default`."""
        return self[key] if key in self else default  # noqa: SIM401 (that is this method)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter under a name; where there is none, `default` is added first."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, parameters: Any) -> None:
        """Add the parameters of a dict, or of pairs of a name and a parameter. Those under the same names are replaced.

        Those of a plain dict are added in the order of their names, as in PyTorch.
        """
        pairs = parameters.items() if isinstance(parameters, Mapping | ParameterDict) else parameters
        for key, value in sorted(pairs, key=lambda pair: pair[0]) if type(parameters) is dict else list(pairs):
            self[key] = value

    def pop(self, key: str) -> Any:
        """Remove the parameter under a name, and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last parameter, and return its name and itself. KeyError if there is none."""
        if not self._keys:
            raise KeyError("popitem: this ParameterDict is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self) -> None:
        """Remove all parameters."""
        for key in list(self._keys):
            del self[key]

    def copy(self) -> ParameterDict:
        """Another ParameterDict of the same parameters."""
        return ParameterDict(list(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A ParameterDict with these names, each with the value `default`."""
        return ParameterDict([(key, default) for key in keys])

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: Any) -> ParameterDict:
        both = ParameterDict(other)
        both.update(self)
        return both

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def extra_repr(self) -> str:
        return _lines(self.items())
