"""Every layer of xgrad.nn with arguments of any batch size, for exports as ONNX; or the reason why it has no export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xgrad import nn

Host = np.ndarray[Any, Any]


class Arrays:
    """Random arrays in float32."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape: int) -> Host:
        return self.rng.normal(size=shape).astype("float32")

    def uniform(self, *shape: int) -> Host:
        return self.rng.uniform(0.05, 0.95, shape).astype("float32")

    def signs(self, *shape: int) -> Host:
        return (2 * self.rng.integers(0, 2, shape) - 1).astype("float32")

    def integers(self, high: int, *shape: int) -> Host:
        return np.asarray(self.rng.integers(0, high, shape))


@dataclass(frozen=True)
class Sample:
    """A module and its arguments for a batch of n, with the axis of the batch in each; 0 if it is not given."""

    build: Callable[[], nn.Module]
    inputs: Callable[[Arrays, int], tuple[Any, ...]]
    axes: tuple[int, ...] = ()


LAYERS: dict[str, list[Sample]] = {}
REFUSED = dict.fromkeys(
    ("Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"), "it computes nothing by itself"
)
# What a layer that is exported cannot do there.
LIMITS = {
    "Embedding": "not with max_norm, which writes into the weight",
    "EmbeddingBag": "not with max_norm; the batch has a fixed size where offsets are given",
    "CTCLoss": "the number of steps is fixed",
    "AdaptiveAvgPool1d": "the size of the signal is fixed, if the output has more than one element",
    "AdaptiveAvgPool2d": "the size of the image is fixed, if the output has more than one element",
    "AdaptiveMaxPool1d": "the size of the signal is fixed",
    "AdaptiveMaxPool2d": "the size of the image is fixed",
    "Fold": "the size of the image is fixed, as in PyTorch",
}


def layer(
    name: str, inputs: Callable[[Arrays, int], tuple[Any, ...]], *args: Any, axes: tuple[int, ...] = (), **options: Any
) -> None:
    """Add a sample of a layer with these arguments."""
    LAYERS.setdefault(name, []).append(Sample(lambda: getattr(nn, name)(*args, **options), inputs, axes))


def rows(*shape: int) -> Callable[[Arrays, int], tuple[Any, ...]]:
    return lambda a, n: (a.normal(n, *shape),)


# --- activations, dropout and shapes -------------------------------------------------------------------------

for _name in (
    *("CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid", "Mish"),
    *("PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh"),
    *("Tanhshrink", "Dropout", "AlphaDropout", "Identity", "Flatten"),
):
    layer(_name, rows(4, 6))
layer("GELU", rows(4, 6), approximate="tanh")
layer("Threshold", rows(4, 6), 0.3, -1.0)
for _name in ("Softmax", "LogSoftmax", "Softmin", "GLU"):
    layer(_name, rows(4, 6), 1)
layer("Softmax2d", rows(3, 4, 5))
layer("Dropout1d", rows(3, 4))
layer("Dropout2d", rows(3, 4, 5))
layer("Unflatten", rows(6, 2), 1, (2, 3))
layer("Unflatten", lambda a, n: (a.normal(n * 2, 3),), 0, (-1, 2))
layer("ChannelShuffle", rows(6, 3, 2), 3)
layer("PixelShuffle", rows(8, 3, 2), 2)
layer("PixelUnshuffle", rows(2, 4, 6), 2)

# --- linear, embeddings ---------------------------------------------------------------------------------------

layer("Linear", rows(3), 3, 5)
layer("Linear", rows(2, 3), 3, 5, bias=False)
layer("Bilinear", lambda a, n: (a.normal(n, 3), a.normal(n, 4)), 3, 4, 2)
layer("Embedding", lambda a, n: (a.integers(7, n, 3),), 7, 4)
layer("Embedding", lambda a, n: (a.integers(7, n),), 7, 4, padding_idx=2)
layer("EmbeddingBag", lambda a, n: (a.integers(7, n, 3),), 7, 4)
layer("EmbeddingBag", lambda a, n: (a.integers(7, n, 3),), 7, 4, mode="max")
layer("CosineSimilarity", lambda a, n: (a.normal(n, 3), a.normal(n, 3)))
layer("PairwiseDistance", lambda a, n: (a.normal(n, 3), a.normal(n, 3)))

# --- convolutions, pooling, padding, resizing -----------------------------------------------------------------

