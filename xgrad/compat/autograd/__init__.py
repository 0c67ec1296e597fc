"""HIPS autograd's names for xgrad. Code that says `import autograd.numpy as np` runs as it stands.

Plain arrays and numbers go in, and plain arrays come out. Within a differentiated function they are xgrad's tensors.

>>> import xgrad.compat.autograd
>>> xgrad.compat.autograd.install()
>>> import autograd.numpy as np
>>> from autograd import grad
>>> def tanh(x):
...     y = np.exp(-2.0 * x)
...     return (1.0 - y) / (1.0 + y)
>>> float(round(grad(tanh)(1.0), 6))
0.419974

Its documentation is at https://github.com/HIPS/autograd/blob/master/docs/tutorial.md.
"""

from xgrad.compat.autograd import builtins as builtins
from xgrad.compat.autograd import core as core
from xgrad.compat.autograd import extend as extend
from xgrad.compat.autograd import numpy as numpy
from xgrad.compat.autograd import tracer as tracer
from xgrad.compat.autograd import util as util
from xgrad.compat.autograd import wrap_util as wrap_util
from xgrad.compat.autograd.builtins import dict as dict
from xgrad.compat.autograd.builtins import isinstance as isinstance
from xgrad.compat.autograd.builtins import list as list
from xgrad.compat.autograd.builtins import tuple as tuple
from xgrad.compat.autograd.builtins import type as type
from xgrad.compat.autograd.core import primitive as primitive
from xgrad.compat.autograd.differential_operators import checkpoint as checkpoint
from xgrad.compat.autograd.differential_operators import deriv as deriv
from xgrad.compat.autograd.differential_operators import elementwise_grad as elementwise_grad
from xgrad.compat.autograd.differential_operators import grad as grad
from xgrad.compat.autograd.differential_operators import grad_and_aux as grad_and_aux
from xgrad.compat.autograd.differential_operators import grad_named as grad_named
from xgrad.compat.autograd.differential_operators import hessian as hessian
from xgrad.compat.autograd.differential_operators import hessian_tensor_product as hessian_tensor_product
from xgrad.compat.autograd.differential_operators import hessian_vector_product as hessian_vector_product
from xgrad.compat.autograd.differential_operators import holomorphic_grad as holomorphic_grad
from xgrad.compat.autograd.differential_operators import jacobian as jacobian
from xgrad.compat.autograd.differential_operators import make_ggnvp as make_ggnvp
from xgrad.compat.autograd.differential_operators import make_hvp as make_hvp
from xgrad.compat.autograd.differential_operators import make_jvp as make_jvp
from xgrad.compat.autograd.differential_operators import make_vjp as make_vjp
from xgrad.compat.autograd.differential_operators import multigrad_dict as multigrad_dict
from xgrad.compat.autograd.differential_operators import tensor_jacobian_product as tensor_jacobian_product
from xgrad.compat.autograd.differential_operators import value_and_grad as value_and_grad
from xgrad.compat.autograd.differential_operators import vector_jacobian_product as vector_jacobian_product
from xgrad.compat.autograd.installing import install as install

__version__ = "1.8"  # the release whose names these are
