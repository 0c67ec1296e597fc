"""For every differentiable function, the calls that the laws of test_rules.py are tried on.

One file for each chapter of xgrad/rules.
"""

from tests.cases import (  # noqa: F401
    creation,
    data_type,
    elementwise,
    fft,
    indexing,
    linalg,
    linear_algebra,
    manipulation,
    network,
    searching,
    special,
    statistical,
)
from tests.cases.case import CASES, Case, Sample

__all__ = ["CASES", "Case", "Sample"]
