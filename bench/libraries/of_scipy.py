"""Rows for SciPy, with SCIPY_ARRAY_API=1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from scipy import differentiate, fft, integrate, interpolate, linalg, ndimage, optimize, signal, special, stats
from scipy.cluster import vq
from scipy.optimize import elementwise
from scipy.spatial.transform import Rotation

from bench.libraries.row import MATRIX, POSITIVE, SHARES, Row, X

COERCES = "the library turns its argument into a NumPy array"
COMPILED = "compiled code for NumPy arrays"


def with_xp(f: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """f(xp, a) as a function of a, with xp the namespace of a."""
    return lambda a: f(array_namespace(a), a)


# --- special functions ----------------------------------------------------------------------------------

REAL = (
    "erf",
    "erfc",
    "erfcx",
    "expit",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "j0",
    "j1",
    "log_ndtr",
    "log_softmax",
    "logsumexp",
    "ndtr",
)
ON_SHARES = ("entr", "erfinv", "logit", "ndtri")
ON_POSITIVE = ("digamma", "gamma", "gammaln", "psi")


def incomplete(name: str) -> Row:
    function = getattr(special, name)
    return Row(f"special.{name}", with_xp(lambda xp, x: function(xp.asarray(1.5), x)), POSITIVE)


ROWS = [
    *(Row(f"special.{name}", getattr(special, name), X) for name in (*REAL, "softmax")),
    *(Row(f"special.{name}", getattr(special, name), SHARES) for name in ON_SHARES),
    *(Row(f"special.{name}", getattr(special, name), POSITIVE) for name in ON_POSITIVE),
    Row("special.polygamma", lambda x: special.polygamma(1, x), POSITIVE),
    *(Row(f"special.{name}", getattr(special, name), POSITIVE, SHARES) for name in ("xlogy", "xlog1py", "rel_entr")),
    Row("special.kl_div", special.kl_div, POSITIVE, SHARES),
    Row("special.betaln", special.betaln, POSITIVE, SHARES),
    *(incomplete(name) for name in ("gammainc", "gammaincc")),
    Row("special.betainc", with_xp(lambda xp, x: special.betainc(xp.asarray(1.5), xp.asarray(2.0), x)), SHARES),
    Row("special.stdtr", with_xp(lambda xp, x: special.stdtr(xp.asarray(5.0), x)), X),
    Row("special.chdtrc", with_xp(lambda xp, x: special.chdtrc(xp.asarray(5.0), x)), POSITIVE),
    Row("special.spence", special.spence, POSITIVE, because="xgrad has no rule for it, and SciPy falls back on NumPy"),
]

# --- statistics -----------------------------------------------------------------------------------------

OF_ONE = (
    *("boxcox_llf", "circmean", "differential_entropy", "entropy", "gmean", "gstd", "gzscore", "hmean", "iqr", "kstat"),
    *("kurtosis", "sem", "skew", "tmean", "tvar", "variation", "zscore"),
)
TESTS_OF_TWO = ("bartlett", "f_oneway", "pearsonr", "ttest_ind", "ttest_rel")


def hypotheses(name: str, what: str) -> Row:
    """A row for the statistic, or the p-value, of a test of two samples."""
    remark = " (p-value)" if what == "pvalue" else ""
    return Row(f"stats.{name}{remark}", lambda x, y: getattr(getattr(stats, name)(x, y), what), X, POSITIVE)


ROWS += [
    *(Row(f"stats.{name}", getattr(stats, name), POSITIVE) for name in OF_ONE if name != "boxcox_llf"),
    Row("stats.boxcox_llf", lambda x: stats.boxcox_llf(0.5, x), POSITIVE),
    Row("stats.describe", lambda x: stats.describe(x).skewness, POSITIVE),
    Row("stats.lmoment", stats.lmoment, POSITIVE),
    Row("stats.moment", lambda x: stats.moment(x, 3), X),
    Row("stats.pmean", lambda x: stats.pmean(x, 2.5), POSITIVE),
    Row("stats.quantile", lambda x: stats.quantile(x, 0.3), X),
    Row("stats.trim_mean", lambda x: stats.trim_mean(x, 0.2), X),
    *(hypotheses(name, "statistic") for name in TESTS_OF_TWO),
    *(hypotheses(name, "pvalue") for name in TESTS_OF_TWO),
    Row("stats.ttest_1samp (p-value)", lambda x: stats.ttest_1samp(x, 0.0).pvalue, X),
    Row("stats.ttest_ind (Welch)", lambda x, y: stats.ttest_ind(x, y, equal_var=False).statistic, X, POSITIVE),
    Row(
        "stats.ttest_ind (p-value, Welch)",
        lambda x, y: stats.ttest_ind(x, y, equal_var=False).pvalue,
        X,
        POSITIVE,
        because="the degrees of freedom depend on the data, and the incomplete beta function's derivative by them is not known",
    ),
    Row("stats.jarque_bera (p-value)", lambda x: stats.jarque_bera(x).pvalue, X),
    Row("stats.chisquare", lambda x: stats.chisquare(x, sum_check=False).statistic, POSITIVE),
    Row("stats.combine_pvalues", lambda x: stats.combine_pvalues(x).statistic, SHARES),
    Row("stats.norm.pdf", stats.norm.pdf, X, because=COERCES),
    Row("stats.Normal", lambda x: stats.Normal().pdf(x), X, because=COERCES),
    Row("stats.spearmanr", lambda x, y: stats.spearmanr(x, y).statistic, X, POSITIVE),
    Row("stats.linregress", lambda x, y: stats.linregress(x, y).slope, X, POSITIVE, because=COERCES),
    Row("stats.expectile", stats.expectile, X, because=COERCES),
    Row("stats.wasserstein_distance", stats.wasserstein_distance, X, POSITIVE, because=COERCES),
]

# --- signals and transforms -----------------------------------------------------------------------------

ROWS += [
    Row("signal.fftconvolve", signal.fftconvolve, X, POSITIVE),
    Row("signal.oaconvolve", signal.oaconvolve, X, POSITIVE),
    Row("signal.hilbert", lambda x: abs(signal.hilbert(x)), X),
    Row("signal.envelope", lambda x: signal.envelope(x, (None, None)), X),
    Row("signal.resample", lambda x: signal.resample(x, 11), X),
    Row("signal.freqz", lambda b: abs(signal.freqz(b, worN=9)[1]), X),
    Row("signal.convolve", signal.convolve, X, POSITIVE, because=COERCES),
    Row("signal.detrend", signal.detrend, X, because=COERCES),
    Row("signal.czt", lambda x: abs(signal.czt(x)), X, because=COERCES),
    Row("signal.savgol_filter", lambda x: signal.savgol_filter(x, 5, 2), X, because=COERCES),
    Row(
        "signal.lfilter",
        with_xp(lambda xp, x: signal.lfilter(xp.asarray([0.5]), xp.asarray([1.0, 0.3]), x)),
        X,
        because=COMPILED,
    ),
    Row("fft.rfft", lambda x: abs(fft.rfft(x)), X),
    Row("fft.fftn", lambda x: abs(fft.fftn(x)), MATRIX),
    Row("fft.fht", lambda x: fft.fht(x, 0.1, 0.2), X),
    Row("fft.dct", fft.dct, X, because=COERCES),
]

MASKED = "the value is right; it multiplies 0 by an infinite weight and masks the nan afterwards: 0 * inf is nan in every rule"

# --- calculus -------------------------------------------------------------------------------------------


def tanhsinh(xp: Any, a: Any) -> Any:
    return integrate.tanhsinh(lambda x, a: xp.exp(-a * x * x), xp.asarray(0.0), xp.asarray(1.0), args=(a,)).integral


def tanhsinh_limit(xp: Any, b: Any) -> Any:
    return integrate.tanhsinh(lambda x: xp.exp(-x * x), xp.zeros_like(b), b).integral


def cubature(xp: Any, a: Any) -> Any:
    return integrate.cubature(lambda x: xp.exp(-a * x), xp.asarray([0.0]), xp.asarray([1.0])).estimate


def tanhsinh_to_infinity(xp: Any, a: Any) -> Any:
    return integrate.tanhsinh(lambda x, a: xp.exp(-a * x), xp.asarray(0.0), xp.asarray(np.inf), args=(a,)).integral


def nsum_to_infinity(xp: Any, a: Any) -> Any:
    return integrate.nsum(lambda k, a: a / (k * k), xp.asarray(1.0), xp.asarray(np.inf), args=(a,)).sum


def nsum(xp: Any, a: Any) -> Any:
    return integrate.nsum(lambda k, a: 1 / (k * k + a), xp.asarray(1.0), xp.asarray(50.0), args=(a,)).sum


def root(xp: Any, a: Any) -> Any:
    bracket = xp.zeros_like(a), 3 * xp.ones_like(a)
    return elementwise.find_root(lambda x, a: x**3 - a, bracket, args=(a,)).x


def minimum(xp: Any, a: Any) -> Any:
    bracket = -3 * xp.ones_like(a), xp.ones_like(a), 6 * xp.ones_like(a)
    return elementwise.find_minimum(lambda x, a: (x - a) ** 2 + a * x / 2, bracket, args=(a,)).f_x


def hessian(xp: Any, a: Any) -> Any:
    return differentiate.hessian(lambda x: xp.sum(xp.sin(x) * x, axis=0), a).ddf


ROWS += [
    Row("integrate.tanhsinh", with_xp(tanhsinh), POSITIVE),
    Row("integrate.tanhsinh (limit)", with_xp(tanhsinh_limit), POSITIVE),
    Row("integrate.tanhsinh (to infinity)", with_xp(tanhsinh_to_infinity), POSITIVE, because=MASKED),
    Row("integrate.nsum (to infinity)", with_xp(nsum_to_infinity), POSITIVE, because=MASKED),
    Row("integrate.cubature", with_xp(cubature), POSITIVE),
    Row("integrate.nsum", with_xp(nsum), POSITIVE),
    Row("integrate.trapezoid", integrate.trapezoid, X),
    Row("integrate.cumulative_trapezoid", integrate.cumulative_trapezoid, X),
    Row("integrate.cumulative_simpson", integrate.cumulative_simpson, X),
    Row("integrate.simpson", integrate.simpson, X, because=COERCES),
    Row("optimize.elementwise.find_root", with_xp(root), POSITIVE),
    Row("optimize.elementwise.find_minimum", with_xp(minimum), POSITIVE),
    Row("optimize.rosen", optimize.rosen, X),
    Row("differentiate.derivative", with_xp(lambda xp, a: differentiate.derivative(xp.sin, a).df), POSITIVE),
    Row(
        "differentiate.jacobian", with_xp(lambda xp, a: differentiate.jacobian(lambda x: xp.sin(x) * x, a).df), POSITIVE
    ),
    Row("differentiate.hessian", with_xp(hessian), POSITIVE[:3]),
]

# --- the rest -------------------------------------------------------------------------------------------

ROWS += [
    Row("spatial.transform.Rotation", lambda x: Rotation.from_rotvec(x).as_matrix(), MATRIX[0]),
    Row("cluster.vq.whiten", vq.whiten, MATRIX),
    Row("cluster.vq.vq", lambda x, y: vq.vq(x, y)[1], MATRIX, MATRIX[:3] + 0.1, because=COERCES),
    Row("linalg.solve", lambda a: linalg.solve(a, a[0]), MATRIX[:3], because=COERCES),
    Row("ndimage.gaussian_filter", lambda x: ndimage.gaussian_filter(x, 1.0), X, because=COERCES),
    Row("interpolate.CubicSpline", lambda y: interpolate.CubicSpline(np.arange(7.0), y)(2.5), X, because=COERCES),
]
