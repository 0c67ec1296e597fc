"""Derivative rules, one file for each chapter of the standard. Importing this package fills the registry."""

from xgrad.rules import (
    creation,
    data_type,
    decompositions,
    determinants,
    elementwise,
    fft,
    indexing,
    linalg,
    linear_algebra,
    manipulation,
    network,
    operators,
    searching,
    special,
    statistical,
)

__all__ = [
    "creation",
    "data_type",
    "decompositions",
    "determinants",
    "elementwise",
    "fft",
    "indexing",
    "linalg",
    "linear_algebra",
    "manipulation",
    "network",
    "operators",
    "searching",
    "special",
    "statistical",
]
