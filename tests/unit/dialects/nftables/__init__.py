"""Packet filters: how they are written, and that a kernel takes them as they are meant."""
