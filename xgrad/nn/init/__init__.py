"""Functions that fill a tensor with starting values, in place, and return it.

The operation is not recorded. Random numbers are drawn on the host, so that they are the same on every backend.
A weight of shape (out, in, ...) has fan_in = in * ... and fan_out = out * ....

>>> import xgrad as xg
>>> layer = xg.nn.Linear(2, 3)
>>> xg.nn.init.constant_(layer.weight, 0.5).numpy().tolist()
[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
"""

from xgrad.nn.init.filling import constant_ as constant_
from xgrad.nn.init.filling import normal_ as normal_
from xgrad.nn.init.filling import ones_ as ones_
from xgrad.nn.init.filling import sparse_ as sparse_
from xgrad.nn.init.filling import trunc_normal_ as trunc_normal_
from xgrad.nn.init.filling import uniform_ as uniform_
from xgrad.nn.init.filling import zeros_ as zeros_
from xgrad.nn.init.structured import dirac_ as dirac_
from xgrad.nn.init.structured import eye_ as eye_
from xgrad.nn.init.structured import orthogonal_ as orthogonal_
from xgrad.nn.init.variance import calculate_gain as calculate_gain
from xgrad.nn.init.variance import fans as fans
from xgrad.nn.init.variance import kaiming_normal_ as kaiming_normal_
from xgrad.nn.init.variance import kaiming_uniform_ as kaiming_uniform_
from xgrad.nn.init.variance import xavier_normal_ as xavier_normal_
from xgrad.nn.init.variance import xavier_uniform_ as xavier_uniform_
