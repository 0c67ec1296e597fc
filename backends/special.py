"""The special functions, which the standard lacks, by SciPy's names: `xp.special` of a raw namespace.

A library's class names the module that has them. Functions made of the standard's functions are in elementary.py, derivatives
whose usual formulas lose digits in bessel.py and normal.py, and beta.py is for libraries without a beta function. Any other
function that a library lacks raises NotImplementedError. No array goes through the host.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from math import inf, nan, sqrt
from typing import Any, ClassVar

from xgrad.backends import bessel, beta_slope, gamma_slope, normal
from xgrad.backends.beta import Beta, in_double
from xgrad.backends.elementary import silent
from xgrad.backends.log_tails import LogTails
from xgrad.backends.quantiles import Quantiles
from xgrad.backends.refusal import ROWS, refusal

# The functions that a library must have, and those that are made of them. The others are made of the standard's functions.
LIBRARYS = tuple(
    "special." + name
    for name in (
        *("erf", "erfc", "erfcinv", "erfcx", "erfinv", "ndtr", "ndtri", "log_ndtr"),
        *("gamma", "gammaln", "gammasgn", "rgamma", "digamma", "psi", "polygamma", "multigammaln"),
        *("gammainc", "gammaincc", "gammaincinv", "gammainccinv", "gammaincln", "gammainccln", "gamma_slope"),
        *(
            "beta",
            "betaln",
            "betainc",
            "betaincc",
            "betaincinv",
            "betainccinv",
            "betaincln",
            "betainccln",
            "beta_slope",
        ),
        *("binom", "fdtr", "fdtrc", "stdtr", "stdtrit"),
        *("j0", "j1", "jn", "jv", "y0", "y1", "yn", "i0", "i0e", "i1", "i1e", "iv", "ive", "derivative"),
    )
)
# Bessel functions that most libraries lack, as tables of why a backend cannot do something.
OF_ANY_ORDER = dict.fromkeys(
    ("special.jn", "special.jv", "special.iv", "special.ive"), "the library has no Bessel functions of any order"
)
OF_THE_SECOND_KIND = dict.fromkeys(
    ("special.y0", "special.y1", "special.yn"), "the library has no Bessel functions of the second kind with all digits"
)


# Derivatives of any order, for functions whose usual formulas lose digits: name -> f(special functions, array, order).
FORMULAS: dict[str, Callable[[Any, Any, int], Any]] = {
    "j0": bessel.j0,
    "i0": bessel.i0,
    "i0e": bessel.i0e,
    "i1e": bessel.i1e,
    "erfcx": normal.erfcx,
    "log_ndtr": normal.log_ndtr,
}


class Special(LogTails):
    """Special functions on raw arrays of one library. `xp` is its raw namespace."""

    library = ""  # the library's name, for error messages
    module: ClassVar[str | None] = None
    install: ClassVar[str] = ""  # the command that installs the module, for error messages
    names: ClassVar[dict[str, str]] = {}  # SciPy's name -> the library's, where they differ

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.library = self.library or xp.library.__name__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self.__dict__[name] = self._found(name)
        return found

    def _found(self, name: str) -> Any:
        """The function that a row of rules/ defines, otherwise the library's, otherwise one that raises NotImplementedError."""
        row = ROWS.get(f"special.{name}")
        if row is not None:
            return partial(row, self.xp)
        if self.module is None:
            return refusal(f"special.{name}", self.library, "the library has no special functions")
        found = getattr(self._functions(name), self.names.get(name, name), None)
        return found or refusal(f"special.{name}", self.library, f"{self.module} has no such function")

    def _functions(self, name: str) -> Any:
        try:
            return import_module(str(self.module))
        except ImportError as error:
            raise ImportError(f"special.{name} of {self.library} arrays needs {self.module}: {self.install}") from error

    @silent
    def derivative(self, x: Any, of: str, order: int) -> Any:
        """The derivative of that order of one of the FORMULAS; order 0 is the function."""
        return FORMULAS[of](self, x, order) if order else getattr(self, of)(x)

    @silent
    def polygamma(self, n: Any, x: Any) -> Any:
        """(-1)**(n + 1) * gamma(n + 1) * zeta(n + 1, x), digamma for n = 0, and nan where n is not one of 0, 1, 2, ... or inf."""
        xp, dtype, x = self.xp, x.dtype, self._double(x)
        n = xp.astype(n, x.dtype, copy=False) if hasattr(n, "shape") else xp.full((), float(n), dtype=x.dtype)
        known = (n >= 0) & (n == xp.floor(n)) & (n < inf)
        order = xp.where(known, n, xp.ones((), dtype=x.dtype))
        even = xp.floor(order / 2) * 2 == order
        size = self.gamma(order + 1) * self._zeta(order + 1, x, ~even)
        found = xp.where(order == 0, self.digamma(x), xp.where(even, -size, size))
        limit = xp.where((n == inf) & ~xp.isnan(x), n, xp.full((), nan, dtype=x.dtype))
        return xp.astype(xp.where(known, found, limit), dtype, copy=False)

    @silent
    def gamma_slope(self, a: Any, t: Any, order: int = 0) -> Any:
        """In double precision: the differences of its arguments would lose too many digits in single precision."""
        dtype = self.xp.result_type(a.dtype, t.dtype)
        found = gamma_slope.slope(self, self._double(a), self._double(t), order)
        return self.xp.astype(found, dtype, copy=False)

    @silent
    def beta_slope(self, a: Any, b: Any, t: Any, order: tuple[int, int] = (0, 0)) -> Any:
        """In double precision, as gamma_slope."""
        dtype = self.xp.result_type(a.dtype, b.dtype, t.dtype)
        found = beta_slope.slope(self, self._double(a), self._double(b), self._double(t), order)
        return self.xp.astype(found, dtype, copy=False)

    def _zeta(self, s: Any, x: Any, is_even: Any) -> Any:
        """The sum of (x + k)**-s over k = 0, 1, ... for integers s. For negative x: that over all k, minus the rest."""
        xp = self.xp
        one = xp.ones((), dtype=x.dtype)
        negative, large = x < 0, x > 1e8
        t = xp.where(negative & ~xp.isinf(x), x, -one / 2)
        above, below = t - xp.floor(t), xp.floor(t) + 1 - t
        whole = above == 0
        above, below = xp.where(whole, one, above), xp.where(whole, one, below)
        left, less = self.zeta(s, below), self.zeta(s, 1 - t)
        mirrored = self.zeta(s, above) + xp.where(is_even, left, -left) - xp.where(is_even, less, -less)
        usual = self.zeta(s, xp.where(negative | large, one, x))
        q = xp.where(large, x, one)
        tail = (1 / (s - 1) + 0.5 / q) * q ** (1 - s)
        found = xp.where(negative, mirrored, xp.where(large, tail, usual))
        return xp.where((x <= 0) & (x == xp.floor(x)), xp.full((), inf, dtype=x.dtype), found)

    def _double(self, x: Any) -> Any:
        return self.xp.astype(x, self.xp.float64, copy=False)


