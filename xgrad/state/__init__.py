"""Saving and loading: models, optimizers and all that a run needs to go on, in one safetensors file.

>>> import os, tempfile, xgrad as xg
>>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
>>> xg.save({"w": xg.ones((2, 2)), "steps": 7}, path)
>>> xg.load(path)["steps"]
7
"""

from xgrad.nn.saving import StateError as StateError
from xgrad.state.loading import load as load
from xgrad.state.saving import save as save
