"""What a minimization returns: SciPy's OptimizeResult, without SciPy."""

from __future__ import annotations

from typing import Any

import xgrad as xg
from xgrad._two_loops import Correction, direction
from xgrad.engine.tensor import Tensor

FIRST = ("message", "success", "status", "fun", "x", "nit")  # the order in which a result is printed begins with these


class OptimizeResult(dict[str, Any]):
    """The result of a minimization: a dict whose entries are also attributes, as SciPy's.

    `x` and `jac` are trees of tensors like x0, on its device. `fun` is a number.

    >>> import xgrad as xg
    >>> result = xg.optimize.minimize(lambda x: xg.sum((x - 3.0) ** 2), xg.zeros(2))
    >>> result.x.numpy().round(4).tolist(), result["success"], result.status
    ([3.0, 3.0], True, 0)

    The entries are:

    ======================  ============================================================================================
    x                       the place found: a tree like x0
    fun                     the value there
    jac                     the gradient there: a tree like x0
    success                 whether a stopping rule was satisfied
    status, message         why it stopped, as a number and in words
    nit                     the number of iterations
    nfev, njev, nhev        the numbers of values, of gradients, and of products of the Hessian with a vector
    hess_inv                for "bfgs" a matrix, for "lbfgs" an `LbfgsInvHessProduct`: an estimate of the inverse Hessian
    allvecs                 with the option return_all: the places of all iterations
    ======================  ============================================================================================

    Raises:
        AttributeError: for the attribute of an entry that is not there.

    https://docs.scipy.org/doc/scipy/reference/generated/scipy.optimize.OptimizeResult.html
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the result has no {name!r}; it has {', '.join(self)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        if not self:
            return "OptimizeResult()"
        names = [*(name for name in FIRST if name in self), *sorted(name for name in self if name not in FIRST)]
        width = max(map(len, names)) + 1
        lines = []
        for name in names:
            first, *more = str(self[name]).splitlines() or [""]
            lines += [f"{name:>{width}}: {first}", *(" " * (width + 2) + line for line in more)]
        return "\n".join(lines)


class LbfgsInvHessProduct:
    """The inverse Hessian that L-BFGS has estimated, as a linear operator: `H @ v` for a vector or matrix v.

    It is made of the last corrections, and starts from the identity, as SciPy's class of this name.

    >>> import xgrad as xg
    >>> f = lambda x: x[0] ** 2 + 5.0 * x[1] ** 2 + x[0] * x[1]
    >>> H = xg.optimize.minimize(f, xg.asarray([1.0, 2.0])).hess_inv
    >>> H.shape, (H @ xg.asarray([0.0, 0.0])).numpy().tolist()
    ((2, 2), [0.0, 0.0])

    Args:
        sk: the steps, a list of vectors.
        yk: the changes of the gradient in these steps, a list of vectors.
        like: a vector of n numbers, of the dtype and device of the operator.

    Raises:
        ValueError: where `sk` and `yk` are not of one length.

    J. Nocedal, Updating quasi-Newton matrices with limited storage, https://doi.org/10.1090/S0025-5718-1980-0572855-7.
    """

    def __init__(self, sk: list[Tensor], yk: list[Tensor], like: Tensor) -> None:
        if len(sk) != len(yk):
            raise ValueError(f"LbfgsInvHessProduct: {len(sk)} steps and {len(yk)} changes of the gradient")
        self.sk, self.yk = list(sk), list(yk)
        self.shape = (*like.shape, *like.shape)
        self.dtype, self._namespace = like.dtype, like.__array_namespace__()

    @property
    def n_corrs(self) -> int:
        """The number of corrections."""
        return len(self.sk)

    def matvec(self, v: Any) -> Tensor:
        """The product with a vector of shape (n,), or with each column of a matrix of shape (n, k)."""
        v = xg.asarray(v)
        if v.ndim not in (1, 2) or v.shape[0] != self.shape[0]:
            raise ValueError(f"the inverse Hessian is of shape {self.shape}; it was multiplied by shape {v.shape}")
        v = xg.astype(v, xg.result_type(v, self.dtype))  # unsigned integers have no negatives
        corrections = [Correction(y, s, 1.0 / xg.vecdot(y, s)) for s, y in zip(self.sk, self.yk, strict=True)]

        def of_vector(v: Any) -> Any:
            return direction(-v, corrections, 1.0)

        product: Tensor = of_vector(v) if v.ndim == 1 else xg.vmap(of_vector, in_axes=1, out_axes=1)(v)
        return product

    __matmul__ = matmat = dot = matvec

    def todense(self) -> Tensor:
        """The matrix, of shape (n, n)."""
        return self.matvec(self._namespace.eye(self.shape[0], dtype=self.dtype))

    def __repr__(self) -> str:
        return f"LbfgsInvHessProduct(shape={self.shape}, n_corrs={self.n_corrs})"
