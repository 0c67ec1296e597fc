"""Benchmarks: xgrad compared with hand-written NumPy and with the libraries that a user could choose instead.

`python -m bench` measures and writes into `bench/results/`; `--help` lists its options.
"""
