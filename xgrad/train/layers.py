"""The language of `network.layers`: layers in words, such as "64 relu dropout 0.1 64 relu"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xgrad._words import shown
from xgrad.fit.network import ACTIVATIONS
from xgrad.train.lines import Path
from xgrad.train.problems import instead, place
from xgrad.train.settings import Network

# Each layer, and what follows its name: a size is a whole number of 1 or more, a share a number from 0 to below 1.
WORDS: dict[str, tuple[str, ...]] = {
    "linear": ("size",),
    "conv": ("channels", "kernel size"),
    "stride": ("size",),
    "maxpool": ("size",),
    "avgpool": ("size",),
    "gru": ("size",),
    "lstm": ("size",),
    "rnn": ("size",),
    "last": (),
    "mean": (),
    "flatten": (),
    "batchnorm": (),
    "layernorm": (),
    "dropout": ("share",),
    **{name: () for name in ACTIVATIONS if name != "none"},
}
LARGEST = 1_000_000  # of a size
WHERE: Path = ("network", "layers")
HIDDEN = {"mlp": (64, 64), "cnn": (16, 32), "gru": (64,), "lstm": (64,), "rnn": (64,)}
AFTER_CNN = 64  # units between the convolutions and the output


@dataclass(frozen=True)
class Layer:
    """A layer in words: its name, the numbers behind it, and where it stands in the config."""

    name: str
    numbers: tuple[float, ...] = ()
    path: Path = WHERE
    at: str = ""

    def __str__(self) -> str:
        return " ".join([self.name, *map(str, self.numbers)]).removeprefix("linear ")


@dataclass(frozen=True)
class LayerFault:
    """What is wrong with a layer."""

    path: Path
    why: str


def read(text: str | Sequence[str]) -> tuple[list[Layer], list[LayerFault]]:
    """The layers in a text or a list of texts, and what is wrong with them.

    >>> layers, faults = read("conv 16 3 relu, 64 drpout 0.5")
    >>> [str(layer) for layer in layers]
    ['conv 16 3', 'relu', '64']
    >>> faults[0].why
    'network.layers, word 6: there is no layer "drpout"; did you mean "dropout"?'
    """
    layers: list[Layer] = []
    faults: list[LayerFault] = []
    parts = [(WHERE, text)] if isinstance(text, str) else [((*WHERE, i), part) for i, part in enumerate(text)]
    for path, part in parts:
        _Reader(path, part, layers, faults).read()
    return layers, faults


class _Reader:
    """Reads one text. A number that stands alone is the size of a linear layer."""

    def __init__(self, path: Path, text: str, layers: list[Layer], faults: list[LayerFault]) -> None:
        self.path, self.words, self.layers, self.faults = path, re.findall(r"[^\s,]+", text), layers, faults
        self.at = 0

    def read(self) -> None:
        if not self.words:
            self.faults.append(LayerFault(self.path, f"{place(self.path)}: there is no layer in it"))
        while self.at < len(self.words):
            word, start = self.words[self.at].lower(), self.at
            if _number(word) is not None:
                self.take("linear", start, start)
            elif word in WORDS:
                self.take(word, start, start + 1)
            else:
                self.fault(start, f'there is no layer "{word[:60]}"; {instead(word, WORDS)}')
                self.at += 1
                while self.at < len(self.words) and _number(self.words[self.at]) is not None:
                    self.at += 1  # they belong to the word that is unknown

    def take(self, name: str, start: int, first: int) -> None:
        """A layer whose numbers begin at the word `first`."""
        needed = WORDS[name]
        found = []
        for i, what in enumerate(needed):
            number = _number(self.words[first + i]) if first + i < len(self.words) else None
            if number is None:
                followed = f'"{self.words[first + i][:60]}"' if first + i < len(self.words) else "nothing"
                self.fault(start, f'"{name}" needs {_listed(needed)} behind it; {followed} follows')
                self.at = first + i
                return
            if why := _misfit(number, what):
                self.fault(first + i, f"the {what} of {name} {why}; it is {shown(self.words[first + i])[1:-1]}")
            found.append(number)
        self.at = first + len(needed)
        self.layers.append(Layer(name, tuple(found), self.path, f", word {start + 1}"))

    def fault(self, at: int, why: str) -> None:
        self.faults.append(LayerFault(self.path, f"{place(self.path)}, word {at + 1}: {why}"))


def _number(word: str) -> float | None:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", word, re.ASCII):
        return None
    return int(word) if re.fullmatch(r"[+-]?\d{1,400}", word) else float(word[:400])


def _misfit(number: float, what: str) -> str:
    if what == "share":
        return "" if 0 <= number < 1 else "must be a number from 0 to below 1"
    if not isinstance(number, int) or number < 1:
        return "must be a whole number, 1 or more"
    return "" if number <= LARGEST else f"must be {LARGEST} or less"


def _listed(needed: tuple[str, ...]) -> str:
    return " and ".join(f"its {what}" for what in needed)


def of_kind(network: Network, shape: tuple[int, ...]) -> tuple[str, list[Layer]]:
    """The kind of network, and its layers, for samples of a shape.

    >>> kind, layers = of_kind(Network(hidden=[8], dropout=0.1), (4,))
    >>> kind, " ".join(map(str, layers))
    ('mlp', '8 relu dropout 0.1')
    """
    kind = network.kind or ("mlp" if len(shape) == 1 else "cnn")
    hidden = HIDDEN[kind] if network.hidden is None else network.hidden
    path: Path = ("network", "kind") if network.kind else ("network",)
    activation = network.activation or "relu"
    follows = [Layer(activation, (), path)] if activation != "none" else []
    drop = [Layer("dropout", (network.dropout,), path)] if network.dropout else []
    layers: list[Layer] = []
    sides = list(shape[-2:])
    for size in hidden:
        if kind == "mlp":
            layers += [Layer("linear", (size,), path), *follows, *drop]
        elif kind == "cnn":
            layers += [Layer("conv", (size, 3), path), *follows]
            if min(sides) >= 4:
                layers.append(Layer("maxpool", (2,), path))
                sides = [side // 2 for side in sides]
            layers += drop
        else:
            layers += [Layer(kind, (size,), path), *drop]
    if kind == "cnn":
        layers += [Layer("linear", (AFTER_CNN,), path), *follows, *drop]
    return kind, layers
