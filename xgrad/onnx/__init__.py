"""Models as ONNX files, which other programs run."""

from xgrad.onnx.errors import ExportError as ExportError
from xgrad.onnx.export import export as export