layer("Conv1d", rows(2, 9), 2, 4, 3, stride=2, padding=1)
layer("Conv1d", rows(2, 9), 2, 4, 3, padding="same", padding_mode="circular")
layer("Conv2d", rows(4, 7, 6), 4, 6, (3, 2), padding="same", dilation=(1, 2), groups=2)
layer("Conv2d", rows(2, 7, 6), 2, 3, 3, padding=2, padding_mode="reflect", bias=False)
layer("Conv3d", rows(2, 4, 5, 4), 2, 3, 2, stride=(1, 2, 1))
layer("ConvTranspose1d", rows(2, 5), 2, 4, 3, stride=2, output_padding=1)
layer("ConvTranspose2d", rows(4, 5, 4), 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
layer("ConvTranspose3d", rows(2, 3, 2, 3), 2, 3, 2, stride=2, dilation=2)
layer("MaxPool1d", rows(2, 9), 3, stride=2, padding=1, return_indices=True)
layer("MaxPool2d", rows(2, 7, 9), 2, ceil_mode=True)
layer("MaxPool2d", rows(2, 7, 9), 3, padding=1, dilation=2, return_indices=True)
layer("MaxPool3d", rows(2, 4, 5, 6), 2)
layer("AvgPool1d", rows(2, 9), 3, padding=1, count_include_pad=False)
layer("AvgPool2d", rows(2, 7, 9), (2, 3), ceil_mode=True)
layer("AvgPool3d", rows(2, 4, 5, 6), 2)
layer("LPPool1d", rows(2, 9), 2, 3)
layer("LPPool2d", lambda a, n: (a.uniform(n, 2, 6, 9),), 3, 3, stride=2)
layer("AdaptiveAvgPool1d", rows(2, 9), 4)
layer("AdaptiveAvgPool2d", rows(2, 7, 9), 1)
layer("AdaptiveAvgPool2d", rows(2, 7, 9), (3, 4))
layer("AdaptiveMaxPool1d", rows(2, 9), 4, return_indices=True)
layer("AdaptiveMaxPool2d", rows(2, 7, 9), (3, 4))
layer("Unfold", rows(2, 6, 7), 3, padding=1, stride=2)
layer("Fold", rows(2 * 6, 12), (6, 5), (2, 3), padding=(1, 0), stride=(2, 1))
for _kind, _args in (("Circular", ()), ("Constant", (1.5,)), ("Reflection", ()), ("Replication", ()), ("Zero", ())):
    layer(f"{_kind}Pad1d", rows(2, 6), (2, 1), *_args)
    layer(f"{_kind}Pad2d", rows(2, 6, 5), (2, 1, 0, 3), *_args)
layer("Upsample", rows(2, 4, 5), scale_factor=2)
layer("Upsample", rows(2, 4, 5), size=(7, 6), mode="bilinear")
layer("UpsamplingBilinear2d", rows(2, 4, 5), scale_factor=2)
layer("UpsamplingNearest2d", rows(2, 4, 5), size=(6, 7))

# --- normalization --------------------------------------------------------------------------------------------

layer("BatchNorm1d", rows(3), 3)
layer("BatchNorm1d", rows(3, 5), 3, affine=False)
layer("BatchNorm2d", rows(3, 5, 4), 3)
layer("InstanceNorm1d", rows(3, 5), 3, affine=True)
layer("InstanceNorm2d", rows(3, 5, 4), 3, track_running_stats=True)
layer("GroupNorm", rows(6, 4), 2, 6)
layer("LayerNorm", rows(2, 4), 4)
layer("LayerNorm", rows(2, 4), (2, 4), bias=False)
layer("LayerNorm", rows(2, 4), 4, elementwise_affine=False)
layer("RMSNorm", rows(2, 4), 4)
layer("LocalResponseNorm", rows(6, 4, 3), 3)

# --- recurrent layers and attention ---------------------------------------------------------------------------

for _name, _states in (("RNN", 1), ("GRU", 1), ("LSTM", 2)):
    layer(_name, rows(4, 3), 3, 5, batch_first=True)
    layer(_name, lambda a, n: (a.normal(4, n, 3),), 3, 5, num_layers=2, bidirectional=True, axes=(1,))

    def _with_state(a: Arrays, n: int, count: int = _states) -> tuple[Any, ...]:
        states = tuple(a.normal(2, n, 5) for _ in range(count))
        return a.normal(4, n, 3), states if count > 1 else states[0]

    layer(_name, _with_state, 3, 5, bidirectional=True, bias=False, axes=(1,) * (1 + _states))
layer("RNN", rows(4, 3), 3, 5, nonlinearity="relu", batch_first=True)
layer("LSTM", rows(4, 3), 3, 5, proj_size=2, num_layers=2, batch_first=True)
layer("RNNCell", lambda a, n: (a.normal(n, 3), a.normal(n, 5)), 3, 5)
layer("GRUCell", lambda a, n: (a.normal(n, 3), a.normal(n, 5)), 3, 5)
layer("LSTMCell", lambda a, n: (a.normal(n, 3), (a.normal(n, 5), a.normal(n, 5))), 3, 5)


def _three(a: Arrays, n: int) -> tuple[Any, ...]:
    return a.normal(n, 3, 8), a.normal(n, 5, 8), a.normal(n, 5, 8)


layer("MultiheadAttention", _three, 8, 2, batch_first=True)
layer(
    "MultiheadAttention", lambda a, n: (*_three(a, n), a.integers(2, n, 5) * np.arange(5) > 0), 8, 2, batch_first=True
)
layer("MultiheadAttention", _three, 8, 2, batch_first=True, add_bias_kv=True, add_zero_attn=True)
_SIZES: dict[str, Any] = {"d_model": 8, "nhead": 2, "dim_feedforward": 12}
layer("TransformerEncoderLayer", rows(4, 8), **_SIZES, batch_first=True, activation="gelu")
layer("TransformerEncoderLayer", lambda a, n: (a.normal(4, n, 8),), **_SIZES, norm_first=True, axes=(1,))
layer("TransformerDecoderLayer", lambda a, n: (a.normal(n, 3, 8), a.normal(n, 5, 8)), **_SIZES, batch_first=True)
LAYERS["TransformerEncoder"] = [
    Sample(lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(**_SIZES, batch_first=True), 2), rows(4, 8))
]
LAYERS["TransformerDecoder"] = [
    Sample(
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(**_SIZES, batch_first=True), 2),
        lambda a, n: (a.normal(n, 3, 8), a.normal(n, 5, 8)),
    )
]
layer(
    "Transformer", lambda a, n: (a.normal(n, 4, 8), a.normal(n, 3, 8)), **_SIZES, num_encoder_layers=1,
    num_decoder_layers=1, batch_first=True,
)  # fmt: skip
LAYERS["Sequential"] = [Sample(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), rows(3))]

