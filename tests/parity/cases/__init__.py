"""The parity cases: a file for each family of layers and functions."""

from importlib import import_module
from pathlib import Path


def load() -> None:
    """Import every family, which registers its cases."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem != "__init__":
            import_module(f"{__name__}.{path.stem}")
