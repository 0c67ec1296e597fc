"""What HIPS autograd's users write derivatives with."""

from xgrad.compat.autograd.core import VSpace as VSpace
from xgrad.compat.autograd.core import def_linear as def_linear
from xgrad.compat.autograd.core import defjvp as defjvp
from xgrad.compat.autograd.core import defjvp_argnum as defjvp_argnum
from xgrad.compat.autograd.core import defjvp_argnums as defjvp_argnums
from xgrad.compat.autograd.core import defvjp as defvjp
from xgrad.compat.autograd.core import defvjp_argnum as defvjp_argnum
from xgrad.compat.autograd.core import defvjp_argnums as defvjp_argnums
from xgrad.compat.autograd.core import vspace as vspace
from xgrad.compat.autograd.tracer import Box as Box
from xgrad.compat.autograd.tracer import notrace_primitive as notrace_primitive
from xgrad.compat.autograd.tracer import primitive as primitive
from xgrad.compat.autograd.tracer import register_notrace as register_notrace
