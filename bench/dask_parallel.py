"""Measures data-parallel training on dask: does the gradient equal that of a single machine, and how much memory has a worker?

    python -m bench.dask_parallel            the whole measurement, into bench/results/dask-DATE.{json,md}
    python -m bench.dask_parallel --quick    a small one; prints, and writes nothing

A network for 10 classes is trained on samples that the workers of a `distributed.LocalCluster` generate in each step, chunk by
chunk. No array of all samples ever exists. The chunk size is fixed, and the number of chunks grows.

* The gradient is compared with that of the NumPy backend on the same samples in one array.
* A worker's peak is the largest memory of its process (VmHWM): after it has imported everything and made a step on a few samples,
  and again after the training. Workers have no memory limit, so they never wait, spill to disk or restart.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import xgrad as xg
from bench import machine, report
from xgrad import nn, optim

Row = dict[str, Any]

FEATURES, HIDDEN, CLASSES = 128, 64, 10
MIB = 2.0**20
BEGIN, END = "<!-- dask:begin -->", "<!-- dask:end -->"


@contextmanager
def cluster(workers: int = 2) -> Iterator[Any]:
    """A client of a cluster of worker processes with one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
        ) as made,
        Client(made) as client,
    ):
        yield client


# --- the samples and the training -----------------------------------------------------------------------


def inputs_of(chunk: int, rows: int) -> Any:
    """The inputs of a chunk of samples. A worker generates them when it needs them, as it would read them from a file."""
    return np.random.default_rng(chunk).normal(size=(rows, FEATURES))


def classes_of(chunk: int, rows: int) -> Any:
    return np.random.default_rng((1, chunk)).integers(CLASSES, size=rows).astype(np.uint8)


def samples(chunks: int, rows: int) -> tuple[Any, Any]:
    """The inputs and the classes of all samples, as lazy arrays."""
    import dask.array as da

    def lazily(make: Any, dtype: Any, *width: int) -> Any:
        def block(block_info: Any = None) -> Any:
            return make(block_info[None]["chunk-location"][0], rows)

        sizes = ((rows,) * chunks, *((n,) for n in width))
        return da.map_blocks(block, chunks=sizes, dtype=dtype, meta=np.empty((0,) * len(sizes), dtype))

    return lazily(inputs_of, np.float64, FEATURES), lazily(classes_of, np.uint8)


