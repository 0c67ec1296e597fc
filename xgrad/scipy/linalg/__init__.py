"""scipy.linalg on tensors: systems, factorizations, functions of matrices, matrix equations."""

from xgrad.scipy.linalg.factors import eig as eig
from xgrad.scipy.linalg.factors import eigh as eigh
from xgrad.scipy.linalg.factors import eigvals as eigvals
from xgrad.scipy.linalg.factors import eigvalsh as eigvalsh
from xgrad.scipy.linalg.factors import norm as norm
from xgrad.scipy.linalg.factors import qr as qr
from xgrad.scipy.linalg.factors import svd as svd
from xgrad.scipy.linalg.factors import svdvals as svdvals
from xgrad.scipy.linalg.functions import cosm as cosm
from xgrad.scipy.linalg.functions import expm as expm
from xgrad.scipy.linalg.functions import expm_frechet as expm_frechet
from xgrad.scipy.linalg.functions import logm as logm
from xgrad.scipy.linalg.functions import sinm as sinm
from xgrad.scipy.linalg.functions import sqrtm as sqrtm
from xgrad.scipy.linalg.patterns import block_diag as block_diag
from xgrad.scipy.linalg.patterns import circulant as circulant
from xgrad.scipy.linalg.patterns import hankel as hankel
from xgrad.scipy.linalg.patterns import toeplitz as toeplitz
from xgrad.scipy.linalg.sylvester import solve_continuous_lyapunov as solve_continuous_lyapunov
from xgrad.scipy.linalg.sylvester import solve_discrete_lyapunov as solve_discrete_lyapunov
from xgrad.scipy.linalg.sylvester import solve_sylvester as solve_sylvester
from xgrad.scipy.linalg.systems import cho_factor as cho_factor
from xgrad.scipy.linalg.systems import cho_solve as cho_solve
from xgrad.scipy.linalg.systems import cholesky as cholesky
from xgrad.scipy.linalg.systems import det as det
from xgrad.scipy.linalg.systems import inv as inv
from xgrad.scipy.linalg.systems import lstsq as lstsq
from xgrad.scipy.linalg.systems import pinv as pinv
from xgrad.scipy.linalg.systems import solve as solve
from xgrad.scipy.linalg.systems import solve_banded as solve_banded
from xgrad.scipy.linalg.systems import solve_triangular as solve_triangular
from xgrad.scipy.others import others as _others

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "cosm",
    "det",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "expm_frechet",
    "hankel",
    "inv",
    "logm",
    "lstsq",
    "norm",
    "pinv",
    "qr",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "toeplitz",
]
__getattr__ = _others("linalg", __all__)
