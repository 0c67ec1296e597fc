"""Parameters: the tensors of a module that training changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xgrad as xg
from xgrad.engine import plain
from xgrad.engine.tensor import ComplexTensor, GeneralTensor, Tensor

if TYPE_CHECKING:
    from xgrad.backends.base import Backend


class Parameter(Tensor):
    """A tensor that becomes a parameter of the Module to which it is assigned as an attribute.

    It is a leaf that owns a copy of `data`. A complex one is a subclass, ComplexParameter.

    Args:
        data: a tensor, an array, a number or nested lists of numbers, of any shape; None for no elements.
        requires_grad: whether it collects a gradient, which needs a floating-point or complex dtype.

    Raises:
        TypeError: for `data` that is none of these, or of integers or booleans together with `requires_grad=True`.

    >>> import xgrad as xg
    >>> p = xg.nn.Parameter([1.0, 2.0])
    >>> p.requires_grad, p.is_leaf, p.shape
    (True, True, (2,))

    https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
    """

    __slots__ = ()

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        source = xg.zeros((0,)) if data is None else xg.asarray(data)
        super().__init__(source.data, source.backend)
        self.hold(source.backend.copy(source.data), source.backend)
        if requires_grad:
            self.requires_grad_()

    def hold(self, data: Any, backend: Backend) -> None:
        """Take another raw array, of the same or another backend, dtype or shape. The object stays the same."""
        self.backend = backend
        self.data = data
        if type(self) in (Parameter, GeneralParameter, ComplexParameter):
            is_complex, is_general = data.dtype in backend.complex_dtypes, data.dtype in backend.general_dtypes
            self.__class__ = ComplexParameter if is_complex else GeneralParameter if is_general else Parameter


class GeneralParameter(Parameter, GeneralTensor):
    """A parameter of a dtype that the fast path does not take, such as bfloat16 on NumPy."""

    __slots__ = ()


class ComplexParameter(GeneralParameter, ComplexTensor):
    """A parameter of complex dtype. `Parameter(data)` makes one where data is complex."""

    __slots__ = ()


plain.add(Parameter)
