"""Drift: its checks, their guards, and what comes of them over time."""
