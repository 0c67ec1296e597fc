"""The line of the user's program that called xgrad, for warnings and reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parents[1]) + os.sep


def users_frame() -> tuple[Any, int]:
    """The innermost frame outside of xgrad, and its distance from the caller as `warnings.warn` counts it (`stacklevel`)."""
    frame, depth = sys._getframe(1), 1
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return frame, depth
