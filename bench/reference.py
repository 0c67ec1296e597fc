"""Builds the API reference as HTML pages from the docstrings, with pdoc: `python -m bench.reference FOLDER`.

Only the modules that users import get pages. A warning of pdoc is an error.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

FACES = (
    "xgrad", "xgrad.linalg", "xgrad.fft", "xgrad.special", "xgrad.random", "xgrad.nn", "xgrad.nn.functional", "xgrad.nn.init",
    "xgrad.nn.utils", "xgrad.nn.utils.rnn", "xgrad.optim", "xgrad.distributions", "xgrad.diagnose", "xgrad.fit",
    "xgrad.optim.lr_scheduler", "xgrad.optim.swa_utils", "xgrad.onnx", "xgrad.data", "xgrad.optimize", "xgrad.amp", "xgrad.state",
    "xgrad.trainer", "xgrad.train", "xgrad.scipy", "xgrad.scipy.linalg", "xgrad.scipy.signal", "xgrad.scipy.integrate",
    "xgrad.scipy.optimize", "xgrad.scipy.interpolate",
)  # fmt: skip
OTHERS = f"(?!({'|'.join(map(re.escape, FACES))})$)"  # pdoc finds all modules, and leaves out those that match


# For modules that also import names for their own use: the module, or its prefix, in which their public names are defined.
MADE_IN = {
    "xgrad.random": "xgrad.random", "xgrad.nn.functional": "xgrad.nn.", "xgrad.nn.init": "xgrad.nn.init",
    "xgrad.nn.utils": "xgrad.nn.utils", "xgrad.nn.utils.rnn": "xgrad.nn.utils.rnn",
}  # fmt: skip


def public_names(where: str) -> list[str]:
    """The public names of a module, without modules and without names that are not xgrad's."""
    module = import_module(where)
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return [name for name in names if _is_public(where, getattr(module, name))]


def _is_public(where: str, thing: object) -> bool:
    origin = str(getattr(thing, "__module__", ""))
    return callable(thing) and not isinstance(thing, ModuleType) and origin.startswith(MADE_IN.get(where, "xgrad"))


class Text:
    """An annotation, shown as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def keep_annotations() -> None:
    """Show annotations as they were written.

    pdoc would evaluate them in the wrong scope: the functions of the namespace have xgrad as their module, whatever file defines
    them, and inside the class Tensor `bool` is a method.
    """
    for where in FACES:
        for name in public_names(where):
            thing = getattr(import_module(where), name)
            classes = thing.__mro__ if isinstance(thing, type) else ()
            for member in (thing, *(member for cls in classes for member in vars(cls).values())):
                _keep(member)


def _keep(member: Any) -> None:
    outer = getattr(member, "fget", None) or getattr(member, "__func__", member)
    inner = inspect.unwrap(outer)
    inner = getattr(inner, "func", inner)
    if inspect.isfunction(inner) and inner.__module__.startswith("xgrad"):
        inner.__doc__ = outer.__doc__  # pdoc unwraps
        annotations = inner.__annotations__
        inner.__annotations__ = {n: Text(each) if isinstance(each, str) else each for n, each in annotations.items()}


def build(folder: Path) -> None:
    """Write the pages. Raises ImportError, with the command that installs pdoc, if it is not installed."""
    try:
        pdoc, render = import_module("pdoc"), import_module("pdoc.render")
    except ImportError as error:
        raise ImportError("the API reference needs pdoc: pip install 'xgrad[docs]'") from error
    keep_annotations()
    for where in FACES:
        below = [name.rpartition(".")[2] for name in FACES if name.rpartition(".")[0] == where]
        import_module(where).__all__ = [*public_names(where), *below]  # type: ignore[attr-defined]
    render.configure(docformat="google", footer_text="xgrad", search=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings(
            "ignore", "Error parsing source code"
        )  # pdoc looks for the decorators of a lambda in a table
        pdoc.pdoc("xgrad", f"!{OTHERS}", output_directory=folder)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.reference", description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pages go")
    folder = parser.parse_args(arguments).folder
    build(folder)
    print(f"{sum(1 for _ in folder.rglob('*.html'))} pages: {folder / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])
