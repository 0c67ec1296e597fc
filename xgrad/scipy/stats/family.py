"""What the distributions share: SciPy's arguments, where the support ends, and frozen distributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import xgrad as xg
from xgrad.engine.plain import plain_types
from xgrad.engine.tensor import Tensor, wrap
from xgrad.rules.numpy_functions.face import has_tensor, on_their_backend, stacked
from xgrad.rules.special_arguments import arrays
from xgrad.scipy.plain import scipys


class SciPys:
    """A distribution of scipy.stats: its methods are SciPy's where no argument is a tensor."""

    name = ""
    shapes: tuple[str, ...] = ()  # the names of the shape parameters

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        """The distribution with these parameters: `norm(1.0, 2.0).pdf(x)` is `norm.pdf(x, 1.0, 2.0)`."""
        return Frozen(self, args, kwds)

    def __repr__(self) -> str:
        return f"<xgrad.scipy.stats.{self.name}>"

    def __getattr__(self, name: str) -> Any:
        """What tensors do not have, such as `rvs` and `fit`: SciPy's own, for plain arrays."""
        if name.startswith("_"):
            raise AttributeError(name)
        path = f"stats.{self.name}.{name}"
        found = scipys(path)
        if not callable(found):
            return found

        def call(*args: Any, **kwds: Any) -> Any:
            if has_tensor([*args, *kwds.values()]):
                raise NotImplementedError(
                    f"{path} does not take tensors: it would not pass the gradient on. Call it on t.detach().numpy() if the "
                    "gradient is not needed."
                )
            return found(*args, **kwds)

        return call


class Frozen:
    """A distribution with its parameters, as SciPy's `norm(loc, scale)`."""

    def __init__(self, dist: SciPys, args: tuple[Any, ...], kwds: dict[str, Any]) -> None:
        self.dist, self.args, self.kwds = dist, args, kwds

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        parameters = [*self.args, *self.kwds.values()]
        if name in METHODS and hasattr(type(self.dist), name):
            method = getattr(self.dist, name)
            return lambda *given: method(*given, *self.args, **self.kwds)
        if has_tensor(parameters):
            return lambda *given, **kwds: getattr(self.dist, name)(*given, *self.args, **kwds, **self.kwds)
        return getattr(scipys(f"stats.{self.dist.name}")(*self.args, **self.kwds), name)


# Of a frozen distribution.
METHODS = frozenset(
    ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf", "mean", "var", "std", "entropy")
)

Method = Callable[..., Any]


class Parametrized(SciPys):
    """A distribution of numbers, with shape parameters, `loc` and, where `has_scale`, `scale`."""

    has_scale = True

    def _run(self, method: str, function: Method, first: tuple[Any, ...], args: tuple[Any, ...], kwds: Any) -> Any:
        """SciPy's method, or on tensors the function of the first argument, the shapes, loc and scale."""
        given = [*first, *args, *kwds.values()]
        if not has_tensor(given):
            return getattr(scipys(f"stats.{self.name}"), method)(*first, *args, **kwds)
        values = [*first, *self._bound(method, args, kwds)]
        if isinstance(function, Continued) and (usual := function.usual(values)) is not None:
            return usual
        with on_their_backend(given):
            values = [stacked(method, value) if isinstance(value, list | tuple) else value for value in values]
            return function(*arrays(f"{self.name}.{method}", *values))

    def _bound(self, method: str, args: tuple[Any, ...], kwds: dict[str, Any]) -> list[Any]:
        """The shapes, loc and scale, by position or by name."""
        names = (*self.shapes, "loc", *(("scale",) if self.has_scale else ()))
        where = f"{self.name}.{method}"
        if len(args) > len(names):
            raise TypeError(f"{where} takes the parameters {', '.join(names)}, got {len(args)} values")
        values = dict(zip(names, args, strict=False))
        for name, value in kwds.items():
            if name not in names:
                raise TypeError(f"{where} has no parameter {name!r}; it has {', '.join(names)}")
            if name in values:
                raise TypeError(f"{where} got {name} twice")
            values[name] = value
        missing = [name for name in self.shapes if name not in values]
        if missing:
            raise TypeError(f"{where} needs {', '.join(missing)}")
        defaults = {"loc": 0.0, "scale": 1.0}
        return [values[name] if name in values else defaults[name] for name in names]


def _is(parameter: Any, value: float) -> bool:
    """Whether a parameter is this number, and a constant: the default, which leaves an operation out."""
    if not isinstance(parameter, Tensor):
        return bool(parameter == value)
    return parameter.node is None and parameter.shape == () and bool(parameter._data == value)


