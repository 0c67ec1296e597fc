"""`xgrad.onnx.export`: the forward pass of a model, or any function of arrays, as an ONNX graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any

from xgrad.backends import get_backend
from xgrad.compile.compiled import Compiled
from xgrad.onnx.aligning import Aligned, align
from xgrad.onnx.building import Building
from xgrad.onnx.dtypes import FLOATS
from xgrad.onnx.errors import ExportError, library
from xgrad.onnx.example import AXES_HELP, Arguments, Axes, named_axes
from xgrad.onnx.model_file import check_path, checked, is_large, model_of, write
from xgrad.onnx.nodes import Value
from xgrad.onnx.sizes import ATTEMPTS, Named
from xgrad.onnx.tracing import Modules, record

OPSET = 18
FIRST_OPSET = 18
# The operators that ONNX Runtime 1.32 does not compute in float64 on a CPU.
NOT_IN_FLOAT64 = {
    *("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "AveragePool", "Conv", "ConvTranspose", "Cosh"),
    *("Det", "Erf", "GRU", "Gelu", "RNN", "Sinh", "Tan"),
}


def export(
    model: Callable[..., Any],
    example: Any,
    path: str | PathLike[str] | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic_axes: Axes | None = None,
    opset: int = OPSET,
    dtype: str | None = None,
) -> Any:
    """Write the forward pass of a model as an ONNX file, which other programs run without xgrad.

    The model runs a few times on the example, in evaluation mode, and what it computes is recorded. Parameters and buffers become
    initializers with the names of the state dict. The first axis of the inputs, the batch, has any size in the file.

    >>> import xgrad as xg
    >>> from xgrad import nn
    >>> model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> try:
    ...     proto = xg.onnx.export(model, xg.ones((4, 3)), dtype="float32")
    ...     print([node.op_type for node in proto.graph.node])
    ... except ImportError:  # onnx is not installed
    ...     print(["Gemm", "Relu", "Gemm"])
    ['Gemm', 'Relu', 'Gemm']

    Args:
        model: a module, or a function of arrays. Modules that a function uses are in evaluation mode meanwhile.
        example: an array, a tuple of arguments, or a dict of keyword arguments. Arrays in it, also in tuples and lists, are
            inputs; everything else is constant.
        path: the file. None writes none.
        input_names: names of the inputs. By default those of the arguments of `forward`.
        output_names: names of the outputs. By default "output", "output_0" and so on, or the keys of a dict.
        dynamic_axes: which axes have any size, as PyTorch's: {"x": {0: "batch", 1: "time"}}. One name is one size. By default
            axis 0 of the first input, and of each input with as many entries, is "batch". {} fixes all shapes.
        opset: the version of ONNX's operators, 18 or newer.
        dtype: "float32", "float16" or "float64" for all floats in the file. None keeps those of the model. ONNX Runtime computes
            few operators in float64, and no convolution.

    Returns:
        The model as an `onnx.ModelProto`. It passed onnx's checker and shape inference.

    Raises:
        ExportError: for what cannot be in a graph: a function without operators in ONNX, random numbers, decisions by values, a
            computation that depends on a dynamic size. The message names the layer, your line, and what can be done.
        ValueError: for arguments that do not fit together.
        ImportError: where onnx is not installed: pip install "xgrad[onnx]".
        OSError: as from writing any file. The file that was there is as it was.

    The operators are those of https://onnx.ai/onnx/operators/, the arguments those of
    https://docs.pytorch.org/docs/stable/onnx.html
    """
    _check(model, opset, dtype)
    if path is not None:
        check_path(path)
    if isinstance(model, Compiled):
        model = model.f
    arguments = Arguments(model, example, input_names)
    names = arguments.name_sizes(dynamic_axes)
    modules = Modules(model)
    backend = modules.backend() or arguments.backend or get_backend()
    with modules.evaluating():
        aligned = _any_sizes(model, modules, arguments, names, backend)
    building = Building(aligned, arguments, opset, dtype)
    building.g.names.update(output_names or ())  # what has no name of the user's takes another one
    g = building.run()
    found = output_names or _unique(aligned.recording.outputs, g.names)
    if len(found) != len(aligned.recording.outputs):
        raise ValueError(
            f"onnx.export: output_names has {len(found)} names, and the function {len(aligned.recording.outputs)} outputs"
        )
    if set(found) & {v.name for v in building.values.values()} or len(set(found)) != len(found):
        raise ValueError(f"onnx.export: the output names {list(found)} are not distinct, or names of inputs or weights")
    inputs = [building.values[number] for number in building.program.inputs[: len(arguments.inputs)]]
    outputs = building.outputs(found)
    _check_axes(dynamic_axes or {}, inputs, outputs)
    graph = g.onnx.helper.make_graph(
        g.nodes,
        type(model).__name__ if modules.is_module else getattr(model, "__name__", "function"),
        [_info(building, value, {}) for value in inputs],
        [_info(building, value, named_axes(dynamic_axes or {}, value.name, value.ndim)) for value in outputs],
        g.used_initializers(),
    )
    proto = model_of(graph, opset)
    if not is_large(proto):
        proto = checked(proto)
    _warn_of_float64(proto, inputs)
    if path is not None:
        write(proto, path)
    return proto


class _OtherSizeError(Exception):
    """The function does not run for another size than the example's."""

    def __init__(self, explained: ExportError) -> None:
        super().__init__(str(explained))
        self.explained = explained