def network() -> Any:
    """The network, on the current backend. Its weights are the same on every backend."""
    rng = xg.random.Generator(0)
    sizes = [(FEATURES, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, CLASSES)]
    layers: list[nn.Module] = []
    for n, m in sizes:
        layers += [nn.Linear(n, m, dtype=xg.float64, rng=rng), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def train(x: Any, classes: Any, steps: int) -> Any:
    """The network after `steps` steps of Adam, each on all samples. Its gradients are those of the last step."""
    model = network()
    optimizer, loss_function = optim.Adam(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    for _ in range(steps):
        optimizer.zero_grad()
        loss_function(model(x), classes).backward()
        optimizer.step()
    return model


def on_dask(chunks: int, rows: int, steps: int) -> list[Any]:
    """The gradients of the last step, as NumPy arrays."""
    with xg.use_backend("dask"):
        x, classes = samples(chunks, rows)
        model = train(xg.asarray(x), xg.asarray(classes), steps)
        return [p.grad.numpy() for p in model.parameters()]


def on_numpy(chunks: int, rows: int, steps: int) -> list[Any]:
    x, classes = (np.concatenate([made(i, rows) for i in range(chunks)]) for made in (inputs_of, classes_of))
    with xg.use_backend("numpy"):
        model = train(xg.asarray(x), xg.asarray(classes), steps)
        return [p.grad.numpy() for p in model.parameters()]


def difference(got: list[Any], want: list[Any]) -> float:
    """The largest difference of an element, relative to the largest element of its array."""
    return max(float(np.abs(g - w).max() / np.abs(w).max()) for g, w in zip(got, want, strict=True))


# --- measuring ------------------------------------------------------------------------------------------


def peak() -> int:
    """The largest memory that this process has had so far, in bytes."""
    with open("/proc/self/status") as status:
        (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measure(client: Any, chunks: int, rows: int, steps: int, *, compare: bool = True) -> Row:
    workers = len(client.nthreads())
    on_dask(2 * workers, 10, 1)  # imports and first steps
    before = max(client.run(peak).values())
    gradients = on_dask(chunks, rows, steps)
    after = max(client.run(peak).values())
    return {
        "chunks": chunks,
        "rows": rows,
        "steps": steps,
        "workers": workers,
        "chunk_bytes": rows * FEATURES * 8,
        "data_bytes": chunks * rows * FEATURES * 8,
        "before_bytes": before,
        "peak_bytes": after,
        "difference": difference(gradients, on_numpy(chunks, rows, steps)) if compare else None,
    }


def in_words(row: Row) -> list[str]:
    gradient = "-" if row["difference"] is None else f"{row['difference']:.1e}"
    sizes = [f"{row[name] / MIB:,.0f}" for name in ("data_bytes", "before_bytes", "peak_bytes")]
    return [str(row["chunks"]), *sizes, gradient]


HEADER = ["chunks", "all samples, MiB", "worker before, MiB", "worker's peak, MiB", "gradient differs by"]


def markdown(results: Row) -> str:
    where, rows = results["machine"], results["rows"]
    first = rows[0]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return f"""# Data-parallel training on dask

{where["date"]}, commit {where["commit"]}, {where["cpu"]}, {where["cores"]} cores, {where["python"]}, {versions}. Written by
`python -m bench.dask_parallel`.

{first["steps"]} steps of Adam on a network {FEATURES}-{HIDDEN}-{HIDDEN}-{CLASSES} with cross-entropy, float64,
on {first["workers"]} worker processes of one thread each, without a memory limit.
A chunk is {first["rows"]:,} samples, {first["chunk_bytes"] / MIB:.1f} MiB; each worker makes its chunks anew in each step.

{report.table(HEADER, [in_words(row) for row in rows])}

"Worker before" is the most memory a worker had after its imports and a first step on a few samples, "worker's peak" the most it
had at the end, of both workers the larger (VmHWM). The gradient of the last step is compared with the NumPy backend's on all
samples in one array, relative to the largest element of each parameter's; what does not fit into one array's memory is not.
"""


def readme(folder: Path = report.RESULTS) -> str:
    """The text for README from the newest results, or a note that there are none."""
    paths = sorted(folder.glob("dask-*.json"))
    if not paths:
        return f"{BEGIN}\nNot measured yet: `python -m bench.dask_parallel` measures.\n{END}"
    results = json.loads(paths[-1].read_text(encoding="utf-8"))
    first, last = results["rows"][0], results["rows"][-1]
    times = f"{last['data_bytes'] / first['data_bytes']:.0f}"
    differs = max(row["difference"] for row in results["rows"] if row["difference"] is not None)
    words = f"""Measured on two worker processes, with samples in chunks of {first["chunk_bytes"] / MIB:.1f} MiB
([results](results/{paths[-1].with_suffix(".md").name}); `python -m bench.dask_parallel` measures again): with
{_mib(first["data_bytes"])} of samples in all, a worker has {_mib(first["before_bytes"])} before and
{_mib(first["peak_bytes"])} at its peak; with {times} times as many, {_mib(last["data_bytes"])},
{_mib(last["peak_bytes"])}. The gradient is the NumPy backend's to {differs:.0e} of its largest element."""
    return f"{BEGIN}\n{words}\n{END}"


def _mib(size: float) -> str:
    return f"{size / MIB:,.0f} MiB"


def versions() -> dict[str, str]:
    found = {name: import_module(name) for name in ("numpy", "dask", "distributed")}
    return {name: str(vars(library)["__version__"]) for name, library in found.items()}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dask_parallel", description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small one; prints, and writes nothing")
    quick = parser.parse_args(argv).quick
    rows = []
    print(report.table(HEADER, []))
    for chunks in (2, 8) if quick else (4, 16, 64, 256):
        with cluster() as client:
            in_one = chunks <= 64  # more are too large for one array
            rows.append(measure(client, chunks, 2_000 if quick else 10_000, 2, compare=in_one))
        print(f"| {' | '.join(in_words(rows[-1]))} |", flush=True)
    if not quick:
        results: Row = {"machine": machine.describe(), "versions": versions(), "rows": rows}
        path = report.RESULTS / f"dask-{results['machine']['date']}.json"
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(markdown(results), encoding="utf-8")
        print(f"written: {path} and .md")


if __name__ == "__main__":
    main(sys.argv[1:])
