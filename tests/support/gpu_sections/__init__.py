"""Sections for bench.gpu that go wrong, each in its own way; see tests/test_bench_gpu.py."""
