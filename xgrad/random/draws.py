"""Draws from distributions, with NumPy's names and arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xgrad.engine.tensor import Tensor
from xgrad.random.place import Parameters, Place, Shape, is_finite, sizes
from xgrad.rules.data_type import astype
from xgrad.rules.elementwise import ceil, exp, log1p
from xgrad.rules.searching import where

FLOATS = "real floating"


def _positive(*values: Any) -> Any:
    return _all([value > 0 for value in values])


def _scale(loc: Any, scale: Any) -> Any:
    return (scale >= 0) & is_finite(scale) & is_finite(loc)


def _all(conditions: list[Any]) -> Any:
    found = conditions[0]
    for each in conditions[1:]:
        found = found & each
    return found


class Draws:
    """The methods of a generator that draw from a distribution. `size` is the shape of the result."""

    host: Any

    # --- helpers: of a location and a scale; with numbers as parameters; with arrays as parameters

    def _scaled(self, given: Parameters, place: Place, name: str) -> Tensor:
        draw = getattr(self.host, name)
        if given.like is None:
            return place.tensor(draw(*given.values, given.sizes))
        loc, scale = given.on(place)
        return loc + scale * place.tensor(draw(0.0, 1.0, given.sizes))

    def _drawn(self, given: Parameters, place: Place, name: str) -> Tensor:
        """With array parameters, on the host."""
        draw = getattr(self.host, name)
        if given.like is None:
            return place.tensor(draw(*given.values, given.sizes))
        return place.from_host(draw, *given.values)

    def _plain(self, name: str, size: Shape | None, dtype: Any, device: Any, like: Tensor | None) -> Tensor:
        shape, place = sizes(name, size, "size"), Place(FLOATS, dtype, device, like)
        return place.tensor(getattr(self.host, name)(shape))

    def _of(
        self, name: str, size: Shape | None, place: tuple[Any, Any, Any], test: Callable[..., Any], must: str, kind: str = FLOATS,
        /, **values: Any,
    ) -> tuple[Parameters, Place]:  # fmt: skip
        """The parameters, checked, and the place of the result."""
        given = Parameters(name, size, "size", **values)
        given.check(test, must)
        dtype, device, like = place
        return given, given.place(kind, dtype, device, like)

    # --- without parameters

    def standard_normal(
        self, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:
        """Numbers of the normal distribution with mean 0 and standard deviation 1."""
        return self._plain("standard_normal", size, dtype, device, like)

    def standard_exponential(
        self, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:
        """Numbers of the exponential distribution with mean 1."""
        return self._plain("standard_exponential", size, dtype, device, like)

    def standard_cauchy(
        self, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:
        """Numbers of the Cauchy distribution with location 0 and scale 1."""
        return self._plain("standard_cauchy", size, dtype, device, like)

    def random(
        self, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:
        """Numbers that are uniformly distributed in [0, 1)."""
        return self._plain("random", size, dtype, device, like)

    # --- location and scale

    def laplace(
        self, loc: Any = 0.0, scale: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Numbers of the Laplace distribution."""
        must = "loc and scale must be finite, and scale 0 or more"
        given, place = self._of("laplace", size, (dtype, device, like), _scale, must, loc=loc, scale=scale)
        return self._scaled(given, place, "laplace")

    def gumbel(
        self, loc: Any = 0.0, scale: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Numbers of the Gumbel distribution, that of the largest of many."""
        must = "loc and scale must be finite, and scale 0 or more"
        given, place = self._of("gumbel", size, (dtype, device, like), _scale, must, loc=loc, scale=scale)
        return self._scaled(given, place, "gumbel")

    def logistic(
        self, loc: Any = 0.0, scale: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Numbers of the logistic distribution."""
        must = "loc and scale must be finite, and scale 0 or more"
        given, place = self._of("logistic", size, (dtype, device, like), _scale, must, loc=loc, scale=scale)
        return self._scaled(given, place, "logistic")

    def lognormal(
        self, mean: Any = 0.0, sigma: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Numbers whose logarithms are normally distributed with that mean and standard deviation."""
        must = "mean and sigma must be finite, and sigma 0 or more"
        given, place = self._of("lognormal", size, (dtype, device, like), _scale, must, mean=mean, sigma=sigma)
        if given.like is None:
            return place.tensor(self.host.lognormal(*given.values, given.sizes))
        return exp(self._scaled(given, place, "normal"))

    def exponential(
        self, scale: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Numbers of the exponential distribution with mean `scale`."""
        given, place = self._of(
            "exponential", size, (dtype, device, like), lambda scale: scale >= 0, "scale must be 0 or more", scale=scale
        )
        if given.like is None:
            return place.tensor(self.host.exponential(*given.values, given.sizes))
        return given.on(place)[0] * place.tensor(self.host.standard_exponential(given.sizes))

    # --- the gamma distribution and those made of it

    def standard_gamma(
        self, shape: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Numbers of the gamma distribution with that shape parameter, the concentration, and scale 1."""
        given, place = self._of(
            "standard_gamma", size, (dtype, device, like), lambda a: a >= 0, "shape must be 0 or more", shape=shape
        )
        return self._drawn(given, place, "standard_gamma")

    def gamma(
        self, shape: Any, scale: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None,
        like: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """Numbers of the gamma distribution with that shape parameter, the concentration, and that scale."""
        given, place = self._of(
            "gamma", size, (dtype, device, like), lambda a, scale: (a >= 0) & (scale >= 0), "shape and scale must be 0 or more",
            shape=shape, scale=scale,
        )  # fmt: skip
        if given.like is None:
            return place.tensor(self.host.gamma(*given.values, given.sizes))
        return given.on(place)[1] * place.from_host(self.host.standard_gamma, given.values[0])

    def chisquare(
        self, df: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Numbers of the chi-squared distribution with `df` degrees of freedom."""
        given, place = self._of("chisquare", size, (dtype, device, like), _positive, "df must be above 0", df=df)
        return self._drawn(given, place, "chisquare")

    def standard_t(
        self, df: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Numbers of Student's t distribution with `df` degrees of freedom."""
        given, place = self._of("standard_t", size, (dtype, device, like), _positive, "df must be above 0", df=df)
        return self._drawn(given, place, "standard_t")

    def beta(
        self, a: Any, b: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Numbers of the beta distribution, in [0, 1]."""
        given, place = self._of("beta", size, (dtype, device, like), _positive, "a and b must be above 0", a=a, b=b)
        return self._drawn(given, place, "beta")

    # --- whole numbers

    def poisson(
        self, lam: Any = 1.0, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Integers of the Poisson distribution with mean `lam`."""
        given, place = self._of(
            "poisson", size, (dtype, device, like), lambda lam: (lam >= 0) & (lam < 9.2e18),
            "lam must be 0 or more, and below 9.2e18", "integral", lam=lam,
        )  # fmt: skip
        return self._drawn(given, place, "poisson")

    def binomial(
        self, n: Any, p: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Integers of the binomial distribution: how many of `n` trials succeed, each with probability `p`."""
        given, place = self._of(
            "binomial", size, (dtype, device, like), lambda n, p: (n >= 0) & (p >= 0) & (p <= 1),
            "n must be 0 or more, and p from 0 to 1", "integral", n=n, p=p,
        )  # fmt: skip
        host = self.host
        if given.like is None:
            return place.tensor(host.binomial(int(given.values[0]), given.values[1], given.sizes))
        return place.from_host(lambda n, p: host.binomial(n.astype("int64"), p), *given.values)

    def geometric(
        self, p: Any, size: Shape | None = None, *, dtype: Any = None, device: Any = None, like: Tensor | None = None
    ) -> Tensor:  # fmt: skip
        """Integers of the geometric distribution: the number of the first trial that succeeds, from 1, with probability `p`."""
        given, place = self._of(
            "geometric", size, (dtype, device, like), lambda p: (p > 0) & (p <= 1), "p must be above 0, and at most 1",
            "integral", p=p,
        )  # fmt: skip
        if given.like is None:
            return place.tensor(self.host.geometric(*given.values, given.sizes))
        numbers = Place(FLOATS, None, None, given.like)
        (chance,) = given.on(numbers)
        sure = chance == 1
        drawn = ceil(numbers.tensor(-self.host.standard_exponential(given.sizes)) / log1p(-where(sure, 0.5, chance)))
        return astype(where(sure | (drawn == 0), 1.0, drawn), place.dtype)
