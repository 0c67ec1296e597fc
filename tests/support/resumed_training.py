"""A training that saves its state and can be killed: python -m tests.support.resumed_training FILE POINT...

For each point a process is started, which goes on from the file if it is there, and kills itself at the point. A point is a step
and a place in it, such as `6:loop`. `end` prints a digest of all that was trained; `whole` does it for a run without the file.

    loop       between two steps, before the state is saved
    writing    when half of the new file is written
    written    when the new file is written, before it is synced and takes the place of the old one
    replaced   when it has taken the place, before the folder is synced
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import xgrad as xg
from xgrad import nn, optim

STEPS = 12
ROWS = 10  # an epoch has three batches, so that every second save is within one


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_within_saving(place: str) -> None:
    """Let the next save kill this process."""
    library: Any = import_module("safetensors")
    system: Any = os
    write, replace = library.serialize_file, os.replace

    def write_half(arrays: Any, path: Path, metadata: Any) -> None:
        write(arrays, path, metadata)
        os.truncate(path, path.stat().st_size // 2)
        die()

    def replace_and_die(source: Any, target: Any) -> None:
        replace(source, target)
        die()

    if place == "writing":
        library.serialize_file = write_half
    elif place == "written":
        system.fsync = lambda number: die()
    else:
        system.replace = replace_and_die


def train(path: Path, point: str) -> str:
    rng = xg.random.Generator(0)
    x = rng.normal((ROWS, 3), dtype="float32")
    data = xg.data.TensorDataset(x, xg.sin(xg.sum(x, axis=1, keepdims=True)))
    loader = xg.data.DataLoader(data, batch_size=4, shuffle=True, generator=xg.random.Generator(1))
    layers = [
        nn.Linear(3, 8, rng=rng, dtype="float32"),
        nn.Dropout(0.25, rng=rng),
        nn.Linear(8, 1, rng=rng, dtype="float32"),
    ]
    model = nn.Sequential(*layers)
    optimizer = optim.AdamW(model.parameters(), lr=0.05, amsgrad=True)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)
    run = {"model": model, "optimizer": optimizer, "schedule": schedule, "rng": rng, "loader": loader}
    step = xg.load(path, run)["step"] if path.exists() else 0
    at, _, place = point.partition(":")
    while step < STEPS:
        for inputs, targets in loader:  # after loading, the rest of the epoch
            optimizer.zero_grad()
            nn.functional.mse_loss(model(inputs), targets).backward()
            optimizer.step()
            schedule.step()
            step += 1
            if at == str(step):
                die() if place == "loop" else die_within_saving(place)
            if step % 2 == 0:
                xg.save({**run, "step": step}, path)
    return digest(run)


def digest(run: dict[str, Any]) -> str:
    """A digest of all numbers in the states of a run."""
    found = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                found.update(repr(key).encode())
                add(each)
        elif isinstance(value, list | tuple):
            for each in value:
                add(each)
        else:
            found.update(value.numpy().tobytes() if isinstance(value, xg.Tensor) else repr(value).encode())

    add({name: part.state_dict() for name, part in run.items()})
    return found.hexdigest()


def in_a_process_of_its_own(path: Path, point: str) -> None:
    """A fork, because to import everything again takes longer than the training. Prints what became of it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        print(train(path.with_name("whole") if point == "whole" else path, point), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(f"{point}: killed by signal {os.WTERMSIG(status)}", *sorted(each.name for each in path.parent.iterdir()))


if __name__ == "__main__":
    xg.zeros(1)  # imports the library of the backend
    import_module("safetensors")
    for each in sys.argv[2:]:
        in_a_process_of_its_own(Path(sys.argv[1]), each)
