"""Layers, activations and losses as functions, with PyTorch's names and arguments: compositions over xgrad's namespace.

>>> import xgrad as xg
>>> x = xg.asarray([-1.0, 0.0, 2.0])
>>> xg.nn.functional.relu(x).numpy().tolist()
[0.0, 0.0, 2.0]
"""

from xgrad.nn.functional.activations import leaky_relu as leaky_relu
from xgrad.nn.functional.activations import log_softmax as log_softmax
from xgrad.nn.functional.activations import logsigmoid as logsigmoid
from xgrad.nn.functional.activations import relu as relu
from xgrad.nn.functional.activations import sigmoid as sigmoid
from xgrad.nn.functional.activations import softmax as softmax
from xgrad.nn.functional.activations import softplus as softplus
from xgrad.nn.functional.activations import tanh as tanh
from xgrad.nn.functional.adaptive_pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from xgrad.nn.functional.adaptive_pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from xgrad.nn.functional.adaptive_pooling import adaptive_max_pool1d as adaptive_max_pool1d
from xgrad.nn.functional.adaptive_pooling import adaptive_max_pool2d as adaptive_max_pool2d
from xgrad.nn.functional.affine import bilinear as bilinear
from xgrad.nn.functional.affine import linear as linear
from xgrad.nn.functional.attention import multi_head_attention_forward as multi_head_attention_forward
from xgrad.nn.functional.attention import scaled_dot_product_attention as scaled_dot_product_attention
from xgrad.nn.functional.average_pooling import avg_pool1d as avg_pool1d
from xgrad.nn.functional.average_pooling import avg_pool2d as avg_pool2d
from xgrad.nn.functional.average_pooling import avg_pool3d as avg_pool3d
from xgrad.nn.functional.average_pooling import lp_pool1d as lp_pool1d
from xgrad.nn.functional.average_pooling import lp_pool2d as lp_pool2d
from xgrad.nn.functional.batch_norm import batch_norm as batch_norm
from xgrad.nn.functional.batch_norm import instance_norm as instance_norm
from xgrad.nn.functional.convolution import conv1d as conv1d
from xgrad.nn.functional.convolution import conv2d as conv2d
from xgrad.nn.functional.convolution import conv3d as conv3d
from xgrad.nn.functional.convolution_transpose import conv_transpose1d as conv_transpose1d
from xgrad.nn.functional.convolution_transpose import conv_transpose2d as conv_transpose2d
from xgrad.nn.functional.convolution_transpose import conv_transpose3d as conv_transpose3d
from xgrad.nn.functional.cross_entropy import cross_entropy as cross_entropy
from xgrad.nn.functional.cross_entropy import nll_loss as nll_loss
from xgrad.nn.functional.dropout import alpha_dropout as alpha_dropout
from xgrad.nn.functional.dropout import dropout as dropout
from xgrad.nn.functional.dropout import dropout1d as dropout1d
from xgrad.nn.functional.dropout import dropout2d as dropout2d
from xgrad.nn.functional.embedding import embedding as embedding
from xgrad.nn.functional.embedding import embedding_bag as embedding_bag
from xgrad.nn.functional.embedding import one_hot as one_hot
from xgrad.nn.functional.folding import fold as fold
from xgrad.nn.functional.folding import unfold as unfold
from xgrad.nn.functional.losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from xgrad.nn.functional.losses import huber_loss as huber_loss
from xgrad.nn.functional.losses import l1_loss as l1_loss
from xgrad.nn.functional.losses import mse_loss as mse_loss
from xgrad.nn.functional.normalization import group_norm as group_norm
from xgrad.nn.functional.normalization import layer_norm as layer_norm
from xgrad.nn.functional.normalization import local_response_norm as local_response_norm
from xgrad.nn.functional.normalization import normalize as normalize
from xgrad.nn.functional.normalization import rms_norm as rms_norm
from xgrad.nn.functional.padding import pad as pad
from xgrad.nn.functional.pooling import max_pool1d as max_pool1d
from xgrad.nn.functional.pooling import max_pool2d as max_pool2d
from xgrad.nn.functional.pooling import max_pool3d as max_pool3d
from xgrad.nn.functional.resizing import interpolate as interpolate
from xgrad.nn.functional.sampling import affine_grid as affine_grid
from xgrad.nn.functional.sampling import grid_sample as grid_sample
from xgrad.nn.functional.shapes import channel_shuffle as channel_shuffle
from xgrad.nn.functional.shapes import flatten as flatten
from xgrad.nn.functional.shapes import pixel_shuffle as pixel_shuffle
from xgrad.nn.functional.shapes import pixel_unshuffle as pixel_unshuffle
