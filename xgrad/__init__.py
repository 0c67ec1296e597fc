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

from xgrad import _starting  # noqa: F401 (before what takes long to import)

# isort: split
from xgrad.engine import fastpath as _fastpath  # noqa: F401 (it registers itself before the rules are declared)
from xgrad.engine import fastwalk as _fastwalk  # noqa: F401 (and this)

# isort: split
import typing as _typing
from importlib import import_module as _import_module
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import Any as _Any

from xgrad import fft as fft
from xgrad import linalg as linalg
from xgrad import namespace as _namespace
from xgrad import special as special
from xgrad._version import VERSION as _VERSION
from xgrad.backends import BackendError as BackendError
from xgrad.backends import get_backend as get_backend
from xgrad.backends import set_backend as set_backend
from xgrad.backends import use_backend as use_backend
from xgrad.backends.default_dtype import get_default_dtype as get_default_dtype
from xgrad.backends.default_dtype import set_default_dtype as set_default_dtype
from xgrad.backends.dtype_names import HALVES as _HALVES
from xgrad.backends.transfer_guard import TransferError as TransferError
from xgrad.backends.transfer_guard import transfer_guard as transfer_guard
from xgrad.diagnose.anomaly import AnomalyError as AnomalyError
from xgrad.diagnose.anomaly import detect_anomaly as detect_anomaly
from xgrad.engine.arguments import MixedBackendsError as MixedBackendsError
from xgrad.engine.graph import draw_graph as draw_graph
from xgrad.engine.modes import debug as debug
from xgrad.engine.modes import no_grad as no_grad
from xgrad.engine.modes import use_deterministic as use_deterministic
from xgrad.engine.persist import persist as persist
from xgrad.engine.tape import GraphFreedError as GraphFreedError
from xgrad.engine.tensor import Tensor as Tensor
from xgrad.rules.activations import gelu as gelu
from xgrad.rules.activations import gelu_gradient as gelu_gradient
from xgrad.rules.activations import gelu_slope as gelu_slope
from xgrad.rules.activations import mish as mish
from xgrad.rules.activations import silu as silu
from xgrad.rules.activations import silu_gradient as silu_gradient
from xgrad.rules.activations import tanhshrink as tanhshrink
from xgrad.rules.attention import attention as attention
from xgrad.rules.complex_numbers import conj as conj
from xgrad.rules.complex_numbers import from_parts as from_parts
from xgrad.rules.complex_numbers import imag as imag
from xgrad.rules.complex_numbers import real as real
from xgrad.rules.complex_numbers import sign as sign
from xgrad.rules.conversions import tensor as tensor
from xgrad.rules.convolution import convolution as convolution
from xgrad.rules.convolution import convolution_transpose as convolution_transpose
from xgrad.rules.convolution import convolution_weight as convolution_weight
from xgrad.rules.creation import asarray as asarray
from xgrad.rules.creation import from_dlpack as from_dlpack
from xgrad.rules.creation import meshgrid as meshgrid
from xgrad.rules.creation import tril as tril
from xgrad.rules.creation import triu as triu
from xgrad.rules.ctc import ctc_forward as ctc_forward
from xgrad.rules.data_type import astype as astype
from xgrad.rules.data_type import can_cast as can_cast
from xgrad.rules.data_type import cast as cast
from xgrad.rules.data_type import finfo as finfo
from xgrad.rules.data_type import iinfo as iinfo
from xgrad.rules.data_type import isdtype as isdtype
from xgrad.rules.data_type import result_type as result_type
from xgrad.rules.elementwise import abs as abs
from xgrad.rules.elementwise import acos as acos
from xgrad.rules.elementwise import acosh as acosh
from xgrad.rules.elementwise import add as add
from xgrad.rules.elementwise import asin as asin
from xgrad.rules.elementwise import asinh as asinh
from xgrad.rules.elementwise import atan as atan
from xgrad.rules.elementwise import atan2 as atan2
from xgrad.rules.elementwise import atanh as atanh
from xgrad.rules.elementwise import bitwise_and as bitwise_and
from xgrad.rules.elementwise import bitwise_invert as bitwise_invert
from xgrad.rules.elementwise import bitwise_left_shift as bitwise_left_shift
from xgrad.rules.elementwise import bitwise_or as bitwise_or
from xgrad.rules.elementwise import bitwise_right_shift as bitwise_right_shift
from xgrad.rules.elementwise import bitwise_xor as bitwise_xor
from xgrad.rules.elementwise import ceil as ceil
from xgrad.rules.elementwise import clip as clip
from xgrad.rules.elementwise import copysign as copysign
from xgrad.rules.elementwise import cos as cos
from xgrad.rules.elementwise import cosh as cosh
from xgrad.rules.elementwise import divide as divide
from xgrad.rules.elementwise import divide_into as divide_into
from xgrad.rules.elementwise import equal as equal
from xgrad.rules.elementwise import exp as exp
from xgrad.rules.elementwise import expm1 as expm1
from xgrad.rules.elementwise import floor as floor
from xgrad.rules.elementwise import floor_divide as floor_divide
from xgrad.rules.elementwise import gap as gap
from xgrad.rules.elementwise import greater as greater
from xgrad.rules.elementwise import greater_equal as greater_equal
from xgrad.rules.elementwise import hypot as hypot
from xgrad.rules.elementwise import isfinite as isfinite
from xgrad.rules.elementwise import isinf as isinf
from xgrad.rules.elementwise import isnan as isnan
from xgrad.rules.elementwise import less as less
from xgrad.rules.elementwise import less_equal as less_equal
from xgrad.rules.elementwise import log as log
from xgrad.rules.elementwise import log1p as log1p
from xgrad.rules.elementwise import log2 as log2
from xgrad.rules.elementwise import log10 as log10
from xgrad.rules.elementwise import logaddexp as logaddexp
from xgrad.rules.elementwise import logical_and as logical_and
from xgrad.rules.elementwise import logical_not as logical_not
from xgrad.rules.elementwise import logical_or as logical_or
from xgrad.rules.elementwise import logical_xor as logical_xor
from xgrad.rules.elementwise import maximum as maximum
from xgrad.rules.elementwise import minimum as minimum
from xgrad.rules.elementwise import multiply as multiply
from xgrad.rules.elementwise import negative as negative
from xgrad.rules.elementwise import nextafter as nextafter
from xgrad.rules.elementwise import not_equal as not_equal
from xgrad.rules.elementwise import over_squares as over_squares
from xgrad.rules.elementwise import positive as positive
from xgrad.rules.elementwise import pow as pow
from xgrad.rules.elementwise import reciprocal as reciprocal
from xgrad.rules.elementwise import remainder as remainder
from xgrad.rules.elementwise import round as round
from xgrad.rules.elementwise import signbit as signbit
from xgrad.rules.elementwise import sin as sin
from xgrad.rules.elementwise import sinh as sinh
from xgrad.rules.elementwise import sqrt as sqrt
from xgrad.rules.elementwise import square as square
from xgrad.rules.elementwise import subtract as subtract
from xgrad.rules.elementwise import tan as tan
from xgrad.rules.elementwise import tanh as tanh
from xgrad.rules.elementwise import trunc as trunc
from xgrad.rules.filled import empty as empty
from xgrad.rules.filled import empty_like as empty_like
from xgrad.rules.filled import eye as eye
from xgrad.rules.filled import full as full
from xgrad.rules.filled import full_like as full_like
from xgrad.rules.filled import ones as ones
from xgrad.rules.filled import ones_like as ones_like
from xgrad.rules.filled import zeros as zeros
from xgrad.rules.filled import zeros_like as zeros_like
from xgrad.rules.indexing import getitem as getitem
from xgrad.rules.indexing import scatter as scatter
from xgrad.rules.indexing import setitem as setitem
from xgrad.rules.linear_algebra import matmul as matmul
from xgrad.rules.linear_algebra import matrix_transpose as matrix_transpose
from xgrad.rules.linear_algebra import tensordot as tensordot
from xgrad.rules.linear_algebra import vecdot as vecdot
from xgrad.rules.losses import binary_cross_entropy as binary_cross_entropy
from xgrad.rules.manipulation import broadcast_arrays as broadcast_arrays
from xgrad.rules.manipulation import broadcast_shapes as broadcast_shapes
from xgrad.rules.manipulation import broadcast_to as broadcast_to
from xgrad.rules.manipulation import concat as concat
from xgrad.rules.manipulation import expand_dims as expand_dims
from xgrad.rules.manipulation import flip as flip
from xgrad.rules.manipulation import moveaxis as moveaxis
from xgrad.rules.manipulation import permute_dims as permute_dims
from xgrad.rules.manipulation import reshape as reshape
from xgrad.rules.manipulation import roll as roll
from xgrad.rules.manipulation import squeeze as squeeze
from xgrad.rules.manipulation import stack as stack
from xgrad.rules.network import leaky_relu as leaky_relu
from xgrad.rules.network import linear as linear
from xgrad.rules.network import log_softmax as log_softmax
from xgrad.rules.network import logsumexp as logsumexp
from xgrad.rules.network import relu as relu
from xgrad.rules.network import sigmoid as sigmoid
from xgrad.rules.network import sigmoid_cross_entropy as sigmoid_cross_entropy
from xgrad.rules.network import softmax as softmax
from xgrad.rules.network import softmax_cross_entropy as softmax_cross_entropy
from xgrad.rules.network import softplus as softplus
from xgrad.rules.network import weight_gradient as weight_gradient
from xgrad.rules.normalization import scale_and_shift as scale_and_shift
from xgrad.rules.normalization import standardize as standardize
from xgrad.rules.normalization import sum_of_products as sum_of_products
from xgrad.rules.parts import repeat as repeat
from xgrad.rules.parts import tile as tile
from xgrad.rules.parts import unstack as unstack
from xgrad.rules.pooling import max_pool as max_pool
from xgrad.rules.pooling import scatter_pooled as scatter_pooled
from xgrad.rules.pooling import spread_pool as spread_pool
from xgrad.rules.pooling import sum_pool as sum_pool
from xgrad.rules.pooling import take_pooled as take_pooled
from xgrad.rules.pytorch_functions import chunk as chunk
from xgrad.rules.pytorch_functions import masked_fill as masked_fill
from xgrad.rules.ranges import arange as arange
from xgrad.rules.ranges import linspace as linspace
from xgrad.rules.recurrent import recurrent as recurrent
from xgrad.rules.searching import all as all
from xgrad.rules.searching import any as any
from xgrad.rules.searching import argmax as argmax
from xgrad.rules.searching import argmin as argmin
from xgrad.rules.searching import argsort as argsort
from xgrad.rules.searching import count_nonzero as count_nonzero
from xgrad.rules.searching import diff as diff
from xgrad.rules.searching import mask as mask
from xgrad.rules.searching import nonzero as nonzero
from xgrad.rules.searching import searchsorted as searchsorted
from xgrad.rules.searching import sort as sort
from xgrad.rules.searching import where as where
from xgrad.rules.sets import isin as isin
from xgrad.rules.sets import unique_all as unique_all
from xgrad.rules.sets import unique_counts as unique_counts
from xgrad.rules.sets import unique_inverse as unique_inverse
from xgrad.rules.sets import unique_values as unique_values
from xgrad.rules.statistical import cumulative_prod as cumulative_prod
from xgrad.rules.statistical import cumulative_sum as cumulative_sum
from xgrad.rules.statistical import max as max
from xgrad.rules.statistical import mean as mean
from xgrad.rules.statistical import min as min
from xgrad.rules.statistical import prod as prod
from xgrad.rules.statistical import std as std
from xgrad.rules.statistical import sum as sum
from xgrad.rules.statistical import var as var
from xgrad.rules.taking import scatter_along_axis as scatter_along_axis
from xgrad.rules.taking import scatter_take as scatter_take
from xgrad.rules.taking import take as take
from xgrad.rules.taking import take_along_axis as take_along_axis
from xgrad.rules.windows import add_windows as add_windows
from xgrad.rules.windows import windows as windows
from xgrad.rules.writing import at as at
from xgrad.transforms.check import check_grads as check_grads
from xgrad.transforms.checkpoint import checkpoint as checkpoint
from xgrad.transforms.grad import grad as grad
from xgrad.transforms.grad import jvp as jvp
from xgrad.transforms.grad import linearize as linearize
from xgrad.transforms.grad import value_and_grad as value_and_grad
from xgrad.transforms.grad import vjp as vjp
from xgrad.transforms.jacobians import hessian as hessian
from xgrad.transforms.jacobians import hvp as hvp
from xgrad.transforms.jacobians import jacobian as jacobian
from xgrad.transforms.primitive import primitive as primitive
from xgrad.transforms.vmap import vmap as vmap

