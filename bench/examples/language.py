"""What the two language models share: the training loop, a model of counts to compare with, sampling, numbers and figure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import xgrad as xg
from bench.examples import data, drawing
from xgrad import nn, optim

BITS = 1.0 / math.log(2.0)  # in a nat


class Curve(NamedTuple):
    """Bits per character over the steps: of the training batches, and of the validation text at some steps."""

    training: list[float]
    steps: list[int]
    validation: list[float]


def train(
    model: nn.Module, loss: Callable[..., Any], bits: Callable[[Any], Any], ids: Any, validation: Any,
    *, length: int, steps: int, every: int, lr: float, seed: int, batch: int = 32,
) -> Curve:  # fmt: skip
    """Train on random windows of the text `ids`, and leave in the model the weights that were best on the validation text."""
    optimizer = optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps + 1, pct_start=0.1)
    rng = np.random.default_rng(seed)

    @xg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        value = loss(x, y)
        value.backward()
        optimizer.step()
        return value

    curve, best, kept = Curve([], [], []), math.inf, model.state_dict()
    for i in range(1, steps + 1):
        curve.training.append(
            step(*data.windows(ids, length, rng.integers(len(ids) - length, size=batch))).item() * BITS
        )
        schedule.step()
        if i % every == 0 or i == steps:
            model.eval()
            curve.steps.append(i)
            curve.validation.append(float(np.mean(bits(validation))))
            model.train()
            if curve.validation[-1] < best:
                best, kept = curve.validation[-1], model.state_dict()
    model.load_state_dict(kept)
    model.eval()
    return curve


def draw_character(logits: Any, rng: Any, temperature: float = 0.6) -> int:
    """A character by its chance, which a low temperature moves to the likely ones."""
    chances = np.exp((logits - logits.max()) / temperature)
    return int(rng.choice(len(chances), p=chances / chances.sum()))


def counted(ids: Any, test: Any, longest: int = 4) -> float:
    """Bits per character of a model of counts: what followed the last 4, 3, 2, 1 and 0 characters in `ids`, mixed.

    The longer context has the weight n / (n + d), if n characters followed it in the text, d different ones.

    I. Witten, T. Bell, The zero-frequency problem, https://doi.org/10.1109/18.87000
    """
    pieces = [Counter(zip(*(ids[i:] for i in range(n + 1)), strict=False)) for n in range(longest + 1)]
    seen = [Counter[Any]() for _ in pieces]  # how often a context occurs
    different = [Counter(each[:-1] for each in counts) for counts in pieces]  # how many characters follow it
    for totals, counts in zip(seen, pieces, strict=True):
        for each, count in counts.items():
            totals[each[:-1]] += count
    bits = 0.0
    for i in range(longest, len(test)):
        chance = 1.0 / (max(ids.max(), test.max()) + 1)
        for n in range(longest + 1):
            context = tuple(test[i - n : i])
            n_different, n_seen = different[n][context], seen[n][context]
            if n_seen:
                chance = (pieces[n][*context, test[i]] + n_different * chance) / (n_seen + n_different)
        bits -= math.log2(chance)
    return float(bits) / (len(test) - longest)


def finished(
    model: nn.Module, curve: Curve, bits: Callable[[Any], Any], ids: Any, test: Any, characters: str,
    *, title: str, sample: str, figure: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """The numbers of a trained model, with its sample, and its figure where one is wanted. It was trained on the text `ids`."""
    surprise, counts = bits(test), counted(ids, test)
    if figure:
        passage, colors = "".join(characters[each] for each in test[:360]), np.append(0.0, surprise[:359])
        draw(figure, title, curve, surprise.mean(), counts, passage, colors)
    return {
        "test bits per character": float(surprise.mean()),
        "those of counts": counts,
        "validation bits per character": min(curve.validation),
        "parameters": sum(each.size for each in model.parameters()),
        "sample": sample,
    }


@drawing.styled
def draw(path: Path, title: str, curve: Curve, tested: float, counts: float, passage: str, surprise: Any) -> None:
    """The curve of the training, and a passage of the test text with the surprise at each character as its colour."""
    figure = drawing.new(5.6)
    upper, lower = figure.subplots(2, 1, height_ratios=[3, 2])
    steps = range(1, len(curve.training) + 1)
    upper.plot(steps, curve.training, color=drawing.BLUE, alpha=0.5, linewidth=1, label="training batches")
    upper.plot(curve.steps, curve.validation, ".-", color=drawing.ORANGE, label="validation text")
    dashed = {"linestyle": "--", "linewidth": 1}
    upper.axhline(counts, color=drawing.GRAY, label=f"counts of 5 characters, test text: {counts:.2f}", **dashed)
    upper.axhline(tested, color=drawing.GREEN, label=f"this model, test text: {tested:.2f}", **dashed)
    upper.set(xlabel="step", ylabel="bits per character", title=title, ylim=(0.0, 6.0))
    upper.legend(ncols=2)
    columns = 72
    rows = math.ceil(len(passage) / columns)
    shades = np.zeros(rows * columns)
    shades[: len(passage)] = surprise
    shown = lower.imshow(shades.reshape(rows, columns), cmap="Oranges", vmin=0.0, vmax=10.0, aspect="auto")
    for i, character in enumerate(passage):
        lower.text(i % columns, i // columns, character, ha="center", va="center", family="monospace", fontsize=8,
                   color="white" if surprise[i] > 6.0 else "black")  # fmt: skip
    lower.set(xticks=[], yticks=[], title="Surprise at each character of the test text")
    lower.grid(False)
    figure.colorbar(shown, ax=lower, label="bits", pad=0.01)
    drawing.save(figure, path)
