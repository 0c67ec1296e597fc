"""The derivatives that PyTorch computes of the fixed seeds' programs, for where PyTorch is not installed.

    python -m tests.data.make_fuzz_reference

stores them anew, which is needed whenever the grammar changes.
"""

from __future__ import annotations

import numpy as np

from tests.fuzz.grammar import generate
from tests.fuzz.oracle import STORED, from_torch, packed

SEEDS = range(300)


def main() -> None:
    programs = [generate(seed) for seed in SEEDS]
    parts = [packed(from_torch(p)) for p in programs]
    np.savez_compressed(
        STORED,
        seeds=np.asarray(SEEDS, dtype=np.int32),
        keys=np.asarray([p.key for p in programs], dtype=np.uint32),
        lengths=np.asarray([part.size for part in parts], dtype=np.int32),
        numbers=np.concatenate(parts),
    )
    print(f"{len(programs)} programs, {STORED.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
