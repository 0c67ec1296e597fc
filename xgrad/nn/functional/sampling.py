"""Images read at the points of a grid, and grids of affine maps: what a spatial transformer network consists of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.integers import integers
from xgrad.engine.operands import operand, together
from xgrad.engine.tensor import Tensor
from xgrad.nn.checks import wrong_shape

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """For each pixel of an image, where an affine map takes it. `grid_sample` reads an image there.

    Coordinates run from -1 to 1 over an image. The first is that along the last axis.

    Args:
        theta: the maps, an array of shape (N, 2, 3), or (N, 3, 4) for volumes: a matrix, and a shift as its last column.
        size: the shape of the images, (N, C, H, W) or (N, C, D, H, W).
        align_corners: whether -1 and 1 are the centres of the first and the last pixel, instead of their outer edges. None means
            False.

    Returns:
        A tensor of shape (N, H, W, 2) or (N, D, H, W, 3), of the dtype of theta.

    Raises:
        ValueError: for a theta or a size of another shape.
        TypeError: for a theta that is no array, or a size that does not hold integers.

    >>> import xgrad as xg
    >>> identity = xg.asarray([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> xg.nn.functional.affine_grid(identity, (1, 1, 1, 2)).tolist()
    [[[[-0.5, 0.0], [0.5, 0.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
    """
    theta, sizes = operand("affine_grid", theta), integers("affine_grid", size, "size")
    n = len(sizes) - 2
    if n not in (2, 3) or min(sizes) < 1:
        raise ValueError(f"affine_grid: size must be (N, C, H, W) or (N, C, D, H, W), each 1 or more, got {size!r}")
    if tuple(theta.shape) != (sizes[0], n, n + 1):
        raise wrong_shape("affine_grid", f"({sizes[0]}, {n}, {n + 1}) for the size {sizes}", theta)
    xp, lengths = theta.__array_namespace__(), sizes[2:]
    points = theta[:, :, n]  # the shifts; each coordinate adds its column
    points = xg.reshape(points, (sizes[0], *(1,) * n, n))
    for axis, length in enumerate(lengths):
        end = 0.0 if length == 1 else 1.0 if align_corners else (length - 1) / length
        line = xg.reshape(xp.linspace(-end, end, length, dtype=theta.dtype), (*(1,) * axis, length, *(1,) * (n - axis)))
        column = xg.reshape(theta[:, :, n - 1 - axis], (sizes[0], *(1,) * n, n))
        points = points + line * column
    return points


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """The values of images at the points of a grid.

    Args:
        input: the images, an array of shape (N, C, H, W) and of a real floating-point dtype.
        grid: the points, an array of shape (N, H_out, W_out, 2). The first coordinate is that along the last axis of the image.
            Both run from -1 to 1 over the image.
        mode: "bilinear", "nearest" or "bicubic".
        padding_mode: what is read beyond the image: "zeros", "border" (the nearest pixel) or "reflection" (the image, mirrored at
            its edge).
        align_corners: whether -1 and 1 are the centres of the first and the last pixel, instead of their outer edges. None means
            False.

    Returns:
        A tensor of shape (N, C, H_out, W_out), of the dtype of the input. It is differentiable by the points too.

    Raises:
        ValueError: for arrays of other shapes, or an unknown mode. Volumes are not supported.
        TypeError: for a value that is no array.

    >>> import xgrad as xg
    >>> image = xg.asarray([[[[1.0, 3.0]]]])
    >>> xg.nn.functional.grid_sample(image, xg.asarray([[[[0.0, 0.0], [-0.5, 0.0]]]])).tolist()
    [[[[2.0, 1.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
    """
    x, points = together("grid_sample", input, grid)
    x, points = operand("grid_sample", x), operand("grid_sample", points)
    for name, value, known in (("mode", mode, MODES), ("padding_mode", padding_mode, PADDINGS)):
        if value not in known:
            raise ValueError(f"grid_sample: {name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise wrong_shape("grid_sample", "(N, C, H, W)", x)
    if points.ndim != 4 or points.shape[0] != x.shape[0] or points.shape[3] != 2:
        raise wrong_shape("grid_sample: grid", f"({x.shape[0]}, H_out, W_out, 2)", points)
    image = _Image(x, padding_mode, bool(align_corners))
    across, down = (image.place(points[..., i], length) for i, length in enumerate((x.shape[3], x.shape[2])))
    if mode == "bicubic":
        return image.cubic(across, down)
    across, down = image.inside(across, x.shape[3]), image.inside(down, x.shape[2])
    return image.linear(across, down) if mode == "bilinear" else image.read(xg.round(across), xg.round(down))


class _Image:
    """Images, and how they are read at places that are counted in pixels."""

    def __init__(self, x: Any, padding_mode: str, align_corners: bool) -> None:
        n, channels, self.height, self.width = x.shape
        self.pixels = xg.reshape(x, (n, channels, self.height * self.width))
        self.padding_mode, self.align_corners = padding_mode, align_corners

    def place(self, coordinate: Any, length: int) -> Any:
        """A coordinate from -1 to 1, counted in pixels from the centre of the first one."""
        if self.align_corners:
            return (coordinate + 1) * ((length - 1) / 2)
        return ((coordinate + 1) * length - 1) / 2

    def inside(self, place: Any, length: int) -> Any:
        """The place within the image that stands for a place beyond it."""
        if self.padding_mode == "zeros":
            return place
        if self.padding_mode == "reflection":
            low, span = (0.0, length - 1.0) if self.align_corners else (-0.5, float(length))
            if not span:
                return place * 0.0
            away = xg.abs(place - low)
            times = xg.floor(away / span)
            rest = away - times * span
            place = xg.where(xg.remainder(times, 2.0) == 0, rest, span - rest) + low
        return xg.clip(place, 0.0, length - 1.0)

    def read(self, across: Any, down: Any) -> Tensor:
        """The pixels at whole places, and zeros beyond the image."""
        column, row = (xg.clip(place, 0.0, n - 1.0) for place, n in ((across, self.width), (down, self.height)))
        is_in = (column == across) & (row == down)
        shape = column.shape
        index = xg.reshape(xg.astype(row * self.width + column, "int64"), (shape[0], 1, shape[1] * shape[2]))
        found = xg.take_along_axis(self.pixels, index, axis=2)
        found = xg.reshape(found, (*found.shape[:2], *shape[1:]))
        return xg.mask(found, xg.expand_dims(is_in, axis=1))

    def linear(self, across: Any, down: Any) -> Tensor:
        total: Any = 0.0
        left, top = xg.floor(across), xg.floor(down)
        for column, weight in ((left, left + 1 - across), (left + 1, across - left)):
            for row, height in ((top, top + 1 - down), (top + 1, down - top)):
                total = total + self.read(column, row) * xg.expand_dims(weight * height, axis=1)
        result: Tensor = total
        return result

    def cubic(self, across: Any, down: Any) -> Tensor:
        total: Any = 0.0
        left, top = xg.floor(across), xg.floor(down)
        for i in range(-1, 3):
            column = self.inside(left + i, self.width)
            weight = _cubic(across - left - i, i)
            for j in range(-1, 3):
                row = self.inside(top + j, self.height)
                height = _cubic(down - top - j, j)
                # A place that is reflected about an edge between pixels is whole up to rounding.
                read = self.read(xg.round(column), xg.round(row))
                total = total + read * xg.expand_dims(weight * height, axis=1)
        result: Tensor = total
        return result


def _cubic(x: Any, i: int, a: float = -0.75) -> Any:
    """Keys' cubic convolution at the distance x from neighbour i of the four, which are counted from -1."""
    x = -x if i > 0 else x
    if i in (0, 1):
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
