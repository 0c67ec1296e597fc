"""Special functions, under their names in scipy.special. A function of scipy.special that is given tensors calls those here.

On NumPy they need SciPy (`pip install 'xgrad[scipy]'`), except for those that are composed of other functions. CuPy and PyTorch
have them themselves.
"""

from xgrad.rules.beta import betainc as betainc
from xgrad.rules.beta import betaln as betaln
from xgrad.rules.beta import binom as binom
from xgrad.rules.beta import fdtr as fdtr
from xgrad.rules.beta import fdtrc as fdtrc
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
from xgrad.rules.incomplete_gamma import gamma_slope as gamma_slope
from xgrad.rules.incomplete_gamma import gammainc as gammainc
from xgrad.rules.incomplete_gamma import gammaincc as gammaincc
from xgrad.rules.special import derivative as derivative
from xgrad.rules.special import digamma as digamma
from xgrad.rules.special import erf as erf
from xgrad.rules.special import erfc as erfc
from xgrad.rules.special import erfcx as erfcx
from xgrad.rules.special import erfinv as erfinv
from xgrad.rules.special import gamma as gamma
from xgrad.rules.special import gammaln as gammaln
from xgrad.rules.special import i0 as i0
from xgrad.rules.special import i0e as i0e
from xgrad.rules.special import i1 as i1
from xgrad.rules.special import i1e as i1e
from xgrad.rules.special import j0 as j0
from xgrad.rules.special import j1 as j1
from xgrad.rules.special import log_ndtr as log_ndtr
from xgrad.rules.special import ndtr as ndtr
from xgrad.rules.special import ndtri as ndtri
from xgrad.rules.special import polygamma as polygamma
from xgrad.rules.special import psi as psi