def _raw(x: Any) -> Any:
    return x._data if isinstance(x, Tensor) else x


class Continued:
    """A function of x, the shapes, loc and scale, made of one of the standard form that is known within the support.

    Args:
        family: the distribution.
        function: the function of the standard form, of x and the shapes.
        below, above: its values outside of the support.
        density: how a density, or its logarithm, changes with the scale. None for what is no density.
        open_low, open_high: whether the end of the support counts as outside.
    """

    def __init__(
        self,
        family: Continuous,
        function: Method,
        below: float,
        above: float,
        *,
        density: Callable[[Tensor, Tensor], Tensor] | None = None,
        open_low: bool = False,
        open_high: bool = False,
    ) -> None:
        self.family, self.function, self.density = family, function, density
        self.outside = below, above, math.nan
        self.open_low, self.open_high = open_low or family.low == -math.inf, open_high or family.high == math.inf

    def usual(self, values: Sequence[Any]) -> Tensor | None:
        """The value where all parameters are good, and all of x lies within the support: then nothing has to be continued.

        None otherwise, and where it costs something to find out: on other backends than NumPy, within vmap and within a trace.
        Beside tensors, `values` may hold Python's numbers.
        """
        x, *shapes, loc, scale = values
        if type(x) not in plain_types or not x.backend.arrays_are_plain or not x.backend.is_inexact(x.dtype):
            return None
        for value in values:
            if isinstance(value, Tensor):
                if value.backend is not x.backend or value.dtype != x.dtype:
                    return None
            elif type(value) is not float and type(value) is not int:
                return None
        is_at_0, is_unscaled, y = _is(loc, 0.0), _is(scale, 1.0), x._data
        if not is_at_0:
            y = y - _raw(loc)
        if not is_unscaled:
            if not (_raw(scale) > 0 if isinstance(scale, float | int) else bool((scale._data > 0).all())):
                return None
            y = y / _raw(scale)
        family = self.family
        good: Any = (y > family.low) & (y < family.high)
        if shapes:
            if not all(isinstance(shape, Tensor) for shape in shapes):
                return None
            good = family._good(*map(_raw, shapes)) & good
        if not bool(good.all()):
            return None
        t = x if is_at_0 else x - loc
        found: Tensor = self.function(t if is_unscaled else t / scale, *shapes)
        if self.density is None or is_unscaled:
            return found
        return self.density(
            found, scale if isinstance(scale, Tensor) else wrap(x.backend.asarray(scale, x.dtype), x.backend)
        )

    def __call__(self, x: Tensor, *parameters: Tensor) -> Tensor:
        if (usual := self.usual((x, *parameters))) is not None:
            return usual
        family = self.family
        good, shapes, loc, scale = family._split(parameters)
        low_value, high_value, none = (xg.full((), each, dtype=x.dtype) for each in self.outside)
        finite = xg.isfinite(x)  # at others the derivatives by loc and scale would not be 0
        y = xg.where(finite, (xg.where(finite, x, 0.0) - loc) / scale, x)
        is_low = (y <= family.low) if self.open_low else (y < family.low)
        is_high = (y >= family.high) if self.open_high else (y > family.high)
        inner = ~(is_low | is_high | xg.isnan(y))
        found = self.function(xg.where(inner, y, family.inside), *shapes)
        if self.density is not None:
            found = self.density(found, scale)
        outside = xg.where(is_low, low_value, xg.where(is_high, high_value, none))
        return xg.where(good, xg.where(inner, found, outside), none)


