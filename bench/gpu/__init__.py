"""Checks xgrad on a CUDA device, and measures it there: `python -m bench.gpu`.

Each section is a module with one function, `run(job)`, and a process of its own, so that a crash in one, or a device left in a
bad state, does not touch the others. What a section has so far is written down as it goes.

`python -m bench.gpu --backend torch` (or strict) rehearses it all where there is no device: every line of this package but those
that speak to CUDA. A rehearsal says that it is one, and is never written among the results.
"""
