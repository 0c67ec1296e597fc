"""The faults: how each changes a training, which rules name it, and which tell a consequence of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import xgrad as xg
from bench.faults_generator import BINARY, CLASSES, LABELS, REGRESSION, TASKS, Rng, Training, between, choice
from bench.faults_training import Outcome, loss_of
from xgrad import nn

POOR = frozenset({"PLATEAU", "UNDERTRAINED", "CONST_OUTPUT"})  # each fault ends with a poor fit
LARGE_STEPS = frozenset({"STEP_UNSTABLE", "LR_HIGH"})
FACTS = frozenset({"NONFINITE", "LOSS_EXPLODED", "DEAD_LAYER"})  # what was seen in a faulty run is never wrong


@dataclass(frozen=True)
class Injected:
    """A training with a fault."""

    training: Training
    says: str
    accept: frozenset[str]  # the rules that name it
    symptoms: frozenset[str]  # the rules that tell a true consequence


def _as_drawn(t: Training, rng: Rng) -> Training | None:
    return t


def _always(outcome: Outcome) -> bool:
    return True


@dataclass(frozen=True)
class Variant:
    """One way in which a fault is made."""

    change: Callable[[Training, Rng], tuple[Training, str] | None]
    tasks: Sequence[str]
    suited: Callable[[Training, Rng], Training | None]  # a training that the fault has a place in; None: it has none
    shows: Callable[[Outcome], bool]  # whether the fault shows in the run
    accept: frozenset[str]
    symptoms: frozenset[str]

    def inject(self, t: Training, rng: Rng) -> Injected | None:
        changed = self.change(t, rng)
        return None if changed is None else Injected(*changed, self.accept, self.symptoms)


@dataclass
class Fault:
    """A fault, which the rule of its name should name."""

    name: str
    variants: list[Variant] = field(default_factory=list)


FAULTS: dict[str, Fault] = {}
Change = Callable[[Training, Rng], tuple[Training, str] | None]


def variant(
    name: str,
    tasks: Sequence[str] = TASKS,
    *,
    suited: Callable[[Training, Rng], Training | None] = _as_drawn,
    shows: Callable[[Outcome], bool] = _always,
    also: Collection[str] = (),
    symptoms: Collection[str] = (),
    poor: frozenset[str] = POOR,
) -> Callable[[Change], Change]:
    """Add a variant of a fault. `also` are further rules that name it; `poor` are those of a poor fit that are true then."""

    def add(change: Change) -> Change:
        fault = FAULTS.setdefault(name, Fault(name))
        accept = frozenset({name, *also})
        fault.variants.append(Variant(change, tasks, suited, shows, accept, (poor | {*symptoms}) - accept))
        return change

    return add


# --- the output, the loss and the labels ------------------------------------------------------------


def _binary_probability(t: Training, rng: Rng) -> Training:
    return replace(t, last="sigmoid", loss=choice(rng, ["BCELoss", "binary cross-entropy, clipped"]))


@variant("OUTPUT_ACTIVATION", (BINARY,), suited=_binary_probability, symptoms={"FROZEN"})
def softmax_over_one_unit(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, last="softmax"), "softmax over one unit"


@variant(
    "OUTPUT_ACTIVATION", (LABELS,), suited=lambda t, rng: replace(t, last="sigmoid", loss="BCELoss"), also={"LOSS_TASK"}
)
def softmax_for_labels(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, last="softmax"), "softmax for labels that are not exclusive"


@variant("OUTPUT_ACTIVATION", (CLASSES, BINARY, LABELS), suited=lambda t, rng: t if not t.last else None)
def activation_before_logits(t: Training, rng: Rng) -> tuple[Training, str]:
    last = "sigmoid" if t.loss == "BCEWithLogitsLoss" else choice(rng, ["softmax", "softmax", "sigmoid"])
    return replace(t, last=last), f"{last} before a loss that takes logits"


@variant(
    "OUTPUT_ACTIVATION",
    (CLASSES, BINARY, LABELS),
    suited=lambda t, rng: t if t.last and t.loss != "MSELoss" else None,
    also={"LOSS_TASK"},
    symptoms={"STEP_UNSTABLE", "LR_HIGH", "FROZEN"},
)
def nothing_before_probabilities(t: Training, rng: Rng) -> tuple[Training, str]:
    last = choice(rng, ["", "relu"])
    return replace(t, last=last), f"{last or 'no activation'} before a loss of probabilities or their logarithms"


@variant(
    "OUTPUT_ACTIVATION",
    (CLASSES,),
    suited=lambda t, rng: t if t.classes >= 3 else None,
    also={"LABEL_RANGE", "LOSS_TASK", "OUTPUT_RANGE"},
    symptoms={"STEP_UNSTABLE", "SATURATED"},
)
def one_unit_for_classes(t: Training, rng: Rng) -> tuple[Training, str]:
    loss = choice(rng, ["BCELoss", "binary cross-entropy, clipped"])
    changed = replace(t, units=1, last="sigmoid", loss=loss, targets="column")
    return changed, f"one sigmoid unit for {t.classes} classes"


def _unbounded(t: Training, rng: Rng) -> Training:
    return replace(t, last="", reach=False)


@variant("OUTPUT_RANGE", (REGRESSION,), suited=_unbounded, also={"OUTPUT_ACTIVATION"})
def unreachable(t: Training, rng: Rng) -> tuple[Training, str]:
    last = choice(rng, ["sigmoid", "tanh", "relu"])
    return replace(t, last=last), f"{last} output for targets that it cannot reach"


@variant(
    "LABEL_RANGE",
    (BINARY, LABELS),
    suited=lambda t, rng: t if t.loss != "MSELoss" else None,
    also={"OUTPUT_RANGE"},
    symptoms={"OUTPUT_ACTIVATION", "LOSS_TASK", "SCALE", "STEP_UNSTABLE", "LR_HIGH", "SATURATED"},
)
def labels_outside(t: Training, rng: Rng) -> tuple[Training, str]:
    scaled = choice(rng, ["/ 255", "* 255", "1 and 2", "-1 and 1"])
    return replace(t, scaled=scaled), f"labels 0 and 1 became {scaled}"


@variant(
    "LABEL_RANGE",
    (CLASSES,),
    suited=lambda t, rng: t if t.targets == "integers" else None,
    also={"IMBALANCE"},
    symptoms={"SATURATED"},
)
def labels_divided(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, scaled="// 255"), "labels divided by 255 as if they were pixels: all become 0"


@variant("LABEL_RANGE", (CLASSES,), suited=lambda t, rng: t if t.targets == "one-hot" else None, symptoms={"LR_LOW"})
def onehot_divided(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, scaled="/ 255"), "one-hot labels divided by 255 as if they were pixels"


@variant("LABEL_RANGE", (CLASSES,), also={"IMBALANCE"})
def class_without_samples(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, missing=t.classes - 1), f"class {t.classes - 1} never occurs"


@variant(
    "LOSS_TASK",
    (CLASSES,),
    suited=lambda t, rng: t if t.classes >= 3 else None,
    also={"OUTPUT_ACTIVATION"},
    symptoms=LARGE_STEPS,  # of numbers to 9
)
def error_of_numbers(t: Training, rng: Rng) -> tuple[Training, str]:
    loss = choice(rng, ["MSELoss", "L1Loss"])
    return replace(t, units=1, last="", loss=loss, targets="column"), f"{loss} on the numbers of classes"


@variant("LOSS_TASK", (CLASSES,), also={"OUTPUT_ACTIVATION"})
def error_of_onehot(t: Training, rng: Rng) -> tuple[Training, str]:
    last = choice(rng, ["softmax", ""])
    return replace(
        t, last=last, loss="L1Loss", targets="one-hot"
    ), f"L1Loss on one-hot labels, {last or 'linear'} output"


@variant(
    "LOSS_TASK",
    (REGRESSION,),
    suited=_unbounded,
    also={"LABEL_RANGE", "OUTPUT_ACTIVATION", "OUTPUT_RANGE"},
    symptoms={"STEP_UNSTABLE", "LR_HIGH", "SATURATED"},
)
def entropy_of_regression(t: Training, rng: Rng) -> tuple[Training, str]:
    last, loss = choice(rng, [("", "BCEWithLogitsLoss"), ("sigmoid", "binary cross-entropy, clipped")])
    return replace(t, last=last, loss=loss), f"{loss} for a regression"


# --- the steps --------------------------------------------------------------------------------------


@variant("LR_LOW", also={"UNDERTRAINED"}, symptoms={"FROZEN"})
def rate_too_low(t: Training, rng: Rng) -> tuple[Training, str]:
    factor = between(rng, 300, 10_000)
    return replace(t, lr=t.lr / factor), f"the rate divided by {factor:.0f}"


@variant("STEP_UNSTABLE", also={"LR_HIGH"}, symptoms={"SATURATED", "FROZEN"})
def rate_too_high(t: Training, rng: Rng) -> tuple[Training, str]:
    factor = between(rng, 30, 1000)
    return replace(t, lr=t.lr * factor), f"the rate times {factor:.0f}"


@variant("UNDERTRAINED", also={"LR_LOW"}, poor=frozenset())  # its loss would have gone on falling
def too_few_steps(t: Training, rng: Rng) -> tuple[Training, str]:
    steps = max(5, round(t.steps / between(rng, 5, 50)))
    return replace(t, steps=steps), f"{steps} of {t.steps} steps"


def _for_vanishing(t: Training, rng: Rng) -> Training:
    hidden = tuple(round(between(rng, 8, 64)) for _ in range(int(rng.integers(3, 6))))
    lr, activation = between(rng, 0.02, 0.3), choice(rng, ["relu", "tanh", "gelu", "elu"])
    return replace(
        t, hidden=hidden, activation=activation, between="", init="he", optimizer="SGD", momentum=0.0, lr=lr,
        weight_decay=0.0,
    )  # fmt: skip


@variant("VANISHING", suited=_for_vanishing, also={"UNDERTRAINED", "LR_LOW"})
def deep_sigmoids(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, activation="sigmoid", init="tiny"), f"{len(t.hidden)} sigmoid layers from tiny weights"


def _with_hidden(t: Training, rng: Rng) -> Training | None:
    return t if t.hidden else None


@variant(
    "LINEAR_NETWORK",
    suited=lambda t, rng: t if t.hidden and t.data in ("spirals", "teacher", "sines") else None,
    symptoms=LARGE_STEPS,  # without activations that make it smaller the output may diverge
)
def no_activations(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, activation="none"), "no activation between the layers"


@variant(
    "REGULARISATION",
    suited=lambda t, rng: t if t.optimizer.startswith("SGD") or t.optimizer == "Adam" else None,
    symptoms={"VANISHING", "STEP_UNSTABLE", "LR_HIGH"},
)
def strong_decay(t: Training, rng: Rng) -> tuple[Training, str]:
    decay = between(rng, 0.3, 3)
    return replace(t, weight_decay=decay), f"weight decay {decay:.2g}"


# --- the data ---------------------------------------------------------------------------------------


@variant("NOT_SHUFFLED", suited=lambda t, rng: replace(t, batch=choice(rng, [8, 16, 32]), between="", shuffle=True))
def sorted_samples(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, is_sorted=True, shuffle=False), "samples sorted by target, and not shuffled"


def is_overfit(outcome: Outcome) -> bool:
    """Whether the loss on held-out samples is more than twice that on the others."""
    t, data = outcome.training, outcome.data
    outcome.model.eval()
    with xg.no_grad():
        held = loss_of(t)(outcome.model(xg.asarray(data.x_held)), xg.asarray(data.y_held)).item()
        seen = loss_of(t)(outcome.model(xg.asarray(data.x)), xg.asarray(data.y)).item()
    outcome.model.train()
    return bool(held > 2 * seen)


@variant("OVERFITTING", suited=_with_hidden, shows=is_overfit)
def few_noisy_samples(t: Training, rng: Rng) -> tuple[Training, str]:
    hidden = tuple(max(128, width) for width in t.hidden[:2])
    noise = float(rng.uniform(0.15, 0.4)) if t.task != REGRESSION else float(rng.uniform(0.5, 1))
    samples = int(rng.integers(30, 100))
    changed = replace(t, hidden=hidden, samples=samples, flipped=noise, validation=True, between="", weight_decay=0.0)
    return changed, f"{samples} samples with noise {noise:.2g} and a large network"


@variant("IMBALANCE", (CLASSES, BINARY), suited=lambda t, rng: replace(t, samples=max(200, t.samples)))
def rare_classes(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, majority=0.98), "98% of the samples are of one class"


SCALED = {"STEP_UNSTABLE", "LR_HIGH", "LR_LOW", "SATURATED", "VANISHING", "FROZEN"}


@variant(
    "SCALE", symptoms=SCALED, suited=lambda t, rng: replace(t, between="" if t.between == "BatchNorm" else t.between)
)
def raw_inputs(t: Training, rng: Rng) -> tuple[Training, str]:
    kind = choice(rng, ["pixels", "prices"])
    return replace(t, inputs_are=kind), "inputs of 0 to 255" if kind == "pixels" else "inputs of 20,000 +- 4,000"


@variant("SCALE", (REGRESSION,), suited=_unbounded, symptoms=SCALED)
def raw_targets(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, scaled="* 1000"), "targets times 1,000"


# --- the layers -------------------------------------------------------------------------------------


def has_dead_layer(outcome: Outcome) -> bool:
    """Whether a layer of ReLU is 0 for every sample."""
    h: Any = xg.asarray(outcome.data.x)
    with xg.no_grad():
        for layer in outcome.model:
            h = layer(h)
            if isinstance(layer, nn.ReLU) and not np.any(h.numpy() > 0):
                return True
    return False


def _with_relu(t: Training, rng: Rng) -> Training | None:
    return replace(t, activation="relu", between="") if t.hidden else None


@variant("DEAD_LAYER", suited=_with_relu, shows=has_dead_layer)
def negative_biases(t: Training, rng: Rng) -> tuple[Training, str]:
    bias = -between(rng, 5, 50)
    return replace(t, bias=bias), f"biases of {bias:.3g} before ReLU"


@variant("DEAD_LAYER", suited=_with_relu, shows=has_dead_layer, also=LARGE_STEPS)
def killed_by_steps(t: Training, rng: Rng) -> tuple[Training, str]:
    factor = between(rng, 30, 1000)
    return replace(t, lr=t.lr * factor), f"the rate times {factor:.0f}, which kills a layer of ReLU"


@variant(
    "SATURATED",
    suited=lambda t, rng: replace(t, activation=choice(rng, ["tanh", "sigmoid"]), between="") if t.hidden else None,
    symptoms={"VANISHING", *LARGE_STEPS},
)
def large_weights(t: Training, rng: Rng) -> tuple[Training, str]:
    times = between(rng, 30, 100)
    return replace(t, times=times), f"first weights {times:.0f} times too large"


# --- mistakes in the program ------------------------------------------------------------------------


@variant("FORGOT_ZERO_GRAD", symptoms={"SATURATED", "FROZEN", *LARGE_STEPS})
def no_zero_grad(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, zero_grad=False), "no zero_grad()"


@variant("FROZEN", suited=_with_hidden)
def layers_left_out(t: Training, rng: Rng) -> tuple[Training, str]:
    hidden = tuple(range(len(t.hidden)))
    out = choice(rng, [hidden, hidden, (0,), (len(t.hidden),)])
    return replace(t, left_out=out), f"the optimizer does not get layers {', '.join(map(str, out))}"


@variant("NO_GRADIENT", suited=_with_hidden, symptoms={"FROZEN"})
def detached(t: Training, rng: Rng) -> tuple[Training, str]:
    place = int(rng.integers(len(t.hidden)))
    return replace(t, detached=place), f"detach() after hidden layer {place}"


@variant(
    "GRADCHECK",
    suited=lambda t, rng: replace(t, activation=choice(rng, ["relu", "tanh", "sigmoid"])) if t.hidden else None,
    symptoms=LARGE_STEPS | {"SATURATED"},
)
def wrong_derivative(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, wrong=True), f"a {t.activation} with a wrong derivative"


@variant("NONFINITE", (REGRESSION,), suited=lambda t, rng: replace(t, last="relu", reach=True))
def log_of_zero(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, loss="squared error of logarithms"), "the logarithm of 0 in the loss"


@variant("NONFINITE", (REGRESSION,))
def root_of_zero(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, loss="root of what is above"), "the root of 0 in the loss"


@variant("NONFINITE", (REGRESSION,), suited=_unbounded)
def division_by_zero(t: Training, rng: Rng) -> tuple[Training, str]:
    return replace(t, loss="relative error", scaled="rounded"), "a division by 0 in the loss"
