"""Learning rate schedules, with PyTorch's names, arguments and defaults.

>>> import xgrad as xg
>>> w = xg.asarray([1.0], requires_grad=True)
>>> optimizer = xg.optim.SGD([w], lr=1.0)
>>> scheduler = xg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
>>> lrs = []
>>> for _ in range(6):
...     optimizer.step()
...     lrs += scheduler.get_last_lr()
...     scheduler.step()
>>> lrs
[1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
"""

from xgrad.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from xgrad.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from xgrad.optim.lr_scheduler.cyclic import CyclicLR
from xgrad.optim.lr_scheduler.decay import ExponentialLR, MultiStepLR, PolynomialLR, StepLR
from xgrad.optim.lr_scheduler.functions import LambdaLR, MultiplicativeLR
from xgrad.optim.lr_scheduler.one_cycle import OneCycleLR
from xgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from xgrad.optim.lr_scheduler.scheduler import LRScheduler
from xgrad.optim.lr_scheduler.warmup import ConstantLR, LinearLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
