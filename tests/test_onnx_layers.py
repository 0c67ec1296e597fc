"""Every layer of xgrad.nn is exported as ONNX, and gives eager's output under ONNX Runtime for another batch size.

Those that are not exported are listed with the reason.
"""

from __future__ import annotations

import pytest

import xgrad as xg
from tests.support.onnx_layers import LAYERS, LIMITS, REFUSED, Arrays
from tests.support.onnx_runs import arrays_of, assert_equal, eager, run
from xgrad import nn
from xgrad.onnx.example import Arguments

LAYERS_OF_NN = {name for name, value in vars(nn).items() if isinstance(value, type) and issubclass(value, nn.Module)}
SAMPLES = [(name, i) for name, samples in LAYERS.items() for i in range(len(samples))]


def test_the_table_has_every_layer():
    assert {*LAYERS, *REFUSED} == LAYERS_OF_NN
    assert not set(LAYERS) & set(REFUSED)
    assert set(LIMITS) <= set(LAYERS)


@pytest.mark.parametrize(("name", "i"), SAMPLES)
def test_a_layer_gives_eagers_output(name, i):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    sample = LAYERS[name][i]
    with xg.use_backend("numpy"):
        module = sample.build().to(dtype="float32").eval()
        example, other = sample.inputs(Arrays(0), 4), sample.inputs(Arrays(1), 7)
        names = [each.name for each in Arguments(module, example, None).inputs]
        axes = {name: {axis: "batch"} for name, axis in zip(names, sample.axes or (0,) * len(names), strict=True)}
        proto = xg.onnx.export(module, example, dynamic_axes=axes)
        assert_equal(run(proto, arrays_of(other)), eager(module, other))


def test_layers_that_write_into_their_weight_are_refused():
    pytest.importorskip("onnx")
    with pytest.raises(xg.onnx.ExportError, match="writes into the tensor weight"):
        xg.onnx.export(nn.Embedding(5, 3, max_norm=1.0), xg.asarray([[1, 2]]))
