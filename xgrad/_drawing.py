"""Pictures with matplotlib: loading it without a window, one style, and pictures as bytes."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "jpg", "jpeg", "pdf", "svg", "tif", "tiff", "webp")  # those that need no other library

STYLE = {
    "axes.edgecolor": "#8c959f",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.0,
    "grid.color": "#d8dee4",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "text.usetex": False,
}


def require_matplotlib() -> None:
    """Raise ImportError, which says how to install it, if matplotlib is missing or broken."""
    load_matplotlib()


def encoded(figure: Figure, ending: str = "") -> bytes:
    """A picture as bytes, in the format of this ending of a name; PNG without one."""
    content = io.BytesIO()
    with settled():
        figure.savefig(content, dpi=110, format=ending.lower().removeprefix(".") or "png")
    return content.getvalue()


def load_matplotlib() -> Any:
    """Import matplotlib without MPLBACKEND: no window is opened, and a wrong name in that variable does no harm."""
    chosen = None if "matplotlib" in sys.modules else os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
        import matplotlib.figure
    except ImportError as error:
        raise ImportError(f"a picture needs matplotlib ({error}): pip install 'xgrad[fit]'") from None
    except Exception as error:  # wrong settings of its own, for example
        why = f"{type(error).__name__}: {str(error)[:200]}"
        raise ImportError(f"a picture needs matplotlib, which fails when it is imported: {why}") from None
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen
    if chosen:
        with suppress(ValueError):  # for a program that draws by itself too, as matplotlib would do
            matplotlib.rcParams["backend"] = chosen
    return matplotlib


@contextmanager
def settled() -> Iterator[None]:
    """Use the style of these pictures, and silence warnings: a name may contain letters that are in no font."""
    with load_matplotlib().rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
