"""Layers whose weight is computed from other parameters: weight_norm and spectral_norm."""

from __future__ import annotations

import warnings
from typing import Any

from tests.parity.case import Draw, Layer, case


@case("Linear weight_norm")
def weight_norm(draw: Draw) -> Layer:
    n, out, dim = draw.size(1, 4), draw.size(2, 4), draw.one_of(0, 1, None)

    def build(nn: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch advises its newer function, which has other names
            return nn.utils.weight_norm(nn.Linear(n, out, bias=draw.seed % 2 == 0), dim=dim)

    return Layer(inputs=(draw.normal(3, n),), build=build, training=draw.one_of(True, False))


@case("Linear spectral_norm")
def spectral_norm(draw: Draw) -> Layer:
    n, out = draw.size(1, 4), draw.size(2, 4)
    options = {"n_power_iterations": draw.size(1, 3), "dim": draw.one_of(None, 0, 1), "eps": draw.one_of(1e-12, 0.5)}

    def build(nn: Any) -> Any:
        return nn.utils.spectral_norm(nn.Linear(n, out, bias=draw.seed % 2 == 0), **options)

    training, calls = draw.one_of(True, False), draw.size(1, 3)
    return Layer(inputs=(draw.normal(3, n),), build=build, training=training, calls=calls)


@case("Conv2d weight_norm")
def convolution(draw: Draw) -> Layer:
    """A weight of four axes, with one length along each of them, and a transposed convolution, whose axis of outputs is 1."""
    dim = draw.one_of(0, 1, 2, 3, None)

    def build(nn: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            first = nn.utils.weight_norm(nn.Conv2d(2, 3, 2), dim=dim)
        return nn.Sequential(first, nn.utils.spectral_norm(nn.ConvTranspose2d(3, 2, 2)))

    return Layer(inputs=(draw.normal(2, 2, 4, 5),), build=build)


@case("Sequential weight_norm")
def twice(draw: Draw) -> Layer:
    """A weight of three axes, and both norms in one network."""

    def build(nn: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            first = nn.utils.weight_norm(nn.utils.weight_norm(nn.Linear(3, 4)), "bias", None)
        return nn.Sequential(first, nn.Tanh(), nn.utils.spectral_norm(nn.Linear(4, 2)))

    return Layer(inputs=(draw.normal(5, 3),), build=build)
