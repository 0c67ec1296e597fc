"""`xgrad.onnx.export`: four networks beside xgrad and PyTorch, its options, and what it refuses."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest

import xgrad as xg
from tests.support import onnx_networks as networks
from tests.support.arrays import to_numpy
from tests.support.onnx_runs import arrays_of, assert_equal, run
from xgrad import nn

onnx = pytest.importorskip("onnx")

HAVE_TORCH = importlib.util.find_spec("torch") is not None
SLOW = ("jax", "dask", "dpnp")  # one network runs there
TIME = {"tokens": {0: "batch", 1: "time"}}


def normal(*shape: int) -> Any:
    return np.random.default_rng(shape).normal(size=shape).astype("float32")


def tokens(high: int, *shape: int) -> Any:
    return np.random.default_rng(shape).integers(0, high, shape)


def lstm_of_steps(library: Any, f: Any) -> Any:
    return networks.lstm(library, f, batch_first=False)


# The network, an example, another input, and the axes with symbolic sizes.
NETWORKS: dict[str, tuple[Any, Any, Any, Any]] = {
    "MLP": (networks.mlp, normal(4, 6), normal(9, 6), None),
    "ResNet": (networks.resnet, normal(4, 3, 16, 16), normal(9, 3, 16, 16), None),
    "ResNet, images of any size": (
        networks.resnet, normal(4, 3, 16, 16), normal(3, 3, 22, 17), {"input": {0: "batch", 2: "height", 3: "width"}},
    ),
    "LSTM": (networks.lstm, tokens(11, 3, 5), tokens(11, 8, 5), None),
    "LSTM, any length": (networks.lstm, tokens(11, 3, 5), tokens(11, 8, 17), TIME),
    "LSTM, steps first": (lstm_of_steps, tokens(11, 5, 3), tokens(11, 17, 8), {"tokens": {0: "time", 1: "batch"}}),
    "GPT": (networks.gpt, tokens(13, 4, 8), tokens(13, 9, 8), None),
    "GPT, any length": (networks.gpt, tokens(13, 4, 12), tokens(13, 9, 7), TIME),
    "GPT of layers": (networks.gpt_of_layers, tokens(13, 4, 8), tokens(13, 9, 8), None),
    "GPT of layers, any length": (networks.gpt_of_layers, tokens(13, 4, 12), tokens(13, 9, 5), TIME),
}  # fmt: skip


def other_statistics(model: Any) -> Any:
    """The model with running statistics and biases that are not those of the start."""
    state = {key: to_numpy(value) for key, value in model.state_dict().items()}
    rng = np.random.default_rng(0)
    for key, value in state.items():
        if value.dtype.kind == "f" and ("running" in key or "bias" in key):
            state[key] = rng.uniform(0.5, 1.5, value.shape).astype(value.dtype)
    model.load_state_dict(state)
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_xgrads_and_pytorchs_output(backend, name):
    pytest.importorskip("onnxruntime")
    if backend.name in SLOW and name != "MLP":
        pytest.skip("each trace takes long there")
    build, example, other, axes = NETWORKS[name]
    model = other_statistics(build(nn, networks.XGrad(xg)).to(dtype="float32"))
    assert model.training
    proto = xg.onnx.export(model, example, dynamic_axes=axes)
    assert model.training  # as before
    model.eval()
    got = run(proto, [other])
    with xg.no_grad():
        assert_equal(got, arrays_of(model(xg.asarray(other))))
    if HAVE_TORCH and backend.name == "numpy":
        assert_equal(got, of_pytorch(build, model, other))


def of_pytorch(build: Any, model: Any, x: Any) -> list[Any]:
    """The outputs of the same network in PyTorch, with the weights of this one."""
    import torch

    with warnings.catch_warnings(action="ignore"):  # hints on speed
        twin = build(torch.nn, networks.Torch(torch)).eval()
    twin.load_state_dict({key: torch.tensor(to_numpy(value)) for key, value in model.state_dict().items()})
    with torch.no_grad():
        found = twin(torch.tensor(x))
    return [found[key].numpy() for key in sorted(found)] if isinstance(found, dict) else [found.numpy()]


# --- names and sizes -----------------------------------------------------------------------------------------


def shapes(values: Any) -> dict[str, list[Any]]:
    return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


@pytest.fixture
def numpy():
    with xg.use_backend("numpy"):
        yield


@pytest.mark.usefixtures("numpy")
def test_weights_have_the_names_of_the_state_dict():
    model = networks.resnet(nn, None).to(dtype="float32")
    graph = xg.onnx.export(model, normal(2, 3, 8, 8)).graph
    names = {each.name for each in graph.initializer}
    assert {name for name in model.state_dict() if "num_batches" not in name} <= names
    assert any(node.name.startswith("/3/conv1/Conv") for node in graph.node)


@pytest.mark.usefixtures("numpy")
def test_inputs_and_outputs_have_names():
    x = normal(4, 3)
    graph = xg.onnx.export(
        lambda a, pair, scale=2.0: {"sum": a + pair[0], "rest": (pair[1] * scale, None)}, (x, (x, x))
    ).graph
    assert shapes(graph.input) == {"a": ["batch", 3], "pair_0": ["batch", 3], "pair_1": ["batch", 3]}
    assert shapes(graph.output) == {"rest_0": ["batch", 3], "sum": ["batch", 3]}
    graph = xg.onnx.export(lambda b, a: (a - b, a), {"a": x, "b": normal(1, 3)}).graph
    assert shapes(graph.input) == {"a": ["batch", 3], "b": [1, 3]}
    assert list(shapes(graph.output)) == ["output_0", "output_1"]


@pytest.mark.usefixtures("numpy")
def test_names_and_sizes_that_are_given():
    graph = xg.onnx.export(
        nn.Linear(3, 2), normal(4, 5, 3), input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "n", -2: "m"}, "y": {0: "rows"}},
    ).graph  # fmt: skip
    assert (shapes(graph.input), shapes(graph.output)) == ({"x": ["n", "m", 3]}, {"y": ["rows", "m", 2]})
    graph = xg.onnx.export(nn.Flatten(0), normal(4, 3), dynamic_axes={"input": [0]}).graph
    assert shapes(graph.input) == {"input": ["input_dynamic_axes_0", 3]}
    assert shapes(graph.output) == {"output": ["3*input_dynamic_axes_0"]}
    assert shapes(xg.onnx.export(nn.Flatten(), normal(4, 3), dynamic_axes={}).graph.input) == {"input": [4, 3]}


@pytest.mark.usefixtures("numpy")
def test_an_input_with_the_name_of_a_weight_gets_another():
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.x = nn.Parameter(xg.ones(3))

        def forward(self, x: Any) -> Any:
            return x * self.x

    assert [each.name for each in xg.onnx.export(Scale(), normal(2, 3)).graph.input] == ["x_0"]
    with pytest.raises(ValueError, match="name of a weight"):
        xg.onnx.export(Scale(), normal(2, 3), input_names=["x"])


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize("name", ["constant", "/Add_output_0"])
def test_an_output_may_have_a_name_that_a_value_inside_would_have(name):
    pytest.importorskip("onnxruntime")
    weights = np.asarray(normal(3, 2))
    proto = xg.onnx.export(lambda x: ((x + 1.0) * 2.0) @ weights, normal(4, 3), output_names=[name])
    assert list(shapes(proto.graph.output)) == [name]
    assert_equal(run(proto, [normal(5, 3)]), [(normal(5, 3) + 1) * 2 @ weights])


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x / x.shape[0],
        lambda x: xg.zeros((x.shape[0], 2)) + x[:, :2],
        lambda x: x + xg.arange(x.shape[0])[:, None],
        lambda x: xg.eye(x.shape[0]) @ x,
        lambda x: xg.reshape(x, (2 * x.shape[0], -1)),
        lambda x: xg.concat([x[1:], x[:1]]) - xg.roll(x, -1, axis=0),
        lambda x: xg.reshape(xg.tile(x[None], (3, 1, 1)), (3 * x.shape[0], x.shape[1])),
        lambda x: xg.tril(x @ x.T) + xg.where(xg.tril(xg.ones((x.shape[0],) * 2)) > 0, 0.0, 1.0),
        lambda x: x[x.shape[0] - 1, ...],
        lambda x: xg.var(x, axis=0, correction=1),
    ],
)
def test_functions_that_use_the_size_of_the_batch(f):
    pytest.importorskip("onnxruntime")
    for n in (2, 7, 30):
        proto = xg.onnx.export(f, np.asarray(normal(5, 4), dtype="float64"))
        x = np.asarray(normal(n, 4), dtype="float64")
        assert_equal(run(proto, [x]), arrays_of(f(xg.asarray(x))))


@pytest.mark.usefixtures("numpy")
def test_a_roll_by_more_than_the_size_of_the_batch():
    pytest.importorskip("onnxruntime")
    for f in (lambda x: xg.roll(x, 3, axis=0) - xg.roll(x, (-9, 1), axis=(0, 1)), lambda x: xg.roll(x, 11)):
        proto = xg.onnx.export(f, normal(5, 4))
        for n in (0, 1, 2, 7):
            assert_equal(run(proto, [normal(n, 4)]), arrays_of(f(xg.asarray(normal(n, 4)))))


@pytest.mark.usefixtures("numpy")
def test_a_write_into_a_copy():
    pytest.importorskip("onnxruntime")

    def f(x: Any) -> Any:
        y = xg.asarray(x, copy=True)
        y[1:, 2] = -1.0
        y[:, :1] *= 2.0
        return y

    proto = xg.onnx.export(f, normal(5, 4))
    assert_equal(run(proto, [normal(9, 4)]), arrays_of(f(xg.asarray(normal(9, 4)))))


@pytest.mark.usefixtures("numpy")
def test_a_weight_comes_to_the_host_once(monkeypatch):
    model = nn.Linear(3, 2)
    kind, copied = type(model.weight.backend), []
    to_host = kind.to_numpy

    def noted(self, array):
        copied.append(array.shape)
        return to_host(self, array)

    monkeypatch.setattr(kind, "to_numpy", noted)
    xg.onnx.export(model, np.zeros((5, 4, 3)), dynamic_axes={"input": {0: "n", 1: "m"}})  # five traces
    assert copied.count((2, 3)) == 1


# --- dtypes --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize(("dtype", "tolerance"), [(None, 1e-10), ("float32", 1e-5), ("float16", 2e-2)])
def test_a_model_in_float64_as_other_dtypes(dtype, tolerance):
    pytest.importorskip("onnxruntime")
    model = networks.mlp(nn, None).eval()
    wanted = dtype or "float64"
    x = np.asarray(normal(7, 6), dtype=wanted)
    (got,) = run(xg.onnx.export(model, np.zeros((2, 6)), dtype=dtype), [x])
    assert got.dtype == wanted
    np.testing.assert_allclose(got, to_numpy(model(np.asarray(x, dtype="float64"))), atol=tolerance)


@pytest.mark.usefixtures("numpy")
def test_float64_that_onnx_runtime_cannot_run_is_warned_of():
    with pytest.warns(UserWarning, match='does not compute Conv. To run it there, pass dtype="float32"'):
        xg.onnx.export(nn.Conv1d(2, 3, 2), np.zeros((2, 2, 5)))
    proto = xg.onnx.export(nn.Conv1d(2, 3, 2), np.zeros((2, 2, 5)), dtype="float32")
    assert onnx.TensorProto.DOUBLE not in {each.data_type for each in proto.graph.initializer}


@pytest.mark.usefixtures("numpy")
def test_a_newer_opset():
    pytest.importorskip("onnxruntime")
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4)).to(dtype="float32")
    proto = xg.onnx.export(model, normal(2, 3), opset=20)
    assert proto.opset_import[0].version == 20
    assert [node.op_type for node in proto.graph.node] == ["Gemm", "Gelu", "LayerNormalization"]
    assert_equal(run(proto, [normal(5, 3)]), arrays_of(model(xg.asarray(normal(5, 3)))))


# --- what is refused -----------------------------------------------------------------------------------------


def loop(x: Any) -> Any:
    total = 0.0
    for i in range(x.shape[0]):
        total = total + x[i]
    return total


OUTSIDE = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
REFUSED = {
    "random": (lambda x: x + xg.randn(5, 3), "draws random numbers .*test_onnx_export.py, line .*model.eval"),
    "dropout": (lambda x: nn.functional.dropout(x), "draws random numbers .*training=False"),
    "condition": (lambda x: x if xg.sum(x) > 0 else -x, "if, float.*test_onnx_export.py, line .*xgrad.where"),
    "loop": (loop, "computes nothing for batch=5, and getitem for batch=7 .*test_onnx_export.py, line"),
    "on the size": (lambda x: x if x.shape[0] == 5 else x * 2, "nothing for batch=5, and multiply for batch=7"),
    "reciprocal": (lambda x: x * (1 / x.shape[0]), "a number depends on a dynamic size .*0.2 for batch=5"),
    "fixed size": (lambda x: x + xg.ones((5, 3)), "does not run for batch=7: .*dynamic_axes"),
    "a constant": (
        lambda x: x + xg.arange(x.shape[0])[:, None] ** 2,
        "constant array of add .*depends on a dynamic size",
    ),
    "inverse": (
        lambda x: xg.linalg.inv(x.T @ x + xg.eye(3)),
        r"linalg.inv \(.*line.* cannot be exported: .*linalg.det",
    ),
    "complex": (lambda x: xg.real(x * 1j), "multiply gives complex128 numbers"),
    "an int": (lambda x: (x, 3), "returns 3, of type int"),
    "nothing": (lambda x: None, "returns no array"),
}


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize("name", REFUSED)
def test_what_a_graph_cannot_do_is_refused(name):
    f, message = REFUSED[name]
    with pytest.raises(xg.onnx.ExportError, match=f"(?s)onnx.export: .*({message})"):
        xg.onnx.export(f, np.asarray(normal(5, 3), dtype="float64"))


@pytest.mark.usefixtures("numpy")
def test_an_error_names_the_layer():
    class Whitened(nn.Module):
        def forward(self, x: Any) -> Any:
            return x @ xg.linalg.inv(x.T @ x + xg.eye(3))

    model = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.ReLU(), Whitened()))
    with pytest.raises(xg.onnx.ExportError, match=r"linalg.inv \(layer 1.1 \(Whitened\), .*test_onnx_export.py, line"):
        xg.onnx.export(model, np.zeros((2, 3)))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.usefixtures("numpy")
def test_a_write_to_a_tensor_from_outside_is_refused():
    held = xg.zeros(3)

    def f(x: Any) -> Any:
        held[...] = x[0]
        return x

    with pytest.raises(xg.onnx.ExportError, match="writes into the tensor"):
        xg.onnx.export(f, np.ones((2, 3)))
    assert held.tolist() == [0, 0, 0]


@pytest.mark.usefixtures("numpy")
def test_modules_that_a_function_uses_are_in_evaluation_mode():
    pytest.importorskip("onnxruntime")
    proto = xg.onnx.export(lambda x: OUTSIDE(x) + 1, np.zeros((2, 3)))
    assert OUTSIDE.training
    assert OUTSIDE[1].training
    x = np.asarray(normal(6, 3), dtype="float64")
    want = to_numpy(OUTSIDE.eval()(x)) + 1
    OUTSIDE.train()
    assert_equal(run(proto, [x]), [want])
    assert "OUTSIDE.0.weight" in {each.name for each in proto.graph.initializer}


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dynamic_axes": {"q": {0: "n"}}}, "names 'q', and the inputs and outputs are input, output"),
        ({"dynamic_axes": {"input": {3: "n"}}}, "axis 3 of input, which has 2 axes"),
        ({"dynamic_axes": {"input": {0: "n", 1: "n"}}}, "'n' is 2 in axis 0 of input of the example, and 3"),
        ({"input_names": ["a", "b"]}, "2 names, and the example 1 arrays"),
        ({"output_names": ["a", "b"]}, "2 names, and the function 1 outputs"),
        ({"output_names": ["weight"]}, "not distinct, or names of inputs or weights"),
        ({"opset": 11}, "opset is 18 to"),
        ({"dtype": "bfloat16"}, "dtype is one of float16, float32, float64"),
    ],
)
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        xg.onnx.export(nn.Linear(3, 2), np.zeros((2, 3)), **options)


@pytest.mark.usefixtures("numpy")
def test_examples_that_do_not_fit():
    with pytest.raises(ValueError, match="the example has no array"):
        xg.onnx.export(nn.Linear(3, 2), 3)
    with pytest.raises(ValueError, match="last axis of its input must have 3"):  # the model's own error
        xg.onnx.export(nn.Linear(3, 2), np.zeros((2, 4)))
    with pytest.raises(TypeError, match="expected a module or a function"):
        xg.onnx.export(3, np.zeros((2, 4)))


def test_without_onnx_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx.defs", None)
    with pytest.raises(ImportError, match=r'pip install "xgrad\[onnx\]"'):
        xg.onnx.export(nn.Linear(3, 2), np.zeros((2, 3)))
