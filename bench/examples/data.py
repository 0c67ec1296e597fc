"""The data of the examples, each with a fixed split into training, validation and test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import train_test_split

Part = tuple[Any, Any]
TEXT = Path(__file__).parent / "text.txt"


def digits(*, channels: bool = False) -> tuple[Part, Part, Part]:
    """scikit-learn's handwritten digits: 1,293, 144 and 360 pictures, with the same share of each digit.

    A part is (pictures, labels): float32 of shape (N, 64), or (N, 1, 8, 8) with channels, from 0 to 1; int64 of shape (N,).
    """
    pictures, labels = load_digits(return_X_y=True)
    pictures = (pictures / 16.0).astype(np.float32)
    shape = (-1, 1, 8, 8) if channels else (-1, 64)
    return _split(pictures.reshape(shape), labels.astype(np.int64), (144, 360), stratify=True)


def diabetes() -> tuple[Part, Part, Part]:
    """442 patients: 10 features in float64, and the progression of the disease after a year, of shape (N, 1). 266, 88 and 88."""
    features, progression = load_diabetes(return_X_y=True, scaled=False)
    return _split(features, progression[:, None], (88, 88), stratify=False)


def _split(x: Any, y: Any, sizes: tuple[int, int], *, stratify: bool) -> tuple[Part, Part, Part]:
    validation, test = sizes
    x, x_test, y, y_test = train_test_split(x, y, test_size=test, random_state=0, stratify=y if stratify else None)
    x_train, x_val, y_train, y_val = train_test_split(
        x, y, test_size=validation, random_state=0, stratify=y if stratify else None
    )
    return (x_train, y_train), (x_val, y_val), (x_test, y_test)


def shifted(part: Part) -> Part:
    """A part of the digits with eight more copies of each picture, shifted by one pixel to each side and corner."""
    pictures, labels = part
    frames = np.pad(pictures.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    copies = [frames[:, i : i + 8, j : j + 8] for i in range(3) for j in range(3)]
    return np.concatenate(copies).reshape(-1, *pictures.shape[1:]), np.tile(labels, 9)


def text() -> tuple[Any, Any, Any, str]:
    """The text of text.txt as numbers of characters, int64 of shape (N,): training, validation, test; and the characters.

    Of each ten paragraphs, one is for validation and one for the test.
    """
    paragraphs = [" ".join(lines.split()) + "\n" for lines in TEXT.read_text(encoding="utf-8").split("\n\n")]
    characters = "".join(sorted(set("".join(paragraphs))))
    held_out = {4: paragraphs[4::10], 9: paragraphs[9::10]}
    train = [each for i, each in enumerate(paragraphs) if i % 10 not in held_out]
    parts = [encoded("".join(each), characters) for each in (train, held_out[4], held_out[9])]
    return parts[0], parts[1], parts[2], characters


def encoded(words: str, characters: str) -> Any:
    return np.asarray([characters.index(each) for each in words])


def windows(ids: Any, length: int, starts: Any) -> tuple[Any, Any]:
    """Pieces of a text that begin at `starts`, and the same pieces one character later: each of shape (len(starts), length)."""
    places = np.asarray(starts)[:, None] + np.arange(length)
    return ids[places], ids[places + 1]
