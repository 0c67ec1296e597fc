"""Mixed precision: products in float16 or bfloat16, parameters and losses in float32, with PyTorch's names.

>>> import xgrad as xg
>>> with xg.amp.autocast(dtype="float16"):
...     y = xg.ones((2, 3), dtype="float32") @ xg.ones((3, 4), dtype="float32")
>>> str(y.dtype)
'float16'
"""

from xgrad.amp.autocast import autocast as autocast
from xgrad.amp.autocast import get_autocast_dtype as get_autocast_dtype
from xgrad.amp.autocast import is_autocast_enabled as is_autocast_enabled
from xgrad.amp.grad_scaler import GradScaler as GradScaler
