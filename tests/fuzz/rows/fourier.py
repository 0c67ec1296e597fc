"""Fourier transforms."""

from __future__ import annotations

from tests.fuzz.draw import Draw, Value, need
from tests.fuzz.rows import row

NORMS = ["", "", ", norm='forward'", ", norm='ortho'", ", norm='backward'"]


def _length(d: Draw, x: Value, axis: int) -> str:
    return f", n={d.one_of([x.shape[axis] + 1, 4, 3, max(x.shape[axis] - 1, 1)])}" if d.chance(0.3) else ""


for _name, _kinds in {"fft": "fcc", "ifft": "fcc", "rfft": "f", "ihfft": "f", "irfft": "c", "hfft": "c"}.items():

    @row(f"fft.{_name}")
    def _(d: Draw, name: str = _name, kinds: str = _kinds) -> None:
        x = d.full(kinds, dims=(1, 4))
        axis = d.axis(x)
        n = _length(d, x, axis)
        if name in ("irfft", "hfft"):
            need(n or x.shape[axis] > 1)
        d.tags.add("fft of reals") if name in ("fft", "ifft") and x.kind == "f" else None
        where = "" if axis in (-1, x.ndim - 1) and d.chance(0.5) else f", axis={axis}"
        d.let(f"xp.fft.{name}({x}{n}{where}{d.one_of(NORMS)})")


for _name, _kinds in {"fftn": "fcc", "ifftn": "fcc", "rfftn": "f", "irfftn": "c"}.items():

    @row(f"fft.{_name}")
    def _(d: Draw, name: str = _name, kinds: str = _kinds) -> None:
        x = d.full(kinds, dims=(1, 3))
        axes = d.one_of([None, (0,), (-1,), (0, -1) if x.ndim > 1 else (0,), tuple(range(x.ndim))])
        at = "" if axes is None else f", axes={axes}"
        last = -1 if axes is None else axes[-1]
        s = ""
        if axes is not None and d.chance(0.3):
            s = f", s={tuple(d.one_of([2, 3, x.shape[k]]) for k in axes)}"
        if name == "irfftn":
            need(s or x.shape[last] > 1)
        d.tags.add("fft of reals") if name in ("fftn", "ifftn") and x.kind == "f" else None
        d.let(f"xp.fft.{name}({x}{s}{at}{d.one_of(NORMS)})")


for _name in ("fftshift", "ifftshift"):

    @row(f"fft.{_name}")
    def _(d: Draw, name: str = _name) -> None:
        x = d.pick("cf", dims=(1, 4))
        axes = d.axes(x)
        d.let(f"xp.fft.{name}({x}{'' if axes is None else f', axes={axes}'})")
