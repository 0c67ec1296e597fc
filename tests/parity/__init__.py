"""The same layers, functions and losses in PyTorch and in xgrad, on random arguments.

A case (in cases/) draws the arguments. case.py says what a case is, run.py computes its results in either library, and stored.py
keeps numbers of PyTorch's results for machines without it.
"""