class Continuous(Parametrized):
    """A distribution with a density.

    A subclass has the functions of the standard form (loc 0, scale 1) with an underscore, on tensors that are inside of the
    support: `_logpdf(x, *shapes)`, `_cdf`, `_ppf(q, *shapes)` ... and `_pdf`, if that is not the exponential of `_logpdf`. Here
    they are continued beyond the support, where their gradients are 0, and moved to `loc` and `scale`.
    """

    low, high = -math.inf, math.inf  # the support of the standard form
    inside = 0.0  # a number within it
    open_ends = False  # whether the density at an end of the support is 0

    def _good(self, *shapes: Any) -> Any:
        """Where the shape parameters are those of a distribution."""
        found: Any = True
        for shape in shapes:
            found = (shape > 0) & found
        return found

    def _split(self, parameters: Sequence[Tensor]) -> tuple[Any, list[Any], Any, Any]:
        """Where the parameters are good, the shapes with 1 in place of those that are not, loc and scale."""
        *shapes, loc, scale = parameters
        good = self._good(*shapes) & (scale > 0)
        scale = xg.where(scale > 0, scale, 1.0)
        return good, [xg.where(self._good(*shapes), shape, 1.0) for shape in shapes], loc, scale

    def _quantile(self, function: Method) -> Callable[..., Tensor]:
        def run(q: Tensor, *parameters: Tensor) -> Tensor:
            good, shapes, loc, scale = self._split(parameters)
            inner = (q >= 0) & (q <= 1)
            found = function(xg.where(inner, q, 0.5), *shapes) * scale + loc
            return xg.where(good & inner, found, math.nan)

        return run

    def _moment(self, function: Method) -> Callable[..., Tensor]:
        def run(*parameters: Tensor) -> Tensor:
            good, shapes, loc, scale = self._split(parameters)
            return xg.where(good, function(*shapes, loc=loc, scale=scale), math.nan)

        return run

    def cdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The distribution function: the probability of at most x."""
        function = Continued(self, self._cdf, 0.0, 1.0)
        return self._run("cdf", function, (x,), args, kwds)

    def logcdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the distribution function, also where that underflows."""
        function = Continued(self, self._logcdf, -math.inf, 0.0, open_low=True)
        return self._run("logcdf", function, (x,), args, kwds)

    def sf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The survival function, 1 - cdf(x), accurate where that is small."""
        function = Continued(self, self._sf, 1.0, 0.0)
        return self._run("sf", function, (x,), args, kwds)

    def logsf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the survival function, also where that underflows."""
        function = Continued(self, self._logsf, 0.0, -math.inf, open_high=True)
        return self._run("logsf", function, (x,), args, kwds)

    def mean(self, *args: Any, **kwds: Any) -> Any:
        """The mean."""
        function = self._moment(lambda *shapes, loc, scale: self._mean(*shapes) * scale + loc)
        return self._run("mean", function, (), args, kwds)

    def var(self, *args: Any, **kwds: Any) -> Any:
        """The variance."""
        function = self._moment(lambda *shapes, loc, scale: self._var(*shapes) * scale * scale + 0.0 * loc)
        return self._run("var", function, (), args, kwds)

    def std(self, *args: Any, **kwds: Any) -> Any:
        """The standard deviation."""
        function = self._moment(lambda *shapes, loc, scale: xg.sqrt(self._var(*shapes) + 0.0 * loc) * scale)
        return self._run("std", function, (), args, kwds)

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The density."""
        ends, per_unit = self.open_ends, lambda y, scale: y / scale
        function = Continued(self, self._pdf, 0.0, 0.0, density=per_unit, open_low=ends, open_high=ends)
        return self._run("pdf", function, (x,), args, kwds)

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the density."""
        ends, per_unit = self.open_ends, lambda y, scale: y - xg.log(scale)
        function = Continued(self, self._logpdf, -math.inf, -math.inf, density=per_unit, open_low=ends, open_high=ends)
        return self._run("logpdf", function, (x,), args, kwds)

    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        """The quantile at the level q: the inverse of cdf."""
        return self._run("ppf", self._quantile(self._ppf), (q,), args, kwds)

    def isf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        """The quantile at the level 1 - q, accurate for small q: the inverse of sf."""
        return self._run("isf", self._quantile(self._isf), (q,), args, kwds)

    def entropy(self, *args: Any, **kwds: Any) -> Any:
        """The differential entropy."""
        function = self._moment(lambda *shapes, loc, scale: self._entropy(*shapes) + xg.log(scale) + 0.0 * loc)
        return self._run("entropy", function, (), args, kwds)

    # --- of the standard form -----------------------------------------------------------------------------------

    def _pdf(self, *args: Any, **kwargs: Any) -> Any:
        return xg.exp(self._logpdf(*args, **kwargs))

    _logpdf: Method
    _cdf: Method
    _logcdf: Method
    _sf: Method
    _logsf: Method
    _ppf: Method
    _isf: Method
    _mean: Method
    _var: Method
    _entropy: Method


def log1mexp(u: Tensor) -> Tensor:
    """log(1 - exp(-u)) for u > 0, accurate for small and for large u."""
    near = u < math.log(2)
    found: Tensor = xg.where(
        near, xg.log(-xg.expm1(-xg.where(near, u, 1.0))), xg.log1p(-xg.exp(-xg.where(near, 1.0, u)))
    )
    return found
