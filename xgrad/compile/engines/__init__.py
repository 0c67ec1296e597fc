"""The engines, which run a program: an existing compiler or the library itself each. choice.py picks one."""
