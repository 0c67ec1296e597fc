"""Losses, distances and similarities."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.case import Call, Draw, Host, Layer, case

REDUCTIONS = ("mean", "sum", "none")
SHAPES = ((5,), (3, 4), (2, 3, 4), ())


def reduction(draw: Draw) -> dict[str, Any]:
    return {"reduction": draw.one_of(*REDUCTIONS)}


def some_equal(draw: Draw, x: Host) -> Host:
    """Numbers of which some are those of x, others at a distance of 1 from them, where losses have a kink."""
    share = draw.uniform(*x.shape)
    return np.where(share < 0.15, x, np.where(share < 0.3, x + 1, 2 * draw.normal(*x.shape)))


def signs(draw: Draw, *shape: int) -> Host:
    return 2 * draw.integers(*shape, high=2) - 1


# --- differences ---


@case("MSELoss")
@case("L1Loss")
def difference_layer(draw: Draw) -> Layer:
    x = draw.normal(*draw.one_of(*SHAPES))
    return Layer(options=reduction(draw), inputs=(x, some_equal(draw, x)))


@case("mse_loss")
@case("l1_loss")
def difference(draw: Draw) -> Call:
    x = draw.normal(*draw.one_of(*SHAPES))
    return Call((x, some_equal(draw, x)), {**reduction(draw), "weight": draw.maybe(draw.uniform(*x.shape))})


@case("HuberLoss")
def huber_layer(draw: Draw) -> Layer:
    x = draw.normal(*draw.one_of(*SHAPES))
    return Layer(options={**reduction(draw), "delta": draw.one_of(1.0, 0.5)}, inputs=(x, some_equal(draw, x)))


@case("huber_loss")
def huber(draw: Draw) -> Call:
    x = draw.normal(*draw.one_of(*SHAPES))
    options = {"delta": draw.one_of(1.0, 0.5), "weight": draw.maybe(draw.uniform(*x.shape))}
    return Call((x, some_equal(draw, x)), {**reduction(draw), **options})


@case("SmoothL1Loss")
def smooth_l1_layer(draw: Draw) -> Layer:
    x = draw.normal(*draw.one_of(*SHAPES))
    return Layer(options={**reduction(draw), "beta": draw.one_of(1.0, 0.5, 0.0)}, inputs=(x, some_equal(draw, x)))


@case("smooth_l1_loss")
def smooth_l1(draw: Draw) -> Call:
    x = draw.normal(*draw.one_of(*SHAPES))
    return Call((x, some_equal(draw, x)), {**reduction(draw), "beta": draw.one_of(1.0, 0.5, 0.0)})


# --- probabilities ---


def maybe_weight(draw: Draw, *shape: int) -> dict[str, Any]:
    return {"weight": draw.maybe(draw.uniform(*shape, low=0.5, high=2.0))}


def with_buffers(**options: Any) -> dict[str, Any]:
    """The state of a layer: the arrays among its options, which are buffers."""
    return {key: value for key, value in options.items() if isinstance(value, np.ndarray)}


class Weighted:
    """Makes a layer whose weights are tensors."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name, self.options = name, options

    def __call__(self, nn: Any) -> Any:
        module = getattr(nn, self.name)
        if nn.__name__.startswith("torch"):
            import torch

            make: Any = torch.tensor
        else:
            from tests.support.arrays import make as of_xgrad

            def make(value: Any) -> Any:
                import xgrad

                return of_xgrad(xgrad, value)

        return module(**{key: make(v) if isinstance(v, np.ndarray) else v for key, v in self.options.items()})


def weighted(name: str, options: dict[str, Any], inputs: tuple[Any, ...]) -> Layer:
    return Layer(inputs=inputs, build=Weighted(name, options), state=with_buffers(**options))


@case("BCELoss")
def bce_layer(draw: Draw) -> Layer:
    options = {**reduction(draw), **maybe_weight(draw, 4)}
    return weighted("BCELoss", options, (draw.uniform(3, 4, low=0.01, high=0.99), draw.uniform(3, 4)))


@case("binary_cross_entropy")
def bce(draw: Draw) -> Call:
    options = {**reduction(draw), **maybe_weight(draw, 4)}
    return Call((draw.uniform(3, 4, low=0.01, high=0.99), draw.uniform(3, 4)), options, fixed=("weight",))


@case("binary_cross_entropy clamped")
def bce_at_the_ends(draw: Draw) -> Call:
    x = draw.one_of(0.0, 1.0, 0.5) * np.ones((3, 4))
    return Call(
        (x, np.round(draw.uniform(3, 4))), reduction(draw), fixed=(0, 1)
    )  # PyTorch's gradient has 1e-12 in float32


