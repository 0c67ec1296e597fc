"""Batching: the arrays, the namespace and the backend that `xgrad.vmap` runs a function of one example on."""
