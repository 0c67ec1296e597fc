"""xgrad: gradients for code written against the Python Array API standard, and training with them.

This module is an Array API namespace on the current backend, whose arrays (`Tensor`) remember how they were made.

>>> import xgrad as xg
>>> x = xg.asarray([1.0, 2.0, 3.0], requires_grad=True)
>>> y = xg.sum(xg.sin(x) ** 2)
>>> y.backward()
>>> g = xg.grad(lambda x: xg.sum(xg.sin(x) ** 2))(x.detach())
>>> bool(xg.all(g == x.grad))
True
"""

from __future__ import annotations

from xgrad import _starting  # noqa: F401 (before what takes long to import)

# isort: split
from xgrad.engine import fastpath as _fastpath  # noqa: F401 (it registers itself before the rules are declared)
from xgrad.engine import fastwalk as _fastwalk  # noqa: F401 (and this)

# isort: split
from importlib import import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from xgrad import fft, linalg, special
from xgrad import namespace as _namespace
from xgrad._version import VERSION
from xgrad.backends import BackendError, get_backend, set_backend, use_backend
from xgrad.backends.default_dtype import get_default_dtype, set_default_dtype
from xgrad.backends.transfer_guard import TransferError, transfer_guard
from xgrad.diagnose.anomaly import AnomalyError, detect_anomaly
from xgrad.engine.arguments import MixedBackendsError
from xgrad.engine.graph import draw_graph
from xgrad.engine.modes import debug, no_grad, use_deterministic
from xgrad.engine.persist import persist
from xgrad.engine.tape import GraphFreedError
from xgrad.engine.tensor import Tensor
from xgrad.rules.conversions import tensor
from xgrad.rules.creation import (
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    meshgrid,
    ones,
    ones_like,
    tril,
    triu,
    zeros,
    zeros_like,
)
from xgrad.rules.data_type import (
    astype,
    can_cast,
    cast,
    finfo,
    iinfo,
    isdtype,
    result_type,
)
from xgrad.rules.elementwise import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    clip,
    conj,
    copysign,
    cos,
    cosh,
    divide,
    divide_into,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    from_parts,
    gap,
    greater,
    greater_equal,
    hypot,
    imag,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    nextafter,
    not_equal,
    over_squares,
    positive,
    pow,
    real,
    reciprocal,
    remainder,
    round,
    sign,
    signbit,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
)
from xgrad.rules.indexing import (
    getitem,
    scatter,
    scatter_along_axis,
    scatter_take,
    setitem,
    take,
    take_along_axis,
)
from xgrad.rules.linear_algebra import (
    matmul,
    matrix_transpose,
    tensordot,
    vecdot,
)
from xgrad.rules.manipulation import (
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    concat,
    expand_dims,
    flip,
    moveaxis,
    permute_dims,
    reshape,
    roll,
    squeeze,
    stack,
)
from xgrad.rules.network import (
    leaky_relu,
    linear,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
    softplus,
    weight_gradient,
)
from xgrad.rules.parts import repeat, tile, unstack
from xgrad.rules.ranges import arange, linspace
from xgrad.rules.searching import (
    all,
    any,
    argmax,
    argmin,
    argsort,
    count_nonzero,
    diff,
    isin,
    mask,
    nonzero,
    searchsorted,
    sort,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
    where,
)
from xgrad.rules.statistical import (
    cumulative_prod,
    cumulative_sum,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from xgrad.rules.writing import at
from xgrad.transforms.check import check_grads
from xgrad.transforms.checkpoint import checkpoint
from xgrad.transforms.grad import grad, jvp, linearize, value_and_grad, vjp
from xgrad.transforms.jacobians import hessian, hvp, jacobian
from xgrad.transforms.primitive import primitive
from xgrad.transforms.vmap import vmap

if TYPE_CHECKING:
    from xgrad.backends import CallablePackage

    backends: CallablePackage  # for a type checker, a package is nothing to call
else:
    from xgrad import backends

__version__ = VERSION
__array_api_version__ = _namespace.VERSION
__array_namespace_info__ = _namespace.current_info
newaxis = None

# Imported when they are first asked for.
_SUBMODULES = ("diagnose", "fit", "nn", "optim", "random")


def __getattr__(name: str) -> Any:
    """Submodules on first use, and what belongs to the current backend: its dtypes."""
    if name in _SUBMODULES:
        return import_module(f"xgrad.{name}")
    if name in _namespace.DTYPES:
        return getattr(get_backend().view, name)
    raise AttributeError(f"module 'xgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_namespace.DTYPES})


__all__ = [
    "AnomalyError",
    "BackendError",
    "GraphFreedError",
    "MixedBackendsError",
    "Tensor",
    "TransferError",
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "asarray",
    "asin",
    "asinh",
    "astype",
    "at",
    "atan",
    "atan2",
    "atanh",
    "backends",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "can_cast",
    "cast",
    "ceil",
    "check_grads",
    "checkpoint",
    "clip",
    "concat",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "debug",
    "detect_anomaly",
    "diff",
    "divide",
    "divide_into",
    "draw_graph",
    "e",
    "empty",
    "empty_like",
    "equal",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "fft",
    "finfo",
    "flip",
    "floor",
    "floor_divide",
    "from_dlpack",
    "from_parts",
    "full",
    "full_like",
    "gap",
    "get_backend",
    "get_default_dtype",
    "getitem",
    "grad",
    "greater",
    "greater_equal",
    "hessian",
    "hvp",
    "hypot",
    "iinfo",
    "imag",
    "inf",
    "isdtype",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "jacobian",
    "jvp",
    "leaky_relu",
    "less",
    "less_equal",
    "linalg",
    "linear",
    "linearize",
    "linspace",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "mask",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan",
    "negative",
    "newaxis",
    "nextafter",
    "no_grad",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "over_squares",
    "permute_dims",
    "persist",
    "pi",
    "positive",
    "pow",
    "primitive",
    "prod",
    "real",
    "reciprocal",
    "relu",
    "remainder",
    "repeat",
    "reshape",
    "result_type",
    "roll",
    "round",
    "scatter",
    "scatter_along_axis",
    "scatter_take",
    "searchsorted",
    "set_backend",
    "set_default_dtype",
    "setitem",
    "sigmoid",
    "sigmoid_cross_entropy",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "sort",
    "special",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensor",
    "tensordot",
    "tile",
    "transfer_guard",
    "tril",
    "triu",
    "trunc",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "use_backend",
    "use_deterministic",
    "value_and_grad",
    "var",
    "vecdot",
    "vjp",
    "vmap",
    "weight_gradient",
    "where",
    "zeros",
    "zeros_like",
]
