"""Benchmarks: xgrad against hand-written NumPy and the libraries a user would pick instead.

`python -m bench` measures and writes `bench/results/`; `--help` says what else it does.
"""