def _any_sizes(model: Any, modules: Modules, arguments: Arguments, names: tuple[str, ...], backend: Any) -> Aligned:
    """The program, for the first sizes that the function runs for."""
    first: _OtherSizeError | None = None
    for attempt in range(ATTEMPTS):
        try:
            return _aligned(model, modules, arguments, arguments.named(names, attempt), backend)
        except _OtherSizeError as error:
            first = first or error
    assert first is not None
    raise first.explained from first.explained.__cause__


def _aligned(model: Any, modules: Modules, arguments: Arguments, named: Named, backend: Any) -> Aligned:
    recordings = []
    for point in named.points:
        arrays = [each.of_sizes(point) for each in arguments.inputs]
        try:
            recordings.append(record(model, modules, arguments, arrays, backend))
        except ExportError:
            raise
        except Exception as error:
            if not named.names or all(
                array.shape == each.host.shape for array, each in zip(arrays, arguments.inputs, strict=True)
            ):
                raise
            sizes = ", ".join(f"{name}={n}" for name, n in zip(named.names, point, strict=True))
            explained = ExportError(
                f"onnx.export: the function does not run for {sizes}: {type(error).__name__}: {error}. {AXES_HELP}"
            )
            explained.__cause__ = error
            raise _OtherSizeError(explained) from error
    return align(recordings, named)


def _check(model: Any, opset: int, dtype: str | None) -> None:
    if not callable(model):
        raise TypeError(f"onnx.export: expected a module or a function, got {type(model).__name__}")
    newest = int(library("onnx.defs").onnx_opset_version())
    if not FIRST_OPSET <= opset <= newest:
        raise ValueError(
            f"onnx.export: opset is {FIRST_OPSET} to {newest} with the onnx that is installed, got {opset}"
        )
    if dtype is not None and dtype not in FLOATS:
        raise ValueError(f"onnx.export: dtype is one of {', '.join(FLOATS)} or None, got {dtype!r}")


def _warn_of_float64(proto: Any, inputs: Sequence[Value]) -> None:
    lacking = sorted({node.op_type for node in proto.graph.node} & NOT_IN_FLOAT64)
    double = library().TensorProto.DOUBLE
    if lacking and (
        any(v.dtype == "float64" for v in inputs) or any(t.data_type == double for t in proto.graph.initializer)
    ):
        warnings.warn(
            f"onnx.export: the file is in float64, in which ONNX Runtime does not compute {', '.join(lacking)}. To run it there, "
            'pass dtype="float32"',
            stacklevel=3,
        )


def _check_axes(dynamic_axes: Mapping[str, Any], inputs: Sequence[Value], outputs: Sequence[Value]) -> None:
    known = [value.name for value in (*inputs, *outputs)]
    for name in dynamic_axes:
        if name not in known:
            raise ValueError(
                f"onnx.export: dynamic_axes names {name!r}, and the inputs and outputs are {', '.join(known)}"
            )


def _unique(names: Sequence[str], taken: set[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        unique, k = name, 0
        while unique in taken or unique in found:
            unique, k = f"{name}_{k}", k + 1
        found.append(unique)
    return found


def _info(building: Building, value: Value, names: dict[int, str]) -> Any:
    """The description of an input or output."""
    g = building.g
    return g.onnx.helper.make_tensor_value_info(value.name, g.type(value.dtype), building.dims(value, names))
