"""Importing array_api_compat.numpy without all of NumPy: only the time differs."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_first_gradient_imports_no_more_of_numpy_than_it_needs():
    run("""
import sys
import numpy as np
import xgrad as xg
already = set(sys.modules)
with xg.use_backend("numpy"):
    xg.grad(lambda x: xg.sum(xg.tanh(x) ** 2))(np.ones(3))
    xg.jvp(xg.sin, (np.ones(3),), (np.ones(3),))
more = {name for name in sys.modules if name not in already}
slow = {"numpy.f2py", "numpy.testing", "numpy.ma", "numpy.polynomial", "numpy.random", "unittest", "optree"}
assert not slow & more, slow & more
""")


def test_everything_is_still_there():
    """The names are those of array_api_compat's own copy, and each is what it was."""
    run("""
import importlib
import sys
import numpy as np
import array_api_compat._internal as internal
clone = getattr(internal, "clone_module", None)
from xgrad.backends import load
load("numpy", "cpu")
assert getattr(internal, "clone_module", None) is clone
ours = sys.modules.pop("array_api_compat.numpy")
import array_api_compat
del array_api_compat.numpy
own = importlib.import_module("array_api_compat.numpy")
assert own is not ours
assert set(ours.__all__) | {"__builtins__"} == set(own.__all__) | {"__builtins__"}, set(ours.__all__) ^ set(own.__all__)
for name in ours.__all__:
    assert name[:2] == "__" or name in ("linalg", "fft") or getattr(ours, name) is getattr(own, name), name
assert ours.testing is np.testing and ours.random is np.random
sys.modules["array_api_compat.numpy"] = ours
scope = {}
exec("from array_api_compat.numpy import *", scope)
try:
    ours.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error) and "array_api_compat.numpy" in str(error)
else:
    raise AssertionError
""")
