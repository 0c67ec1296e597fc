"""Random arrays: the same seed gives the same numbers on every backend.

The host draws them in double precision. Then they are converted to the dtype and moved to the device. A layer without a generator
of its own uses the default generator, which `seed` starts anew.

>>> import xgrad as xg
>>> rng = xg.random.Generator(0)
>>> rng.uniform((2, 3), low=-1.0, high=1.0).shape
(2, 3)
>>> rng.integers(0, 10, (4,)).shape
(4,)
"""

from xgrad.random.default import default_generator as default_generator
from xgrad.random.default import get_rng_state as get_rng_state
from xgrad.random.default import seed as seed
from xgrad.random.default import set_rng_state as set_rng_state
from xgrad.random.generator import Generator as Generator
from xgrad.random.pytorch import bernoulli as bernoulli
from xgrad.random.pytorch import manual_seed as manual_seed
from xgrad.random.pytorch import multinomial as multinomial
from xgrad.random.pytorch import rand as rand
from xgrad.random.pytorch import rand_like as rand_like
from xgrad.random.pytorch import randint as randint
from xgrad.random.pytorch import randn as randn
from xgrad.random.pytorch import randn_like as randn_like
from xgrad.random.pytorch import randperm as randperm
