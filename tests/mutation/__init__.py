"""Planted faults: each must make a test fail. `python -m tests.mutation` runs them."""
