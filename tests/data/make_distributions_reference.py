"""Stores PyTorch's results for distributions: `python -m tests.data.make_distributions_reference`, where PyTorch is installed."""

from tests.support.distributions import write

if __name__ == "__main__":
    write()
