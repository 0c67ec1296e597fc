"""Derivative rules, one file for each chapter of the standard. Importing this package fills the registry."""

from xgrad.rules import (
    activation,
    creation,
    data_type,
    elementwise,
    indexing,
    linear_algebra,
    manipulation,
    operators,
    searching,
    statistical,
)

__all__ = [
    "activation",
    "creation",
    "data_type",
    "elementwise",
    "indexing",
    "linear_algebra",
    "manipulation",
    "operators",
    "searching",
    "statistical",
]
