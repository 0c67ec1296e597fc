"""The function to minimize, as a function of one vector: its values, gradients and Hessian products, and how many there were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xgrad as xg
from xgrad.backends import owner
from xgrad.backends.data import is_scalar
from xgrad.engine.tensor import Tensor
from xgrad.engine.trees import flatten, map_leaves
from xgrad.optimize.flat import Flat
from xgrad.transforms.grad import raw_to_tensor, to_tensor

Product = Callable[[Tensor], Tensor]  # a vector times a matrix that is not formed


class Evaluated:
    """A user's function of a tree, with its other arguments. The arrays among these move to the backend once."""

    def __init__(self, name: str, f: Callable[..., Any], x0: Any, args: Any, kwargs: Any = None) -> None:
        if not callable(f):
            raise TypeError(f"{name}: the first argument is the function to minimize, not {type(f).__name__}")
        self.name = name
        self.f = f
        self.flat = Flat(name, x0)
        self.backend = self.flat.backend
        self.start = self.flat.start
        args = args if isinstance(args, tuple) else (args,)
        self.args = tuple(map_leaves(lambda leaf: raw_to_tensor(leaf, self.backend), arg) for arg in args)
        self.kwargs = dict(kwargs or {})
        self.nfev = self.njev = self.nhev = 0

    def tree(self, x: Tensor) -> Any:
        return self.flat.tree(x)

    def tensor(self, result: Any) -> Tensor:
        """A result of the function as a tensor of real numbers. Raises TypeError for anything else."""
        if isinstance(result, Tensor) and result.dtype == self.flat.dtype:
            return result
        if not (isinstance(result, Tensor) or is_scalar(result) or owner(result) is not None):
            kind = type(result).__name__
            raise TypeError(f"{self.name}: the function must return {self.wanted}; it returned {kind}: {result!r:.60}")
        y = to_tensor(result, "as the result of the function", self.backend)
        if xg.isdtype(y.dtype, "complex floating"):
            raise TypeError(f"{self.name}: the function must return {self.wanted}; it returned complex numbers")
        return y if xg.isdtype(y.dtype, "real floating") else xg.astype(y, self.backend.default_dtype)

    wanted = "one real number"


class Objective(Evaluated):
    """A function with one real number as its result."""

    def number(self, tree: Any) -> Tensor:
        """The function of a tree: a 0-d tensor."""
        y = self.tensor(self.f(tree, *self.args, **self.kwargs))
        if y.size != 1:
            raise ValueError(
                f"{self.name}: the function must return one number, and it returned an array of shape {y.shape}. Sum it up; or "
                "if these are residuals, whose squares are to be summed, use method='levenberg-marquardt'."
            )
        return y if y.shape == () else xg.reshape(y, ())

    def value(self, x: Tensor) -> Tensor:
        """The value at x, 0-d."""
        self.nfev += 1
        return self.number(self.tree(x)).detach()

    def value_and_gradient(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The value at x, 0-d, and the gradient as a vector."""
        self.nfev += 1
        self.njev += 1
        value, gradient = xg.value_and_grad(self.number)(self.tree(x))
        return value, self.vector(gradient)

    def linearized(self, x: Tensor) -> tuple[Tensor, Product]:
        """The gradient at x, and the product of the Hessian there with a vector. Each product is one pass over a kept tape.

        The counter of gradients is left to the caller.
        """
        gradient, push = xg.linearize(xg.grad(self.number), self.tree(x))

        def product(v: Tensor) -> Tensor:
            self.nhev += 1
            return self.vector(push(self.tree(v)))

        return self.vector(gradient), product

    def vector(self, tree: Any) -> Tensor:
        return self.flat.vector(flatten(tree)[0])
