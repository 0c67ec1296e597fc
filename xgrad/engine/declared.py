"""Declarations for type checkers: the operators and methods of a tensor, which rules/ sets on the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T_ = TypeVar("T_")  # the tensor

    class Declared(Generic[T_]):
        """The members of a tensor that rules/operators.py and rules/methods.py set."""

        def __getitem__(self, key: Any, /) -> T_: ...
        def __setitem__(self, key: Any, value: Any, /) -> None: ...
        def __add__(self, other: Any, /) -> T_: ...
        def __radd__(self, other: Any, /) -> T_: ...
        def __sub__(self, other: Any, /) -> T_: ...
        def __rsub__(self, other: Any, /) -> T_: ...
        def __mul__(self, other: Any, /) -> T_: ...
        def __rmul__(self, other: Any, /) -> T_: ...
        def __truediv__(self, other: Any, /) -> T_: ...
        def __rtruediv__(self, other: Any, /) -> T_: ...
        def __floordiv__(self, other: Any, /) -> T_: ...
        def __rfloordiv__(self, other: Any, /) -> T_: ...
        def __mod__(self, other: Any, /) -> T_: ...
        def __rmod__(self, other: Any, /) -> T_: ...
        def __pow__(self, other: Any, /) -> T_: ...
        def __rpow__(self, other: Any, /) -> T_: ...
        def __matmul__(self, other: Any, /) -> T_: ...
        def __rmatmul__(self, other: Any, /) -> T_: ...
        def __and__(self, other: Any, /) -> T_: ...
        def __or__(self, other: Any, /) -> T_: ...
        def __xor__(self, other: Any, /) -> T_: ...
        def __lshift__(self, other: Any, /) -> T_: ...
        def __rshift__(self, other: Any, /) -> T_: ...
        def __neg__(self) -> T_: ...
        def __pos__(self) -> T_: ...
        def __abs__(self) -> T_: ...
        def __invert__(self) -> T_: ...
        def __lt__(self, other: Any, /) -> T_: ...
        def __le__(self, other: Any, /) -> T_: ...
        def __gt__(self, other: Any, /) -> T_: ...
        def __ge__(self, other: Any, /) -> T_: ...
        def __eq__(self, other: Any, /) -> T_: ...  # type: ignore[override]
        def __ne__(self, other: Any, /) -> T_: ...  # type: ignore[override]

        __array_ufunc__: Callable[..., Any]
        grad_fn: Any
        T: T_
        mT: T_
        real: T_
        imag: T_
        fill: Callable[[Any], None]
        numel: Callable[[], int]
        dim: Callable[[], int]
        is_contiguous: Callable[[], bool]
        split: Callable[..., tuple[T_, ...]]
        chunk: Callable[..., tuple[T_, ...]]
        unbind: Callable[..., tuple[T_, ...]]
        sum: Callable[..., T_]
        mean: Callable[..., T_]
        prod: Callable[..., T_]
        max: Callable[..., T_]
        min: Callable[..., T_]
        amax: Callable[..., T_]
        amin: Callable[..., T_]
        all: Callable[..., T_]
        any: Callable[..., T_]
        argmax: Callable[..., T_]
        argmin: Callable[..., T_]
        count_nonzero: Callable[..., T_]
        std: Callable[..., T_]
        var: Callable[..., T_]
        cumsum: Callable[..., T_]
        cumprod: Callable[..., T_]
        abs_: Callable[..., T_]
        ceil_: Callable[..., T_]
        cos_: Callable[..., T_]
        exp_: Callable[..., T_]
        floor_: Callable[..., T_]
        log_: Callable[..., T_]
        neg_: Callable[..., T_]
        reciprocal_: Callable[..., T_]
        relu_: Callable[..., T_]
        round_: Callable[..., T_]
        sigmoid_: Callable[..., T_]
        sin_: Callable[..., T_]
        sqrt_: Callable[..., T_]
        square_: Callable[..., T_]
        tanh_: Callable[..., T_]
        trunc_: Callable[..., T_]
        clamp_: Callable[..., T_]
        clip_: Callable[..., T_]
        masked_fill_: Callable[..., T_]
        pow_: Callable[..., T_]
        rsqrt_: Callable[..., T_]
        narrow: Callable[..., T_]
        new_empty: Callable[..., T_]
        new_full: Callable[..., T_]
        new_ones: Callable[..., T_]
        new_tensor: Callable[..., T_]
        new_zeros: Callable[..., T_]
        repeat_interleave: Callable[..., T_]
        reshape_as: Callable[..., T_]
        rsqrt: Callable[..., T_]
        select: Callable[..., T_]
        unflatten: Callable[..., T_]
        is_complex: Callable[[], bool]
        is_floating_point: Callable[[], bool]
        ndimension: Callable[[], int]
        nelement: Callable[[], int]
        softmax: Callable[..., T_]
        log_softmax: Callable[..., T_]
        argsort: Callable[..., T_]
        norm: Callable[..., T_]
        logsumexp: Callable[..., T_]
        reshape: Callable[..., T_]
        view: Callable[..., T_]
        flatten: Callable[..., T_]
        ravel: Callable[..., T_]
        squeeze: Callable[..., T_]
        unsqueeze: Callable[..., T_]
        transpose: Callable[..., T_]
        swapaxes: Callable[..., T_]
        permute: Callable[..., T_]
        t: Callable[..., T_]
        expand: Callable[..., T_]
        expand_as: Callable[..., T_]
        view_as: Callable[..., T_]
        broadcast_to: Callable[..., T_]
        contiguous: Callable[..., T_]
        moveaxis: Callable[..., T_]
        movedim: Callable[..., T_]
        diagonal: Callable[..., T_]
        trace: Callable[..., T_]
        take: Callable[..., T_]
        index_select: Callable[..., T_]
        clip: Callable[..., T_]
        clamp: Callable[..., T_]
        round: Callable[..., T_]
        masked_fill: Callable[..., T_]
        where: Callable[..., T_]
        dot: Callable[..., T_]
        flip: Callable[..., T_]
        roll: Callable[..., T_]
        tile: Callable[..., T_]
        tril: Callable[..., T_]
        triu: Callable[..., T_]
        abs: Callable[..., T_]
        absolute: Callable[..., T_]
        acos: Callable[..., T_]
        acosh: Callable[..., T_]
        asin: Callable[..., T_]
        asinh: Callable[..., T_]
        atan: Callable[..., T_]
        atanh: Callable[..., T_]
        ceil: Callable[..., T_]
        conj: Callable[..., T_]
        conjugate: Callable[..., T_]
        cos: Callable[..., T_]
        cosh: Callable[..., T_]
        exp: Callable[..., T_]
        expm1: Callable[..., T_]
        floor: Callable[..., T_]
        isfinite: Callable[..., T_]
        isinf: Callable[..., T_]
        isnan: Callable[..., T_]
        log: Callable[..., T_]
        log10: Callable[..., T_]
        log1p: Callable[..., T_]
        log2: Callable[..., T_]
        logical_not: Callable[..., T_]
        neg: Callable[..., T_]
        reciprocal: Callable[..., T_]
        relu: Callable[..., T_]
        sigmoid: Callable[..., T_]
        sign: Callable[..., T_]
        sin: Callable[..., T_]
        sinh: Callable[..., T_]
        sqrt: Callable[..., T_]
        square: Callable[..., T_]
        tan: Callable[..., T_]
        tanh: Callable[..., T_]
        trunc: Callable[..., T_]
        add: Callable[..., T_]
        atan2: Callable[..., T_]
        arctan2: Callable[..., T_]
        divide: Callable[..., T_]
        floor_divide: Callable[..., T_]
        greater: Callable[..., T_]
        greater_equal: Callable[..., T_]
        hypot: Callable[..., T_]
        less: Callable[..., T_]
        less_equal: Callable[..., T_]
        logical_and: Callable[..., T_]
        logical_or: Callable[..., T_]
        maximum: Callable[..., T_]
        minimum: Callable[..., T_]
        multiply: Callable[..., T_]
        not_equal: Callable[..., T_]
        pow: Callable[..., T_]
        remainder: Callable[..., T_]
        subtract: Callable[..., T_]
        sub: Callable[..., T_]
        mul: Callable[..., T_]
        div: Callable[..., T_]
        eq: Callable[..., T_]
        ne: Callable[..., T_]
        lt: Callable[..., T_]
        le: Callable[..., T_]
        gt: Callable[..., T_]
        ge: Callable[..., T_]
        matmul: Callable[..., T_]
        mm: Callable[..., T_]
        bmm: Callable[..., T_]
        mv: Callable[..., T_]
        fill_: Callable[..., T_]
        copy_: Callable[..., T_]
        zero_: Callable[..., T_]
        add_: Callable[..., T_]
        sub_: Callable[..., T_]
        mul_: Callable[..., T_]
        div_: Callable[..., T_]
        float: Callable[..., T_]
        double: Callable[..., T_]
        half: Callable[..., T_]
        bfloat16: Callable[..., T_]
        long: Callable[..., T_]
        int: Callable[..., T_]
        short: Callable[..., T_]
        bool: Callable[..., T_]
        astype: Callable[..., T_]
        to: Callable[..., T_]
        type_as: Callable[..., T_]
        cpu: Callable[..., T_]
        copy: Callable[..., T_]
        clone: Callable[..., T_]

else:

    class Declared:
        __slots__ = ()

        def __class_getitem__(cls, tensor: Any) -> Any:
            return cls
