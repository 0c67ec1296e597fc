"""From a graph to a model that is checked, and to a file that is there as a whole or not at all."""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path
from typing import Any

from xgrad._files import replacing
from xgrad.onnx.errors import ExportError, library

MOST = 2**31 - 2**20  # bytes of weights in one file: protobuf's limit, and room for the graph


def model_of(graph: Any, opset: int) -> Any:
    """The model with this graph."""
    from xgrad._version import VERSION

    helper = library("onnx.helper")
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets), producer_name="xgrad",
        producer_version=VERSION,
    )  # fmt: skip


def is_large(model: Any) -> bool:
    """Whether the weights do not fit into one file."""
    return sum(len(each.raw_data) for each in model.graph.initializer) > MOST


def checked(model: Any) -> Any:
    """The model, with the shapes of all values, after onnx's checker and shape inference.

    Raises:
        ExportError: where these find an error. It is a fault of xgrad.
    """
    onnx, inference = library(), library("onnx.shape_inference")
    try:
        onnx.checker.check_model(model, full_check=False)
        return inference.infer_shapes(model, check_type=True, strict_mode=True)  # data_prop has faults
    except (onnx.checker.ValidationError, inference.InferenceError) as error:
        raise ExportError(f"onnx.export: the graph is not valid, which is a fault of xgrad: {error}") from error


def check_path(path: Any) -> None:
    """Raise OSError where a file cannot be written, before the work is done."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "onnx.export: the path is a folder", str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "onnx.export: there is no such folder", str(target.parent))


def write(model: Any, path: Any) -> None:
    """Write the model to a temporary file, which replaces `path`. Large weights go into a file path + ".data".

    Raises:
        OSError: as from writing any file. What was at `path` is as it was.
    """
    if not is_large(model):
        with replacing(path) as temporary:
            temporary.write_bytes(model.SerializeToString())
        return
    target = Path(path)
    folder = Path(tempfile.mkdtemp(prefix=".xgrad-", dir=target.parent))
    try:
        onnx, data = library(), f"{target.name}.data"
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        inside = folder / target.name
        onnx.save_model(copy, inside, save_as_external_data=True, location=data, size_threshold=1024)
        onnx.checker.check_model(inside)
        # The data are beside `path`, where a reader looks for them, also if that is a link.
        with replacing(target.parent / data) as temporary:
            shutil.move(folder / data, temporary)
        with replacing(path) as temporary:
            temporary.write_bytes(inside.read_bytes())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
