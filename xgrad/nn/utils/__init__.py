"""Functions on the parameters of a network and their gradients, with PyTorch's names and arguments."""

from xgrad.nn.utils.clipping import clip_grad_norm_ as clip_grad_norm_
from xgrad.nn.utils.clipping import clip_grad_value_ as clip_grad_value_
from xgrad.nn.utils.clipping import clip_grads_with_norm_ as clip_grads_with_norm_
from xgrad.nn.utils.clipping import get_total_norm as get_total_norm
from xgrad.nn.utils.fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from xgrad.nn.utils.fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from xgrad.nn.utils.fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from xgrad.nn.utils.fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
from xgrad.nn.utils.spectral_normalization import remove_spectral_norm as remove_spectral_norm
from xgrad.nn.utils.spectral_normalization import spectral_norm as spectral_norm
from xgrad.nn.utils.table import summary as summary
from xgrad.nn.utils.vectors import parameters_to_vector as parameters_to_vector
from xgrad.nn.utils.vectors import vector_to_parameters as vector_to_parameters
from xgrad.nn.utils.weight_normalization import remove_weight_norm as remove_weight_norm
from xgrad.nn.utils.weight_normalization import weight_norm as weight_norm
