"""Sampling of images."""

from __future__ import annotations

from tests.parity.case import Call, Draw, case


@case("grid_sample")
@case("grid_sample again")
def grid_sample(draw: Draw) -> Call:
    x, grid = draw.normal(2, 3, draw.size(1, 5), draw.size(1, 5)), draw.uniform(2, 3, 4, 2, low=-1.7, high=1.7)
    options = {
        "mode": draw.one_of("bilinear", "nearest", "bicubic"),
        "padding_mode": draw.one_of("zeros", "border", "reflection"),
        "align_corners": draw.one_of(True, False),
    }
    return Call((x, grid), options)


@case("affine_grid")
def affine_grid(draw: Draw) -> Call:
    n = draw.one_of(2, 3)
    align_corners = draw.one_of(True, False)
    size = [
        2,
        1,
        *(draw.size(1 + align_corners, 4) for _ in range(n)),
    ]  # (PyTorch warns of lengths of 1 with aligned corners)
    return Call((draw.normal(2, n, n + 1), size, align_corners))