class SciPySpecial(Special):
    """scipy.special, for NumPy's arrays."""

    library = "numpy"
    module = "scipy.special"
    install = "pip install 'xgrad[scipy]'"

    def _zeta(self, s: Any, x: Any, is_even: Any) -> Any:
        """SciPy's own function for positive numbers, where it is right and fast."""
        return self.zeta(s, x) if (x > 0).all() else super()._zeta(s, x, is_even)

    def betaincc(self, a: Any, b: Any, x: Any) -> Any:
        """SciPy's own, which needs no 1 - x."""
        return self._found("betaincc")(a, b, x)

    @in_double
    def stdtr(self, df: Any, x: Any) -> Any:
        """SciPy's own, which has five digits in single precision."""
        return self._found("stdtr")(df, x)

    @in_double
    def stdtrit(self, df: Any, p: Any) -> Any:
        """SciPy's own, which is inf for p = 0."""
        found = self._found("stdtrit")(df, p)
        return self.xp.where((p == 0) & (df > 0), -self.xp.abs(found), found)


class CuPySpecial(Special):
    """cupyx.scipy.special, which comes with CuPy."""

    library = "cupy"
    module = "cupyx.scipy.special"

    def betainccinv(self, a: Any, b: Any, q: Any) -> Any:
        return 1 - self.betaincinv(b, a, q)


class WithoutBeta(Beta, Quantiles, Special):
    """For a library without a beta function and without quantiles, whose Bessel functions are inaccurate."""

    has_tails = False

    def erfcinv(self, x: Any) -> Any:
        return self.ndtri(0.5 * x) * -sqrt(0.5)

    @in_double
    def rgamma(self, x: Any) -> Any:
        """From log-gamma and the sign; 0 at the poles."""
        xp = self.xp
        pole = (x <= 0) & (x == xp.floor(x))
        size = xp.exp(-self.gammaln(xp.where(pole, xp.ones((), dtype=x.dtype), x))) * self._sign_of_gamma(x)
        return xp.where(pole, xp.zeros((), dtype=x.dtype), size)

    def gammasgn(self, x: Any) -> Any:
        """0 has the sign of the infinity on its side, and the other poles have none."""
        xp = self.xp
        sign = xp.where((x == 0) & (1 / x < 0), -xp.ones((), dtype=x.dtype), self._sign_of_gamma(x))
        return xp.where(xp.isnan(x) | ((x < 0) & (x == xp.floor(x))), xp.full((), nan, dtype=x.dtype), sign)

    @in_double
    def beta(self, a: Any, b: Any) -> Any:
        """With SciPy's signs at the poles of the gamma function: those of a product, or 1 where there is none."""
        xp, one = self.xp, self.xp.ones((), dtype=a.dtype)
        first, second = (a <= 0) & (a == xp.floor(a)), (b <= 0) & (b == xp.floor(b))
        other = xp.where(first, b, a)
        odd = ~xp.isinf(a + b) & (other == xp.floor(other)) & (1 - a - b > 0) & (xp.floor(other) % 2 == 1)
        signs = self._sign_of_gamma(a) * self._sign_of_gamma(b) * self._sign_of_gamma(a + b)
        signs = xp.where(xp.isnan(a) | xp.isnan(b), one, signs)
        return xp.exp(self.betaln(a, b)) * xp.where(first | second, xp.where(odd, -one, one), signs)

    def j0(self, x: Any) -> Any:
        """By formula: PyTorch's and JAX's own functions have eight digits or fewer."""
        return bessel.bessel_j(self.xp, x, 0)

    def j1(self, x: Any) -> Any:
        return bessel.bessel_j(self.xp, x, 1)


