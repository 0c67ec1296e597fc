"""The API reference: what has a page, and that pdoc makes the pages without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from bench.reference import FACES, public_names


def test_what_is_public() -> None:
    names = {where: public_names(where) for where in FACES}
    assert {"sin", "grad", "Tensor", "no_grad", "BackendError"} <= set(names["xgrad"])
    assert "float64" not in names["xgrad"]  # of the backend
    assert set(names["xgrad.random"]) == {  # and nothing that it imports
        *("Generator", "default_generator", "seed", "manual_seed", "get_rng_state", "set_rng_state"),
        *("bernoulli", "multinomial", "rand", "rand_like", "randint", "randn", "randn_like", "randperm"),
    }
    assert "Linear" in names["xgrad.nn"]


def test_without_pdoc_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from bench import reference

    monkeypatch.setitem(sys.modules, "pdoc", None)
    with pytest.raises(ImportError, match=r"pip install 'xgrad\[docs\]'"):
        reference.build(tmp_path)


def test_every_public_name_is_on_a_page(tmp_path: Path) -> None:
    pytest.importorskip("pdoc")
    subprocess.run([sys.executable, "-m", "bench.reference", str(tmp_path)], check=True)  # it changes what it documents
    for where in FACES:
        page = (tmp_path / f"{where.replace('.', '/')}.html").read_text(encoding="utf-8")
        assert set(public_names(where)) <= set(re.findall(r'id="(\w+)"', page)), import_module(where)
