"""Checks and measures xgrad on a CUDA device: `python -m bench.gpu`.

Each section is a module with a function `run(job)`, and runs in a process of its own, so that a crash, or a device in a bad
state, does not affect the others. A section writes its results while it runs.

`python -m bench.gpu --backend torch` (or strict) is a rehearsal without a device: it runs every line of this package except those
that call CUDA. Its report is marked as a rehearsal, and is never written among the results.
"""
