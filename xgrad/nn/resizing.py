"""Layers that resize signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.nn import functional as F
from xgrad.nn.checks import input_of, wrong_shape
from xgrad.nn.functional.resizing import LINEAR, check_mode
from xgrad.nn.module import Module


class Upsample(Module):
    """Resizes signals, images or volumes.

    Call it with an array of shape (N, C, L), (N, C, H, W) or (N, C, D, H, W) and of a floating-point dtype; the output has the
    shape (N, C, ...) with the new lengths.

    Args:
        size: the new lengths of the axes after the second, one integer for all or one for each; None if there is a
            `scale_factor`.
        scale_factor: the ratios of new and old lengths, one number for all or one for each; None if there is a `size`.
        mode: "nearest", "nearest-exact", "area", "linear" (for signals), "bilinear" or "bicubic" (for images), or "trilinear"
            (for volumes).
        align_corners: whether the centres of the first and the last element of each axis stay where they are, instead of their
            outer edges. None means False. Not with "nearest", "nearest-exact" and "area".
        recompute_scale_factor: whether the ratio in computing positions is that of the lengths, and not `scale_factor`.

    Raises:
        ValueError: for both or neither of `size` and `scale_factor`, an unknown mode, or arguments that do not go together; when
            called, for an input of another shape.

    >>> import xgrad as xg
    >>> xg.nn.Upsample(scale_factor=2)(xg.asarray([[[1.0, 3.0]]])).tolist()
    [[[1.0, 1.0, 3.0, 3.0]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
    """

    takes = "(N, C, L), (N, C, H, W) or (N, C, D, H, W)"

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        name = type(self).__name__
        if (size is None) == (scale_factor is None):
            raise ValueError(f"{name}: give one of size and scale_factor, got {size!r} and {scale_factor!r}")
        check_mode(name, mode, align_corners, False)
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Any) -> Tensor:
        x = input_of(self, input)
        n_axes = LINEAR.get(self.mode)
        if not 3 <= x.ndim <= 5 or (n_axes is not None and x.ndim != n_axes + 2) or not self._fits(x):
            takes = self.takes if n_axes is None else ("(N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)")[n_axes - 1]
            raise wrong_shape(self, takes, x)
        return F.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def _fits(self, x: Any) -> bool:
        return True

    def extra_repr(self) -> str:
        what = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{what}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Resizes images: each pixel becomes the nearest one of the input.

    Call it with an array of shape (N, C, H, W) and of a floating-point dtype; the output has the new height and width.

    Args:
        size: the new height and width, one integer for both or two; None if there is a `scale_factor`.
        scale_factor: the ratios of new and old lengths, one number for both or two; None if there is a `size`.

    Raises:
        ValueError: for both or neither of the arguments; when called, for an input of another shape.

    >>> import xgrad as xg
    >>> xg.nn.UpsamplingNearest2d(scale_factor=2)(xg.asarray([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingNearest2d.html
    """

    takes = "(N, C, H, W)"

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, "nearest")

    def _fits(self, x: Any) -> bool:
        return bool(x.ndim == 4)


class UpsamplingBilinear2d(Upsample):
    """Resizes images by linear interpolation. The centres of the pixels in the corners stay where they are.

    Call it with an array of shape (N, C, H, W) and of a floating-point dtype; the output has the new height and width.

    Args:
        size: the new height and width, one integer for both or two; None if there is a `scale_factor`.
        scale_factor: the ratios of new and old lengths, one number for both or two; None if there is a `size`.

    Raises:
        ValueError: for both or neither of the arguments; when called, for an input of another shape.

    >>> import xgrad as xg
    >>> xg.nn.UpsamplingBilinear2d(size=(1, 3))(xg.asarray([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.5, 2.0]]]]

    https://docs.pytorch.org/docs/stable/generated/torch.nn.UpsamplingBilinear2d.html
    """

    takes = "(N, C, H, W)"

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, "bilinear", True)
