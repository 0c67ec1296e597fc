"""NumPy's own functions on tensors: `np.sum(t)`, `np.linalg.solve(a, t)`, `np.nanmean(t)`."""
