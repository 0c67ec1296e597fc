"""Random programs over the whole namespace, compared with numbers that xgrad did not compute.

    python -m tests.fuzz --seeds 0:10000 --backend torch

generates a program from each seed and tries on it every way that xgrad has to a derivative. A map of the folder:

    program.py       a program: its steps, its text, and how it is run in a namespace
    draw.py          what a row of the grammar draws from: the values there are, and conditions that they must meet
    grammar.py       the rows by name, and how a program is made of them
    rows/            the rows, one file for each chapter: how an operation's arguments are drawn, and its text
    plain_numpy.py   the namespace of NumPy and SciPy in which a program's values are computed
    plain_torch.py   the namespace of PyTorch in which its derivatives are
    oracle.py        the numbers to compare with: PyTorch's, the stored ones, or differences
    check.py         what is compared: value, gradient, jvp, hvp, vmap, checkpoint, and compositions of these
    shrink.py        a failing program without the operations that do not matter
    __main__.py      the command line

From each seed comes a second program, which writes through views (`--no-views` leaves it out): NumPy's own memory says what its
values are, and differences what its derivatives are.

A program is text that is the same in each namespace, so that an operation is described once. Where PyTorch spells it otherwise
(a negative step, a write), a step has a second text, `plain`, for the oracles.

Programs are smooth, and of order 1, where they are evaluated: a row refuses arguments near a kink, a tie, a pole or an
eigenvalue that is double, and a whole program is refused whose differences with two steps disagree. So a difference means
a fault. (NumPy sums in another order from run to run, so that conditions look at values without their last digits: a seed gives
the same program everywhere.)

A function that xgrad gets is put into the grammar: a row in rows/, its spelling in plain_numpy.py and plain_torch.py where the
standard does not have it; then `python -m tests.data.make_fuzz_reference` stores the fixed seeds' numbers anew.
"""
