"""The special functions that rules need and no standard has, by SciPy's names: `xp.special` of a raw namespace.

Nothing of them is written here. A library's backend names the module that has them; where there is none, or a function is not
in it, using it is an error that says so, and no array goes through the host.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

# Those that a library must have, and those that are made of them; xgrad makes the others of the standard's functions.
LIBRARYS = tuple(
    "special." + name
    for name in (
        *("erf", "erfc", "erfcx", "erfinv", "ndtr", "ndtri", "log_ndtr"),
        *("gamma", "gammaln", "digamma", "psi", "polygamma", "gammainc", "gammaincc"),
        *("betaln", "betainc", "binom", "fdtr", "fdtrc"),
        *("j0", "j1", "i0", "i0e", "i1", "i1e"),
    )
)


class Special:
    """Special functions on raw arrays of one library."""

    module: ClassVar[str | None] = None
    install: ClassVar[str] = ""  # what brings the module, for error messages
    names: ClassVar[dict[str, str]] = {}  # where the library's differ

    def __init__(self, library: str) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        function = self.__dict__[name] = getattr(
            self._functions(name), self.names.get(name, name), None
        ) or self._missing(name)
        return function

    def _functions(self, name: str) -> Any:
        if self.module is None:
            self._missing(name)
        try:
            return import_module(str(self.module))
        except ImportError as error:
            raise ImportError(f"special.{name} of {self.library} arrays needs {self.module}: {self.install}") from error

    def _missing(self, name: str) -> Any:
        where = f"{self.module} has no such function" if self.module else "the library has no special functions"
        raise NotImplementedError(f"special.{name} is not to be had on {self.library} arrays: {where}")

    def polygamma(self, n: int, x: Any) -> Any:
        """The n-th derivative of digamma, in the dtype of x."""
        return self._functions("polygamma").polygamma(n, x)


class SciPySpecial(Special):
    """scipy.special, for NumPy's arrays."""

    module = "scipy.special"
    install = "pip install 'xgrad[scipy]'"

    def polygamma(self, n: int, x: Any) -> Any:
        """SciPy makes double precision of every x."""
        return super().polygamma(n, x).astype(x.dtype, copy=False)


class CuPySpecial(Special):
    """cupyx.scipy.special, which comes with CuPy."""

    module = "cupyx.scipy.special"

    def polygamma(self, n: int, x: Any) -> Any:
        return super().polygamma(n, x).astype(x.dtype, copy=False)


class JAXSpecial(Special):
    """jax.scipy.special."""

    module = "jax.scipy.special"
    names: ClassVar[dict[str, str]] = {"psi": "digamma"}


class TorchSpecial(Special):
    """torch.special, and functions that it lacks."""

    module = "torch.special"
    names: ClassVar[dict[str, str]] = {"j0": "bessel_j0", "j1": "bessel_j1"}

    def polygamma(self, n: int, x: Any) -> Any:
        """PyTorch's own trigamma, n = 1, is right to 9 digits only."""
        return self.zeta(2.0, x) if n == 1 else super().polygamma(n, x)

    def gamma(self, x: Any) -> Any:
        """Through its logarithm; it is negative between -1 and 0, -3 and -2, and so on."""
        size = self.gammaln(x).exp()
        return size.where((x > 0) | (x.floor() % 2 == 0), -size)

    def betainc(self, a: Any, b: Any, x: Any) -> Any:
        """By its continued fraction, which converges quickly where x is below the mean; beyond it, from the other end."""
        mirrored = x > (a + 1) / (a + b + 2)
        a, b, x = b.where(mirrored, a), a.where(mirrored, b), (1 - x).where(mirrored, x)
        below = self._lower_beta(a, b, x)
        return (1 - below).where(mirrored, below)

    def _lower_beta(self, a: Any, b: Any, x: Any, pairs: int = 100) -> Any:
        """The fraction 1 / (1 + d1 / (1 + d2 / ...)) from behind, and what stands in front of it. 100 pairs do for a, b < 1e4."""
        fraction = (a + b + x) * 0 + 1
        for m in range(pairs, -1, -1):
            odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            fraction = 1 + odd / fraction
            if m:
                fraction = 1 + m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) / fraction
        beta = self.gammaln(a) + self.gammaln(b) - self.gammaln(a + b)
        return (a * x.log() + b * (-x).log1p() - beta).exp() / (a * fraction)
