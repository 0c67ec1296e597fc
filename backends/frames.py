"""Where the program called xgrad: the frame that a report names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parents[1]) + os.sep


def users_frame() -> tuple[Any, int]:
    """The innermost frame that is not xgrad's own, and how many frames above the caller it is, counted from 1."""
    frame, depth = sys._getframe(1), 1
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return frame, depth
