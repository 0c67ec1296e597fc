"""A training script as the argument of `xgrad diagnose`: whether a file is one, and its code."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from types import CodeType

from xgrad.diagnose.script import Ran
from xgrad.fit.errors import FitError

MOST_BYTES = 1_000_000  # of a file that is looked into; a history may be larger


def is_script(path: str) -> bool:
    """Whether a file is a Python script: by its name, or because it is Python that imports something."""
    if path.endswith(".py"):
        return True
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MOST_BYTES:
            return False
        content = Path(path).read_bytes()
        if content.lstrip()[:1] in (b"", b"{", b"["):
            return False
        tree = ast.parse(content)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree))


def code_of(path: str) -> CodeType:
    """The code of a script. Raises FitError for a file that cannot be read, or is not Python."""
    try:
        return compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    except IsADirectoryError:
        raise FitError(f"{path} is a folder; a script or a history is needed") from None
    except OSError as error:
        raise FitError(f"{path} cannot be read: {error.strerror or error}") from None
    except SyntaxError as error:
        place = f"{path}, line {error.lineno}" if error.lineno else path
        raise FitError(f"{place}: this is not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FitError(f"{path} is not Python: {error or 'it is nested too deeply'}") from None


def nothing_in(path: str, ran: Ran) -> str:
    """Why there is no report on a script that ended without an error."""
    if not ran.steps:
        return f"{path} made no step of an optimizer of xgrad, so there is nothing to diagnose"
    return (
        f"{path}: the parameters of its optimizer are in no module that was called with them, so nothing can be looked at: put "
        "them into an xgrad.nn.Module, and call it"
    )
