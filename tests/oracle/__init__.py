"""Slow, obvious evaluators that the engine is held against."""
