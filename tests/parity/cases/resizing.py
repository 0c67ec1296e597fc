"""Resizing."""

from __future__ import annotations

from typing import Any

from tests.parity.case import Call, Draw, Layer, case

AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


def image(draw: Draw, n: int) -> Any:
    return draw.normal(2, 2, *(draw.size(2, 6) for _ in range(n)))


def target(draw: Draw, n: int) -> dict[str, Any]:
    """A size, or a scale factor."""
    if draw.one_of(True, False):
        return {"size": draw.one_of(draw.size(1, 9), tuple(draw.size(1, 9) for _ in range(n)))}
    factor = draw.one_of(2, 0.7, 1.5, tuple(draw.one_of(0.6, 1.3, 2.5, 3) for _ in range(n)))
    return {"scale_factor": factor, "recompute_scale_factor": draw.one_of(None, True, False)}


@case("interpolate")
@case("interpolate again")
def choosing(draw: Draw) -> Call:
    n = draw.size(1, 3)
    return Call((image(draw, n),), {**target(draw, n), "mode": draw.one_of("nearest", "nearest-exact", "area")})


@case("interpolate linear")
@case("interpolate more")
def linear(draw: Draw) -> Call:
    mode = draw.one_of("linear", "bilinear", "trilinear", "bicubic", "bicubic")
    options = {"mode": mode, "align_corners": draw.one_of(None, True, False)}
    return Call((image(draw, AXES[mode]),), {**target(draw, AXES[mode]), **options})


@case("interpolate antialias")
def antialias(draw: Draw) -> Call:
    options = draw.one_of(
        {"mode": "bilinear", "align_corners": draw.one_of(None, True)},
        {"mode": "bicubic", "align_corners": draw.one_of(None, True)},
        {"mode": "lanczos"},
    )
    # PyTorch repeats one row where the result is one pixel wide (see test_nn_resizing.py).
    size = draw.size(1, 9), draw.size(2, 9)
    given = draw.one_of({"size": size}, {"scale_factor": draw.one_of(0.7, 1.5, (0.6, 1.3))})
    x = draw.normal(2, 2, draw.size(2, 6), draw.size(3, 7))
    return Call((x,), {**given, **options, "antialias": True})


@case("Upsample")
def upsample(draw: Draw) -> Layer:
    mode = draw.one_of("nearest", "nearest-exact", "area", "linear", "bilinear", "trilinear", "bicubic")
    n = AXES.get(mode) or draw.size(1, 3)
    options = {"align_corners": draw.one_of(None, True, False)} if mode in AXES else {}
    return Layer((), {**target(draw, n), "mode": mode, **options}, (image(draw, n),))


@case("UpsamplingNearest2d")
@case("UpsamplingBilinear2d")
def upsampling(draw: Draw) -> Layer:
    options = target(draw, 2)
    options.pop("recompute_scale_factor", None)
    return Layer((), options, (image(draw, 2),))
