"""A convolution or linear layer and the batch normalization after it, as one layer."""

from __future__ import annotations

import copy
from typing import Any

import xgrad as xg
from xgrad.nn.module import Module
from xgrad.nn.parameter import Parameter


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """One convolution that computes what a convolution and the batch normalization after it compute in evaluation.

    Args:
        conv: a convolution in evaluation. It stays as it is.
        bn: the batch normalization of its outputs, in evaluation, with running statistics.
        transpose: whether the convolution is a transposed one.

    Returns:
        A copy of the convolution with other weights, and a bias.

    Raises:
        ValueError: for a module that is in training, or a normalization without running statistics.

    >>> import xgrad as xg
    >>> conv, bn, x = xg.nn.Conv2d(2, 3, 3).eval(), xg.nn.BatchNorm2d(3).eval(), xg.ones((1, 2, 5, 5))
    >>> fused = xg.nn.utils.fuse_conv_bn_eval(conv, bn)
    >>> bool(xg.max(xg.abs(fused(x) - bn(conv(x)))) < 1e-5)
    True

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html
    """
    return _fused("fuse_conv_bn_eval", conv, bn, transpose)


def fuse_conv_bn_weights(
    conv_w: Any,
    conv_b: Any,
    bn_rm: Any,
    bn_rv: Any,
    bn_eps: float,
    bn_w: Any,
    bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and the bias of `fuse_conv_bn_eval`.

    Args:
        conv_w: the weight of the convolution, of shape (out, in, ...); (in, out, ...) of a transposed one.
        conv_b: its bias, of shape (out,), or None.
        bn_rm: the running mean of the normalization, of shape (out,).
        bn_rv: its running variance, of shape (out,).
        bn_eps: its eps.
        bn_w: its weight, of shape (out,), or None.
        bn_b: its bias, of shape (out,), or None.
        transpose: whether the convolution is a transposed one.

    Returns:
        Two parameters, of the dtype of `conv_w`, which require a gradient if `conv_w` does.

    Raises:
        ValueError: for shapes that do not fit.

    >>> import xgrad as xg
    >>> weight, two = xg.ones((2, 1, 3)), xg.asarray([2.0, 2.0])
    >>> w, b = xg.nn.utils.fuse_conv_bn_weights(weight, None, two, two * two, 0.0, None, None)
    >>> w.tolist(), b.tolist()
    ([[[0.5, 0.5, 0.5]], [[0.5, 0.5, 0.5]]], [-1.0, -1.0])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_weights.html
    """
    with xg.no_grad():
        factor = 1 / xg.sqrt(bn_rv + bn_eps)
        factor = factor if bn_w is None else bn_w * factor
        bias = (-bn_rm if conv_b is None else conv_b - bn_rm) * factor
        bias = bias if bn_b is None else bias + bn_b
        shape = [1] * conv_w.ndim
        shape[1 if transpose else 0] = -1
        weight = conv_w * xg.reshape(factor, tuple(shape))
        made = [xg.astype(each, conv_w.dtype, copy=False) for each in (weight, bias)]
    requires_grad = conv_w.requires_grad
    return Parameter(made[0], requires_grad), Parameter(made[1], requires_grad)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """One linear layer that computes what a linear layer and the batch normalization after it compute in evaluation.

    Args:
        linear: a linear layer in evaluation. It stays as it is.
        bn: the batch normalization of its outputs, in evaluation, with running statistics.

    Returns:
        A copy of the linear layer with other weights, and a bias.

    Raises:
        ValueError: for a module that is in training, or a normalization without running statistics.

    >>> import xgrad as xg
    >>> linear, bn, x = xg.nn.Linear(2, 3).eval(), xg.nn.BatchNorm1d(3).eval(), xg.ones((4, 2))
    >>> fused = xg.nn.utils.fuse_linear_bn_eval(linear, bn)
    >>> bool(xg.max(xg.abs(fused(x) - bn(linear(x)))) < 1e-5)
    True

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_eval.html
    """
    return _fused("fuse_linear_bn_eval", linear, bn, False)


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """The weight and the bias of `fuse_linear_bn_eval`.

    Args:
        linear_w: the weight of the linear layer, of shape (out, in).
        linear_b: its bias, of shape (out,), or None.
        bn_rm: the running mean of the normalization, of shape (out,).
        bn_rv: its running variance, of shape (out,).
        bn_eps: its eps.
        bn_w: its weight, of shape (out,), or None.
        bn_b: its bias, of shape (out,), or None.

    Returns:
        Two parameters, of the dtype of `linear_w`, which require a gradient if `linear_w` does.

    Raises:
        ValueError: for shapes that do not fit.

    >>> import xgrad as xg
    >>> weight, two = xg.ones((2, 3)), xg.asarray([2.0, 2.0])
    >>> w, b = xg.nn.utils.fuse_linear_bn_weights(weight, two, two, two * two, 0.0, two, None)
    >>> w.tolist(), b.tolist()
    ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [0.0, 0.0])

    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_weights.html
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fused(name: str, layer: Any, bn: Any, transpose: bool) -> Module:
    if layer.training or bn.training:
        raise ValueError(f"{name}: both modules must be in evaluation; call eval()")
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(f"{name}: the normalization has no running statistics")
    fused: Module = copy.deepcopy(layer)
    statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    fused.weight, fused.bias = fuse_conv_bn_weights(fused.weight, fused.bias, *statistics, transpose=transpose)
    return fused
