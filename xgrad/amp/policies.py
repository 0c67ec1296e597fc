"""Which operations `autocast` computes in the lower precision, and which in float32. All others take what they get.

The lists are PyTorch's for GPUs (https://docs.pytorch.org/docs/stable/amp.html), by xgrad's names, with these differences:

* tensordot is a product like matmul. PyTorch lowers einsum, but not tensordot.
* Linear algebra and Fourier transforms are in float32, as on PyTorch's list for CPUs, because few libraries have them in half
  precision.
* Losses, distances and normalization are in float32 as whole functions: they are decorated in nn/functional.
"""

from __future__ import annotations

from xgrad.engine.op import OPS

# Products: they take most of the time, and a rounded factor changes their result by no more than it was rounded.
LOWER = ("matmul", "tensordot", "linear", "convolution", "convolution_transpose", "attention", "recurrent")

# Functions whose results may leave the range of float16, and sums of many elements.
FLOAT32 = (
    *("exp", "expm1", "log", "log1p", "log2", "log10", "pow", "reciprocal"),
    *("acos", "asin", "cosh", "sinh", "tan", "special.erfinv"),
    *("softplus", "softmax", "log_softmax", "logsumexp", "special.logsumexp"),
    *("binary_cross_entropy", "sigmoid_cross_entropy", "softmax_cross_entropy", "ctc_forward"),
    *("sum", "prod", "cumulative_sum", "cumulative_prod", "linalg.vector_norm"),
    *("linalg.cholesky", "linalg.det", "linalg.eig", "linalg.eigh", "linalg.inv", "linalg.pinv", "linalg.qr"),
    *("linalg.slogdet", "linalg.solve", "linalg.svd"),
    *("fft.fftn", "fft.ifftn", "fft.rfft", "fft.irfft"),
)

# The names are looked up once: a name that no operation has is an error at import.
LOWERED = frozenset(OPS[name] for name in LOWER)
RAISED = frozenset(OPS[name] for name in FLOAT32)
