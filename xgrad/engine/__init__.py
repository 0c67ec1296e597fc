"""What records operations and walks back through them. It names no operation and no array library.

Read `tape`, `tensor`, `op` and `dispatch` in this order.
"""
