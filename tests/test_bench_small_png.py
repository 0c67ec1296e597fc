"""PNG files of few colours: what is in them, and a picture that is replaced by its own copy."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from bench import small_png


def picture(kind: str) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format=kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_picture_has_few_colours_and_its_texts(tmp_path: Path, kind: str) -> None:
    small_png.save(picture(kind), tmp_path / "a.png", 16, {"Source": "here", "Title": "noise"})
    with Image.open(tmp_path / "a.png") as found:
        assert (found.format, found.size, found.mode) == ("PNG", (50, 40), "P")
        assert found.getcolors(16) is not None  # None is for more
        assert (found.info["Source"], found.info["Title"]) == ("here", "noise")


def test_a_file_becomes_smaller_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture("png"))
    small_png.save(path.read_bytes(), path)
    assert path.stat().st_size < len(picture("png"))
    assert list(tmp_path.iterdir()) == [path]