# --- losses ---------------------------------------------------------------------------------------------------

for _name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "PoissonNLLLoss"):
    layer(_name, lambda a, n: (a.normal(n, 3), a.normal(n, 3)))
for _name in ("BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"):
    layer(_name, lambda a, n: (a.normal(n, 3), a.uniform(n, 3)))
layer("BCELoss", lambda a, n: (a.uniform(n, 3), a.uniform(n, 3)))
layer("KLDivLoss", lambda a, n: (a.normal(n, 3), a.uniform(n, 3)), reduction="batchmean")
layer("GaussianNLLLoss", lambda a, n: (a.normal(n, 3), a.normal(n, 3), a.uniform(n, 3)))
for _name in ("SoftMarginLoss", "HingeEmbeddingLoss"):
    layer(_name, lambda a, n: (a.normal(n, 3), a.signs(n, 3)))
layer("MarginRankingLoss", lambda a, n: (a.normal(n), a.normal(n), a.signs(n)))
layer("CosineEmbeddingLoss", lambda a, n: (a.normal(n, 3), a.normal(n, 3), a.signs(n)))
for _name in ("TripletMarginLoss", "TripletMarginWithDistanceLoss"):
    layer(_name, lambda a, n: (a.normal(n, 3), a.normal(n, 3), a.normal(n, 3)))
for _name in ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"):
    layer(_name, lambda a, n: (a.normal(n, 4), a.integers(4, n)))
layer("CrossEntropyLoss", lambda a, n: (a.normal(n, 4, 3), a.integers(4, n, 3)), label_smoothing=0.1, reduction="none")
layer("MultiLabelMarginLoss", lambda a, n: (a.normal(n, 4), a.integers(4, n, 4) * 0 + np.array([2, 0, -1, 1])))
layer(
    "CTCLoss",
    lambda a, n: (-a.uniform(6, n, 4), 1 + a.integers(3, n, 2), np.full(n, 6), 1 + a.integers(2, n)),
    axes=(1, 0, 0, 0), reduction="none",
)  # fmt: skip


# --- the table in README --------------------------------------------------------------------------------------


def table() -> str:
    """A row for each file of layers: what is exported, what it cannot do there, and what is not exported."""
    files: dict[str, list[str]] = {}
    for name in sorted({*LAYERS, *REFUSED}):
        files.setdefault(getattr(nn, name).__module__.rpartition(".")[2].replace("_", " "), []).append(name)
    lines = ["| layers | exported | limits |", "| :-- | :-- | :-- |"]
    for file, names in sorted(files.items()):
        exported = ", ".join(name for name in names if name in LAYERS) or "none"
        limits = [f"{name}: {LIMITS[name]}" for name in names if name in LIMITS]
        refused = [name for name in names if name in REFUSED]
        limits += [f"{', '.join(refused)}: {REFUSED[refused[0]]}"] if refused else []
        lines.append(f"| {file} | {exported} | {'; '.join(limits)} |")
    return "<!-- layers:begin -->\n" + "\n".join(lines) + "\n<!-- layers:end -->"
