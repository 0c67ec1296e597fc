"""Small trainings on real data, each a short script with its figure: digits, diabetes, text, and an equation.

An example defines `run(seed, ..., figure)`, which trains with fixed data and returns its numbers by name.
`python -m bench.examples` runs all of them, draws the figures, and writes the numbers.
"""

from pathlib import Path

NAMES = (
    "digits_mlp",
    "digits_cnn",
    "diabetes",
    "autoencoder",
    "characters_gru",
    "gpt",
    "burgers",
)
RESULTS = Path(__file__).parent.parent / "results" / "examples.json"
FIGURES = Path(__file__).parent.parent / "results" / "examples"
