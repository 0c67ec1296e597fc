"""The engine: it records operations and differentiates them. It names no operation and no array library.

Read `tape`, `tensor`, `op` and `dispatch` in this order.
"""
