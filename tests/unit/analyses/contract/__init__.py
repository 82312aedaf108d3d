"""Contracts read against small worlds."""
