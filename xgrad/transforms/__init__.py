"""Functions that take a function and give another: gradients, Jacobians, batches, checkpoints."""
