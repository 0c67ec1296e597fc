"""A function of one example, run on many at once: the arrays, the namespace and the backend that `xgrad.vmap` is made of."""