class JAXSpecial(WithoutBeta):
    """jax.scipy.special, with the functions that it lacks."""

    library = "jax"
    module = "jax.scipy.special"
    names: ClassVar[dict[str, str]] = {"psi": "digamma"}

    def _double(self, x: Any) -> Any:
        """In double precision only if JAX's setting jax_enable_x64 is on."""
        return self.xp.astype(x, self.xp.zeros(()).dtype)

    @in_double
    def betainc(self, a: Any, b: Any, x: Any) -> Any:
        return self._found("betainc")(a, b, x)

    def digamma(self, x: Any) -> Any:
        """With the pole at 0, where JAX's own function is nan."""
        zero = x == 0
        safe = self.xp.where(zero, self.xp.ones((), dtype=x.dtype), x)
        return self.xp.where(zero, -1 / x, self._found("digamma")(safe))


class TorchSpecial(WithoutBeta):
    """torch.special, with the functions that it lacks."""

    library = "torch"
    module = "torch.special"

    def ndtr(self, x: Any) -> Any:
        """By erfc: PyTorch's own function is inaccurate where it is small."""
        return 0.5 * self.erfc(x * -sqrt(0.5))

    @in_double
    def gamma(self, x: Any) -> Any:
        """From log-gamma and the sign; nan at the negative integers."""
        xp = self.xp
        size = xp.exp(self.gammaln(x)) * self._sign_of_gamma(x)
        signed = xp.where(x == 0, 1 / x, size)
        return xp.where((x < 0) & (x == xp.floor(x)), xp.full((), nan, dtype=x.dtype), signed)


# The functions that need the gamma function, or one that dpnp lacks too.
OF_GAMMA = (
    *("gamma", "gammaln", "gammasgn", "rgamma", "digamma", "psi", "polygamma", "multigammaln"),
    *("gammainc", "gammaincc", "gammaincinv", "gammainccinv", "gammaincln", "gammainccln", "gamma_slope"),
    *("beta", "betaln", "betainc", "betaincc", "betaincinv", "betainccinv", "betaincln", "betainccln", "beta_slope"),
    *("binom", "fdtr", "fdtrc", "stdtr", "stdtrit"),
)


class DpnpSpecial(Special):
    """dpnp.scipy.special, which has error functions, with functions that are made of those and of the standard's."""

    library = "dpnp"
    module = "dpnp.scipy.special"

    def ndtr(self, x: Any) -> Any:
        return 0.5 * self.erfc(x * -sqrt(0.5))

    def ndtri(self, p: Any) -> Any:
        return -sqrt(2.0) * self.erfcinv(2.0 * p)

    def log_ndtr(self, x: Any) -> Any:
        """Below 0 by erfcx, because the distribution function may underflow there."""
        xp = self.xp
        left = x < 0
        below, above = (xp.where(there, x, xp.zeros((), dtype=x.dtype)) for there in (left, ~left))
        tail = xp.log(0.5 * self.erfcx(below * -sqrt(0.5))) - 0.5 * below * below
        return xp.where(left, tail, xp.log1p(-0.5 * self.erfc(above * sqrt(0.5))))

    def j0(self, x: Any) -> Any:
        return bessel.bessel_j(self.xp, x, 0)

    def j1(self, x: Any) -> Any:
        return bessel.bessel_j(self.xp, x, 1)

    def i0(self, x: Any) -> Any:
        return self.i0e(x) * self.xp.exp(self.xp.abs(x))

    def i1(self, x: Any) -> Any:
        return self.i1e(x) * self.xp.exp(self.xp.abs(x))

    def i0e(self, x: Any) -> Any:
        return bessel.bessel_ie(self.xp, x, 0)

    def i1e(self, x: Any) -> Any:
        return bessel.bessel_ie(self.xp, x, 1)