@case("BCEWithLogitsLoss")
def bce_with_logits_layer(draw: Draw) -> Layer:
    options = {**reduction(draw), **maybe_weight(draw, 4), "pos_weight": draw.maybe(draw.uniform(4, low=0.5, high=2.0))}
    return weighted("BCEWithLogitsLoss", options, (3 * draw.normal(3, 4), draw.uniform(3, 4)))


@case("binary_cross_entropy_with_logits")
def bce_with_logits(draw: Draw) -> Call:
    options = {**reduction(draw), **maybe_weight(draw, 4), "pos_weight": draw.maybe(draw.uniform(4, low=0.5, high=2.0))}
    return Call((3 * draw.normal(3, 4), draw.uniform(3, 4)), options, fixed=("weight", "pos_weight"))


@case("KLDivLoss")
def kl_div_layer(draw: Draw) -> Layer:
    options = {"reduction": draw.one_of(*REDUCTIONS, "batchmean"), "log_target": draw.one_of(True, False)}
    return Layer(options=options, inputs=kl_inputs(draw, options["log_target"]))


@case("kl_div")
def kl_div(draw: Draw) -> Call:
    options = {"reduction": draw.one_of(*REDUCTIONS, "batchmean"), "log_target": draw.one_of(True, False)}
    return Call(kl_inputs(draw, options["log_target"]), options)


def kl_inputs(draw: Draw, log_target: bool) -> tuple[Host, Host]:
    target = draw.uniform(3, 4, low=0.05)
    return -draw.uniform(3, 4, high=3.0), np.log(target) if log_target else target


@case("kl_div zeros")
def kl_div_at_zero(draw: Draw) -> Call:
    return Call((draw.normal(3, 4), np.maximum(draw.normal(3, 4), 0)), {"reduction": "batchmean"}, fixed=(1,))


@case("PoissonNLLLoss")
def poisson_layer(draw: Draw) -> Layer:
    options = {"log_input": draw.one_of(True, False), "full": draw.one_of(True, False), "eps": draw.one_of(1e-8, 1e-3)}
    return Layer(options={**options, **reduction(draw)}, inputs=(draw.uniform(3, 4), 4 * draw.uniform(3, 4)))


@case("poisson_nll_loss")
def poisson(draw: Draw) -> Call:
    options = {"log_input": draw.one_of(True, False), "full": draw.one_of(True, False), "eps": draw.one_of(1e-8, 1e-3)}
    return Call((draw.uniform(3, 4), 4 * draw.uniform(3, 4)), {**options, **reduction(draw)})


def gaussian_inputs(draw: Draw) -> tuple[Host, Host, Host]:
    var = draw.uniform(*draw.one_of((3, 4), (3, 1), (1, 4), (3,)), low=-0.2, high=1.0)
    return draw.normal(3, 4), draw.normal(3, 4), np.where(var < 0, 0.0, var)


@case("GaussianNLLLoss")
def gaussian_layer(draw: Draw) -> Layer:
    options = {"full": draw.one_of(True, False), "eps": draw.one_of(1e-3, 0.5)}
    return Layer(options={**options, **reduction(draw)}, inputs=gaussian_inputs(draw))


@case("gaussian_nll_loss")
def gaussian(draw: Draw) -> Call:
    options = {"full": draw.one_of(True, False), "eps": draw.one_of(1e-3, 0.5)}
    return Call(gaussian_inputs(draw), {**options, **reduction(draw)})


@case("gaussian_nll_loss number")
def gaussian_of_a_number(draw: Draw) -> Call:
    return Call((draw.normal(3, 4), draw.normal(3, 4), 0.5), reduction(draw))


# --- classes ---


def class_arguments(draw: Draw) -> tuple[int, dict[str, Any], tuple[Host, Host]]:
    n_classes = draw.size(2, 4)
    rest = draw.one_of((), (3,), (2, 3))
    batch = draw.one_of((), (5,)) if not rest else (5,)
    x = draw.normal(*batch, n_classes, *rest)
    numbers = draw.integers(*batch, *rest, high=n_classes)
    ignored = draw.one_of(-100, 1)
    if numbers.shape:
        numbers = np.where(draw.uniform(*numbers.shape) < 0.2, ignored, numbers)
    elif ignored == 1:
        numbers = np.asarray(0)
    return n_classes, {**reduction(draw), "ignore_index": ignored}, (x, numbers)


@case("CrossEntropyLoss")
def cross_entropy_layer(draw: Draw) -> Layer:
    n, options, inputs = class_arguments(draw)
    options |= {**maybe_weight(draw, n), "label_smoothing": draw.one_of(0.0, 0.2)}
    return weighted("CrossEntropyLoss", options, inputs)


@case("cross_entropy")
def cross_entropy(draw: Draw) -> Call:
    n, options, inputs = class_arguments(draw)
    options |= {**maybe_weight(draw, n), "label_smoothing": draw.one_of(0.0, 0.2)}
    return Call(inputs, options, fixed=("weight",))


