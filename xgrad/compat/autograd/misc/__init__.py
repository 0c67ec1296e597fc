"""Flat vectors of trees, optimizers, and functions that are traced once."""

from xgrad.compat.autograd.misc.flatten import flatten as flatten
from xgrad.compat.autograd.misc.tracers import const_graph as const_graph
