"""`np.vectorize`: a function of numbers, as one of arrays."""

from __future__ import annotations

from typing import Any

import numpy

from xgrad.rules.numpy_functions.face import Functions, has_tensor, on_their_backend, tensors

xp = Functions()


class vectorize(numpy.vectorize):  # noqa: N801 (NumPy's name)
    """NumPy's, which calls the function once for each element, in Python. A tensor's elements are 0-d tensors, with gradients.

    >>> import xgrad as xg
    >>> import xgrad.numpy as np
    >>> relu = np.vectorize(lambda x: x if x > 0 else 0.0 * x)
    >>> xg.grad(lambda x: np.sum(relu(x)))(xg.asarray([-1.0, 2.0])).numpy().tolist()
    [0.0, 1.0]

    Raises:
        TypeError: for tensors where there is a `signature`, or excluded arguments.

    https://numpy.org/doc/stable/reference/generated/numpy.vectorize.html
    """

    def __call__(self, *args: Any, **options: Any) -> Any:
        given = (*args, *options.values())
        if not has_tensor(given):
            return super().__call__(*args, **options)
        if options or self.signature is not None or self.excluded:
            raise TypeError("np.vectorize of tensors takes positional arguments only, and no signature= or excluded=")
        with on_their_backend(given):
            arrays = xp.broadcast_arrays(*tensors("vectorize", *args))
            shape = arrays[0].shape
            results = [self.pyfunc(*each) for each in zip(*(xp.reshape(x, (-1,)) for x in arrays), strict=True)]
            if not results:
                raise ValueError("np.vectorize: there are no elements to call the function with")
            if isinstance(results[0], tuple):
                return tuple(self._whole(each, shape) for each in zip(*results, strict=True))
            return self._whole(results, shape)

    def _whole(self, values: Any, shape: Any) -> Any:
        return xp.reshape(xp.stack(tensors("vectorize", *values)), shape)
