"""Parameters: the tensors of a module that training changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xgrad as xg
from xgrad.engine.tensor import ComplexTensor, Tensor, plain_types

if TYPE_CHECKING:
    from xgrad.backends.base import Backend


class Parameter(Tensor):
    """A tensor that a Module finds when it is assigned as an attribute. It owns a copy of `data`.

    Args:
        data: a tensor, an array or (nested) numbers; any shape, of a floating-point or complex dtype.
        requires_grad: whether training may change it.

    Raises:
        TypeError: an integer or boolean dtype with `requires_grad=True`.

    >>> import xgrad as xg
    >>> p = xg.nn.Parameter([1.0, 2.0])
    >>> p.requires_grad, p.is_leaf
    (True, True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        source = xg.asarray(data)
        super().__init__(source.data, source.backend)
        self.hold(source.backend.copy(source.data), source.backend)
        if requires_grad:
            self.requires_grad_()

    def hold(self, data: Any, backend: Backend) -> None:
        """Stay the same parameter, but with this raw array of this backend."""
        self.backend = backend
        self.data = data
        if type(self) in (Parameter, ComplexParameter):
            self.__class__ = ComplexParameter if data.dtype in backend.complex_dtypes else Parameter


class ComplexParameter(Parameter, ComplexTensor):
    """A parameter of complex dtype; `Parameter` makes it."""

    __slots__ = ()


plain_types.add(Parameter)
