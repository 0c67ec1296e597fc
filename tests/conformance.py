"""Runs the public conformance suite of the Array API standard on xgrad and, in the same run, on the library itself.

The suite (data-apis/array-api-tests, with its submodule) is not on PyPI. Clone it beside the project and install its
requirements. Then

    python -m tests.conformance ../array-api-tests --backend numpy --examples 200

runs it on xgrad and on array_api_compat.numpy with one seed. (`--backend strict` uses array-api-strict on its CPU_DEVICE, because
the suite itself uses NumPy.) It fails if a test fails on xgrad that neither fails on the library nor is explained in
conformance_xfails.txt.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

XFAILS = Path(__file__).with_name("conformance_xfails.txt")
BARE = {"numpy": "array_api_compat.numpy", "strict": "array_api_strict"}
ENVIRONMENT = {
    "numpy": {"XGRAD_BACKEND": "numpy"},
    "strict": {"XGRAD_BACKEND": "strict", "XGRAD_DEVICE": "CPU_DEVICE"},
}


def failures(suite: Path, module: str, examples: int, seed: int, environment: dict[str, str]) -> tuple[set[str], str]:
    """The names of the tests that fail, and pytest's closing line."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "array_api_tests"]
    command += ["--max-examples", str(examples), f"--hypothesis-seed={seed}"]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, **environment, "ARRAY_API_TESTS_MODULE": module, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=suite, env=env, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if not lines or " passed" not in lines[-1]:
        sys.exit(f"the suite did not run on {module}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return {name for line in lines if (name := failed(line))}, lines[-1]


def failed(line: str) -> str | None:
    """The failed test that a line of pytest's summary names; None for other lines.

    >>> failed("FAILED array_api_tests/test_fft.py::test_fft - AssertionError: no")
    'array_api_tests/test_fft.py::test_fft'
    """
    found = re.match(r"(?:FAILED|ERROR) (\S+?::.*?)(?: - .*)?$", line)
    return found[1] if found and "[" not in found[1] else _with_parameters(line)


def _with_parameters(line: str) -> str | None:
    """Parameters may themselves hold ' - ' and ' -> ': they end at the last bracket of the name."""
    found = re.match(r"(?:FAILED|ERROR) (\S+?::.*\])", line)
    return found[1] if found else None


def explained() -> set[str]:
    """The tests that may fail, each with its reason in a comment above it."""
    lines = (line.strip() for line in XFAILS.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line and not line.startswith("#")}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suite", type=Path, help="the clone of data-apis/array-api-tests")
    parser.add_argument("--backend", choices=sorted(BARE), default="numpy")
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    settings = options.suite, options.examples, options.seed
    environment = ENVIRONMENT[options.backend]
    ours, our_line = failures(settings[0], "xgrad", *settings[1:], environment)
    bare, bare_line = failures(settings[0], BARE[options.backend], *settings[1:], {})
    print(f"xgrad on {options.backend}: {our_line}\n{BARE[options.backend]}: {bare_line}")
    only_ours = sorted(ours - bare - explained())
    for name in only_ours:
        print("xgrad alone:", name)
    for name in sorted(bare - ours):
        print("the library alone:", name)
    sys.exit(bool(only_ours))


if __name__ == "__main__":
    main()
