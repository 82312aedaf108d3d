"""The drafted contract."""
