"""PNG files of few colours, which are enough for lines and text and make small files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin

from xgrad._files import replacing


def save(content: bytes, path: Path, colors: int = 128, texts: Mapping[str, str] | None = None) -> None:
    """Write a picture, given as the bytes of any file, into a PNG file of at most so many colours, with texts by name."""
    about = PngImagePlugin.PngInfo()
    for name, text in (texts or {}).items():
        about.add_text(name, text)
    with Image.open(io.BytesIO(content)) as picture:
        small = picture.convert("RGB").quantize(colors, Image.Quantize.MAXCOVERAGE)
    with replacing(path) as temporary:
        small.save(temporary, format="PNG", optimize=True, pnginfo=about)
