"""Optimizers, with PyTorch's names, arguments and defaults.

>>> import xgrad as xg
>>> w = xg.asarray([1.0, -2.0], requires_grad=True)
>>> optimizer = xg.optim.SGD([w], lr=0.25)
>>> xg.sum(w * w).backward()
>>> optimizer.step()
>>> w.numpy().tolist()
[0.5, -1.0]
"""

from xgrad.optim.adagrad import Adagrad
from xgrad.optim.adam import Adam, AdamW
from xgrad.optim.optimizer import Optimizer
from xgrad.optim.rmsprop import RMSprop
from xgrad.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
