"""The record of a run, from which its picture is drawn: Python numbers, in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Stage:
    """The learned curve before the update of a step; the last stage is after the last update."""

    step: int
    prediction: list[float]  # at Record.shown_x


@dataclass
class LayerTrace:
    """The numbers of one layer at the steps of Record.sampled; nan where a number was not finite."""

    name: str
    idle: str | None  # what idle units of this layer are called: "dead" or "saturated"
    gradient_norm: list[float] = field(default_factory=list)  # of its weight and bias together
    share: list[float] = field(default_factory=list)  # of dead units or saturated slopes


@dataclass
class Record:
    """A run. x and y are lists of the same length, and so are `sampled` and the lists of each layer."""

    title: str
    setting: str
    x: list[float]  # the training points
    y: list[float]
    shown_x: list[float]  # the x of the learned curves, ascending
    curve: tuple[list[float], list[float]] | None  # x and y of the true curve, if it is known
    loss_name: str
    references: list[tuple[str, float]]  # losses to compare with: their labels and values
    batch: int | None = None
    loss: list[float] = field(default_factory=list)  # of each step, before its update
    stages: list[Stage] = field(default_factory=list)
    sampled: list[int] = field(default_factory=list)  # the steps at which the layers were sampled
    layers: list[LayerTrace] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)  # the step and the rule of each finding
