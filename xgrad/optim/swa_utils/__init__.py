"""Averages of the weights of a model over training: stochastic weight averaging (SWA) and exponential moving averages (EMA).

>>> import xgrad as xg
>>> from xgrad.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
>>> model = xg.nn.Linear(2, 1)
>>> average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
>>> average.update_parameters(model)
>>> average.n_averaged.item()
1
"""

from xgrad.optim.swa_utils.averaged_model import AveragedModel
from xgrad.optim.swa_utils.averages import (
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
)
from xgrad.optim.swa_utils.batch_norm import update_bn
from xgrad.optim.swa_utils.swa_lr import SWALR

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]
