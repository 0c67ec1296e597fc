"""Adding a function takes one row and one case: softsign, by the recipe of xgrad/rules/README.md, in a copy of the sources."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RECIPE = (ROOT / "xgrad" / "rules" / "README.md").read_text(encoding="utf-8")


def quoted(first: str) -> str:
    """The block of the recipe that begins so, without its indent."""
    (block,) = re.findall(rf"^   ```py\n(   {re.escape(first)}.*?)^   ```$", RECIPE, re.MULTILINE | re.DOTALL)
    return re.sub("^   ", "", block, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources with softsign in the main namespace, and as a special function."""
    there = tmp_path_factory.mktemp("copy")
    for folder in ("xgrad", "backends", "bench", "tests"):
        shutil.copytree(ROOT / folder, there / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", there)
    row, case = quoted("softsign = elementwise("), quoted("case(")
    (public,) = re.findall(r"`(from xgrad\.rules\.network import softsign as softsign)`", RECIPE)
    added = {
        "xgrad/rules/network.py": row,
        "tests/cases/network.py": case,
        "xgrad/__init__.py": public,
        "xgrad/rules/special.py": row.replace("elementwise(", "of_one(").replace('"softsign"', '"special.softsign"'),
        "tests/cases/special.py": case.replace('"softsign"', '"special.softsign"'),
        "xgrad/special.py": public.replace("network", "special"),
    }
    for name, text in added.items():
        with (there / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    return there


def run(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(copy)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_it_passes_all_laws_vmap_and_documentation_on_every_backend(copy):
    said = run(
        copy,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "softsign",
        "tests/test_rules.py",
        "tests/test_vmap.py",
        "tests/test_documentation.py",
    )
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 20


def test_it_has_a_value_a_gradient_and_a_place_in_both_namespaces(copy):
    code = """
import xgrad as xg
x = xg.asarray([3.0, -1.0], requires_grad=True)
xg.sum(xg.softsign(x) + 2 * x.__array_namespace__().special.softsign(x)).backward()
print(x.grad.numpy().tolist(), xg.special.softsign(1.0).item(), xg.softsign.__doc__.splitlines()[0], "softsign" in dir(xg))
"""
    assert run(copy, "-c", code).strip() == "[0.1875, 0.75] 0.5 x / (1 + |x|), element by element. True"
