"""Layers in words: what they mean, and where a word is wrong."""

from __future__ import annotations

import pytest

from xgrad.train.layers import Layer, of_kind, read
from xgrad.train.settings import Network


def words(text: str | list[str]) -> list[str]:
    layers, faults = read(text)
    assert faults == []
    return [str(layer) for layer in layers]


def test_the_words_of_a_text() -> None:
    wanted = ["64", "relu", "dropout 0.1", "conv 16 3", "stride 2", "gru 8", "batchnorm"]
    assert words("64 relu dropout 0.1 conv 16 3 stride 2 gru 8 batchnorm") == wanted
    assert words("linear 64, ReLU,\n dropout .1 , conv 16 3 stride 2\tgru 8 BatchNorm") == wanted
    assert words(["64 relu", "dropout 0.1", "conv 16 3 stride 2", "gru 8, batchnorm"]) == wanted
    assert words([]) == []


def test_what_is_written_can_be_read_again() -> None:
    layers, _ = read("1000000 relu dropout 0.123456 conv 8 5 stride 2 maxpool 3 leaky_relu lstm 4 last mean flatten")
    assert words([str(layer) for layer in layers]) == [str(layer) for layer in layers]


def test_numbers_are_kept_where_they_are_whole() -> None:
    layers, _ = read("64 dropout 0.5")
    assert layers == [
        Layer("linear", (64,), ("network", "layers"), ", word 1"),
        Layer("dropout", (0.5,), ("network", "layers"), ", word 2"),
    ]
    assert isinstance(layers[0].numbers[0], int)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("64 relo", ['network.layers, word 2: there is no layer "relo"; did you mean "relu"?']),
        (["64", "drpout 0.1 relu"], ['network.layers[1], word 1: there is no layer "drpout"; did you mean "dropout"?']),
        ("conv 16", ['word 1: "conv" needs its channels and its kernel size behind it; nothing follows']),
        ("conv 16 relu 3", ['word 1: "conv" needs its channels and its kernel size behind it; "relu" follows']),
        ("dropout relu", ['word 1: "dropout" needs its share behind it; "relu" follows']),
        ("dropout 1", ["word 2: the share of dropout must be a number from 0 to below 1; it is 1"]),
        ("0", ["word 1: the size of linear must be a whole number, 1 or more; it is 0"]),
        ("-3 1.5 relu", ["word 1: the size of linear", "word 2: the size of linear"]),
        ("maxpool 1e9", ["word 2: the size of maxpool must be a whole number, 1 or more; it is 1e9"]),
        ("1000001", ["word 1: the size of linear must be 1000000 or less; it is 1000001"]),
        ("9" * 500, ["word 1: the size of linear must be"]),
        ("६४", ["word 1: there is no layer"]),
        ("relu(64)", ["word 1: there is no layer"]),
        ("zzz", ["word 1: there is no layer \"zzz\"; there are linear, conv, stride"]),
        (["relu", " , "], ["network.layers[1]: there is no layer in it"]),
        ("none", ["word 1: there is no layer"]),
        ("softmax", ["word 1: there is no layer"]),  # the loss has it
        ("a 1 b 2 relu c", ["word 1", "word 3", "word 6"]),
    ],
)  # fmt: skip
def test_every_wrong_word_has_its_place(text: str | list[str], wrong: list[str]) -> None:
    _, faults = read(text)
    assert len(faults) == len(wrong)
    for fault, why in zip(faults, wrong, strict=True):
        assert why in fault.why
        assert len(fault.why) < 700
        assert fault.path[:2] == ("network", "layers")


@pytest.mark.parametrize(
    ("network", "shape", "kind", "wanted"),
    [
        (Network(), (4,), "mlp", "64 relu 64 relu"),
        (Network(hidden=[8, 4], activation="tanh", dropout=0.5), (4,), "mlp", "8 tanh dropout 0.5 4 tanh dropout 0.5"),
        (Network(hidden=[]), (4,), "mlp", ""),
        (Network(activation="none", hidden=[3]), (4,), "mlp", "3"),
        (Network(), (8, 8), "cnn", "conv 16 3 relu maxpool 2 conv 32 3 relu maxpool 2 64 relu"),
        (Network(), (3, 5, 9), "cnn", "conv 16 3 relu maxpool 2 conv 32 3 relu 64 relu"),
        (Network(kind="mlp", hidden=[5]), (8, 8), "mlp", "5 relu"),
        (Network(kind="gru"), (9, 2), "gru", "gru 64"),
        (Network(kind="lstm", hidden=[5, 6], dropout=0.1), (9, 2), "lstm", "lstm 5 dropout 0.1 lstm 6 dropout 0.1"),
    ],
)
def test_a_kind_of_network(network: Network, shape: tuple[int, ...], kind: str, wanted: str) -> None:
    found, layers = of_kind(network, shape)
    assert (found, " ".join(map(str, layers))) == (kind, wanted)
