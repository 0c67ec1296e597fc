"""What a run left behind to be drawn, in plain Python numbers and the data's own units."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Stage:
    """The learned curve before the update of one step (the last one: after the last update)."""

    step: int
    prediction: list[float]  # at Record.shown_x


@dataclass
class LayerTrace:
    """What was seen of one layer at Record.sampled: nan where a number was not finite."""

    name: str
    idle: str | None  # "dead" or "saturated": what this layer's activation can become
    gradient_norm: list[float] = field(default_factory=list)  # of its weight and bias together
    share: list[float] = field(default_factory=list)  # of its units or slopes that are idle


@dataclass
class Record:
    """A run: lists of the same length belong together, in the order they are named."""

    title: str
    setting: str
    x: list[float]  # the training points
    y: list[float]
    shown_x: list[float]  # where the learned curve is drawn, ascending
    curve: tuple[list[float], list[float]] | None  # the true curve, where it is known
    loss_name: str
    references: list[tuple[str, float]]  # lines worth comparing the loss with, in its units
    batch: int | None = None
    loss: list[float] = field(default_factory=list)  # one per step, before its update
    stages: list[Stage] = field(default_factory=list)
    sampled: list[int] = field(default_factory=list)  # the steps of the layers' traces
    layers: list[LayerTrace] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)  # what was found wrong: the step, and the rule's name
