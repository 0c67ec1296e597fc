"""One picture of the page: what it is called, what it shows in words, the drawing, and the key to its lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape


@dataclass
class Key:
    """A line of the key: what has this colour, and how its line is drawn."""

    label: str
    color: str  # a name in scheme.COLORS
    style: str = "solid"  # as in CSS: "solid", "dashed", "dotted", or "block" for an area


@dataclass
class Picture:
    """A picture, as HTML apart from its place on the page."""

    name: str  # its id on the page
    title: str
    says: str  # what it shows, for readers who do not see it and for those who do
    svg: str
    keys: list[Key] = field(default_factory=list)
    below: str = ""  # HTML below the drawing

    def html(self) -> str:
        """The picture as a figure of the page."""
        keys = "".join(
            f'<li><i class="{key.style}" style="--key: var(--{key.color})"></i>{escape(key.label)}</li>'
            for key in self.keys
        )
        return (
            f'<figure id="{self.name}"><figcaption><h2>{escape(self.title)}</h2><p>{escape(self.says)}</p></figcaption>\n'
            f"{self.svg}\n" + (f'<ul class="keys">{keys}</ul>' if keys else "") + f"{self.below}</figure>"
        )
