"""Cases for the fft extension."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases.case import case, cplx, real

NORMS = ("backward", "ortho", "forward")

for _name in ("fft.fft", "fft.ifft"):
    for _n in (None, 1, 3, 6):
        case(_name, cplx(2, 4), n=_n)
    for _norm in NORMS:
        case(_name, cplx(4, 2), n=3, axis=0, norm=_norm)
    case(_name, cplx(1))
    case(_name, cplx(0, 3), without=("torch",))
    case(_name, cplx(2, 3, 2), axis=-2)

for _name in ("fft.fftn", "fft.ifftn"):
    for _norm in NORMS:
        case(_name, cplx(2, 3), norm=_norm)
    case(_name, cplx(3, 2, 2), axes=(0, -1))
    case(_name, cplx(2, 3), s=(3, 2), axes=(0, 1))
    case(_name, cplx(2, 3), s=(2, 5), axes=(1, 0), norm="ortho")
    case(_name, cplx(2, 4), s=(3,), axes=(-1,))

for _n in (None, 1, 2, 3, 5, 6):
    case("fft.rfft", real(2, 4), n=_n)
    case("fft.ihfft", real(2, 4), n=_n)
for _n in (None, 1, 2, 3, 5, 6, 7):
    case("fft.irfft", cplx(2, 4), n=_n)
    case("fft.hfft", cplx(2, 4), n=_n)
for _norm in NORMS:
    for _name in ("fft.rfft", "fft.ihfft"):
        case(_name, real(5), norm=_norm)
        case(_name, real(3, 2), n=4, axis=0, norm=_norm)
    for _name in ("fft.irfft", "fft.hfft"):
        case(_name, cplx(3), norm=_norm)
        case(_name, cplx(3, 2), n=5, axis=0, norm=_norm)
case("fft.rfft", real(0, 3), without=("torch",))  # it has no transform of nothing
case("fft.irfft", cplx(0, 3), without=("torch",))

for _norm in NORMS:
    case("fft.rfftn", real(2, 3), norm=_norm)
    case("fft.irfftn", cplx(2, 3), norm=_norm)
case("fft.rfftn", real(3, 2, 2), axes=(0, -1))
case("fft.rfftn", real(2, 4), s=(3, 3), axes=(1, 0))
case("fft.rfftn", real(2, 4), s=(5,), axes=(-1,))
case("fft.irfftn", cplx(3, 2, 2), axes=(1, 0))
case("fft.irfftn", cplx(2, 4), s=(3, 3), axes=(0, 1), norm="forward")
case("fft.irfftn", cplx(2, 3), s=(5,), axes=(1,))

for _name in ("fft.fftshift", "fft.ifftshift"):
    _axes: Any
    for _axes in (None, 0, -1, (0, 1)):
        case(_name, real(2, 3), axes=_axes)
    case(_name, cplx(5))
    case(_name, real(0, 2))


def _filtered(xp: Any, x: Any) -> Any:
    """A low-pass filter whose strength depends on the signal: transforms back and forth, and products between."""
    spectrum = xp.fft.rfft(x)
    return xp.fft.irfft(spectrum / (1 + xp.abs(spectrum) ** 2), n=x.shape[-1])


case(
    "fft.irfft",
    real(2, 5),
    call=_filtered,
    reference=lambda xp, x: _filtered(np, x),
    note="a filter",
)
