"""Functions on the parameters of a network and their gradients, with PyTorch's names and arguments."""

from xgrad.nn.utils import rnn as rnn
from xgrad.nn.utils.clipping import clip_grad_norm_ as clip_grad_norm_
from xgrad.nn.utils.clipping import clip_grad_value_ as clip_grad_value_
from xgrad.nn.utils.clipping import get_total_norm as get_total_norm
