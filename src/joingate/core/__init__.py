"""The pure part: who may join, by territory and rule. Standard library only; time is an argument.

Nothing here waits, reads a clock, a file, a socket or the environment, or logs. `tests/test_layering.py` holds that.
"""
