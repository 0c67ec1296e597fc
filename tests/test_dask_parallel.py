"""Training on a cluster of two worker processes: the gradient is the single machine's, and memory is bounded by the chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import xgrad as xg
from bench import dask_parallel
from bench.dask_parallel import CLASSES, markdown, measure

pytest.importorskip("dask.array")
pytest.importorskip("distributed")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    import dask

    # a loaded machine is slow: no process counts as lost because it does not answer
    timeouts = dict.fromkeys(("distributed.comm.timeouts.connect", "distributed.comm.timeouts.tcp"), "1h")
    with dask.config.set({**timeouts, "distributed.scheduler.worker-ttl": None}), dask_parallel.cluster(2) as client:
        yield client


def test_the_gradient_is_the_single_machine_s_and_memory_is_bounded_by_the_chunk(client):
    assert measure(client, 4, 2_000, 2)["difference"] < 1e-12
    many = measure(client, 64, 2_000, 1)
    assert many["difference"] < 1e-12
    # A worker that kept its chunks would hold half of the samples, and what the layers made of them. It holds a few of 64
    # chunks; how many of them at once is a matter of luck, and how much the allocator keeps is another.
    assert many["peak_bytes"] - many["before_bytes"] < many["data_bytes"] / 2


def test_an_error_on_a_worker_is_raised_and_changes_nothing(client):
    import dask.array as da

    def fails(block: Any) -> Any:
        raise OverflowError("on the worker")

    with xg.use_backend("dask"):
        x = xg.asarray(da.ones(3).map_blocks(fails, dtype=float, meta=da.ones(0)))
        before = x.data
        with pytest.raises(OverflowError, match="on the worker"):
            xg.persist(x)
    assert x.data is before


def test_the_report_says_what_was_measured():
    row: dict[str, Any] = dict.fromkeys(("chunk_bytes", "data_bytes", "before_bytes", "peak_bytes"), 3 * 2**20)
    row |= {"chunks": 7, "rows": 1_000, "steps": 2, "workers": 2, "difference": 1e-15}
    where = {name: name for name in ("date", "commit", "cpu", "cores", "python")}
    text = markdown({"machine": where, "versions": {"dask": "1"}, "rows": [row]})
    assert "| 7 | 3 | 3 | 3 | 1.0e-15 |" in text
    assert f"-{CLASSES} with cross-entropy" in text
