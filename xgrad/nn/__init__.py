"""Layers, losses and what they are built from, with PyTorch's names, arguments and defaults."""

from xgrad.nn import functional as functional
from xgrad.nn import init as init
from xgrad.nn import utils as utils
from xgrad.nn.activations import LeakyReLU as LeakyReLU
from xgrad.nn.activations import LogSoftmax as LogSoftmax
from xgrad.nn.activations import ReLU as ReLU
from xgrad.nn.activations import Sigmoid as Sigmoid
from xgrad.nn.activations import Softmax as Softmax
from xgrad.nn.activations import Softplus as Softplus
from xgrad.nn.activations import Tanh as Tanh
from xgrad.nn.containers import ModuleList as ModuleList
from xgrad.nn.containers import Sequential as Sequential
from xgrad.nn.linear import Flatten as Flatten
from xgrad.nn.linear import Identity as Identity
from xgrad.nn.linear import Linear as Linear
from xgrad.nn.losses import BCEWithLogitsLoss as BCEWithLogitsLoss
from xgrad.nn.losses import CrossEntropyLoss as CrossEntropyLoss
from xgrad.nn.losses import HuberLoss as HuberLoss
from xgrad.nn.losses import L1Loss as L1Loss
from xgrad.nn.losses import MSELoss as MSELoss
from xgrad.nn.losses import NLLLoss as NLLLoss
from xgrad.nn.module import Module as Module
from xgrad.nn.parameter import Parameter as Parameter