if _typing.TYPE_CHECKING:
    from collections.abc import Callable as _Callable

    from xgrad.backends import CallablePackage

    backends: CallablePackage  # for a type checker, a package is nothing to call
    compile: _Callable[..., _Any]
    CompileError: type[RuntimeError]
    load: _Callable[..., _Any]
    load_program: _Callable[..., _Any]
    Trainer: _Any  # the class xgrad.trainer.Trainer
    save: _Callable[..., None]
    _Drawn = _Callable[..., Tensor]
    bernoulli: _Drawn
    multinomial: _Drawn
    rand: _Drawn
    rand_like: _Drawn
    randint: _Drawn
    randn: _Drawn
    randn_like: _Drawn
    randperm: _Drawn
    manual_seed: _Callable[[int], _Any]
else:
    from xgrad import backends as backends

__version__ = _VERSION
__array_api_version__ = _namespace.VERSION
__array_namespace_info__ = _namespace.current_info
newaxis = None

# Imported when they are first asked for.
_SUBMODULES = (
    *("amp", "compat", "compile", "data", "diagnose", "distributions", "fit", "nn", "numpy", "onnx"),
    *("optim", "optimize", "random", "scipy", "state", "train", "trainer"),
)
# Names of rooms that are found here too. Those of xgrad.random are ones that PyTorch's users look for here.
_OF_ROOMS = {
    **dict.fromkeys(("CompileError", "load_program"), "compile"),
    **dict.fromkeys(("load", "save"), "state"),
    "Trainer": "trainer",
    **dict.fromkeys(
        ("bernoulli", "manual_seed", "multinomial", "rand", "rand_like", "randint", "randn", "randn_like", "randperm"), "random"
    ),
}  # fmt: skip
_NUMPYS = ("einsum", "transpose")  # NumPy's, which opt_einsum asks a library for


def __getattr__(name: str) -> _Any:
    """Submodules on first use, what they have for this module, and what belongs to the current backend: its dtypes."""
    if name in _SUBMODULES:
        return _import_module(f"xgrad.{name}")
    if name in _OF_ROOMS:
        return getattr(_import_module(f"xgrad.{_OF_ROOMS[name]}"), name)
    if name in _NUMPYS:
        return _namespace.numpys(name)
    if name in _namespace.DTYPES or name in _HALVES:
        return getattr(get_backend().view, name)
    why = ": it means different things in NumPy and PyTorch. Write x.split(length) or xgrad.chunk(x, parts)"
    raise AttributeError(f"module 'xgrad' has no attribute {name!r}{why if name == 'split' else ''}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_OF_ROOMS, *_NUMPYS, *_namespace.DTYPES})
