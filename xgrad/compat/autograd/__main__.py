"""`python -m xgrad.compat.autograd script.py`: run a script in which `import autograd` means xgrad."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from xgrad.compat.autograd.installing import install

USAGE = """usage: python -m xgrad.compat.autograd script.py [arguments]
       python -m xgrad.compat.autograd -m module [arguments]"""


def main(arguments: list[str]) -> int:
    """Run the script or module, with its arguments. Returns 2 where there is none."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    is_module = arguments[0] == "-m"
    if is_module and len(arguments) < 2:
        print(USAGE, file=sys.stderr)
        return 2
    install()
    if is_module:
        sys.argv = arguments[1:]
        sys.path.insert(0, "")
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return 0
    script = Path(arguments[0])
    if not script.is_file():
        print(f"xgrad.compat.autograd: there is no file {arguments[0]}", file=sys.stderr)
        return 2
    sys.argv = arguments
    sys.path.insert(0, str(script.resolve().parent))
    runpy.run_path(str(script), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
