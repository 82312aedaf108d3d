"""The cube: what is intended, what is permitted and what was observed, edge by edge."""
