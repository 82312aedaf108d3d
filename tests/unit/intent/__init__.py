"""Contracts as they are written."""
