"""What a type checker is told of a tensor: its operators and methods, which rules/ hangs on the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from xgrad.tensor import Tensor

    Method = Callable[..., Tensor]


class Declared:
    """The part of a tensor that rules/operators.py and rules/methods.py write."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getitem__(self, key: Any, /) -> Tensor: ...
        def __setitem__(self, key: Any, value: Any, /) -> None: ...
        def __add__(self, other: Any, /) -> Tensor: ...
        def __radd__(self, other: Any, /) -> Tensor: ...
        def __sub__(self, other: Any, /) -> Tensor: ...
        def __rsub__(self, other: Any, /) -> Tensor: ...
        def __mul__(self, other: Any, /) -> Tensor: ...
        def __rmul__(self, other: Any, /) -> Tensor: ...
        def __truediv__(self, other: Any, /) -> Tensor: ...
        def __rtruediv__(self, other: Any, /) -> Tensor: ...
        def __floordiv__(self, other: Any, /) -> Tensor: ...
        def __rfloordiv__(self, other: Any, /) -> Tensor: ...
        def __mod__(self, other: Any, /) -> Tensor: ...
        def __rmod__(self, other: Any, /) -> Tensor: ...
        def __pow__(self, other: Any, /) -> Tensor: ...
        def __rpow__(self, other: Any, /) -> Tensor: ...
        def __matmul__(self, other: Any, /) -> Tensor: ...
        def __rmatmul__(self, other: Any, /) -> Tensor: ...
        def __and__(self, other: Any, /) -> Tensor: ...
        def __or__(self, other: Any, /) -> Tensor: ...
        def __xor__(self, other: Any, /) -> Tensor: ...
        def __lshift__(self, other: Any, /) -> Tensor: ...
        def __rshift__(self, other: Any, /) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __lt__(self, other: Any, /) -> Tensor: ...
        def __le__(self, other: Any, /) -> Tensor: ...
        def __gt__(self, other: Any, /) -> Tensor: ...
        def __ge__(self, other: Any, /) -> Tensor: ...
        def __eq__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]

        T: Tensor
        mT: Tensor
        real: Tensor
        imag: Tensor
        fill: Callable[[Any], None]
        numel: Callable[[], int]
        dim: Callable[[], int]
        is_contiguous: Callable[[], bool]
        split: Callable[..., tuple[Tensor, ...]]
        chunk: Callable[..., tuple[Tensor, ...]]
        unbind: Callable[..., tuple[Tensor, ...]]
        sum: Method
        mean: Method
        prod: Method
        max: Method
        min: Method
        amax: Method
        amin: Method
        all: Method
        any: Method
        argmax: Method
        argmin: Method
        count_nonzero: Method
        std: Method
        var: Method
        cumsum: Method
        cumprod: Method
        softmax: Method
        log_softmax: Method
        argsort: Method
        norm: Method
        logsumexp: Method
        reshape: Method
        view: Method
        flatten: Method
        ravel: Method
        squeeze: Method
        unsqueeze: Method
        transpose: Method
        swapaxes: Method
        permute: Method
        t: Method
        expand: Method
        expand_as: Method
        view_as: Method
        broadcast_to: Method
        contiguous: Method
        moveaxis: Method
        movedim: Method
        diagonal: Method
        trace: Method
        take: Method
        index_select: Method
        clip: Method
        clamp: Method
        round: Method
        masked_fill: Method
        where: Method
        dot: Method
        flip: Method
        roll: Method
        tile: Method
        tril: Method
        triu: Method
        abs: Method
        absolute: Method
        acos: Method
        acosh: Method
        asin: Method
        asinh: Method
        atan: Method
        atanh: Method
        ceil: Method
        conj: Method
        conjugate: Method
        cos: Method
        cosh: Method
        exp: Method
        expm1: Method
        floor: Method
        isfinite: Method
        isinf: Method
        isnan: Method
        log: Method
        log10: Method
        log1p: Method
        log2: Method
        logical_not: Method
        neg: Method
        reciprocal: Method
        relu: Method
        sigmoid: Method
        sign: Method
        sin: Method
        sinh: Method
        sqrt: Method
        square: Method
        tan: Method
        tanh: Method
        trunc: Method
        add: Method
        atan2: Method
        arctan2: Method
        divide: Method
        floor_divide: Method
        greater: Method
        greater_equal: Method
        hypot: Method
        less: Method
        less_equal: Method
        logical_and: Method
        logical_or: Method
        maximum: Method
        minimum: Method
        multiply: Method
        not_equal: Method
        pow: Method
        remainder: Method
        subtract: Method
        sub: Method
        mul: Method
        div: Method
        eq: Method
        ne: Method
        lt: Method
        le: Method
        gt: Method
        ge: Method
        matmul: Method
        mm: Method
        bmm: Method
        mv: Method
        fill_: Method
        copy_: Method
        zero_: Method
        add_: Method
        sub_: Method
        mul_: Method
        div_: Method
        float: Method
        double: Method
        half: Method
        bfloat16: Method
        long: Method
        int: Method
        short: Method
        bool: Method
        astype: Method
        to: Method
        type_as: Method
        cpu: Method
        copy: Method
        clone: Method