@case("cross_entropy probabilities")
def cross_entropy_of_probabilities(draw: Draw) -> Call:
    n = draw.size(2, 4)
    shape = draw.one_of((n,), (5, n), (5, n, 3))
    options = {**reduction(draw), **maybe_weight(draw, n), "label_smoothing": draw.one_of(0.0, 0.2)}
    return Call((draw.normal(*shape), draw.uniform(*shape)), options, fixed=("weight",))


@case("NLLLoss")
def nll_layer(draw: Draw) -> Layer:
    n, options, inputs = class_arguments(draw)
    return weighted("NLLLoss", {**options, **maybe_weight(draw, n)}, inputs)


@case("nll_loss")
def nll(draw: Draw) -> Call:
    n, options, inputs = class_arguments(draw)
    return Call(inputs, {**options, **maybe_weight(draw, n)}, fixed=("weight",))


@case("MultiMarginLoss")
def multi_margin_layer(draw: Draw) -> Layer:
    options = {"p": draw.one_of(1, 2), "margin": draw.one_of(1.0, 0.5), **maybe_weight(draw, 4), **reduction(draw)}
    batch = draw.one_of((), (5,))
    return weighted("MultiMarginLoss", options, (draw.normal(*batch, 4), draw.integers(*batch, high=4)))


@case("multi_margin_loss")
def multi_margin(draw: Draw) -> Call:
    options = {"p": draw.one_of(1, 2), "margin": draw.one_of(1.0, 0.5), **maybe_weight(draw, 4), **reduction(draw)}
    batch = draw.one_of((), (5,))
    x = draw.integers(*batch, 4, high=3).astype(float)  # integers have ties and kinks
    return Call((x, draw.integers(*batch, high=4)), options, fixed=("weight",))


def several_classes(draw: Draw) -> tuple[Host, Host]:
    batch = draw.one_of((), (5,))
    order = np.argsort(draw.uniform(*batch, 4), axis=-1)
    count = draw.integers(*batch, high=5)[..., None]
    return 2 * draw.normal(*batch, 4), np.where(np.arange(4) == count, -1, order)


@case("MultiLabelMarginLoss")
def multilabel_margin_layer(draw: Draw) -> Layer:
    return Layer(options=reduction(draw), inputs=several_classes(draw))


@case("multilabel_margin_loss")
def multilabel_margin(draw: Draw) -> Call:
    return Call(several_classes(draw), reduction(draw))


@case("MultiLabelSoftMarginLoss")
def multilabel_soft_margin_layer(draw: Draw) -> Layer:
    options = {**maybe_weight(draw, 4), **reduction(draw)}
    batch = draw.one_of((), (5,))
    inputs = 2 * draw.normal(*batch, 4), np.round(draw.uniform(*batch, 4))
    return weighted("MultiLabelSoftMarginLoss", options, inputs)


@case("multilabel_soft_margin_loss")
def multilabel_soft_margin(draw: Draw) -> Call:
    options = {**maybe_weight(draw, 4), **reduction(draw)}
    batch = draw.one_of((), (5,))
    return Call((2 * draw.normal(*batch, 4), draw.uniform(*batch, 4)), options, fixed=("weight",))


# --- margins ---


@case("MarginRankingLoss")
def margin_ranking_layer(draw: Draw) -> Layer:
    x = draw.normal(3, 4)
    inputs = x, some_equal(draw, x), signs(draw, 3, 4)
    return Layer((draw.one_of(0.0, 1.0),), reduction(draw), inputs)


@case("margin_ranking_loss")
def margin_ranking(draw: Draw) -> Call:
    x = draw.normal(3, 4)
    inputs = x, some_equal(draw, x), signs(draw, *draw.one_of((3, 4), (1, 4)))
    return Call(inputs, {"margin": draw.one_of(0.0, 1.0), **reduction(draw)})


@case("HingeEmbeddingLoss")
def hinge_embedding_layer(draw: Draw) -> Layer:
    x = np.where(draw.uniform(3, 4) < 0.3, 0.5, draw.normal(3, 4))
    return Layer((draw.one_of(1.0, 0.5),), reduction(draw), (x, signs(draw, 3, 4)))


@case("hinge_embedding_loss")
def hinge_embedding(draw: Draw) -> Call:
    x = np.where(draw.uniform(3, 4) < 0.3, 0.5, draw.normal(3, 4))
    return Call((x, signs(draw, 3, 4)), {"margin": draw.one_of(1.0, 0.5), **reduction(draw)})


@case("SoftMarginLoss")
def soft_margin_layer(draw: Draw) -> Layer:
    return Layer((), reduction(draw), (3 * draw.normal(3, 4), signs(draw, 3, 4)))


@case("soft_margin_loss")
def soft_margin(draw: Draw) -> Call:
    return Call((3 * draw.normal(3, 4), signs(draw, 3, 4)), reduction(draw))
