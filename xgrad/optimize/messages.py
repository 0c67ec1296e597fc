"""Why a minimization stopped, in words that several methods share."""

SUCCESS = "Optimization terminated successfully."
MAXITER = "The number of iterations has reached maxiter."
PRECISION = "The line search found no lower value: rounding errors, or a gradient that is not the function's."
NOT_FINITE = "The function or its gradient is not finite."
CALLBACK = "The callback raised StopIteration."
