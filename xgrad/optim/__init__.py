"""Optimizers, with PyTorch's names, arguments and defaults.

>>> import xgrad as xg
>>> w = xg.asarray([1.0, -2.0], requires_grad=True)
>>> optimizer = xg.optim.SGD([w], lr=0.25)
>>> xg.sum(w * w).backward()
>>> optimizer.step()
>>> w.numpy().tolist()
[0.5, -1.0]
"""

from xgrad.optim import lr_scheduler as lr_scheduler
from xgrad.optim import swa_utils as swa_utils
from xgrad.optim.adadelta import Adadelta
from xgrad.optim.adafactor import Adafactor
from xgrad.optim.adagrad import Adagrad
from xgrad.optim.adam import Adam, AdamW
from xgrad.optim.adamax import Adamax
from xgrad.optim.asgd import ASGD
from xgrad.optim.lamb import LAMB
from xgrad.optim.lbfgs import LBFGS
from xgrad.optim.lion import Lion
from xgrad.optim.muon import Muon
from xgrad.optim.nadam import NAdam
from xgrad.optim.optimizer import Optimizer
from xgrad.optim.radam import RAdam
from xgrad.optim.rmsprop import RMSprop
from xgrad.optim.rprop import Rprop
from xgrad.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LAMB",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
]
