"""Special functions, under their names in scipy.special. A function of scipy.special that is given tensors calls those here.

On NumPy they need SciPy (`pip install 'xgrad[scipy]'`), except for those that are composed of other functions. CuPy and PyTorch
have them themselves.
"""

from xgrad.rules.bessel_orders import iv as iv
from xgrad.rules.bessel_orders import ive as ive
from xgrad.rules.bessel_orders import jn as jn
from xgrad.rules.bessel_orders import jv as jv
from xgrad.rules.bessel_orders import yn as yn
from xgrad.rules.beta import beta as beta
from xgrad.rules.beta import betaln as betaln
from xgrad.rules.beta import binom as binom
from xgrad.rules.entropy import entr as entr
from xgrad.rules.entropy import expit as expit
from xgrad.rules.entropy import kl_div as kl_div
from xgrad.rules.entropy import log_expit as log_expit
from xgrad.rules.entropy import log_softmax as log_softmax
from xgrad.rules.entropy import logit as logit
from xgrad.rules.entropy import logsumexp as logsumexp
from xgrad.rules.entropy import rel_entr as rel_entr
from xgrad.rules.entropy import softmax as softmax
from xgrad.rules.entropy import xlog1py as xlog1py
from xgrad.rules.entropy import xlogy as xlogy
from xgrad.rules.incomplete_beta import beta_slope as beta_slope
from xgrad.rules.incomplete_beta import betainc as betainc
from xgrad.rules.incomplete_beta import betaincc as betaincc
from xgrad.rules.incomplete_beta import betainccinv as betainccinv
from xgrad.rules.incomplete_beta import betainccln as betainccln
from xgrad.rules.incomplete_beta import betaincinv as betaincinv
from xgrad.rules.incomplete_beta import betaincln as betaincln
from xgrad.rules.incomplete_beta import fdtr as fdtr
from xgrad.rules.incomplete_beta import fdtrc as fdtrc
from xgrad.rules.incomplete_gamma import gamma_slope as gamma_slope
from xgrad.rules.incomplete_gamma import gammainc as gammainc
from xgrad.rules.incomplete_gamma import gammaincc as gammaincc
from xgrad.rules.incomplete_gamma import gammainccinv as gammainccinv
from xgrad.rules.incomplete_gamma import gammainccln as gammainccln
from xgrad.rules.incomplete_gamma import gammaincinv as gammaincinv
from xgrad.rules.incomplete_gamma import gammaincln as gammaincln
from xgrad.rules.special import derivative as derivative
from xgrad.rules.special import digamma as digamma
from xgrad.rules.special import erf as erf
from xgrad.rules.special import erfc as erfc
from xgrad.rules.special import erfcinv as erfcinv
from xgrad.rules.special import erfcx as erfcx
from xgrad.rules.special import erfinv as erfinv
from xgrad.rules.special import gamma as gamma
from xgrad.rules.special import gammaln as gammaln
from xgrad.rules.special import gammasgn as gammasgn
from xgrad.rules.special import i0 as i0
from xgrad.rules.special import i0e as i0e
from xgrad.rules.special import i1 as i1
from xgrad.rules.special import i1e as i1e
from xgrad.rules.special import j0 as j0
from xgrad.rules.special import j1 as j1
from xgrad.rules.special import log_ndtr as log_ndtr
from xgrad.rules.special import multigammaln as multigammaln
from xgrad.rules.special import ndtr as ndtr
from xgrad.rules.special import ndtri as ndtri
from xgrad.rules.special import polygamma as polygamma
from xgrad.rules.special import psi as psi
from xgrad.rules.special import rgamma as rgamma
from xgrad.rules.special import y0 as y0
from xgrad.rules.special import y1 as y1
from xgrad.rules.student import stdtr as stdtr
from xgrad.rules.student import stdtrit as stdtrit
