"""The vector spaces of arrays."""

from xgrad.compat.autograd.vspaces import ArrayVSpace as ArrayVSpace
from xgrad.compat.autograd.vspaces import ComplexArrayVSpace as ComplexArrayVSpace
