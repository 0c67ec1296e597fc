"""Networks from layers in words: the shapes that they say, and the modules that they are made of."""

from __future__ import annotations

import random

import pytest

import xgrad as xg
from xgrad import nn
from xgrad.train.layers import WORDS, Layer, read
from xgrad.train.network import Builder, LayerError, build


def built(text: str, shape: tuple[int, ...], outputs: int = 3) -> nn.Sequential:
    layers, faults = read(text)
    assert faults == []
    return build(layers, shape, outputs, xg.float32, xg.random.Generator(0))


def test_a_network_is_the_one_that_a_person_writes(xp) -> None:
    rng = xg.random.Generator(0)
    mine = nn.Sequential(
        nn.Linear(4, 8, dtype=xg.float32, rng=rng), nn.ReLU(), nn.Linear(8, 3, dtype=xg.float32, rng=rng)
    )
    x = xg.random.Generator(1).normal((5, 4), dtype=xg.float32)
    assert xg.max(xg.abs(built("8 relu", (4,))(x) - mine(x))).item() == 0


def test_layers_of_images() -> None:
    kinds = [
        type(each).__name__
        for each in built("conv 4 3 stride 2 batchnorm relu maxpool 2 conv 5 2 mean", (9, 8)).children()
    ]
    assert kinds == ["Unflatten", "Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", "Conv2d", "Mean", "Linear"]


def test_a_recurrent_network_reads_features_as_steps_and_ends_with_the_last() -> None:
    model = built("gru 5 layernorm rnn 2", (7,))
    assert [type(each).__name__ for each in model.children()] == [
        "Unflatten", "Recurrent", "LayerNorm", "Recurrent", "Last", "Linear",
    ]  # fmt: skip
    x = xg.random.Generator(1).normal((3, 7), dtype=xg.float32)
    whole = model(x)
    assert whole.shape == (3, 3)
    first = xg.concat([x[:, :6], x[:, 6:] + 1], axis=1)
    assert xg.all(model(first) != whole).item()  # the last step counts


@pytest.mark.parametrize(
    ("text", "shape", "why"),
    [
        ("64 conv 3 3", (4,), '"conv 3 3": it needs images'),
        ("gru 4", (3, 8, 8), '"gru 4": it needs sequences'),
        ("gru 4 batchnorm", (8, 2), '"batchnorm": it is for features and images'),
        ("layernorm", (3, 8, 8), "batchnorm is for images"),
        ("maxpool 9", (8, 8), "here are 8 by 8 pixels, fewer than 9"),
        ("relu stride 2", (8, 8), '"stride 2": it stands behind the two numbers of a conv'),
        ("stride 2", (8, 8), "it stands behind"),
        ("conv 4 3 stride 2 stride 2", (8, 8), "it stands behind"),
        ("last", (8,), "it needs a sequence"),
        ("mean", (8,), "it needs a sequence or images"),
        ("1000000 1000000", (8,), "parameters or more; at most 100000000 are trained"),
        ("lstm 1000000", (8, 1), "parameters or more"),
    ],
)
def test_a_layer_that_does_not_fit_is_named(text: str, shape: tuple[int, ...], why: str) -> None:
    with pytest.raises(LayerError) as error:
        built(text, shape)
    assert why in str(error.value)
    assert str(error.value).startswith("network.layers, word ")
    assert error.value.path == ("network", "layers")


def random_layer(rng: random.Random) -> Layer:
    name = rng.choice([name for name in WORDS if name not in ("softplus", "mish")])
    numbers = {"size": lambda: rng.randrange(1, 5), "channels": lambda: 2, "share": lambda: 0.1}
    return Layer(name, tuple(numbers.get(what, lambda: rng.randrange(1, 5))() for what in WORDS[name]))


@pytest.mark.parametrize("shape", [(6,), (5, 4), (2, 6, 5)], ids=str)
def test_the_shape_that_is_known_is_the_one_that_comes_out(shape: tuple[int, ...]) -> None:
    rng = random.Random(0)
    fits = 0
    for _ in range(40):
        builder = Builder(shape, xg.float32, xg.random.Generator(0))
        for layer in [random_layer(rng) for _ in range(rng.randrange(1, 5))]:
            try:
                builder.add(layer)
            except LayerError:
                continue
        fits += len(builder.modules)
        with xg.no_grad():
            found = nn.Sequential(*builder.modules)(xg.ones((2, *shape), dtype=xg.float32))
        assert tuple(found.shape) == (2, *builder.shape)
    assert fits > 40
